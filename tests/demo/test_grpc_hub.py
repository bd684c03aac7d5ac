"""The real gRPC server behind Hub's flags: who is let in, how it ends, and start.sh with it."""

from __future__ import annotations

import socket
import subprocess
import time
from pathlib import Path

import pytest

from tests.peers.grpc_hub import (
    GRPC_HUB,
    LET_IN,
    LISTENING,
    REFUSED,
    GrpcClient,
    Parties,
    real_grpc_hub,
    run,
    serving,
)
from tests.peers.hub import ROOT, free_port
from tests.peers.sandboxed import furnished
from wizard.demo.sandbox import Sandbox


@pytest.fixture(scope="module")
def parties(tmp_path_factory: pytest.TempPathFactory) -> Parties:
    return Parties(tmp_path_factory.mktemp("grpc"))


def test_without_tls_one_method_answers_and_the_others_are_unknown() -> None:
    with serving() as port:
        assert GrpcClient().call(port) == "OK"
        assert GrpcClient().call(port, "/hub.rpc.Hub/Fly") == "UNIMPLEMENTED"


def test_clients_of_its_authorities_are_let_in_and_nobody_else(parties: Parties) -> None:
    with serving(*parties.flags()) as port:
        answers = {who: parties.client(who).call(port) for who in parties.clients}
        assert GrpcClient().call(port).startswith("UNAVAILABLE: "), "without TLS"
    assert {who: answers.pop(who) for who in LET_IN} == dict.fromkeys(LET_IN, "OK")
    assert tuple(answers) == REFUSED
    for who, answer in answers.items():
        assert answer.startswith("UNAVAILABLE: "), who


def test_t10_without_authorities_it_starts_and_refuses_everyone(parties: Parties) -> None:
    with serving(*parties.flags(sslCA="/dev/null")) as port:
        for who in parties.clients:
            assert parties.client(who).call(port).startswith("UNAVAILABLE: "), who


def test_what_grpc_cannot_use_crashes_it_after_it_said_that_it_listens(parties: Parties) -> None:
    for what, flags in parties.unusable().items():
        ended = run(*flags, "--listenAddress=127.0.0.1:0")
        assert f"{LISTENING}127.0.0.1:0" in ended.log, what
        assert ended.code == 139, what


def test_it_reads_flags_as_hub_does(parties: Parties) -> None:
    assert run("--unheard-of", "x").log == "ERROR: unknown command line flag 'unheard-of'\n"
    assert "File: /missing does not exist." in run(*parties.flags(sslCA="/missing")).log


def test_sigterm_ends_it_at_once_even_with_a_connection_open() -> None:
    port = free_port()
    arguments = [*GRPC_HUB, f"--listenAddress=127.0.0.1:{port}"]
    with subprocess.Popen(arguments, cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert any(LISTENING in line for line in process.stderr)
        with socket.create_connection(("127.0.0.1", port), timeout=5):
            begun = time.monotonic()
            process.terminate()
            try:
                assert process.wait(timeout=10) == 0
            finally:
                process.kill()
            assert time.monotonic() - begun < 3


def port_of(box: Sandbox) -> int:
    (service,) = box.look().services
    assert (service.program, service.launcher) == ("hub", box.hub / "start.sh")
    return service.listening[0][1]


def test_start_sh_starts_it(tmp_path: Path) -> None:
    box = furnished(tmp_path / "box")
    real_grpc_hub(box)
    parties = Parties(tmp_path)
    box.start()
    try:
        assert GrpcClient().call(port_of(box)) == "OK"
        script = box.hub / "start.sh"
        flags = " ".join(parties.flags())
        script.write_text(script.read_text().replace("--db hub", f"{flags} --db hub"))
        box.restart()
        assert parties.client().call(port_of(box)) == "OK"
        assert parties.client("none").call(port_of(box)).startswith("UNAVAILABLE: ")
        assert GrpcClient().call(port_of(box)).startswith("UNAVAILABLE: ")
    finally:
        box.stop()
    assert box.look().services == ()
