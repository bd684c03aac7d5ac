"""Generated start scripts: each is edited by the product and run by bash before and after."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from tests.formats.hub_stub import argument_lists, flags
from wizard.errors import Refusal
from wizard.targets.hub import script as hub_script

FLAGS = {
    "authMode": "ssl",
    "sslCert": "/etc/hub tls/it's $5/cert.pem",
    "sslKey": "/etc/hub/tls/key.pem",
    "sslDH": "/etc/hub/tls/dh.pem",
}
PLAIN_FLAGS = FLAGS | {"sslCert": "/etc/hub/tls/cert.pem"}
PROFILE = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])

NAMES = (
    "salt",
    "db",
    "dbUser",
    "dbPassword",
    "depth",
    "apiAddress",
    "authMode",
    "sslCert",
    "sslKey",
    "sslDH",
    "sslCA",
)
VALUES = (
    *(
        "abc",
        "a b",
        "it's",
        'say "x"',
        "$HOME",
        "a;b|c&d",
        "back\\slash",
        "#hash",
        "*",
        "~",
        "tab\tx",
        "é☃",
        "",
        "-",
    ),
    *(
        "--authMode",
        "a=b",
        "two\nlines",
        "!bang",
        "{a,b}",
        "(p)",
        "`x`",
        "\\",
        "> file",
        "hub",
        "a \\",
        "/old/c.pem",
    ),
)
EXPANSIONS = ('"$(echo a b)"', '"${NONE:-x y}"', "`echo q`", "$((1+2))", '"$KNOWN"', '"$UNSET"', "$KNOWN")

BEFORE = (
    "",
    "#!/bin/bash\n# ./hub --authMode none \\\n",
    "#!/bin/bash\ncat > notes <<EOF\n./hub --sslCert wrong \\\n  --db wrong\nEOF\n",
    "cat > notes <<-'E O F'\n\t--authMode\n\tE O F\n",
    "cat <<A >notes; cat <<B >notes\n./hub --db a\nA\n./hub --db b\nB\n",
    'set -euo pipefail\ncd "$(dirname "$0")"\n',
    "log() { echo \"$(date) $*\" >> log; }; log './hub --authMode none'\n",
    "case x in x) echo y ;; esac\n[[ a == a && -d . ]] || exit 1\n",
    "for i in 1 2; do echo $((i * 2)); done >/dev/null\n",
)
WRAPPERS = (
    *(
        "",
        "exec ",
        "nohup ",
        "env A=b ",
        "A=b C='d e' ",
        "sudo -u hub -- ",
        "nice -n 5 nohup ",
        "command ",
        "time ",
    ),
    *("timeout 60 ", "setsid -w ", "stdbuf -oL ", "exec -a name ", "gosu hub ", "screen -dmS hub ", "\\\n "),
)
PROGRAMS = (
    "./hub",
    "./bazel-bin/hub/hub",
    '"$PWD/hub"',
    "'./hub'",
    "$HUB",
    '"${HUB}"',
    "bazel run //hub:hub --",
)
AROUND = (
    "{}\n",
    "{}",
    "if true; then\n  {}\nelse\n  echo no\nfi\n",
    'start() {{\n\t{}\n}}\nstart "$@"\n',
    "({})\n",
    "{{ echo x; {}; }} >log\n",
    "cd . && {}\n",
    "while :; do {}\nbreak; done\n",
    "case $# in *) {} ;; esac\n",
    "{} | cat >log\n",
    "{} &\nwait\n",
    "{} # started\necho done\n",
    "! {} || exit 0\n",
)
ENDINGS = (
    "",
    ' "$@"',
    " >log 2>&1",
    " >log 2>&1 --depth 9",
    " 2> >(cat) </dev/null",
    ' "$@" &>log',
    " <<< 'x y'",
    " -- --db no",
)


def single(value: str) -> str:
    return "'" + value.replace("'", "'\\''") + "'"


def double(value: str) -> str:
    return '"' + "".join("\\" + c if c in '"\\$`' else c for c in value) + '"'


def escaped(value: str) -> str:
    return (
        "".join(c if c.isalnum() or c in "/-=.,:_" else f"'{c}'" if c == "\n" else "\\" + c for c in value)
        or "''"
    )


def dollar(value: str) -> str:
    return "$'" + "".join("\\n" if c == "\n" else "\\" + c if c in "'\\" else c for c in value) + "'"


@st.composite
def options(draw: st.DrawFn, names: tuple[str, ...] = NAMES, loose: bool = True) -> list[str]:
    """The words of one option."""
    if loose and draw(st.integers(0, 9)) == 0:
        return [
            draw(st.sampled_from(("--useHttpsIRI", "-logtostderr", "--nouseHttpsIRI", "stray", '"$UNSET"')))
        ]
    name = draw(st.sampled_from(("--", "-"))) + draw(st.sampled_from(names))
    if loose and draw(st.integers(0, 4)) == 0:
        value = draw(st.sampled_from(EXPANSIONS))
    else:
        value = draw(st.sampled_from((single, double, escaped, dollar)))(draw(st.sampled_from(VALUES)))
    if draw(st.booleans()):
        return [f"{name}={value}"]
    return [draw(st.sampled_from((name, f'"{name}"'))), value]


@st.composite
def scripts(draw: st.DrawFn) -> str:
    groups = draw(st.lists(options(), max_size=6))
    cut = draw(st.integers(0, len(groups)))
    separators = st.sampled_from((" ", "  ", " \\\n    ", " \\\n\t", " \\\n  \\\n "))
    separator = draw(separators)
    between = st.one_of(st.just(separator), separators)
    words = [draw(between) + word for group in groups[cut:] for word in group]
    before = draw(st.sampled_from(BEFORE)) + "KNOWN=value\nHUB=./hub\n"
    array = [word for group in groups[:cut] for word in group]
    if draw(st.booleans()):
        gap = draw(st.sampled_from((" ", "\n  ", " # note\n  ")))
        before += f"ARGS=({gap}{gap.join(array)}\n)\n"
        array = ['"${ARGS[@]}"']
    elif draw(st.booleans()):
        before += "OPTS='--db plain -authMode none'\nOPTS+=\" --sslKey=old\"\n"
        array = [*array, "$OPTS"]
    line = draw(st.sampled_from(WRAPPERS)) + draw(st.sampled_from(PROGRAMS))
    line += "".join(separator + word for word in array) + "".join(words) + draw(st.sampled_from(ENDINGS))
    return before + draw(st.sampled_from(AROUND)).format(line)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("generated")


@settings(PROFILE, max_examples=150)
@example('ARGS=(\n  --sslCert\n  \\\\\n  --authMode=no\n)\n./hub "${ARGS[@]}" --authMode=none\n')
@given(scripts())
def test_any_script_passes_the_wanted_flags_and_all_others_as_before(folder: Path, script: str) -> None:
    data = script.encode()
    runs = argument_lists(folder, data)
    assume(runs)
    wanted = PLAIN_FLAGS if "$OPTS" in script else FLAGS
    try:
        edited = hub_script.set_flags(hub_script.read(Path("start.sh"), data), wanted)
    except Refusal as refusal:
        # The one way to be refused here; `--salt $UNSET --sslCert x` gives --salt the value "--sslCert".
        assert "is an unquoted expansion" in refusal.reason
        return
    before, after = flags(runs[0]), flags(argument_lists(folder, edited)[0])
    assert sorted(setting for setting in after if setting[0] in wanted) == sorted(wanted.items())
    assert [s for s in after if s[0] not in wanted] == [s for s in before if s[0] not in wanted]
    assert hub_script.set_flags(hub_script.read(Path("start.sh"), edited), wanted) == edited


OPTIONS = (
    *(
        "--salt abc",
        "-db=x",
        "--depth 5",
        "--authMode none",
        "--authMode=no",
        "--sslCert /old/c.pem",
        "-sslKey k",
    ),
    *("--salt 'x --authMode none'", "--dbDebug", "--listenAddress 0.0.0.0:50051", ""),
)
TEXT_FORMS = (
    *('O="{}"', 'O="$O{}"', 'O="{}$O"', 'O="{}$O{}"', "O=$O'{}'", 'O+="{}"', "O+='{}'", 'O="${{O:-}}{}"'),
    *(
        'declare O+="{}"',
        'export O+="{}"',
        'builtin export O+="{}"',
        'O="$O{}$O"',
        'O="{}"; O+=',
        'O+="{}$O"',
    ),
    *('P="{}"; O="$O$P"', 'P="{}"; O="$P{}"', 'P="$O{}"; O="$P"', 'P="{}"; O+=$P', 'P="{}"; O+=" {}$P"'),
    *('O="${{O% *}}{}"', "O+=\\ '{}'", 'O+=" {}"', 'O="$O {}"', 'O="$O"" {}"', 'O="{} "', 'O+="{} "'),
)
ARRAY_FORMS = (
    *(
        "O=({})",
        "O+=({})",
        'O=("${{O[@]}}" {})',
        'O=({} "${{O[@]}}")',
        "O=(${{O[@]}} {})",
        'O=({} "${{O[@]}}" {})',
    ),
    *(
        'O=("--authMode=${{O[@]}}" {})',
        'O=("${{O[@]}}none" {})',
        'O=("$O" {})',
        'O=("${{O[@]:1}}" {})',
        "O+=none",
    ),
    *("declare O+=({})", "declare -a O+=({})", 'O+=("${{O[@]}}" {})', 'P=({}); O+=("${{P[@]}}")'),
    *('P=({}); O=(--salt "${{P[@]}}")', 'P=("${{O[@]}}" {}); O=("${{P[@]}}")', 'P=({}); O=("x${{P[@]}}" {})'),
    *('O[${{#O[@]}}]="--depth=5"', "O=(); O+=({})"),
)
LOCAL_FORMS = ("local O", "local O+={}", "local O={}", "declare O+={}", "local -g O+={}", "typeset O")
AROUND_FORMS = (
    "{}",
    "{}",
    "{}",
    "{}",
    "if [ -d . ]; then {}; fi",
    "for i in 1 2; do {}; done",
    "[ -d . ] && {}",
)
CUT_OFF = (
    *("in the middle of a word", "holds its own earlier", "under a condition", "is an unquoted expansion"),
    *("bash cuts it at them", "is glued to other text", "come through another one", "gets several words"),
    *("not known before the script runs", "not clear whether the next word", "made of each other"),
    *("not always passed together", "used in more than one place"),
    *("Bash would read", "Read again after the edit"),
)


@st.composite
def built_scripts(draw: st.DrawFn) -> str:
    """A script that puts the options together in several places, wherever one of them ends."""
    groups = draw(st.lists(st.sampled_from(OPTIONS), min_size=1, max_size=5))
    array = draw(st.booleans())
    forms = draw(st.lists(st.sampled_from(ARRAY_FORMS if array else TEXT_FORMS), min_size=1, max_size=4))
    text = " ".join(groups) if array else " ".join(groups).replace("'", "")
    between = [i for i, char in enumerate(text) if char == " "] if array else [*range(len(text) + 1)]
    count = sum(form.count("{}") for form in forms) + 1
    cuts = sorted(draw(st.lists(st.sampled_from([*between, len(text)]), min_size=count, max_size=count)))
    if array:
        cuts = [cut for cut in cuts if text.count("'", 0, cut) % 2 == 0]
    pieces = [text[a:b] for a, b in pairwise([0, *cuts, *[len(text)] * count])]
    lines = ['O=("{}")' if array else 'O="{}"'] if draw(st.booleans()) else []
    lines = [line.format(pieces.pop(0)) for line in lines]
    for form in forms:
        taken = [pieces.pop(0) if pieces else "" for _ in range(form.count("{}"))]
        lines.append(draw(st.sampled_from(AROUND_FORMS)).format(form.format(*taken)))
    use = '"${O[@]}"' if array else "$O"
    run = draw(
        st.sampled_from(
            ("./hub {}", "./hub --db y {} --depth 3", "./hub {} --authMode none", "./hub --salt {}")
        )
    )
    if draw(st.integers(0, 3)) == 0:
        local = draw(st.sampled_from(LOCAL_FORMS)).format("(--db z)" if array else "' --db z'")
        at = draw(st.integers(0, len(lines)))
        lines[at:] = [f"start() {{\n{local}", *lines[at:], run.format(use), "}", "start"]
    else:
        lines.append(run.format(use))
    return "\n".join(["#!/bin/bash", *lines, ""])


@settings(PROFILE, max_examples=150)
@given(built_scripts())
def test_options_put_together_in_pieces_are_set_or_refused(folder: Path, script: str) -> None:
    data = script.encode()
    runs = argument_lists(folder, data)
    assume(runs)
    try:
        read = hub_script.read(Path("start.sh"), data)
        edited = hub_script.set_flags(read, PLAIN_FLAGS)
    except Refusal as refusal:
        assert any(reason in refusal.reason for reason in CUT_OFF)
        assert refusal.remedy
        return
    before, after = flags(runs[0]), flags(argument_lists(folder, edited)[0])
    assert [s for s in after if s[0] not in PLAIN_FLAGS] == [s for s in before if s[0] not in PLAIN_FLAGS]
    if not any("only known at run time" in warning.text for warning in read.warnings):
        assert dict(after).items() >= PLAIN_FLAGS.items()


BREAKS = (
    *(
        "\n",
        " \\ \n",
        "\\ \n",
        " \\\t \n",
        " \\\n\n",
        " \\\n  # {}\n",
        " \\\n# {} \\\n",
        " # {}\n",
        "   # {} \\\n",
    ),
    *(" \\ # {}\n", " \\# {}\n", "\n\n", "\n# {}\n\n", " \\\n\n  # {}\n\n", " \\ \n# {}\n# {}\n"),
)


@st.composite
def broken_scripts(draw: st.DrawFn) -> tuple[str, list[str], str]:
    """A script with broken continuations, its comments, and the script that was meant."""
    names = draw(st.lists(st.sampled_from((*NAMES, "serverType")), min_size=1, max_size=8, unique=True))
    values = ("abc", "'a b'", '"#x"', "a\\ b", "'\\'", '"a \\\\"', "http", "$KNOWN", '"two\nlines"')
    dashes = draw(st.sampled_from(("--", "-")))
    lines = [f"{dashes}{name}{draw(st.sampled_from('= '))}{draw(st.sampled_from(values))}" for name in names]
    indent = draw(st.sampled_from(("  ", "\t", "")))
    wrapper = draw(st.sampled_from(("", "exec ", "nohup nice ", "A=b \\\n ")))
    broken = meant = wrapper + draw(st.sampled_from(("./hub", '"$HUB"', "./bazel-bin/hub/hub")))
    comments: list[str] = []
    for line in lines:
        join = draw(st.one_of(st.just(" \\\n"), st.sampled_from(BREAKS)))
        for _ in range(join.count("{}")):
            comments.append(f"note {len(comments)} --fine")
            join = join.replace("{}", comments[-1], 1)
        broken += join + indent + line
        meant += " " + line
    around = draw(
        st.sampled_from(
            ("{}\n", "{}", "if true; then\n{}\nfi\n", "f() {{\n{} >log 2>&1\n}}\nf\n", "{}\n\necho done\n")
        )
    )
    before = draw(st.sampled_from(BEFORE)) + "KNOWN=value\nHUB=./hub\n"
    return before + around.format(broken), comments, before + around.format(meant)


KNOWN_HTTP = "KNOWN=http\n./hub --serverType=$KNOWN"


@settings(PROFILE, max_examples=80)
@example((f"{KNOWN_HTTP}\n --db=abc\n", [], f"{KNOWN_HTTP} --db=abc\n"))
@given(broken_scripts())
def test_any_broken_command_is_repaired_as_meant(folder: Path, generated: tuple[str, list[str], str]) -> None:
    broken, comments, meant = generated
    (intended,) = argument_lists(folder, meant.encode())
    script = hub_script.read(Path("start.sh"), broken.encode())
    assert argument_lists(folder, script.repaired) == [intended]
    assert dict(flags(intended)).get("serverType", "grpc") == script.repaired_server_type
    for today in argument_lists(folder, broken.encode()):
        assert dict(flags(today)).get("serverType", "grpc") == script.server_type
    lines = [line.strip().rstrip("\\ ") for line in script.repaired.decode().splitlines()]
    assert [line for line in lines if "note " in line] == [f"# {comment}" for comment in comments]
    assert not hub_script.read(Path("start.sh"), script.repaired).repairs


SCRIPTS = sorted((Path(__file__).parent / "scripts").iterdir())
SNIPPETS = (
    *(
        b'"',
        b"'",
        b"\\",
        b"\n",
        b" ",
        b"`",
        b"$",
        b"(",
        b")",
        b"{",
        b"}",
        b"#",
        b"<<E\n",
        b";",
        b"&",
        b"|",
        b">",
        b"--",
    ),
    *(
        b"\\\n",
        b" \\ \n",
        b"${",
        b"$(",
        b"=",
        b"\xff",
        b"\0",
        b"\r",
        b"if ",
        b"then\n",
        b"fi\n",
        b"hub ",
        b"A=(",
        b"eval ",
    ),
)


@settings(PROFILE, max_examples=100)
@given(
    st.sampled_from(SCRIPTS),
    st.floats(0, 1),
    st.integers(0, 4),
    st.lists(st.sampled_from(SNIPPETS), max_size=2),
)
def test_a_damaged_script_is_edited_or_refused(
    path: Path, place: float, gone: int, snippets: list[bytes]
) -> None:
    data = path.read_bytes()
    at = round(place * len(data))
    damaged = data[:at] + b"".join(snippets) + data[at + gone :]
    try:
        edited = hub_script.set_flags(hub_script.read(path, damaged), PLAIN_FLAGS)
    except Refusal as refusal:
        assert refusal.reason
    else:
        assert hub_script.set_flags(hub_script.read(path, edited), PLAIN_FLAGS) == edited
