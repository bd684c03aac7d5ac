"""The whole way on ordinary prompts, as somebody with a screen reader goes it, for each target."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from io import BytesIO, TextIOWrapper
from pathlib import Path

import pytest

from tests.crash.scenario import apply_until_killed
from tests.peers.hub import ROOT, free_port
from tests.peers.sandboxed import furnished, hubs_port_taken
from tests.peers.santedb import Installation
from tests.peers.tls import self_signed
from tests.sources.elsewhere import Elsewhere
from tests.sources.setups import Setup as HubSetup
from wizard import answers, bookmark
from wizard.bookmark import Bookmark, Step
from wizard.host import look
from wizard.kinds import Raw
from wizard.plain import Conversation
from wizard.plan import File, Plan
from wizard.prompts import Left
from wizard.state import State
from wizard.targets import catalogue
from wizard.targets.connector import Connector
from wizard.targets.nginx import Nginx
from wizard.world import World

SECONDS = 60
MOST_OFTEN = 20
"""How often the same is asked on any way that is gone here."""
PROMPT = re.compile(r"(?:^|\n)(?P<prompt>[^\n]*(?:: |\[yes/no\] ))$")


class Talk:
    """A program at a terminal of its own, and what has been said so far."""

    def __init__(self, process: subprocess.Popen[bytes], terminal: int) -> None:
        self.process = process
        self.terminal = terminal
        self.said = ""
        self.answered = 0
        """How much of it has been answered."""

    def prompt(self) -> str | None:
        """What it asks now; None once it has ended."""
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            found = PROMPT.search(self.said, self.answered)
            if found and not self.read_more(0.05):
                self.answered = len(self.said)
                return found["prompt"]
            if not found and not self.read_more(0.2) and self.process.poll() is not None:
                return None
        raise AssertionError(f"It neither asks nor ends. It said:\n{self.said[-2000:]}")

    def type(self, text: str) -> None:
        os.write(self.terminal, f"{text}\n".encode())

    def go(self, answers: Mapping[str, str], before_proof: Callable[[], object] = lambda: None) -> int:
        """Answer each prompt by the first key that it begins with, else with Enter; returns the exit code."""
        asked = Counter[str]()
        while (prompt := self.prompt()) is not None:
            asked[prompt] += 1
            assert asked[prompt] < MOST_OFTEN, f"It asks again and again:\n{self.said[-2000:]}"
            if prompt.startswith("Enter goes on to the proof"):
                before_proof()
            self.type(next((text for begin, text in answers.items() if prompt.startswith(begin)), ""))
        return self.process.wait(SECONDS)

    def read_more(self, seconds: float) -> bool:
        """Read what comes within this time; whether anything came."""
        ready, _, _ = select.select([self.terminal], [], [], seconds)
        try:
            data = os.read(self.terminal, 65536) if ready else b""
        except OSError:  # the program has closed it
            data = b""
        self.said += data.decode("utf-8", "replace").replace("\r\n", "\n")
        return bool(data)


@contextmanager
def talking(folder: Path, *arguments: str, **environment: str) -> Iterator[Talk]:
    """The wizard on a terminal of its own."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "wizard", *arguments],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=folder,
        start_new_session=True,
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "TMPDIR": str(folder),
            "TLS_WIZARD_STATE": str(folder / "state"),
            **environment,
        },
    )
    os.close(theirs)
    try:
        yield Talk(process, ours)
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def own_ports() -> dict[str, str]:
    """Answers with ports that nobody has, for nginx: on this host others may have the usual ones."""
    return {"Port for https": str(free_port()), "Port for HTTP": str(free_port())}


YES = {"Write ": "yes", "Restart ": "yes", "Reload ": "yes"}


@pytest.mark.parametrize("target", ["hub-rest", "hub-grpc", "nano", "nginx"])
def test_the_whole_way_of_each_target(target: str, tmp_path: Path) -> None:
    own = {"Source": "private-ca", "Ask clients": "own CA"} if target == "nginx" else {}
    with hubs_port_taken(), talking(tmp_path, "--demo", "--plain") as talk:
        is_gone(talk, {**YES, **own_ports(), "Number": target, **own})


def is_gone(
    talk: Talk, answers: Mapping[str, str], before_proof: Callable[[], object] = lambda: None
) -> None:
    """The whole way is gone, from the first step to a proof that passes."""
    assert talk.go(answers, before_proof) == 0, talk.said[-3000:]
    assert "\nProven: " in talk.said
    assert "Nothing to change" not in talk.said
    assert "Take it back with: tls-wizard undo" in talk.said
    assert "\x1b" not in talk.said


def test_the_whole_way_of_santedb_and_of_its_client(tmp_path: Path) -> None:
    """The sandbox has none; this one runs on Mono, and is restarted by hand."""
    there = Installation(tmp_path)
    answers = {
        "Number": "santedb",
        "Way": "mono",
        "Installation": str(there.folder),
        "Configuration": str(there.config),
    }
    with ExitStack() as running:

        def restart() -> None:
            running.close()
            running.enter_context(there.running())

        restart()
        with talking(tmp_path, "--plain") as talk:
            is_gone(talk, {**YES, **answers}, restart)
        with talking(tmp_path, "--plain") as talk:
            is_gone(talk, {**YES, "Number": "connector", "Server set up here": "2"})
    assert "Mode verify-ca" in talk.said


def test_behind_nginx_no_other_service_is_offered_for_a_santedb_that_is_elsewhere(tmp_path: Path) -> None:
    """The sandbox has none, and a Nano node whose RPC nginx would be put before by itself."""
    begins = {"Number": "santedb", "Go on with nginx": "yes"}
    asked: list[str] = []
    with hubs_port_taken(), talking(tmp_path, "--demo", "--plain") as talk:
        while len(asked) < 3:
            prompt = talk.prompt()
            assert prompt is not None, talk.said[-2000:]
            asked += [prompt] if prompt.startswith("Service behind it") else []
            talk.type(next((text for begin, text in begins.items() if prompt.startswith(begin)), ""))
        talk.process.send_signal(signal.SIGHUP)
        assert talk.process.wait(SECONDS) == 128 + signal.SIGHUP
    assert asked == ["Service behind it: "] * 3


@pytest.mark.parametrize(
    ("term", "accessible"), [("dumb", ""), ("unknown", ""), ("", ""), ("xterm-256color", "1")]
)
def test_where_the_screens_cannot_be_shown_or_read_it_is_asked_line_by_line(
    term: str, accessible: str, tmp_path: Path
) -> None:
    with talking(tmp_path, TERM=term, ACCESSIBLE=accessible) as talk:
        assert talk.prompt() == "Number [1]: "
        talk.type("\x04")
        assert talk.go({"Number": "\x04"}) == 0
    assert "What shall be secured?" in talk.said
    assert "\x1b" not in talk.said


def test_a_variable_that_is_empty_says_nothing(tmp_path: Path) -> None:
    with talking(tmp_path, TERM="xterm-256color", ACCESSIBLE="") as talk:
        while "\x1b[?1049h" not in talk.said:
            assert talk.read_more(SECONDS), talk.said


def test_any_answer_is_changed_from_the_review(tmp_path: Path) -> None:
    with hubs_port_taken(), talking(tmp_path, "--demo", "--plain") as talk:
        while not (asked := talk.prompt() or "").startswith("Write "):
            talk.type("hub-rest" if asked.startswith("Number") else "")
        assert "396 days left" in talk.said
        talk.type("?")
        for prompt, answer in (
            ("Write ", "validity_days"),
            ("Valid for (days) [397]: ", "90"),
            ("Write ", "no"),
        ):
            asked = talk.prompt() or ""
            assert asked.startswith(prompt), (asked, prompt)
            talk.type(answer)
        assert talk.prompt() is None
    assert "\n  common_name  Common Name: " in talk.said
    assert "89 days left" in talk.said


def test_back_from_an_answer_that_was_named_leads_to_the_review_unchanged(tmp_path: Path) -> None:
    with hubs_port_taken(), talking(tmp_path, "--demo", "--plain") as talk:
        while not (asked := talk.prompt() or "").startswith("Write "):
            talk.type("hub-rest" if asked.startswith("Number") else "")
        for answer, begin in (("validity_days", "Valid for"), ("<", "Write "), ("<", "Key")):
            talk.type(answer)
            asked = talk.prompt() or ""
            assert asked.startswith(begin), asked
    assert "396 days left" in talk.said.rpartition("Valid for (days) [")[2]


def test_a_wrong_answer_leaves_the_one_before(tmp_path: Path) -> None:
    with hubs_port_taken(), talking(tmp_path, "--demo", "--plain") as talk:
        while not (asked := talk.prompt() or "").startswith("Valid for"):
            talk.type("hub-rest" if asked.startswith("Number") else "")
        for answer, begin in (
            ("900", "Key"),
            ("<", "Valid for (days) [900]"),
            ("foo", "Valid for (days) [900]"),
        ):
            talk.type(answer)
            asked = talk.prompt() or ""
            assert asked.startswith(begin), asked
    assert "Key [ECDSA P-256]: " in talk.said


def test_nothing_of_a_private_key_that_is_pasted_is_kept(tmp_path: Path) -> None:
    _, key = self_signed("client")
    with talking(tmp_path, "--demo", "--plain") as talk:
        assert (talk.prompt() or "").startswith("Number")
        talk.type("nano")
        assert (talk.prompt() or "").startswith("Data directory")
        talk.type(key.decode().strip())
        assert (talk.prompt() or "").startswith("Data directory")
        talk.type("\x04")
        assert talk.prompt() is None
    assert "This is a private key. Nothing of it is kept" in talk.said
    secrets = key.decode().splitlines()[1:-1]
    for path in tmp_path.rglob("*"):
        if path.is_file():
            assert not any(line in path.read_text("utf-8", "replace") for line in secrets), path


def test_back_help_wrong_answers_and_leaving(tmp_path: Path) -> None:
    with hubs_port_taken(), talking(tmp_path, "--demo", "--plain") as talk:
        for prompt, answer in (
            ("Number [1]: ", "nonsense"),
            ("Number [1]: ", "?"),
            ("Number [1]: ", "<"),
            ("Number [1]: ", "nano"),
            ("Data directory [", ""),
            ("Version [25.1]: ", "?"),
            ("Version [25.1]: ", "V12"),
            ("Version [25.1]: ", "<"),
            ("Data directory [", "<"),
            ("Number [1]: ", "nano"),
        ):
            assert (asked := talk.prompt() or "").startswith(prompt), (asked, prompt)
            talk.type(answer)
        assert (talk.prompt() or "").startswith("Data directory")
        os.write(talk.terminal, b"\x04")
        assert talk.prompt() is None
        assert talk.process.wait(SECONDS) == 0
    assert "Give one of the numbers" in talk.said
    assert "Key in an answers file: node_version; flag: --node-version" in talk.said
    assert "✗ TLS of V12 is broken" in talk.said
    first, _, _ = talk.said.partition("Data directory")
    assert first.count("Give one of the numbers") == 1
    assert "It says what shall be secured" in first
    assert "This is the first step" in first
    assert talk.said.endswith("Nothing more is done.\n")
    assert "answers are kept" not in talk.said, "the sandbox is gone"


def test_no_to_writing_writes_nothing(tmp_path: Path) -> None:
    with hubs_port_taken(), talking(tmp_path, "--demo", "--plain") as talk:
        assert talk.go({"Number": "hub-rest", "Write ": "no"}) == 0
    assert "Nothing more is done." in talk.said
    assert "✓" not in talk.said


def test_a_node_without_tls_leads_to_nginx(tmp_path: Path) -> None:
    answers = {"Number": "nano", "Version": "V27.1", "Go on with nginx": "yes", **own_ports(), "Write ": "no"}
    with hubs_port_taken(), talking(tmp_path, "--demo", "--plain") as talk:
        code = talk.go(answers)
    assert code == 0
    assert "no TLS any more" in talk.said
    assert "nginx: the server, page 1" in talk.said
    assert "Service behind it" in talk.said


CONNECTOR = ["connector", "https://api.example.org/", "verify-ca"]


def answered(talk: Talk, *answers: str) -> str:
    """Give these answers, one a prompt; returns what is asked next."""
    for answer in answers:
        assert talk.prompt() is not None, talk.said[-2000:]
        talk.type(answer)
    return talk.prompt() or ""


def kept(folder: Path, target: str) -> str:
    """What is kept of the answers to a target."""
    (path,) = (folder / "state").rglob(f"{target}.toml")
    return path.read_text()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP, signal.SIGTERM, signal.SIGKILL])
def test_however_it_is_stopped_the_next_start_goes_on_there(number: signal.Signals, tmp_path: Path) -> None:
    with talking(tmp_path, "--plain") as talk:
        assert answered(talk, *CONNECTOR).startswith("Authority")
        talk.process.send_signal(number)
        assert talk.prompt() is None
        code = talk.process.wait(SECONDS)
    assert code == (-number if number is signal.SIGKILL else 128 + number)
    assert 'url = "https://api.example.org/"' in kept(tmp_path, "connector")
    assert "Traceback" not in talk.said
    with talking(tmp_path, "--plain") as talk:
        assert talk.prompt() == (
            "Continue where you were? Step 2 of 5 (Ask, page 2 of 2), API connector, "
            "https://api.example.org/. yes or no [yes]: "
        )
        talk.type("perhaps")
        assert (talk.prompt() or "").startswith("Continue where you were?")
        talk.type("")
        assert talk.prompt() == "Authority: "
        assert "Address of the API" not in talk.said
        talk.type("<")
        assert talk.prompt() == "Verification [verify CA]: "


def killed(folder: Path, answers: Mapping[str, str], at: str) -> str:
    """Answer each prompt until one begins like this, and kill it there; returns what was said."""
    with talking(folder, "--plain") as talk:
        while not (prompt := talk.prompt() or "").startswith(at):
            assert prompt, talk.said
            talk.type(next((text for begin, text in answers.items() if prompt.startswith(begin)), ""))
        talk.process.kill()
        talk.process.wait()
    return talk.said


def test_a_way_is_gone_on_with_until_it_is_at_its_end(tmp_path: Path) -> None:
    box = furnished(tmp_path / "box")
    script = {"Number": "hub-rest", "Start script": str(box.hub / "start.sh")}
    killed(tmp_path, script, at="Write ")
    said = killed(tmp_path, {"Write ": "yes"}, at="Enter goes on to the proof")
    assert "Step 3 of 5 (Review), IOTA Hub, REST, " in said
    assert "Start script" not in said, "what was answered is not asked again"
    assert "--sslCert" in (box.hub / "start.sh").read_text()
    said = killed(tmp_path, {}, at="Mend what it says")
    assert "Step 5 of 5 (Prove), IOTA Hub, REST, " in said
    assert "Real connections" in said
    assert "Write " not in said
    said = killed(tmp_path, {"Continue where you were?": "no"}, at="Number")
    assert "Step 5 of 5 (Prove)" in said
    assert "Continue where you were?" not in killed(tmp_path, {}, at="Number")


def test_a_way_that_led_back_to_the_first_step_is_not_gone_on_with(tmp_path: Path) -> None:
    with talking(tmp_path, "--plain") as talk:
        assert answered(talk, *CONNECTOR[:2], "<", "<").startswith("Number")
    assert "Continue where you were?" not in killed(tmp_path, {}, at="Number")


def test_a_passphrase_is_never_kept_and_asked_for_again(tmp_path: Path) -> None:
    there = Elsewhere(tmp_path / "there")
    certificate, key = there.pair("client", "client")
    protected = there.encrypted(key, "protected.key", "correct horse")
    files = {
        "Authority": str(there.root),
        "Client certificate": str(certificate),
        "Client key": str(protected),
    }
    begins = {"Number": "connector", "Address": "https://127.0.0.1:9/", **files}
    passphrase = {"Type it": "correct horse"}
    killed(tmp_path, {**begins, **passphrase}, at="Write ")
    for path in (tmp_path / "state").rglob("*"):
        assert path.is_dir() or b"correct horse" not in path.read_bytes(), path
    said = killed(tmp_path, passphrase, at="Write ")
    assert "Step 3 of 5 (Review), API connector, https://127.0.0.1:9/." in said
    assert "! Passphrases are never kept: it is asked for again." in said
    assert "Address of the API" not in said


def test_where_the_screens_have_ended_the_prompts_go_on(tmp_path: Path) -> None:
    given = {"url": "https://api.example.org/", "mode": "verify-ca"}
    bookmark.keep(State(tmp_path / "state"), Bookmark(Connector, Step.ASK, given, "ca"))
    with talking(tmp_path, "--plain") as talk:
        assert answered(talk, "yes") == "Authority: "


def test_what_the_screens_have_taken_up_is_left_behind_at_the_first_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = State(tmp_path / "state")
    given = {"url": "https://api.example.org/", "mode": "verify-ca"}
    bookmark.keep(state, Bookmark(Connector, Step.ASK, given, "url", taken_up=True))
    world = World(look, state, (catalogue.CONNECTOR,), "", partial(answers.keep, state))
    before: dict[str, dict[str, Raw]] = {"connector": {"url": "https://other.example.org/"}}
    talk = Conversation(world, before)
    monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO(b"yes\n<\n<\n")))
    with pytest.raises(Left):
        talk.held(None)
    assert talk.given == {"connector": {"url": "https://other.example.org/"}}


def test_answers_to_a_target_that_was_left_are_kept_too(tmp_path: Path) -> None:
    with hubs_port_taken(), talking(tmp_path, "--plain") as talk:
        assert not answered(talk, *CONNECTOR[:2], "<", "<", "nano", "\x04")
        assert talk.process.wait(SECONDS) == 0
    assert 'url = "https://api.example.org/"' in kept(tmp_path, "connector")


def test_a_line_that_the_terminal_has_cut_off_is_no_answer(tmp_path: Path) -> None:
    with talking(tmp_path, "--plain") as talk:
        assert answered(talk, "connector", f"https://{'a' * 5000}/").startswith("Address of the API")
    assert "cut off" in talk.said


def test_what_is_not_text_and_what_is_not_finished_is_no_answer(tmp_path: Path) -> None:
    with talking(tmp_path, "--plain") as talk:
        answered(talk, "connector")
        os.write(talk.terminal, b"https://api.example.org/\xff\n")
        assert (talk.prompt() or "").startswith("Address of the API")
        assert "UTF-8" in talk.said
        os.write(talk.terminal, b"https://api.example.org/\x04\x04")
        assert talk.prompt() is None
    assert talk.said.endswith("Your answers are kept.\n")


def test_a_pasted_text_may_have_empty_lines_and_ends_where_it_says(tmp_path: Path) -> None:
    pem = self_signed("api.example.org")[0].decode().strip()
    with talking(tmp_path, "--plain") as talk:
        answered(talk, *CONNECTOR)
        assert "only a full stop" in talk.said
        talk.type(f"{pem}\n\n{pem}\n\nYours, the authority\n.")
        assert (talk.prompt() or "").startswith("Folder [")
        talk.type("<")
        assert talk.prompt() == "Authority [the text that was pasted]: "
        talk.type(pem.partition("END")[0])
        os.write(talk.terminal, b"\x04")
        assert talk.prompt() is None
    assert talk.said.endswith("Your answers are kept.\n")
    assert kept(tmp_path, "connector").count("BEGIN CERTIFICATE") == 2


def test_an_answer_can_be_left_empty_against_its_default(tmp_path: Path) -> None:
    with hubs_port_taken(), talking(tmp_path, "--demo", "--plain") as talk:
        code = talk.go({"Number": "nano", "Clients": "-", "Write ": "no"})
    assert code == 0, talk.said[-2000:]
    assert "DANGER: nobody is asked for a certificate" in talk.said


def test_from_a_passphrase_too_a_way_leads_back(tmp_path: Path) -> None:
    with hubs_port_taken(), talking(tmp_path, "--demo", "--plain") as talk:
        while not (prompt := talk.prompt() or "").startswith("Type a new one"):
            talk.type("hub-grpc" if prompt.startswith("Number") else "")
        before = talk.said.count("Type a new one")
        talk.type("<")
        assert not (talk.prompt() or "").startswith("Once more")
        assert talk.said.count("Type a new one") == before


def test_an_interrupted_run_is_heard_of_first(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    changes = (File(path=path, before=b"old", after=b"new"),)
    plan = Plan(target="hub-rest", title="Secure it", changes=changes)
    apply_until_killed(plan, State(tmp_path / "state"), after=1)
    assert path.read_text() == "new"
    with talking(tmp_path, "--plain") as talk:
        assert (talk.prompt() or "").startswith("Finish rolling it back")
        talk.type("yes")
        assert (talk.prompt() or "").startswith("Number")
    assert "Rolled back: " in talk.said
    assert path.read_text() == "old"


def test_a_line_that_drops_while_it_writes_does_not_stop_it(tmp_path: Path) -> None:
    clients = {"Clients": ",".join(f"client-{number}" for number in range(40))}
    with hubs_port_taken(), talking(tmp_path, "--demo", "--plain") as talk:
        while not (prompt := talk.prompt() or "").startswith("Write "):
            begins = {"Number": "nano", **clients}
            talk.type(next((text for begin, text in begins.items() if prompt.startswith(begin)), ""))
        talk.type("yes")
        while "✓" not in talk.said:
            talk.read_more(0.05)
        assert "Done." not in talk.said
        talk.process.send_signal(signal.SIGHUP)
        assert talk.prompt() is None, talk.said[-500:]
        assert talk.process.wait(SECONDS) == 128 + signal.SIGHUP
    assert "Done. Take it back with" in talk.said


def test_where_the_terminal_lacks_a_letter_it_is_named(tmp_path: Path) -> None:
    with talking(tmp_path, "--plain", PYTHONIOENCODING="ascii", LC_ALL="C") as talk:
        assert answered(talk, *CONNECTOR, "/tmp/é").startswith("Authority")
    assert "Traceback" not in talk.said
    assert "\\xe9" in talk.said


def test_a_wrong_passphrase_is_asked_for_again_and_the_way_goes_on(tmp_path: Path) -> None:
    there = Elsewhere(tmp_path / "there")
    certificate, key = there.pair("client", "client")
    answers = {
        "Number": "connector",
        "Address": f"https://127.0.0.1:{free_port()}/",
        "Authority": str(there.root),
        "Client certificate": str(certificate),
        "Client key": str(there.encrypted(key, "protected.key", "correct horse")),
        "Write ": "yes",
    }
    typed = iter(["wrong", "?", "<", "correct horse", "correct horse"])
    with talking(tmp_path, "--plain") as talk:
        while (prompt := talk.prompt()) is not None:
            begins = {**answers, "Type it": next(typed)} if prompt.startswith("Type it") else answers
            talk.type(next((text for begin, text in begins.items() if prompt.startswith(begin)), ""))
        assert talk.process.wait(SECONDS) == 6, "nothing listens there"
    assert "✗ " in talk.said
    assert "Key in an answers file: client_key_passphrase_file" in talk.said
    assert "correct horse" not in talk.said.partition("nothing written yet")[2]
    assert (tmp_path / "connector-127.0.0.1" / "client.key").exists()


def test_what_waits_for_its_certificate_is_named_with_the_way_on(tmp_path: Path) -> None:
    hub = HubSetup(furnished(tmp_path / "box"))
    run = hub.apply(source="request")
    with talking(tmp_path, "--plain", TLS_WIZARD_STATE=str(hub.host.state.root)) as talk:
        talk.prompt()
    assert f"tls-wizard resume --run {run.id} FILES" in talk.said


def test_a_setup_that_waits_ends_without_a_proof(tmp_path: Path) -> None:
    with hubs_port_taken(), talking(tmp_path, "--demo", "--plain") as talk:
        assert talk.go({**YES, "Number": "hub-rest", "Source": "request"}) == 0
    assert "tls-wizard resume" in talk.said.partition("Done. Take it back")[2]
    assert "Real connections" not in talk.said


def test_a_pasted_text_that_was_cut_off_is_asked_for_again(tmp_path: Path) -> None:
    pem = self_signed("api.example.org")[0].decode().strip()
    with talking(tmp_path, "--plain") as talk:
        assert answered(talk, *CONNECTOR, f"{pem}\n.", "<").startswith("Authority [the text")
        talk.type(f"{pem}\n{'a' * 5000}\n.")
        assert (talk.prompt() or "").startswith("Authority [the text")
    assert "cut off" in talk.said


def test_what_was_answered_for_a_server_that_is_done_is_kept_no_longer(tmp_path: Path) -> None:
    state = State(tmp_path / "state")
    world = World(look, state, (catalogue.NGINX,), "root@signer", partial(answers.keep, state))
    talk = Conversation(world, {"nginx": {"site": "a.example.org", "directory": "/etc/nginx/tls/a"}})
    assert talk.keep()
    assert answers.kept(state) == talk.given
    talk.given["nginx"] = Nginx.after_run(talk.given["nginx"])
    assert talk.keep()
    assert answers.kept(state) == {"nginx": {}}
