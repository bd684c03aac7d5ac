"""A Hub that runs: what is seen of it, and the proof before and after its restart."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import chain
from pathlib import Path

import pytest

from tests.peers.hub import running
from tests.peers.sandboxed import furnished, started
from tests.targets.hub_plans import NAMES, sheet_of
from wizard import proof, service, transaction
from wizard.demo.sandbox import Sandbox
from wizard.errors import Refusal
from wizard.host import Host, Service
from wizard.proof import Proof, Result, Verdict
from wizard.sheet import fill_in
from wizard.targets.hub import service as hub_service
from wizard.targets.hub_rest import HubRest

RUNS = "Hub runs with these settings"


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Sandbox]:
    with started(tmp_path / "box") as running:
        yield running


def answers(box: Sandbox, **given: str | list[str]) -> HubRest:
    script = str(box.hub / "start.sh")
    sheet = fill_in(
        HubRest, {"start_script": script, "common_name": NAMES[0], "alt_names": NAMES, **given}, box.look()
    )
    assert sheet.answers is not None, [entry.error for entry in sheet.wrong]
    return sheet.answers


def apply(box: Sandbox, filled: HubRest) -> None:
    transaction.apply(filled.plan(box.look()), box.state)


def prove(box: Sandbox, filled: HubRest) -> Proof:
    return proof.prove(filled.proof(box.look()))


def failed(result: Proof) -> list[Result]:
    return [one for one in result.results if one.verdict is Verdict.FAILED]


# What is seen -----------------------------------------------------------------------------------------------


def test_a_running_hub_is_found_with_its_script_and_its_api(box: Sandbox) -> None:
    here = box.look()
    found = HubRest.find(here)
    port = answers(box).address
    assert found.runs
    hub = hub_service.running(here)
    assert hub is not None
    # The script lacks a backslash, so what runs is gRPC, as the guide's reader does not expect.
    assert found.status == f"runs here: pid {hub.pid}, gRPC without TLS on {port}"
    assert found.details[0] == str(box.hub / "start.sh")
    assert "no backslash" in found.warnings[0].text
    assert hub_service.start_script(here, "hub-rest") == box.hub / "start.sh"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_root_is_told_when_the_script_belongs_to_a_third_account(box: Sandbox) -> None:
    script = box.hub / "start.sh"
    os.chown(script, 65534, 65534)
    assert HubRest.find(box.look()).details[0] == f"{script}, owned by {script.owner()}"


def test_a_script_that_is_refused_is_said_beside_the_running_hub(box: Sandbox) -> None:
    script = box.hub / "start.sh"
    script.write_bytes(script.read_bytes().replace(b"\n", b"\r\n"))
    found = HubRest.find(box.look())
    assert found.runs
    assert "carriage return" in found.warnings[0].text


def test_secrets_of_the_command_line_are_in_nothing_that_is_printed(box: Sandbox) -> None:
    here = box.look()
    shown = f"{HubRest.find(here)} {here}"
    assert "CHANGETHIS" not in shown
    assert "myrootpassword" not in shown


def test_what_is_too_large_or_never_ends_is_no_start_script(box: Sandbox) -> None:
    large = box.hub / "large.sh"
    with large.open("wb") as file:
        file.truncate(1_000_001)
    pipe = box.hub / "pipe.sh"
    os.mkfifo(pipe)
    for path, said in [
        (large, "It cannot be read: It is larger than 1 MB."),
        (pipe, "This is a device or a pipe, not a script."),
        (Path("/dev/zero"), "This is a device or a pipe, not a script."),
        (Path("/proc/kmsg"), "/proc/kmsg: No command in this file starts hub in a way that can be read."),
    ]:
        if os.geteuid() == 0 or path.parent == box.hub:
            assert said in sheet_of(path)["start_script"].error, path
    with pytest.raises(OSError, match="not a file"):
        hub_service.read(pipe)


def test_among_several_hubs_the_one_of_the_script_counts(box: Sandbox, tmp_path: Path) -> None:
    with started(tmp_path / "other") as other:
        services = (*other.look().services, *box.look().services)
        here = Host(name="h", fqdn="h", addresses=(), user="root", root=True, services=services)
        assert len(here.running("hub")) == 2
        for one in (box, other):
            hub = hub_service.running(here, one.hub / "start.sh")
            assert hub is not None
            assert hub.directory == one.hub


def test_a_hub_that_only_root_can_see_is_told_with_the_way_out() -> None:
    hidden = Service(
        pid=7,
        arguments=("hub",),
        program="hub",
        directory=None,
        user="jake",
        started=datetime.now(UTC),
        listening=(),
    )
    command = ("/opt/bin/tls-wizard",)
    here = Host(
        name="h", fqdn="h", addresses=(), user="nobody", root=False, services=(hidden,), command=command
    )
    error = fill_in(HubRest, {}, here)["start_script"].error
    assert error.startswith("Hub runs as jake, and only root can see from which script.")
    assert "sudo /opt/bin/tls-wizard --answers /" in error


# The proof --------------------------------------------------------------------------------------------------


def test_t09_restarted_it_is_proven_and_plain_http_is_the_one_finding(box: Sandbox) -> None:
    filled = answers(box)
    plan = filled.plan(box.look())
    transaction.apply(plan, box.state)
    assert plan.restart is not None
    service.restart(plan.restart)
    result = prove(box, filled)
    assert result.passed
    assert (result.count(Verdict.FAILED), result.count(Verdict.SKIPPED)) == (0, 0)
    (finding,) = [one for one in result.results if one.verdict is Verdict.FINDING]
    assert finding.title == "Plain HTTP is refused on the same port"
    assert "no switch" in finding.meaning
    assert [advice for advice in finding.advice if "proxy" in advice.text]
    curl = subprocess.run(["bash", "-c", finding.command], capture_output=True, text=True, check=True)
    assert curl.stdout.startswith("HTTP/1.1 200"), "the command shown does what the check did"


def test_every_command_shown_does_by_hand_what_the_check_did(box: Sandbox) -> None:
    filled = answers(box)
    apply(box, filled)
    box.restart()
    for result in prove(box, filled).results:
        done = subprocess.run(["bash", "-c", result.command], capture_output=True, check=False)
        refused = result.title.startswith("TLS 1.0")
        assert (done.returncode != 0) is refused, result.command


def test_before_the_restart_it_says_since_when_hub_runs(box: Sandbox) -> None:
    filled = answers(box)
    os.utime(box.hub / "start.sh", (1, 1))
    apply(box, filled)
    later = datetime.now() + timedelta(seconds=90)
    os.utime(box.hub / "cert.pem", (later.timestamp(), later.timestamp()))
    result = prove(box, filled)
    assert not result.passed
    assert [one.title for one in failed(result)] == [RUNS, f"{filled.address} answers TLS"]
    first = failed(result)[0]
    hub = hub_service.running(box.look())
    assert hub is not None
    since = f"{hub.started.astimezone():%H:%M:%S}"
    assert first.got == (
        f"Hub (pid {hub.pid}) has been running since {since}, cert.pem was written at "
        f"{later:%H:%M:%S}: it still runs with its old settings. Restart it."
    )
    assert [advice.command for advice in first.advice] == [" ".join((str(box.root / "restart-hub"),))]
    assert result.count(Verdict.SKIPPED) == len(result.results) - 4


def test_a_hub_that_does_not_run_is_told_apart(box: Sandbox) -> None:
    filled = answers(box)
    apply(box, filled)
    box.stop()
    result = prove(box, filled)
    assert not result.passed
    first, second = failed(result)
    assert first.got == (
        f"No Hub can be seen that {box.hub}/start.sh has started. Start it, or look into its log."
    )
    assert "nothing listens" in second.got.lower()


def test_a_certificate_swapped_after_the_start_is_told_apart(box: Sandbox) -> None:
    filled = answers(box)
    apply(box, filled)
    box.restart()
    assert prove(box, filled).passed
    (box.hub / "key.pem").unlink()
    apply(box, filled)
    later = (datetime.now() + timedelta(seconds=60)).timestamp()
    os.utime(box.hub / "cert.pem", (later, later))
    process, served = failed(prove(box, filled))
    assert "cert.pem was written at" in process.got
    assert served.title == "It serves cert.pem"
    assert served.got.startswith("another certificate")


@pytest.mark.parametrize(
    ("before", "after", "missing"),
    [
        (b"authMode ssl", b"authMode none", "does not set --authMode ssl"),
        (b"--sslDH", b"--sslCA", "does not set --sslDH /"),
        (b"--authMode ssl", b"--authMode ssl --authMode none", "does not set --authMode ssl"),
        (b"--serverType http", b"", "does not set --serverType http"),
        (b"ssl \\", b"ssl", "here bash ends the command; what follows is lost"),
        (b"dh.pem \\\n", b"dh.pem $EXTRA \\\n", "known only at run time"),
        (b"\n", b"\r\n", "carriage return"),
    ],
    ids=["no TLS", "another flag", "a later flag", "gRPC", "lost backslash", "run time", "carriage returns"],
)
def test_a_script_that_is_no_longer_secured_is_not_proven_by_the_hub_that_still_runs(
    box: Sandbox, before: bytes, after: bytes, missing: str
) -> None:
    script = box.hub / "start.sh"
    grpc = script.read_bytes().replace(b"\t--serverType http", b"")
    script.write_bytes(grpc)
    filled = answers(box, switch_to_rest="yes")
    apply(box, filled)
    box.restart()
    assert prove(box, filled).passed
    times = (script.stat().st_atime, script.stat().st_mtime)
    assert before in script.read_bytes()
    script.write_bytes(script.read_bytes().replace(before, after))
    os.utime(script, times)
    result = prove(box, filled)
    assert not result.passed
    (wrong,) = failed(result)
    assert wrong.title == "The start script sets TLS"
    assert missing in wrong.got
    assert wrong.meaning


def test_a_start_script_that_goes_between_the_answers_and_the_plan_is_a_refusal(box: Sandbox) -> None:
    filled = answers(box)
    (box.hub / "start.sh").unlink()
    with pytest.raises(Refusal, match=r"start\.sh: It cannot be read: No such file or directory\."):
        filled.plan(box.look())


def test_a_start_script_that_has_gone_fails_with_a_sentence(box: Sandbox) -> None:
    filled = answers(box)
    apply(box, filled)
    (box.hub / "start.sh").unlink()
    wrong = failed(prove(box, filled))[0]
    assert wrong.got.startswith(f"{box.hub}/start.sh: It cannot be read: No such file or directory.")


def test_another_program_at_the_address_does_not_prove_this_hub(box: Sandbox) -> None:
    filled = answers(box)
    apply(box, filled)
    box.restart()
    files = [str(box.hub / name) for name in ("cert.pem", "key.pem", "dh.pem")]
    flags = zip(("--sslCert", "--sslKey", "--sslDH"), files, strict=True)
    with running("--authMode", "ssl", "--serverType", "http", *chain.from_iterable(flags)) as port:
        elsewhere = replace(filled, address=f"127.0.0.1:{port}")
        (wrong,) = failed(prove(box, elsewhere))
        assert wrong.title == RUNS
        assert f"listens on {filled.address}, not on port {port}." in wrong.got
        box.stop()
        (wrong,) = failed(prove(box, elsewhere))
        assert wrong.title == RUNS
        assert wrong.got.startswith("No Hub can be seen that ")


def test_a_hub_that_only_root_can_see_into_is_skipped_with_the_reason(box: Sandbox) -> None:
    filled = answers(box)
    apply(box, filled)
    box.restart()
    here = box.look()
    hidden = tuple(replace(service, directory=None, listening=()) for service in here.services)
    result = proof.prove(filled.proof(replace(here, services=hidden)))
    (skipped,) = [one for one in result.results if one.verdict is Verdict.SKIPPED]
    assert skipped.title == RUNS
    assert skipped.got.endswith("only root can see from which script.")
    assert result.passed


def test_a_name_that_is_not_in_the_certificate_fails_alone(box: Sandbox) -> None:
    apply(box, answers(box))
    box.restart()
    wrong = failed(prove(box, answers(box, alt_names=[*NAMES, "other.example.org"])))
    assert [one.title for one in wrong] == ["Clients accept it as other.example.org"]
    assert "other.example.org" in wrong[0].got


def test_a_second_run_on_a_proven_hub_changes_nothing(box: Sandbox) -> None:
    filled = answers(box)
    apply(box, filled)
    box.restart()
    assert not answers(box).plan(box.look()).changed


def test_nothing_was_ever_secured_here(tmp_path: Path) -> None:
    quiet = furnished(tmp_path / "quiet")
    sheet = sheet_of(quiet.hub / "start.sh")
    assert sheet.answers is not None
    result = proof.prove(sheet.answers.proof(quiet.look()))
    assert not result.passed
    script, process, reach = failed(result)
    assert "does not set --authMode ssl" in script.got
    assert process.got.startswith("No Hub can be seen")
    assert reach.title.endswith("answers TLS")
