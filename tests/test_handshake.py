"""What a server sends in its handshake, also when that comes to nothing."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.peers.mutual import demanding, parties
from tests.peers.tls import https, listening, self_signed, server_context
from wizard.handshake import _certificates
from wizard.probe import Endpoint, sent_certificates, tls
from wizard.trouble import Kind, Trouble

BOTH = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]


def der(pem: bytes) -> bytes:
    return ssl.PEM_cert_to_DER_cert(pem.decode())


@pytest.mark.parametrize("version", BOTH)
def test_all_certificates_are_seen_in_the_order_sent(version: ssl.TLSVersion, tmp_path: Path) -> None:
    one, key = self_signed("signer")
    another, _ = self_signed("another")
    context = server_context(one + another, key, tmp_path)
    context.minimum_version = context.maximum_version = version
    with listening(https(context)) as port:
        found = sent_certificates(Endpoint("127.0.0.1", port), "signer")
    assert found == (der(one), der(another))


@pytest.mark.parametrize("version", BOTH)
def test_they_are_seen_though_the_client_is_then_refused(version: ssl.TLSVersion) -> None:
    they = parties()
    with listening(https(demanding(they.server, they.ca, version))) as port:
        found = sent_certificates(Endpoint("127.0.0.1", port), "signer")
        refused = tls(Endpoint("127.0.0.1", port), "signer")
    assert isinstance(refused, Trouble)
    assert refused.kind is Kind.CLIENT_CERTIFICATE
    assert not isinstance(found, Trouble)
    assert found[0] == der(they.server.chain)


def test_where_there_is_none_it_is_said() -> None:
    with listening(lambda connection: connection.close()) as port:
        found = sent_certificates(Endpoint("127.0.0.1", port))
    assert isinstance(found, Trouble)
    assert found.kind is Kind.CLOSED


@given(st.lists(st.binary(min_size=1, max_size=40), max_size=4), st.booleans(), st.integers(0, 200))
def test_a_message_is_read_whole_or_as_far_as_it_goes(
    certificates: list[bytes], has_extensions: bool, cut: int
) -> None:
    end = b"\0\0" if has_extensions else b""
    listed = b"".join(len(one).to_bytes(3, "big") + one + end for one in certificates)
    body = (b"\0" if has_extensions else b"") + len(listed).to_bytes(3, "big") + listed
    assert list(_certificates(body, has_extensions=has_extensions)) == certificates
    torn = list(_certificates(body[:cut], has_extensions=has_extensions))
    assert torn == certificates[: len(torn)]


@given(st.binary(max_size=60), st.booleans())
def test_nonsense_ends(body: bytes, has_extensions: bool) -> None:
    list(_certificates(body, has_extensions=has_extensions))
