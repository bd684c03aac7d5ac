"""A pair of certificate and key that is there already: kept when it serves, else made again, and said why."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.peers.sandboxed import furnished
from tests.targets.hub_plans import NAMES, file, names, openssl, plan_of, sheet_of
from wizard import transaction
from wizard.demo.sandbox import Sandbox
from wizard.material.certificates import certificate_pem, describe, read_certificates_pem, self_signed_server
from wizard.material.key_types import KeyType
from wizard.material.keys import generate, private_pem
from wizard.material.names import read_name


@pytest.fixture
def box(tmp_path: Path) -> Sandbox:
    return furnished(tmp_path / "box")


def write_pair(
    box: Sandbox,
    *alt_names: str,
    common_name: str = "hub.example.org",
    key_type: KeyType = KeyType.ECDSA_P256,
    days: int = 397,
    age: timedelta = timedelta(0),
) -> None:
    """A pair as an earlier run would have left it."""
    key = generate(key_type)
    read = tuple(read_name(name) for name in alt_names or NAMES)
    certificate = self_signed_server(key, common_name, read, days, datetime.now(UTC) - age)
    (box.hub / "cert.pem").write_bytes(certificate_pem(certificate))
    (box.hub / "key.pem").write_bytes(private_pem(key))
    (box.hub / "key.pem").chmod(0o600)


def by_openssl(box: Sandbox, *options: str) -> None:
    """A pair as a guide has it made."""
    files = ["-keyout", str(box.hub / "key.pem"), "-out", str(box.hub / "cert.pem")]
    openssl(
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-days",
        "397",
        "-subj",
        "/CN=hub.example.org",
        *files,
        *options,
    )


def encrypted(box: Sandbox) -> None:
    by_openssl(box, "-passout", "pass:1234", "-addext", "subjectAltName=DNS:hub.example.org,IP:127.0.0.1")


def foreign_key(box: Sandbox) -> None:
    write_pair(box)
    (box.hub / "key.pem").write_bytes(private_pem(generate(KeyType.ECDSA_P256)))


def cut_off(box: Sandbox) -> None:
    write_pair(box)
    (box.hub / "cert.pem").write_bytes((box.hub / "cert.pem").read_bytes()[:200])


def empty_key(box: Sandbox) -> None:
    write_pair(box)
    (box.hub / "key.pem").write_bytes(b"")


def by_an_authority(box: Sandbox) -> None:
    folder = box.root / "ca"
    folder.mkdir()
    ca, request = folder / "ca.pem", folder / "request.pem"
    extensions = folder / "extensions"
    extensions.write_text("subjectAltName=DNS:hub.example.org,IP:127.0.0.1\n")
    ec = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    openssl("req", "-x509", *ec, "-subj", "/CN=CA", "-keyout", str(folder / "ca.key"), "-out", str(ca))
    key = str(box.hub / "key.pem")
    openssl("req", "-new", *ec, "-subj", "/CN=hub.example.org", "-keyout", key, "-out", str(request))
    signer = ("-CA", str(ca), "-CAkey", str(folder / "ca.key"), "-CAcreateserial", "-days", "397")
    files = ("-in", str(request), "-out", str(box.hub / "cert.pem"), "-extfile", str(extensions))
    openssl("x509", "-req", *signer, *files)


def without_key(box: Sandbox) -> None:
    write_pair(box)
    (box.hub / "key.pem").unlink()


def without_certificate(box: Sandbox) -> None:
    write_pair(box)
    (box.hub / "cert.pem").unlink()


@pytest.mark.parametrize(
    ("there", "reason"),
    [
        (lambda box: write_pair(box, age=timedelta(days=370)), "it has ended or soon ends"),
        (lambda box: write_pair(box, age=timedelta(days=400)), "it has ended or soon ends"),
        (lambda box: write_pair(box, age=timedelta(days=-2)), "it is not valid yet"),
        (lambda box: write_pair(box, "hub.example.org"), "it is valid for other names"),
        (lambda box: write_pair(box, *NAMES, "extra.example.org"), "it is valid for other names"),
        (lambda box: write_pair(box, common_name="old"), "its Common Name is old"),
        (lambda box: write_pair(box, key_type=KeyType.RSA_2048), "its key is RSA 2048"),
        (lambda box: write_pair(box, days=90), "it was made for 90 days"),
        (foreign_key, "the key does not belong to the certificate"),
        (encrypted, "passphrase"),
        (cut_off, "certificate"),
        (empty_key, "key"),
        (by_an_authority, "it was signed by an authority"),
        (without_key, "its key is missing"),
        (without_certificate, "its certificate is missing"),
    ],
    ids=lambda value: value.replace(" ", "_") if isinstance(value, str) else "",
)
def test_a_pair_that_does_not_serve_is_replaced_and_the_reason_told(
    box: Sandbox, there: Callable[[Sandbox], None], reason: str
) -> None:
    there(box)
    plan = plan_of(box, source="self-signed")
    told = [warning for warning in plan.warnings if "replaced" in warning.text]
    assert len(told) == 1
    assert reason in told[0].text
    assert told[0].path is not None
    assert told[0].path.parent == box.hub
    certificate = read_certificates_pem(file(plan, "cert.pem").after or b"")[0]
    assert describe(certificate, datetime.now(UTC)).common_name == "hub.example.org"
    assert file(plan, "key.pem").mode == 0o600
    transaction.apply(plan, box.state)
    assert not plan_of(box).changed


@pytest.mark.parametrize(
    ("there", "source"),
    [(lambda _: None, "self-signed"), (write_pair, "self-signed"), (by_an_authority, "request")],
)
def test_what_is_in_place_is_not_replaced_by_another_kind_without_a_word(
    box: Sandbox, there: Callable[[Sandbox], None], source: str
) -> None:
    there(box)
    assert sheet_of(box.hub / "start.sh")["source"].text == source


def test_undo_brings_a_replaced_pair_back(box: Sandbox) -> None:
    encrypted(box)
    before = (box.hub / "key.pem").read_bytes()
    run = transaction.apply(plan_of(box), box.state)
    transaction.undo(run, box.state)
    assert (box.hub / "key.pem").read_bytes() == before


@pytest.mark.parametrize(("age", "changed"), [(366, False), (368, True)])
def test_a_pair_is_made_again_thirty_days_before_its_end(box: Sandbox, age: int, changed: bool) -> None:
    write_pair(box, age=timedelta(days=age))
    assert ("cert.pem" in names(plan_of(box).changes)) is changed


@pytest.mark.parametrize(("age", "changed"), [(3, False), (5, True)])
def test_a_short_one_when_a_third_of_its_life_is_left(box: Sandbox, age: int, changed: bool) -> None:
    write_pair(box, days=6, age=timedelta(days=age))
    assert ("cert.pem" in names(plan_of(box, validity_days=6).changes)) is changed


def test_a_key_that_others_can_read_is_closed_and_kept(box: Sandbox) -> None:
    transaction.apply(plan_of(box), box.state)
    key = box.hub / "key.pem"
    key.chmod(0o640)
    plan = plan_of(box)
    assert names(plan.changes) == ["key.pem"]
    assert file(plan, "key.pem").after == key.read_bytes()
    transaction.apply(plan, box.state)
    assert key.stat().st_mode & 0o777 == 0o600
    assert not plan_of(box).changed


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_a_key_that_hubs_account_could_not_read_is_given_to_it(box: Sandbox) -> None:
    transaction.apply(plan_of(box, account="root"), box.state)
    plan = plan_of(box, account="daemon")
    assert names(plan.changes) == ["key.pem"]
    transaction.apply(plan, box.state)
    assert (box.hub / "key.pem").owner() == "daemon"
    assert not plan_of(box, account="daemon").changed
