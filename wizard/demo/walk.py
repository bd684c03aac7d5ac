"""The whole way without a terminal: find, ask, review, apply, prove, undo, each step shown."""

from __future__ import annotations

from wizard import answers, preview, proof, service, transaction
from wizard.demo.sandbox import Sandbox, sandbox
from wizard.errors import WizardError
from wizard.sheet import fill_in
from wizard.targets import Target
from wizard.targets.hub_rest import HubRest


def walk() -> int:
    """Go the way in a sandbox; returns 0, or 1 when a step does not do what it should."""
    try:
        with sandbox() as box:
            _walk(box)
    except WizardError as error:
        print(f"This step failed: {error}")
        return 1
    except OSError as error:
        print(f"This step failed: {error.filename or 'the folder for temporary files'}: {error.strerror}.")
        return 1
    return 0


def _walk(box: Sandbox) -> None:
    here = box.look()
    _step("1 Choose", f"{HubRest.title}: {HubRest.find(here).status}")

    filled = answers.complete(HubRest, {}, here)
    _step("2 Ask", answers.template(fill_in(HubRest, {}, here)))

    plan = filled.plan(here)
    _step("3 Review", preview.text(plan))

    script = box.hub / "start.sh"
    before = script.read_bytes()
    run = transaction.apply(plan, box.state)
    _step("4 Apply", "\n".join(f"✓ {words}" for _, words in run.files))
    if plan.restart:
        service.restart(plan.restart)
        print("The sample Hub is restarted.")

    result = proof.prove(filled.proof(box.look()))
    _step("5 Prove", proof.text(result))
    if not result.passed:
        raise WizardError("the proof failed.")

    _again(filled, box)
    undone = transaction.undo(run, box.state)
    _step("Undo", "\n".join(f"✓ {words}" for _, words in undone.files))
    if script.read_bytes() != before or (box.hub / "key.pem").exists():
        raise WizardError("undo did not bring everything back.")
    print("Everything is as it was before, to the byte.")


def _again(filled: Target, box: Sandbox) -> None:
    plan = filled.plan(box.look())
    _step("A second run", preview.text(plan))
    if plan.changed:
        raise WizardError("a second run would change something.")


def _step(title: str, text: str) -> None:
    print(f"\n== {title} {'=' * (74 - len(title))}\n{text}", flush=True)
