"""Whom to trust: no public authority for clients, and the right root for everybody."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509

from tests.sources.elsewhere import Elsewhere
from tests.sources.setups import Setup, certificates, everything
from tests.targets.hub_plans import names
from wizard.kinds import Raw
from wizard.material.bundles import chain_pem
from wizard.material.certificates import certificate_pem
from wizard.material.chains import Chain
from wizard.material.public_authorities import BUNDLES
from wizard.sources import trust
from wizard.sources.pair import Pair

NOT_TESTED = (
    "this system has no bundle of public authorities (ca-certificates): refusing it is NOT tested here"
)


@pytest.fixture
def bundle() -> Path:
    """The authorities that this system came with."""
    path = next((path for path in BUNDLES if path.is_file()), None)
    if path is None:
        pytest.skip(NOT_TESTED)
    return path


@pytest.fixture
def given(elsewhere: Elsewhere) -> dict[str, Raw]:
    """A server's files that are right, for Hub's gRPC API."""
    certificate, key = elsewhere.pair("trusted")
    return {
        "source": "existing",
        "certificate_file": str(certificate),
        "key_file": str(key),
        "chain_files": [str(elsewhere.intermediate)],
        "test_client": "",
    }


# The clients' authority -------------------------------------------------------------------------------------


def test_a_private_authority_is_let_through_and_copied(
    grpc: Setup, given: dict[str, Raw], elsewhere: Elsewhere
) -> None:
    grpc.apply(**given, client_authority=str(elsewhere.root))
    assert (grpc.folder / "tls" / "clients-ca.crt").read_bytes() == elsewhere.root.read_bytes()
    assert not grpc.plan(**given, client_authority=str(elsewhere.root)).changed


def one_of_it(*_: object) -> bytes:
    return certificate_pem(trust.public()[0])


def the_last_of_it(*_: object) -> bytes:
    return certificate_pem(trust.public()[-1])


def all_of_it(bundle: Path, _: Elsewhere) -> bytes:
    return bundle.read_bytes()


def one_behind_ours(_: Path, elsewhere: Elsewhere) -> bytes:
    return elsewhere.root.read_bytes() + one_of_it()


@pytest.mark.parametrize("content", [one_of_it, the_last_of_it, all_of_it, one_behind_ours])
def test_t11_a_public_authority_decides_on_no_client(
    grpc: Setup,
    given: dict[str, Raw],
    bundle: Path,
    elsewhere: Elsewhere,
    content: Callable[[Path, Elsewhere], bytes],
) -> None:
    path = grpc.box.root / "clients.pem"
    path.write_bytes(content(bundle, elsewhere))
    before = everything(grpc.box.root)
    answers: dict[str, Raw] = {**given, "client_authority": str(path)}
    assert "Everyone who has a certificate from there would be let in" in grpc.refusal(**answers)
    (entry,) = grpc.sheet(**answers).wrong
    assert entry.question.name == "client_authority"
    assert everything(grpc.box.root) == before


WRONG: dict[str, tuple[str, Callable[[Elsewhere], Path]]] = {
    "a server's certificate": (
        "hub.example.org is no authority that strict clients accept",
        lambda at: at.pair("server")[0],
    ),
    "an authority that has ended": (
        "Ended has ended on 20",
        lambda at: at.sign(at.request("ended", "/CN=Ended"), "intermediate", begins=timedelta(days=-100)),
    ),
    "a key": ("holds a private key but no certificate", lambda at: at.pair("server")[1]),
    "binary": ("is binary", lambda at: at.in_der(at.root, "authority.pem")),
    "empty": ("the line BEGIN CERTIFICATE is missing", lambda at: at.joined("empty.pem")),
    "nothing": ("No such file", lambda at: at.folder / "none.pem"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_what_is_no_authority_for_clients_is_told(
    grpc: Setup, given: dict[str, Raw], elsewhere: Elsewhere, kind: str
) -> None:
    words, give = WRONG[kind]
    before = everything(grpc.box.root)
    assert words in grpc.refusal(**given, client_authority=str(give(elsewhere)))
    assert everything(grpc.box.root) == before


def test_a_file_that_is_exchanged_is_read_anew(
    grpc: Setup, given: dict[str, Raw], elsewhere: Elsewhere
) -> None:
    path = grpc.box.root / "clients.pem"
    answers: dict[str, Raw] = {**given, "client_authority": str(path)}
    path.write_bytes(elsewhere.root.read_bytes())
    assert "clients-ca.crt" in names(grpc.plan(**answers).changes)
    path.write_bytes(elsewhere.pair("server")[0].read_bytes())
    assert "is no authority" in grpc.refusal(**answers)
    path.write_bytes(elsewhere.root.read_bytes())
    assert "clients-ca.crt" in names(grpc.plan(**answers).changes)


# The server's root ------------------------------------------------------------------------------------------


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    return Pair(tmp_path / "cert.pem", tmp_path / "key.pem", None)


def leaf_of(elsewhere: Elsewhere) -> x509.Certificate:
    return certificates(elsewhere.pair("trusted")[0])[0]


def test_a_private_root_is_written_beside_and_is_what_clients_trust(pair: Pair, elsewhere: Elsewhere) -> None:
    leaf, between, root = (
        leaf_of(elsewhere),
        *certificates(elsewhere.intermediate),
        *certificates(elsewhere.root),
    )
    chain = Chain((leaf, between), root, ())
    (change,) = trust.root_changes(chain, pair)
    assert change.path == pair.certificate.with_name("ca.pem")
    assert not list(trust.root_warnings(chain))
    pair.certificate.write_bytes(chain_pem(chain.certificates))
    assert trust.anchor(pair.certificate) == pair.certificate
    change.path.write_bytes(certificate_pem(root))
    assert trust.anchor(pair.certificate) == change.path


def test_a_public_root_is_not_written_since_everybody_has_it(
    pair: Pair, elsewhere: Elsewhere, bundle: Path
) -> None:
    leaf = leaf_of(elsewhere)
    assert len(trust.public()) > 50
    for root in trust.public():
        assert not list(trust.root_changes(Chain((leaf, root), root, ()), pair)), root.subject
        assert not list(trust.root_warnings(Chain((leaf, root), None, ()))), root.subject
        pair.certificate.write_bytes(chain_pem((leaf, root)))
        assert trust.anchor(pair.certificate) == bundle, root.subject


@pytest.mark.parametrize("content", [None, b"", b"-----BEGIN CERTIFICATE-----\nAAAA\n"])
def test_where_no_certificate_can_be_read_it_is_the_file_itself(pair: Pair, content: bytes | None) -> None:
    if content is not None:
        pair.certificate.write_bytes(content)
    assert trust.anchor(pair.certificate) == pair.certificate


def test_a_root_that_cannot_be_read_is_not_handed_out(pair: Pair, elsewhere: Elsewhere) -> None:
    pair.certificate.write_bytes(chain_pem((leaf_of(elsewhere), *certificates(elsewhere.intermediate))))
    pair.certificate.with_name("ca.pem").write_bytes(b"-----BEGIN CERTIFICATE-----\n")
    assert trust.anchor(pair.certificate) == pair.certificate
