"""What a real nginx serves, in plain words, and which clients refuse it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.connecting.servers import Parties, call, proven, result
from tests.peers import mutual
from tests.peers.nginx import nginx
from tests.peers.tls import listening
from tests.sources.elsewhere import P256, Elsewhere
from wizard.address import Address
from wizard.connecting.call import Call, Files, request_for
from wizard.connecting.modes import Mode
from wizard.connecting.trial import checks
from wizard.probe import Http2Preface, Request
from wizard.proof import Proof, Result, Verdict, prove

OLD_CIPHERS = "ssl_ciphers DEFAULT:@SECLEVEL=0;"


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Elsewhere:
    return Elsewhere(tmp_path_factory.mktemp("served") / "elsewhere")


@contextmanager
def serving(elsewhere: Elsewhere, pair: tuple[Path, Path], *settings: str) -> Iterator[int]:
    certificate, key = pair
    chain = elsewhere.joined(f"{certificate.stem}.chain", certificate, elsewhere.intermediate)
    with nginx(elsewhere.folder / f"nginx-{certificate.stem}", chain, key, *settings) as port:
        yield port


def seen(elsewhere: Elsewhere, name: str, extensions: str, *settings: str, days: int = 90) -> Proof:
    with serving(elsewhere, elsewhere.pair(name, extensions, days=days), *settings) as port:
        return proven(call(port, Mode.VERIFY_CA, elsewhere.root))


def test_by_whom_it_is_signed_and_until_when(parties: Parties) -> None:
    told = result(proven(call(parties.whole, Mode.VERIFY_CA, parties.root)), "Its certificate")
    assert told.got.startswith("until 20")
    assert told.got.endswith("89 days left, signed by CN=Elsewhere Issuing,O=Elsewhere")
    assert "for DNS hub.example.org, IP 127.0.0.1; its key is ECDSA P-256" in told.meaning


def test_t41_without_a_subject_alternative_name_every_client_refuses(elsewhere: Elsewhere) -> None:
    proof = seen(elsewhere, "nameless", "nameless")
    told = result(proof, "It is for 127.0.0.1")
    assert told.verdict is Verdict.FAILED
    assert told.got == "It has no subject alternative names."
    assert result(proof, "Mode verify-ca").verdict is Verdict.FAILED


def test_more_days_than_apple_takes_are_a_finding(elsewhere: Elsewhere) -> None:
    proof = seen(elsewhere, "long", "server", days=900)
    told = result(proof, "Apple's systems")
    assert told.verdict is Verdict.FINDING
    assert told.got == "it was made for 900 days: macOS and iOS refuse more than 825"
    assert proof.passed, "other systems take it"


def test_one_that_has_ended_is_refused_by_every_client(elsewhere: Elsewhere) -> None:
    proof = seen(elsewhere, "ended", "server", days=0)
    told = result(proof, "Its certificate")
    assert told.verdict is Verdict.FAILED
    assert "every client refuses it" in told.got
    assert result(proof, "Mode verify-ca").got.startswith("The certificate has expired")
    skipped = result(proof, "Mode skip")
    assert skipped.verdict is Verdict.PASSED, "which shows what the mode is worth"


def test_old_versions_beside_new_ones_are_a_finding(elsewhere: Elsewhere) -> None:
    proof = seen(elsewhere, "old", "server", "ssl_protocols TLSv1 TLSv1.1 TLSv1.2;", OLD_CIPHERS)
    told = result(proof, "It speaks")
    assert told.verdict is Verdict.FINDING
    assert told.got == "it speaks TLS 1.0 and TLS 1.1 and TLS 1.2"


def test_old_versions_alone_are_refused_by_todays_clients(elsewhere: Elsewhere) -> None:
    proof = seen(elsewhere, "older", "server", "ssl_protocols TLSv1.1;", OLD_CIPHERS)
    assert proof.results[1].verdict is Verdict.FAILED
    assert proof.results[1].got == "It speaks TLS 1.1 only, which today's clients refuse."
    assert all(found.verdict is Verdict.SKIPPED for found in proof.results[2:])


def test_t44_an_authority_that_strict_clients_refuse_is_a_finding_and_told_before(
    elsewhere: Elsewhere,
) -> None:
    """As the scripts of public guides make it: without key usage."""
    elsewhere.openssl(
        *("req", "-x509", "-config", "/dev/null", *P256, "-nodes", "-days", "90", "-subj", "/CN=guide"),
        *("-addext", "basicConstraints=critical,CA:TRUE", "-keyout", "guide.key", "-out", "guide.pem"),
    )
    request = elsewhere.request("guided")
    certificate = elsewhere.sign(request, "server", by="guide")
    with nginx(elsewhere.folder / "nginx-guided", certificate, request.with_suffix(".key")) as port:
        proof = proven(call(port, Mode.VERIFY_CA, elsewhere.folder / "guide.pem"))
    texts, strict, mode = (
        result(proof, title) for title in ("The texts", "Python 3.13 takes", "Mode verify-ca")
    )
    assert (texts.verdict, strict.verdict, mode.verdict) == (
        Verdict.FINDING,
        Verdict.FINDING,
        Verdict.PASSED,
    )
    assert "The authority guide has no key usage: Python 3.13 and later refuse" in texts.got
    assert "CA cert does not include key usage extension" in strict.got
    assert proof.passed


def test_a_server_that_signed_itself_as_an_authority_is_told_what_is_true_of_it(
    elsewhere: Elsewhere,
) -> None:
    """As `openssl req -x509` makes it. Strict clients take it from the server that has it, and refuse those
    that it has issued to: OpenSSL looks at no extensions of a chain of one."""
    elsewhere.openssl(
        *("req", "-x509", "-config", "/dev/null", *P256, "-nodes", "-days", "90", "-subj", "/CN=itself"),
        *("-addext", "basicConstraints=critical,CA:TRUE", "-addext", "subjectAltName=IP:127.0.0.1"),
        *("-keyout", "itself.key", "-out", "itself.pem"),
    )
    certificate = elsewhere.folder / "itself.pem"
    with nginx(elsewhere.folder / "nginx-itself", certificate, certificate.with_suffix(".key")) as port:
        proof = proven(call(port, Mode.VERIFY_CA, certificate))
    assert result(proof, "Python 3.13 takes").got == "it does, and so do other strict clients"
    assert result(proof, "The texts").got == (
        "The authority itself has no key usage: Python 3.13 and later refuse the servers that it has issued "
        "certificates to, though not one that serves this certificate itself; older clients do not. Only "
        "whoever runs the authority can change that."
    )


def test_public_authorities_are_trusted_where_none_is_given(parties: Parties) -> None:
    proof = proven(call(parties.whole, Mode.VERIFY_CA))
    told = result(proof, "Mode verify-ca")
    assert told.verdict is Verdict.FAILED
    assert "leads to Elsewhere Root; trusted here: the public authorities of this system" in told.meaning
    assert not any(found.title == "The texts fit together" for found in proof.results)


@pytest.mark.parametrize(
    ("handler", "said"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "speaks plain HTTP, not TLS"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "not TLS"),
    ],
)
def test_what_is_no_tls_is_said_and_nothing_more_is_tried(handler: bytes, said: str) -> None:
    with listening(lambda connection: connection.sendall(handler)) as port:
        proof = proven(call(port, Mode.VERIFY_CA))
    first: Result = proof.results[0]
    assert first.verdict is Verdict.FAILED
    assert said in first.got
    assert all(found.verdict is Verdict.SKIPPED for found in proof.results[1:])


def test_grpc_is_called_by_http_2_alone(tmp_path: Path) -> None:
    """A real gRPC server, which says nothing to a client that it refuses."""
    they = mutual.parties()
    files = Files(*(tmp_path / name for name in ("ca.pem", "client.crt", "client.key")))
    for path, content in zip(
        (files.ca, files.certificate, files.key), (they.ca, they.ours.chain, they.ours.key), strict=True
    ):
        assert path is not None
        path.write_bytes(content)
    with mutual.grpc_server(they.server, they.ca) as port:
        address = Address.parse(f"https://127.0.0.1:{port}/")
        request = request_for(address, address.endpoint, files)
        assert isinstance(request, Http2Preface)
        proof = prove(checks(Call(address, address.endpoint, files, Mode.FULL, request)))
        assert proof.passed, proof
        assert result(proof, "Mode full").got == "it works: TLS 1.3, HTTP/2"
        assert result(proof, "Mode skip").got.startswith("refused, as it should be")


def test_http_1_1_is_tried_first(parties: Parties) -> None:
    address = Address.parse(f"https://127.0.0.1:{parties.whole}/v1")
    assert request_for(address, address.endpoint, Files()) == Request("GET", "/v1")


def test_files_that_cannot_be_read_are_named(parties: Parties, tmp_path: Path) -> None:
    absent, broken = tmp_path / "absent.pem", tmp_path / "broken.pem"
    broken.write_text("-----BEGIN CERTIFICATE-----\nnot so\n-----END CERTIFICATE-----\n")
    for path, said in ((absent, "is not there"), (broken, "damaged"), (parties.client_key, "private key")):
        proof = proven(call(parties.whole, Mode.VERIFY_CA, path))
        for title in ("The texts fit", "Mode verify-ca"):
            assert result(proof, title).verdict is Verdict.FAILED
            assert str(path) in result(proof, title).got
            assert said in result(proof, title).got
        assert result(proof, "Mode skip").verdict is Verdict.PASSED
    told = result(proven(call(parties.whole, Mode.VERIFY_CA, absent)), "The texts fit").got
    assert told == f"{absent} is not there. Check the path.", "nothing is planned for an address"


def test_a_protected_key_is_told_with_the_way_out(elsewhere: Elsewhere, parties: Parties) -> None:
    protected = elsewhere.encrypted(parties.client_key, "protected.key", "correct horse")
    proof = proven(call(parties.mutual, Mode.FULL, parties.root, parties.client, protected))
    told = result(proof, "The texts fit")
    assert told.verdict is Verdict.FAILED
    assert "a connector has no field for one. Give it a copy without: openssl pkey -in" in told.got
    assert "the key has a passphrase" in result(proof, "Mode full").got
