"""Signing requests as authorities read them."""

from __future__ import annotations

import shutil
from dataclasses import replace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from tests.material.samples import HOST, NAMES, key_of
from tests.material.verifiers import REQUEST_READERS, read_request
from wizard.material import MaterialError
from wizard.material.key_types import KeyType
from wizard.material.requests import request_pem, signing_request
from wizard.material.subject import Subject, check_subject_field

FULL = Subject(
    HOST,
    organisation="Müller & Söhne",
    unit="API, team 2",
    locality="Zürich",
    state="ZH",
    country="CH",
    email="admin@example.org",
)


@pytest.mark.parametrize("key_type", KeyType, ids=lambda key_type: key_type.value)
@pytest.mark.parametrize("reader", REQUEST_READERS)
def test_others_read_a_request_with_all_it_asks_for(reader: str, key_type: KeyType) -> None:
    if shutil.which(reader) is None:
        pytest.skip(f"{reader} is not installed: how it reads our requests is NOT tested here")
    plain = replace(FULL, organisation="Muller")  # programs differ in how they show other letters
    shown = read_request(reader, request_pem(signing_request(key_of(key_type, "leaf"), plain, NAMES)))
    assert shown is not None
    for text in ("signer", HOST, "127.0.0.1", "admin@example.org", "CH", "ZH", "API, team 2", "Muller"):
        assert text in shown.replace("\\,", ","), text


@pytest.mark.parametrize("reader", REQUEST_READERS)
def test_others_refuse_a_request_whose_signature_is_wrong(reader: str) -> None:
    if shutil.which(reader) is None:
        pytest.skip(f"{reader} is not installed: it is NOT tested here")
    request = signing_request(key_of(KeyType.RSA_2048, "leaf"), FULL, NAMES)
    der = bytearray(request.public_bytes(Encoding.DER))
    der[-1] ^= 1
    wrong = request_pem(x509.load_der_x509_csr(bytes(der)))
    assert read_request(reader, wrong) is None
    assert read_request(reader, request_pem(request)) is not None


def test_openssl_reads_every_field_in_its_order_and_every_extension() -> None:
    request = request_pem(signing_request(key_of(KeyType.ECDSA_P256, "leaf"), FULL, NAMES))
    lines = [line.strip() for line in (read_request("openssl", request) or "").splitlines()]
    assert r"Subject: C = CH, ST = ZH, L = Z\C3\BCrich, O = M\C3\BCller & S\C3\B6hne, " in "\n".join(lines)
    assert f'OU = "API, team 2", CN = {HOST}, emailAddress = admin@example.org' in "\n".join(lines)
    for extension, value in (
        ("X509v3 Basic Constraints: critical", "CA:FALSE"),
        ("X509v3 Key Usage: critical", "Digital Signature"),
        ("X509v3 Extended Key Usage:", "TLS Web Server Authentication"),
        (
            "X509v3 Subject Alternative Name:",
            "DNS:signer, DNS:hub.example.org, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1",
        ),
    ):
        assert lines[lines.index(extension) + 1] == value


def test_a_request_without_names_is_refused() -> None:
    with pytest.raises(MaterialError, match="at least one name"):
        signing_request(key_of(KeyType.ECDSA_P256, "leaf"), FULL, ())


@pytest.mark.parametrize(
    ("field", "text", "words"),
    [
        ("common_name", "", "Common Name is empty"),
        ("country", "Switzerland", "two capital letters"),
        ("country", "ch", "two capital letters"),
        ("country", "ÄÖ", "two capital letters"),
        ("organisation", "x" * 65, "has 65 characters; at most 64"),
        ("locality", "x" * 129, "at most 128"),
        ("unit", "a\x1b[31m", "invisible character"),
        ("state", " ", "blanks only"),
        ("email", "admin", "no e-mail address"),
        ("email", "a@b@example.org", "no e-mail address"),
        ("email", "a..b@example.org", "no e-mail address"),
        ("email", "Admin <admin@example.org>", "no e-mail address"),
        ("email", "admin@localhost", "no e-mail address"),
        ("email", "ädmin@example.org", "no e-mail address"),
        ("email", "admin@10.0.0.1", "no e-mail address"),
    ],
)
def test_a_field_that_cannot_be_used_is_refused_with_what_to_change(
    field: str, text: str, words: str
) -> None:
    assert words in (check_subject_field(field, text) or "")
    with pytest.raises(MaterialError, match=words):
        replace(FULL, **{field: text})


def test_fields_may_be_left_out_but_for_the_common_name() -> None:
    for field in ("organisation", "unit", "locality", "state", "country", "email"):
        assert check_subject_field(field, "") is None
    request = request_pem(signing_request(key_of(KeyType.ECDSA_P256, "leaf"), Subject(HOST), NAMES))
    assert f"Subject: CN = {HOST}\n" in (read_request("openssl", request) or "")
