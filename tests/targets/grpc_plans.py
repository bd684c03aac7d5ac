"""A sandbox whose start script starts Hub's gRPC API, and plans for it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tests.peers.hub import free_port
from tests.peers.sandboxed import furnished
from tests.targets.hub_plans import HOST, NAMES
from wizard.demo.sandbox import Sandbox
from wizard.host import Host
from wizard.kinds import Raw
from wizard.plan import Plan
from wizard.proof import Proof, prove
from wizard.secret import Secret
from wizard.sheet import Sheet, fill_in
from wizard.targets.hub_grpc import HubGrpc

SCRIPT = "#!/bin/bash\n./bazel-bin/hub/hub \\\n  --db hub \\\n  --listenAddress 127.0.0.1:{port}\n"
PASSPHRASE = Secret("correct horse battery staple 42")


def grpc_box(root: Path) -> Sandbox:
    """A furnished sandbox with a script for gRPC on a free port; nothing runs yet."""
    box = furnished(root)
    (box.hub / "start.sh").write_text(SCRIPT.format(port=free_port()))
    return box


def host_of(box: Sandbox) -> Host:
    """A host that remembers in the sandbox."""
    return replace(HOST, state=box.state)


def sheet_of(box: Sandbox, **given: Raw) -> Sheet[HubGrpc]:
    answers: dict[str, Raw] = {
        "start_script": str(box.hub / "start.sh"),
        "common_name": "hub.example.org",
        "alt_names": NAMES,
        "clients": ["alice", "rpc.user.1"],
        "passphrase": PASSPHRASE,
        **given,
    }
    return fill_in(HubGrpc, answers, host_of(box))


def filled(box: Sandbox, **given: Raw) -> HubGrpc:
    sheet = sheet_of(box, **given)
    assert sheet.answers is not None, [(entry.question.name, entry.error) for entry in sheet.wrong]
    return sheet.answers


def plan_of(box: Sandbox, **given: Raw) -> Plan:
    return filled(box, **given).plan(host_of(box))


def proven(box: Sandbox, **given: Raw) -> Proof:
    """The proof of a Hub that runs in the sandbox."""
    return prove(filled(box, **given).proof(box.look()))
