"""The whole way without a terminal: find, ask, review, apply, prove, undo, each step shown."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from wizard import answers, preview, proof, review, service, transaction
from wizard.demo.sandbox import Sandbox, free_port, sandbox
from wizard.errors import WizardError
from wizard.inert import inert
from wizard.kinds import Raw
from wizard.material.passphrases import generated
from wizard.sheet import fill_in
from wizard.targets import Target
from wizard.targets.hub_grpc import HubGrpc
from wizard.targets.hub_rest import HubRest
from wizard.targets.nano import Nano
from wizard.targets.nginx import Nginx


def walk() -> int:
    """Go the way for each service of a sandbox; returns 0, or 1 when a step is not as it should be."""
    try:
        with sandbox() as box:
            _walk(box, HubRest, {}, box.hub)
            clients = ["alice", "billing.example.com"]
            _walk(box, HubGrpc, {"clients": clients, "passphrase": generated()}, box.grpc_hub)
            for version in ("22.1", "25.1"):
                box.exchange_node(version)
                _walk(box, Nano, {"clients": clients, "server_passphrase": generated()}, box.nano)
            if box.nginx.is_dir():
                box.exchange_node("27.1")
                _walk(box, Nginx, _behind_nginx(box, clients), box.nginx)
    except WizardError as error:
        print(f"This step failed: {error}")
        return 1
    except OSError as error:
        print(f"This step failed: {error.filename or 'the folder for temporary files'}: {error.strerror}.")
        return 1
    return 0


def _behind_nginx(box: Sandbox, clients: list[str]) -> dict[str, Raw]:
    """What the Nano target, for a node without TLS, takes along to nginx; on ports that anybody may use."""
    asked = fill_in(Nano, {"clients": clients}, box.look())["node_version"]
    print(f"\n{Nano.title}: {asked.error}")
    if asked.elsewhere is None:
        raise WizardError("the node without TLS does not lead to nginx.")
    return {
        **asked.elsewhere.given({"clients": clients, "source": "private-ca"}),
        "server_name": ["rpc.example.com"],
        "https_port": free_port(8443),
        "http_port": free_port(8081),
        "passphrase": generated(),
    }


def _walk(box: Sandbox, target: type[Target], given: Mapping[str, Raw], folder: Path) -> None:
    here = box.look()
    _step("1 Choose", f"{target.title}: {target.find(here).status}")

    filled = answers.complete(target, given, here)
    asked = fill_in(target, given, here).asked
    _step("2 Ask", "\n".join(f"{e.question.label:<20}{inert(e.text) or '(hidden or empty)'}" for e in asked))

    plan = review.prepared(filled, here)
    _step("3 Review", preview.text(plan))

    before = _contents(folder)
    run = transaction.apply(plan, box.state)
    _step("4 Apply", "\n".join(f"✓ {words}" for _, words in run.files))
    if plan.restart:
        service.restart(plan.restart)
        print("The sample service is restarted.")

    result = proof.prove(filled.proof(box.look()))
    _step("5 Prove", proof.text(result))
    if not result.passed:
        raise WizardError("the proof failed.")

    _again(target, given, box)
    undone = transaction.undo(run, box.state)
    _step("Undo", "\n".join(f"✓ {words}" for _, words in undone.files))
    if _contents(folder) != before:
        raise WizardError("undo did not bring everything back.")
    print("Everything is as it was before, to the byte.")


def _again(target: type[Target], given: Mapping[str, Raw], box: Sandbox) -> None:
    here = box.look()
    plan = review.prepared(answers.complete(target, given, here), here)
    _step("A second run", preview.text(plan))
    if plan.changed:
        raise WizardError("a second run would change something.")


def _contents(folder: Path) -> dict[Path, bytes]:
    # What the services write while they run is not counted.
    files = (path for path in folder.rglob("*") if path.is_file() and path.parent.name not in ("log", "run"))
    return {path: path.read_bytes() for path in files}


def _step(title: str, text: str) -> None:
    print(f"\n== {title} {'=' * (74 - len(title))}\n{text}", flush=True)
