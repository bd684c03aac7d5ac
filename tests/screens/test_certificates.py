"""Certificates: what was made here, what waits, and both taken up again."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from screens.certificates import CertificatesScreen
from tests.conftest import LooksAsBefore
from tests.screens import samples
from tests.screens.samples import HOSTILE, HUB, WHO
from tests.screens.stage import Size, at_every_size, opened, text
from wizard.again import Waiting
from wizard.inventory import Listed

ENDS = datetime(2027, 4, 15, 9, 26, tzinfo=UTC)
CA = Listed(
    path=HUB / "tls" / "ca.crt",
    run=samples.RUN.id,
    target="hub-grpc",
    title="Secure IOTA Hub, gRPC, at 127.0.0.1:50051",
    common_name="signer CA",
    issuer="itself (self-signed)",
    kind="authority",
    not_after=ENDS.replace(year=2036),
    days_left=3649,
    fingerprint=":".join(["AB"] * 32),
    issued=3,
)
SERVER = replace(
    CA,
    path=HUB / "tls" / "server.crt",
    common_name="hub.example.org",
    names=("DNS hub.example.org", "IP 127.0.0.1"),
    issuer="signer CA",
    kind="server",
    not_after=ENDS,
    days_left=396,
    issued=None,
)
SOON = replace(
    SERVER,
    path=HUB / "tls" / "clients" / "alice.crt",
    common_name="alice",
    names=(),
    kind="client",
    days_left=9,
    wrong=("It ends in 9 days. Run tls-wizard again with the same answers, which makes a new one.",),
)
REQUEST = "-----BEGIN CERTIFICATE REQUEST-----\nMIIB\n-----END CERTIFICATE REQUEST-----\n"
WAITING = Waiting(
    samples.run(14, title="Request a certificate for IOTA Hub, REST, at 127.0.0.1:50051"),
    HUB / "request.csr",
    REQUEST,
)
ROWS = (SOON, SERVER, CA)


@at_every_size
async def test_what_waits_and_what_is_there(
    tmp_path: Path, looks_as_before: LooksAsBefore, size: Size
) -> None:
    screen = CertificatesScreen(WHO, ROWS, (WAITING,))
    async with opened(samples.world(tmp_path), screen, size=size) as pilot:
        await looks_as_before(pilot)


@pytest.mark.parametrize("row", [0, 1, 2], ids=["needs attention", "server", "authority"])
async def test_a_certificate(tmp_path: Path, looks_as_before: LooksAsBefore, row: int) -> None:
    async with opened(samples.world(tmp_path), CertificatesScreen(WHO, ROWS, ())) as pilot:
        await pilot.press(*["down"] * row)
        await looks_as_before(pilot)


async def test_nothing_made_yet(tmp_path: Path, looks_as_before: LooksAsBefore) -> None:
    async with opened(samples.world(tmp_path), CertificatesScreen(WHO, (), ())) as pilot:
        await looks_as_before(pilot)


async def test_markup_and_control_characters(tmp_path: Path, looks_as_before: LooksAsBefore) -> None:
    row = replace(SERVER, common_name=HOSTILE, names=(HOSTILE,), title=HOSTILE, wrong=(HOSTILE,))
    waiting = replace(WAITING, run=samples.run(14, title=HOSTILE), text=HOSTILE)
    async with opened(samples.world(tmp_path), CertificatesScreen(WHO, (row,), (waiting,))) as pilot:
        await pilot.press("down")
        await looks_as_before(pilot)


async def test_the_request_is_shown_and_copied_whole(tmp_path: Path) -> None:
    async with opened(samples.world(tmp_path), CertificatesScreen(WHO, ROWS, (WAITING,))) as pilot:
        assert "BEGIN CERTIFICATE REQUEST" in text(pilot)
        await pilot.press("c")
        assert pilot.app.clipboard == REQUEST


async def test_only_what_applies_is_offered(tmp_path: Path) -> None:
    async with opened(samples.world(tmp_path), CertificatesScreen(WHO, ROWS, (WAITING,))) as pilot:
        keys = text(pilot).splitlines()[-1]
        assert "go on" in keys
        assert "new key" not in keys
        await pilot.press("down")
        keys = text(pilot).splitlines()[-1]
        assert "go on" not in keys
        assert "new key" in keys
