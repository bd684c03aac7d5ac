"""What a start script says about Hub, and the ways in which it says something else than its author meant."""

from __future__ import annotations

from pathlib import Path
from time import perf_counter

import pytest

from tests.formats.hub_stub import argument_lists, flags
from wizard.errors import Refusal
from wizard.formats.launch import find_launches
from wizard.formats.shell import parse
from wizard.targets.hub import script as hub_script

SCRIPTS = Path(__file__).parents[1] / "formats" / "scripts"
START = Path("/home/jake/hub/start.sh")
REST = {"authMode": "ssl", "sslCert": "/h/cert.pem", "sslKey": "/h/key.pem", "sslDH": "/h/dh.pem"}


def read(text: str) -> hub_script.StartScript:
    return hub_script.read(START, text.encode())


def published(name: str) -> hub_script.StartScript:
    return hub_script.read(START, (SCRIPTS / name).read_bytes())


def effective(folder: Path, script: bytes) -> dict[str, str]:
    """What hub gets when bash runs the script; later settings win."""
    (arguments,) = argument_lists(folder, script)
    return dict(flags(arguments))


def refused(text: str, edit: dict[str, str] | None = None) -> Refusal:
    with pytest.raises(Refusal) as caught:
        hub_script.set_flags(read(text), edit or REST)
    return caught.value


def test_t01_a_missing_backslash_is_found_and_repaired(tmp_path: Path) -> None:
    script = published("guide_as_published.sh")
    assert "serverType" not in effective(tmp_path, script.data)
    assert effective(tmp_path, script.repaired)["serverType"] == "http"
    (repair,) = script.repairs
    assert repair.line == 10
    assert repair.sentence == (
        "There is no backslash at the end of this line, so for bash the command ends here, "
        "without --serverType; the backslash is added."
    )
    assert script.repaired == script.data.replace(b"50051\n", b"50051 \\\n")


def test_t01_flags_pasted_from_the_guide_without_backslashes_reach_hub(tmp_path: Path) -> None:
    script = published("guide_rest_block_pasted.sh")
    assert "authMode" not in effective(tmp_path, script.data)
    assert effective(tmp_path, script.repaired)["sslDH"] == "/home/jake/hub/dh.pem"
    assert effective(tmp_path, hub_script.set_flags(script, REST)).items() >= REST.items()


def test_t02_a_blank_after_the_backslash_is_found_and_repaired(tmp_path: Path) -> None:
    script = published("blank_after_backslash.sh")
    assert "dbUser" not in effective(tmp_path, script.data)
    assert [repair.line for repair in script.repairs] == [4]
    assert "A blank stands behind the backslash" in script.repairs[0].sentence
    assert script.repaired == script.data.replace(b"\\ \n", b"\\\n")


def test_t03_a_comment_inside_moves_above_the_command_unchanged(tmp_path: Path) -> None:
    script = published("comment_line_inside.sh")
    assert "apiAddress" not in effective(tmp_path, script.data)
    assert effective(tmp_path, script.repaired)["apiAddress"] == "127.0.0.1:14265"
    assert b"# Starts the hub.\n# the node\n./bazel-bin/hub/hub \\\n" in script.repaired


def test_t03_a_comment_that_swallows_the_backslash_moves_above_the_command() -> None:
    script = published("comment_swallows_backslash.sh")
    assert b"#!/bin/bash\n# 9 on the devnet\n./hub \\\n" in script.repaired
    assert b"--minWeightMagnitude 14 \\\n" in script.repaired


def test_t03_an_empty_line_inside_is_removed() -> None:
    script = published("empty_line_inside.sh")
    assert [repair.line for repair in script.repairs] == [4, 8]
    assert script.repaired == script.data.replace(b"\\\n\n", b"\\\n").replace(b"\\\n\t\n", b"\\\n")


def test_t04_carriage_returns_are_refused_with_the_way_out() -> None:
    refusal = refused("#!/bin/bash\r\n./hub --salt abc\r\n")
    assert refusal.line == 1
    assert "carriage return" in refusal.reason
    assert f"sed -i 's/\\r$//' {START}" in refusal.remedy
    assert refused("#!/bin/bash\n./hub --salt abc\r\n").line == 2


@pytest.mark.parametrize(
    ("text", "api"),
    [
        ("./hub --db x", "grpc"),
        ("./hub --serverType http", "http"),
        ("./hub -serverType=http --db x", "http"),
        ("./hub --serverType http --serverType grpc", "grpc"),
        ("API=http\n./hub --serverType $API", "http"),
        ("ARGS=(--serverType http)\n./hub ${ARGS[@]}", "http"),
        ("./hub -- --serverType http", "grpc"),
        ("./hub --salt --serverType http", "grpc"),
    ],
)
def test_t05_the_api_that_runs_is_read_from_the_flags(text: str, api: str, tmp_path: Path) -> None:
    script = read(text)
    assert script.server_type == api
    assert effective(tmp_path, text.encode()).get("serverType", "grpc") == api


def test_t05_an_orphaned_server_type_means_grpc_today_and_rest_after_the_repair() -> None:
    script = published("guide_as_published.sh")
    assert (script.server_type, script.repaired_server_type) == ("grpc", "http")


def test_t13_a_second_occurrence_goes_and_the_last_one_is_set(tmp_path: Path) -> None:
    script = read("./hub --sslCert /new --db x \\\n  --sslCert=/old\n")
    assert [(warning.line, warning.text) for warning in script.warnings] == [
        (2, "--sslCert is set 2 times; only the last one, here, is in force.")
    ]
    after = hub_script.set_flags(script, {"sslCert": "/h/cert.pem"})
    assert after == b"./hub --db x \\\n  --sslCert=/h/cert.pem\n"
    assert effective(tmp_path, after) == {"db": "x", "sslCert": "/h/cert.pem"}


def test_t13_flags_go_behind_a_flagfile_and_before_the_callers_arguments() -> None:
    script = read('#!/bin/bash\n./hub --flagfile=/etc/hub.flags \\\n  --db x \\\n  "$@"\n')
    assert [(warning.line, warning.path) for warning in script.warnings] == [(2, START), (4, START)]
    assert "--flagfile" in script.warnings[0].text
    assert '"$@"' in script.warnings[1].text
    after = hub_script.set_flags(script, {"authMode": "ssl"})
    assert (
        after
        == b'#!/bin/bash\n./hub --flagfile=/etc/hub.flags \\\n  --db x \\\n  --authMode ssl \\\n  "$@"\n'
    )


def test_settings_and_places_are_those_in_force_after_the_repair() -> None:
    script = published("guide_as_published.sh")
    assert script.listen_address == "127.0.0.1:50051"
    assert script.settings["listenAddress"] == hub_script.Setting("127.0.0.1:50051", 10)
    assert script.settings["serverType"] == hub_script.Setting("http", 11)
    assert (script.program, script.program_line) == ("./bazel-bin/hub/hub", 3)


def test_lines_are_those_of_the_file_as_it_is_though_comments_move() -> None:
    script = published("everything_broken.sh")
    lines = script.data.splitlines()
    assert b"nohup" in lines[script.program_line - 1]
    for name, setting in script.settings.items():
        assert f"--{name}".encode() in lines[setting.line - 1]


def test_a_value_known_only_at_run_time_is_none() -> None:
    script = read('./hub --listenAddress "$1" --db ${DB:-x}\n')
    assert script.listen_address is None
    assert script.settings["db"].value is None


def test_flags_are_removed_with_their_line() -> None:
    script = read("./hub \\\n  --db x \\\n  --sslDH /d \\\n  --sslCA=/c \\\n  --depth 3\n")
    after = hub_script.set_flags(script, {"authMode": "ssl"}, remove=("sslDH", "sslCA"))
    assert after == b"./hub \\\n  --authMode ssl \\\n  --db x \\\n  --depth 3\n"


def test_flags_are_removed_from_arrays_without_their_comments() -> None:
    script = read('A=(\n  --sslDH /d # the group\n  --sslCA /c --db x\n  --sslKey\n)\n./hub "${A[@]}" /k\n')
    after = hub_script.set_flags(script, {}, remove=("sslDH", "sslCA", "sslKey"))
    assert after == b'A=(\n  # the group\n  --db x\n)\n./hub "${A[@]}"\n'


def test_values_are_quoted_when_they_need_it(tmp_path: Path) -> None:
    path = "/srv/hub data/it's $HOME;`x`/cert.pem"
    script = read("./hub \\\n  --sslKey /k \\\n  --db x\n")
    after = hub_script.set_flags(script, {"sslCert": path, "sslKey": "/a b/k"})
    assert effective(tmp_path, after) == {"sslCert": path, "sslKey": "/a b/k", "db": "x"}
    assert b"--sslKey '/a b/k' \\\n" in after


def test_a_value_with_blanks_does_not_go_through_an_unquoted_variable() -> None:
    refusal = refused("OPTS='--db x --sslCert /c'\n./hub $OPTS\n", {"sslCert": "/a b/c"})
    assert refusal.line == 1
    assert "unquoted variable" in refusal.reason
    assert refusal.by_hand == "--sslCert '/a b/c'"


def test_a_flag_that_an_empty_variable_would_swallow_is_refused() -> None:
    refusal = refused("./hub --salt $SALT --sslCert /c\n")
    assert "unquoted expansion" in refusal.reason
    assert "double quotes" in refusal.remedy


def test_a_variable_that_another_command_uses_is_not_changed() -> None:
    text = 'TLS=(--authMode none)\n./signing_server "${TLS[@]}" &\n./hub "${TLS[@]}" --db x\n'
    refusal = refused(text)
    assert (refusal.line, "used in more than one place" in refusal.reason) == (1, True)
    assert (
        hub_script.set_flags(read(text), {"sslDH": "/d"})
        == text.replace("./hub", "./hub --sslDH /d").encode()
    )


def test_a_variable_that_holds_one_value_is_left_alone() -> None:
    after = hub_script.set_flags(read("CERT=/old\n./hub --sslCert $CERT\n"), {"sslCert": "/h/c"})
    assert after == b"CERT=/old\n./hub --sslCert /h/c\n"


def test_a_long_script_is_read_too() -> None:
    chain = " && ".join(["true"] * 3000)
    assert read(f"{chain}\n./hub --db x\n").settings["db"].value == "x"


def test_the_time_to_read_a_script_grows_with_its_length_only() -> None:
    def seconds(lines: int) -> float:
        text = "echo hello\n" * lines + "./hub --db x\n"
        start = perf_counter()
        read(text)
        return perf_counter() - start

    assert seconds(4000) < 12 * min(seconds(500) for _ in range(3)) + 1


def test_secrets_are_named_as_they_stand_in_the_file() -> None:
    script = read(
        "DB_PASSWORD='pass one'\nexport API_TOKEN=tok\nP=\"hidden too\"\n"
        "# --salt older\nmysql --password=other -e x\n"
        'OPTS=\'--salt inner\'\n./hub --dbPassword "$P" --salt="s a" --db hub $OPTS\n'
    )
    assert set(script.secrets) == {b"pass one", b"tok", b"hidden too", b"older", b"other", b"inner", b"s a"}


@pytest.mark.parametrize(
    "line",
    [
        "# old salt: h1dden",
        "export MYSQL_PWD=h1dden",
        "API_KEY=h1dden",
        "mysql -uroot -ph1dden hub < schema.sql",
        "curl -s https://jake:h1dden@example.com/alive",
        "cat > my.cnf <<X\n[client]\npassword = h1dden\nX",
        'SALT="${SALT:---salt h1dden}"',
        "#DB_PASSWORD=h1dden",
        "DB_PASS=h1dden ./migrate",
        "curl -u jake:h1dden https://example.com/",
        "curl -H 'Authorization: Bearer h1dden' https://example.com/",
        "DSN=//jake:h1dden@localhost/db",
        "mysql <<X\nALTER USER jake IDENTIFIED BY 'h1dden';\nX",
        "curl -H 'X-Api-Key: h1dden' https://example.com/",
        "sshpass -p h1dden ssh db true",
        "sshpass -v -p'h1dden' ssh db true",
        "echo jake:h1dden | sudo chpasswd",
        "chpasswd <<< 'jake:h1dden'",
        "chpasswd <<X\njohn:other\njake:h1dden\nX",
        "cat >key <<X\n-----BEGIN RSA PRIVATE KEY-----\nMIIEow==\nh1dden\n-----END RSA PRIVATE KEY-----\nX",
        "KEY='-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASh1dden\n'",
    ],
)
def test_secrets_beside_the_command_are_named_too(line: str) -> None:
    script = read(f"{line}\n./hub --db hub --sslKey /home/jake/hub/key.pem\n")
    assert any(b"h1dden" in value for value in script.secrets)
    assert not any(value in b"./hub --db hub --sslKey /home/jake/hub/key.pem" for value in script.secrets)


@pytest.mark.parametrize(
    "text",
    [
        "./hub --db x --salt\n  h1dden\n",
        "./hub --dbHost mysql://jake:h1dden@localhost/hub\n",
        'O="--salt"\nO="$O h1dden"\n./hub $O\n',
        'A=(--salt)\nA+=(h1dden)\n./hub "${A[@]}"\n',
        'A=h1dden\nB="pre$A"\n./hub --dbPassword "$B"\n',
        'P=h1dden\n./hub --dbPassword "${P%x}"\n',
        ': ${P:=h1dden}\n./hub --dbPassword "$P"\n',
        'f() { ./hub --dbPassword "$1"; }\nf h1dden\n',
        'set -- h1dden\n./hub --dbPassword "$1"\n',
        'printf -v P %s h1dden\n./hub --dbPassword "$P"\n',
        'read P <<< h1dden\n./hub --dbPassword "$P"\n',
        'read P <<< "h1dden"\n./hub --dbPassword="$P"\n',
        'IFS=: read -r USER P <<< "joe:h1dden"\n./hub --dbPassword "$P"\n',
        'command read -r P <<< h1dden\n./hub --dbPassword "$P"\n',
        'read -r P <<X\nh1dden\nX\n./hub --dbPassword "$P"\n',
        'while read -r P; do :; done <<< "h1dden"\n./hub --dbPassword "$P"\n',
        'echo h1dden | { read -r P; ./hub --dbPassword "$P"; }\n',
        'get() { echo h1dden; }\n./hub --salt "$(get)"\n',
        'get() {\n  cat <<X\nh1dden\nX\n}\nP=`get`\n./hub --salt "$P"\n',
        'if true; then\nget() { echo h1dden; }\nelse\nget() { echo; }\nfi\n./hub --salt "$(get)"\n',
        "for X in h1dden; do ./hub --salt $X; done\n",
        "K[1]=h1dden\n./hub --salt ${K[1]}\n",
        "declare -A K\nK[a]+='h1dden'\n./hub --salt ${K[a]}\n",
        'builtin declare P=h1dden\n./hub --salt "$P"\n',
        "P=h1dden bash -c './hub --salt \"$P\"'\n",
        'P=very\nP+="h1dden"\n./hub --salt "$P"\n',
    ],
)
def test_secrets_are_named_whichever_way_they_reach_hub(text: str) -> None:
    script = read(text)
    shown = script.repaired
    for value in script.secrets:
        shown = shown.replace(value, b"")
    assert b"h1dden" in script.repaired
    assert b"h1dden" not in shown


def test_what_stands_beside_a_secret_that_is_read_or_made_is_shown() -> None:
    lines = (
        "cd /opt/hub; IFS=: read -r USER PW < /etc/hub/password",
        "get() { local file=/etc/hub/salt; head -n 1 $file; }",
        "if grep -q 'BEGIN PRIVATE KEY-----' /opt/hub/key.pem; then",
        "  HUB=/opt/hub/hub",
        "fi",
    )
    script = read("\n".join((*lines, './hub --dbPassword "$PW" --salt "$(get)" --db hub\n')))
    assert script.secrets
    assert not any(value in line.encode() for value in script.secrets for line in lines)


def test_secrets_of_the_outer_script_are_named_when_hub_is_started_by_a_shell() -> None:
    script = read("DB_PASSWORD=outer\nbash -c './hub --salt inner'\n")
    assert set(script.secrets) == {b"outer", b"inner"}


def test_sentences_about_repairs_show_no_values() -> None:
    script = read("./hub --salt \\ \n  TOPSECRET \\\n  --db x\n--dbPassword=TOPSECRET\n")
    assert len(script.repairs) == 2
    assert not any("TOPSECRET" in repair.sentence for repair in script.repairs)


def test_warnings_show_no_secrets() -> None:
    script = read('./hub --salt x "${EXTRA:---dbPassword=TOPSECRET}"\n')
    (warning,) = script.warnings
    assert warning.text.startswith("This word is only known at run time")


def test_t13_an_old_setting_before_a_flagfile_moves_behind_it() -> None:
    after = hub_script.set_flags(read("./hub --authMode none --flagfile=f --db x\n"), {"authMode": "ssl"})
    assert after == b"./hub --flagfile=f --db x --authMode ssl\n"


@pytest.mark.parametrize(
    ("text", "old"),
    [
        ("./hub --salt x --dbDebug --authMode none\n", "none"),
        ('A=(--salt x --dbDebug --authMode none)\n./hub "${A[@]}"\n', "none"),
        ("./hub --salt x $'--authMode' none\n", "none"),
        ("./hub --nodbDebug --authMode none --salt x\n", "none"),
    ],
)
def test_flags_behind_a_boolean_flag_or_in_any_quotes_are_seen(text: str, old: str, tmp_path: Path) -> None:
    assert effective(tmp_path, text.encode())["authMode"] == old
    assert effective(tmp_path, hub_script.set_flags(read(text), REST)).items() >= REST.items()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("./hub --newFlag --authMode none\n", "not clear whether the next word"),
        ('./hub --newFlag "$1" --authMode none\n', "not clear whether the next word"),
        ("IFS=$'\\n\\t'\nOPTS='--salt x --authMode none'\n./hub $OPTS\n", "sets IFS"),
        ("IFS=,\nOPTS=--salt,x,--authMode,none\n./hub $OPTS\n", "sets IFS"),
        ('f() { A+=(--authMode none); }\nA=(--salt x)\nf\n./hub "${A[@]}"\n', "under a condition"),
        ("f() { O=\"$O --authMode none\"; }\nO='--salt x'\nf\n./hub $O\n", "under a condition"),
        ('f() { A=(--authMode none); }\nA=(--salt x)\nf\n./hub "${A[@]}"\n', "under a condition"),
        ('f() { A+=(--db y); }\nA=(--serverType http)\nf\n./hub "${A[@]}"\n', "not known before"),
        ('C=("${D[@]}")\nD=("${C[@]}")\n./hub "${D[@]}"\n', "made of each other"),
        (
            "V0=x\n" + "".join(f"V{i + 1}=$V{i}$V{i}\n" for i in range(25)) + "./hub --salt $V25\n",
            "made of each other",
        ),
    ],
)
def test_what_bash_makes_of_variables_in_another_way_is_refused(text: str, reason: str) -> None:
    assert reason in refused(text).reason


GLUED = "in the middle of a word"
ELSEWHERE = "not simply at its beginning"
SALTED = "./hub --salt x "


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ('O="--salt x --sslCert /etc/hub"\nO="$O/cert.pem"\n./hub $O\n', 2, GLUED),
        ("O='--salt x --authMode no'\nO+='ne'\n./hub $O\n", 2, GLUED),
        ("O='--salt x --sslCert /etc/'\nO+='hub/cert.pem --sslKey /k'\n./hub $O\n", 2, GLUED),
        ("O='--salt x --auth'\nO+='Mode none'\n./hub $O\n", 2, GLUED),
        ("O='--salt x --auth'\ndeclare O+='Mode none'\n./hub $O\n", 2, GLUED),
        ("O='--salt x --auth'\nexport O=\"${O}Mode none\"\n./hub $O\n", 2, GLUED),
        ("O='--salt x'\nO+=\\ --authMode\\ none\n./hub $O\n", 2, GLUED),
        ("O='--salt '\nfor i in 1 2; do O+='--authMode none'; done\n./hub $O\n", 2, GLUED),
        ("O+='--authMode none'\n./hub --salt x $O\n", 1, GLUED),
        ("O='Mode none'\nO=\"--salt x --auth$O\"\n./hub $O\n", 2, ELSEWHERE),
        ("O='--db y'\nO=\"--salt x $O\"\n./hub $O\n", 2, ELSEWHERE),
        ("O='--db y'\nO+=\" $O\"\n./hub $O\n", 2, ELSEWHERE),
        ("O='x --authMode none'\nO=\"--salt ${O%y}\"\n./hub $O\n", 2, ELSEWHERE),
        (f'A=(none)\nA=("--authMode=${{A[@]}}")\n{SALTED}"${{A[@]}}"\n', 2, ELSEWHERE),
        ('A=(--authMode none)\nA=(--salt "${A[@]}")\n./hub "${A[@]}"\n', 2, ELSEWHERE),
        ('A=(--authMode none)\nA+=("${A[@]}")\n./hub "${A[@]}"\n', 2, ELSEWHERE),
        ('A=(--authMode=none x)\nA=("$A" --db y)\n./hub "${A[@]}"\n', 2, ELSEWHERE),
        ("A=(--salt 'x --authMode none')\nA=(${A[@]} --db y)\n./hub \"${A[@]}\"\n", 1, "cuts it at them"),
        ("M='x --authMode none'\nO=\"--salt $M\"\n./hub $O\n", 2, "cuts it at them"),
        ("P='--authMode=none --db y'\nO=\"$P --salt x\"\n./hub $O\n", 2, "cuts it at them"),
        ("P='--salt x --authMode none'\nO=\"--db y $P\"\n./hub $O\n", 2, "come through another one"),
        ("T=' --authMode none'\n./hub --salt a$T\n", 2, "glued to other text"),
        ('A=(none --db x)\n./hub "--authMode=${A[@]}"\n', 2, "glued to other text"),
        ('A=$(cat list)\n./hub --salt "${A[@]}" --db x\n', 2, "gets several words"),
        (
            "A=()\nif [ -f x ]; then A+=(--salt); fi\nif [ -f y ]; then A+=(z); fi\n"
            './hub "${A[@]}" --authMode none\n',
            4,
            "not always passed together",
        ),
        ("HUB=./hub\nHUB+=' --serverType http'\n$HUB --salt x\n", 3, "kept in the variable HUB"),
    ],
)
def test_options_that_lie_in_two_places_at_once_are_refused(text: str, line: int, reason: str) -> None:
    refusal = refused(text)
    assert (refusal.line, reason in refusal.reason) == (line, True)
    assert refusal.remedy


@pytest.mark.parametrize(
    "text",
    [
        'O="--salt x"\nO="$O --authMode none"\n./hub $O\n',
        'O="--salt x"\nO="${O} --authMode none"\nO="$O"\nO+=""\n./hub $O\n',
        'O="--salt x"\nO+=" --authMode none"\n./hub $O\n',
        'O="--salt x "\nO+="--authMode none "\nO+="--db y"\n./hub $O\n',
        'O="--salt x "\nO="$O--authMode none"\n./hub $O\n',
        'O="--salt x "\nif [ -d . ]; then O+="--db y "; fi\n./hub --authMode none $O\n',
        'O=\nO+="--salt x"\nexport O+=" --authMode none"\n./hub $O\n',
        'O="--salt x"\nO="$O\n  --authMode none"\n./hub $O\n',
        'A=()\nA+=(--salt x)\nA=("${A[@]}" --authMode none)\n./hub "${A[@]}"\n',
        'A=(--salt x)\nA=(${A[@]} --authMode none)\n./hub "${A[@]}"\n',
        './hub --salt "a b $HOME" --db "$HOME"" c d" --authMode none\n',
        'A=(--salt "a b $HOME" --authMode none)\n./hub "${A[@]}"\n',
        'start() { local O; O="--salt x"; O+=" --authMode none"; ./hub $O; }\nstart\n',
        'start() { local -a A; A=(--salt x --authMode none); ./hub "${A[@]}"; }\nstart\n',
        "start() { local T; T=http; ./hub --salt x --serverType $T --authMode none; }\nstart\n",
    ],
)
def test_options_that_are_added_as_whole_words_are_set_without_a_warning(text: str, tmp_path: Path) -> None:
    script = read(text)
    assert not script.warnings
    before = effective(tmp_path, script.data)
    assert before["authMode"] == "none"
    assert effective(tmp_path, hub_script.set_flags(script, REST)) == before | REST


@pytest.mark.parametrize(
    "inside",
    ['local O; O+=" --salt x"', 'local O+=" --salt x"', 'O=" --salt x"; local O', "local O; ./other $O"],
)
def test_what_a_variable_of_a_function_is_called_outside_is_not_what_it_holds(
    inside: str, tmp_path: Path
) -> None:
    text = f"O='--authMode none'\nstart() {{ {inside}; ./hub $O --db y; }}\nstart\n"
    assert effective(tmp_path, hub_script.set_flags(read(text), REST)).items() >= REST.items()


@pytest.mark.parametrize(
    "text",
    [
        'AUTH="--authMode=${MODE:-none}"\n./hub --salt x "$AUTH"\n',
        'X=$(echo --authMode=none)\n./hub --salt x "$X"\n',
        'A=(--salt x --authMode=none)\n./hub --salt x "${A[2]}"\n',
        'printf -v AUTH -- "--authMode=%s" none\n./hub --salt x "$AUTH"\n',
        "./hub --salt x $'--authMode\\x3dnone'\n",
        "read N <<< authMode\n./hub --salt x --$N=none\n",
        "./hub --salt x --{authMode=none,v=1}\n",
        'set -- --authMode=none\n./hub --salt x "$1"\n',
        "O='--salt x'\neval 'O=--authMode=none'\n./hub $O\n",
        "O='--salt x'\nexport $(echo O=--authMode=none)\n./hub $O\n",
        "O='--salt x'\nbuiltin declare O+=' --authMode none'\n./hub $O\n",
        "O=abc\nread O <<< 'x --authMode none'\n./hub --salt $O\n",
        'O="--salt $(echo x --authMode none) --db x"\n./hub $O\n',
        'O=()\nfor i in 1 2; do O+=(--authMode); done\n./hub --salt "${O[@]}"\n',
        "O=\n: ${O:=--authMode=none}\n./hub --salt x $O\n",
        'A=(--salt x)\ndeclare -n R=A\nR+=(--authMode none)\n./hub "${A[@]}"\n',
        'A=(--salt x)\nf() { local -n r=$1; r+=(--authMode none); }\nf A\n./hub "${A[@]}"\n',
        'A=(--salt x --db y)\nprintf -v "A[3]" %s --authMode=none\n./hub "${A[@]}"\n',
        "O='--salt x'\necho O=--authMode=none >env\nload() { . ./env; }\nload\n./hub $O\n",
        "O='--salt x'\necho O=--authMode=none >env\nbuiltin source ./env\n./hub $O\n",
        "O='--salt x'\nIFS='=' read -r O <<< --authMode=none\n./hub $O=none\n",
        "O=--db=x\nstart() { ./hub --salt x $O; }\nO=--authMode=none start\n",
        "[ -z \"$O\" ] || O='--salt x'\n./hub $O\n",
    ],
)
def test_t13_what_may_bring_a_flag_at_run_time_is_warned_of(text: str) -> None:
    assert ["only known at run time" in warning.text for warning in read(text).warnings][:1] == [True]


@pytest.mark.parametrize(
    "text",
    [
        "MODE=ssl\nunset MODE\nread -r k MODE <<< 'x none'\n./hub --salt x --authMode $MODE\n",
        "MODE=ssl\nIFS='=' read -r k MODE <<< k=none\n./hub --salt x --authMode $MODE\n",
        "MODE=ssl\neval MODE=none\n./hub --salt x --authMode $MODE\n",
        "MODE=ssl\nstart() { ./hub --salt x --authMode $MODE; }\nMODE=none start\n",
        "declare -u MODE\nMODE=ssl\n./hub --salt x --authMode $MODE\n",
        'add() { A+=(--authMode none); }\nmain() { A=(--salt x); ./hub "${A[@]}" --authMode ssl; }\nmain\n',
    ],
)
def test_a_variable_that_is_set_unseen_is_not_taken_for_what_it_was(text: str, tmp_path: Path) -> None:
    try:
        after = hub_script.set_flags(read(text), REST)
    except Refusal as refusal:
        assert "under a condition" in refusal.reason
    else:
        assert effective(tmp_path, after).items() >= REST.items()


@pytest.mark.parametrize("space", ["\f", "\v", "\x1f", "\u00a0", "\u2028"])
def test_only_blanks_cut_a_variable_to_words(space: str, tmp_path: Path) -> None:
    text = f"OPTS='--db hub{space}--authMode none'\n./hub $OPTS\n"
    after = hub_script.set_flags(read(text), {"authMode": "ssl"})
    assert effective(tmp_path, after) == {"db": f"hub{space}--authMode", "authMode": "ssl"}


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ('hub() { ./hubd "$@" --authMode none; }\nhub --salt x\n', 2, "is a function or an alias"),
        ("shopt -s expand_aliases\nalias hub='echo'\nhub --salt x\n", 3, "is a function or an alias"),
        ("shopt -s expand_aliases\nalias nohup=echo\nnohup ./hub --salt x\n", 3, "is a function"),
        ("trap './hub --authMode none' EXIT\n./hub --salt x\n", 1, "inside text"),
        ("./hub --salt x &\nbash -s <<'A'\n./hub --authMode none\nA\n", 3, "inside text"),
    ],
)
def test_a_hub_behind_another_name_or_inside_text_is_refused(text: str, line: int, reason: str) -> None:
    refusal = refused(text)
    assert (refusal.line, reason in refusal.reason) == (line, True)


def test_traps_and_texts_for_shells_that_start_no_hub_are_left_alone() -> None:
    text = "trap 'pkill hub; rm -f \"$PID\"' EXIT\nbash <<A\necho 'it is'\nA\n./hub --salt x\n"
    assert (
        hub_script.set_flags(read(text), {"sslDH": "/d"})
        == text.replace("./hub", "./hub --sslDH /d").encode()
    )


@pytest.mark.parametrize("text", ["exit 0", "exec ./real --hub", "exec true >log"])
def test_a_hub_that_is_never_reached_is_warned_of(text: str, tmp_path: Path) -> None:
    script = read(f"echo\n{text}\n./hub --salt x\n")
    assert [(w.line, "never started" in w.text) for w in script.warnings] == [(2, True)]
    assert not argument_lists(tmp_path, script.data)
    reached = "[ -d . ] || exit 1\nif [ -f /none ]; then exit 2; fi\nexec 3>log\n./hub --salt x\n"
    assert not read(reached).warnings
    assert effective(tmp_path, reached.encode()) == {"salt": "x"}


def test_a_file_of_several_megabytes_is_refused_at_once() -> None:
    refusal = refused("#" + "x" * 2_000_000 + "\n./hub --salt x\n")
    assert "2.0 MB" in refusal.reason


def test_secrets_do_not_appear_in_the_repr() -> None:
    script = read("./hub --salt TOPSECRET\n")
    assert script.settings["salt"].value == "TOPSECRET"
    assert "TOPSECRET" not in repr(script)
    launches = find_launches(parse(script.data), "hub")
    assert [launch.arguments[1].text for launch in launches] == ["TOPSECRET"]
    assert "TOPSECRET" not in repr(launches)


@pytest.mark.parametrize("name", ["refuse_docker_run.sh", "refuse_compose.yml", "refuse_dockerfile"])
def test_containers_are_told_where_the_flags_and_the_files_belong(name: str) -> None:
    with pytest.raises(Refusal) as caught:
        published(name)
    assert "image" in caught.value.remedy
    assert "-v" in caught.value.remedy


@pytest.mark.parametrize("name", ["refuse_supervisor.conf", "refuse_systemd.service"])
def test_service_files_are_told_to_run_a_script(name: str) -> None:
    with pytest.raises(Refusal) as caught:
        published(name)
    assert "start.sh" in caught.value.remedy


def test_a_program_is_no_script() -> None:
    with pytest.raises(Refusal, match="not a script"):
        hub_script.read(START, b"\x7fELF\x02\x01\x01\0\0")


def test_the_flags_of_a_running_hub_are_read_from_its_command_line() -> None:
    command = (
        "./bazel-bin/hub/hub",
        "--serverType",
        "http",
        "-authMode=none",
        "--authMode",
        "ssl",
        "--useHttpsIRI",
    )
    assert hub_script.running(command) == {"serverType": "http", "authMode": "ssl", "useHttpsIRI": "true"}
    assert hub_script.running(()) == {}
