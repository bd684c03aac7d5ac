"""The service manager's own command, run for real."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from wizard import service
from wizard.errors import WizardError
from wizard.plan import Command


def test_a_command_that_succeeds_says_nothing(tmp_path: Path) -> None:
    service.restart(Command(("touch", str(tmp_path / "restarted"))))
    assert (tmp_path / "restarted").exists()


def test_a_command_that_fails_says_what_it_said() -> None:
    with pytest.raises(WizardError, match=r"failed with status 3: no such unit"):
        service.restart(Command(("bash", "-c", "echo no such unit >&2; exit 3")))


def test_a_command_that_is_not_there_says_so() -> None:
    with pytest.raises(WizardError, match=r"`supervisorctl-x restart hub` cannot be run: No such file"):
        service.restart(Command(("supervisorctl-x", "restart", "hub")))


def test_what_it_says_cannot_steer_the_terminal() -> None:
    with pytest.raises(WizardError) as caught:
        service.restart(Command(("bash", "-c", r"printf '\033]0;x\007'; exit 1")))
    assert str(caught.value).endswith(r"failed with status 1: \x1b]0;x\x07")


def test_it_gets_no_input_and_no_terminal() -> None:
    with pytest.raises(WizardError, match="status 1: no terminal"):
        service.restart(
            Command(
                ("bash", "-c", "read -r x && exit 0; (: </dev/tty) 2>/dev/null || echo no terminal; exit 1")
            )
        )


def test_one_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "TIME_LIMIT", 0.3)
    with pytest.raises(WizardError, match=r"did not end within 0\.3 seconds"):
        service.restart(Command(("sleep", "30")))


def test_a_service_that_it_leaves_behind_is_not_waited_for() -> None:
    begun = time.monotonic()
    service.restart(Command(("bash", "-c", "sleep 5 & echo started")))
    assert time.monotonic() - begun < 4
