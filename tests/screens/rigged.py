"""Starts tls-wizard with one target whose parts can be made slow or broken from outside.

    python -m tests.screens.rigged HOW FOLDER [arguments of tls-wizard]

The files go into FOLDER. HOW is one of: crash, crash-in-worker, crash-at-a-key, authority-crash; slow, where
a check after writing waits until FOLDER/go-on exists; unproven, where the proof fails; authority, where the
target is the one that asks for a passphrase.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

from textual import events
from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message

from screens.line import SteadyDriver
from tests.screens.sample_targets import SampleAuthority, offered
from tests.screens.samples import FAILED, HOST, SampleHub, checks
from wizard import cli
from wizard.host import Host
from wizard.plan import Command, Plan, Tell, silent
from wizard.proof import Check
from wizard.targets import Found, catalogue

HOW, FOLDER = sys.argv[1], Path(sys.argv[2])


class Rigged(SampleHub):
    @classmethod
    def find(cls, host: Host) -> Found:
        return super().find(HOST)

    def default_directory(self, host: Host) -> Path:
        return FOLDER

    def check_common_name(self, host: Host, value: str) -> str | None:
        passphrase = "hunter" + "2"
        if HOW == "crash" and value == "crash":
            raise RuntimeError(f"a mistake of ours, with {passphrase}")
        return super().check_common_name(host, value)

    def plan(self, host: Host, tell: Tell = silent) -> Plan:
        passphrase = "hunter" + "2"
        if HOW == "crash-in-worker":
            raise RuntimeError(f"a mistake of ours, with {passphrase}")
        plan = super().plan(host, tell)
        if HOW != "slow":
            return plan
        wait = Command(("/bin/sh", "-c", f"until [ -e '{FOLDER}/go-on' ]; do sleep 0.02; done"))
        return replace(plan, validations=(wait,))

    def proof(self, host: Host) -> tuple[Check, ...]:
        return checks(FAILED) if HOW == "unproven" else super().proof(host)


class RiggedAuthority(SampleAuthority):
    def default_directory(self, host: Host) -> Path:
        return FOLDER

    def plan(self, host: Host, tell: Tell = silent) -> Plan:
        passphrase = self.passphrase.reveal()
        if HOW == "authority-crash":
            raise RuntimeError(f"a mistake of ours, with {passphrase}")
        return super().plan(host, tell)


def broken(driver: LinuxDriver, message: Message) -> None:
    typed = "hunter" + "2"
    if isinstance(message, events.Key) and message.character == "c":
        raise RuntimeError(f"a mistake of ours, with {typed}")
    LinuxDriver.process_message(driver, message)


if __name__ == "__main__":
    catalogue.EVERY = (offered(RiggedAuthority if HOW.startswith("authority") else Rigged),)
    if HOW == "crash-at-a-key":
        SteadyDriver.process_message = broken  # type: ignore[method-assign, assignment]
    sys.exit(cli.main(sys.argv[3:]))
