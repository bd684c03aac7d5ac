"""Plans for a Hub, made from a few answers."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from wizard.demo.sandbox import Sandbox
from wizard.host import Host
from wizard.kinds import Raw
from wizard.plan import Change, File, Plan
from wizard.sheet import Sheet, fill_in
from wizard.targets.hub_rest import HubRest

HOST = Host(
    name="signer",
    fqdn="signer.example.org",
    addresses=("192.0.2.7",),
    user="root",
    root=os.geteuid() == 0,
    command=("/opt/tls-wizard/bin/tls-wizard",),
)
NAMES = ["hub.example.org", "127.0.0.1"]


def sheet_of(script: Path, **given: Raw) -> Sheet[HubRest]:
    answers = {"start_script": str(script), "common_name": "hub.example.org", "alt_names": NAMES, **given}
    return fill_in(HubRest, answers, HOST)


def filled(script: Path, **given: Raw) -> HubRest:
    sheet = sheet_of(script, **given)
    assert sheet.answers is not None, [entry.error for entry in sheet.wrong]
    return sheet.answers


def plan_of(box: Sandbox, **given: Raw) -> Plan:
    return filled(box.hub / "start.sh", **given).plan(HOST)


def file(plan: Plan, name: str) -> File:
    (found,) = [change for change in plan.changes if isinstance(change, File) and change.path.name == name]
    return found


def names(changes: tuple[Change, ...]) -> list[str]:
    return [change.path.name for change in changes]


def openssl(*arguments: str) -> bytes:
    return subprocess.run(["openssl", *arguments], check=True, capture_output=True).stdout
