"""Keys as services read them."""

from __future__ import annotations

import subprocess

import pytest

from wizard.material import MaterialError
from wizard.material.key_types import KeyType
from wizard.material.keys import generate, key_type_of, key_words, private_pem, read_private_pem


def openssl(*arguments: str, data: bytes = b"") -> bytes:
    done = subprocess.run(["openssl", *arguments], input=data, capture_output=True, check=True, timeout=60)
    return done.stdout


@pytest.mark.parametrize("key_type", KeyType, ids=lambda key_type: key_type.value)
def test_a_key_is_plain_pkcs8_that_openssl_finds_sound(key_type: KeyType) -> None:
    key = generate(key_type)
    pem = private_pem(key)
    assert pem.startswith(b"-----BEGIN PRIVATE KEY-----\n")
    openssl("pkey", "-noout", "-check", data=pem)
    assert key_type_of(key) is key_type
    assert key_type_of(key.public_key()) is key_type
    assert key_words(key) == key_type.label
    assert private_pem(read_private_pem(pem)) == pem


def test_older_files_of_openssl_are_read() -> None:
    rsa = openssl("genrsa", "-traditional", "2048")
    assert rsa.startswith(b"-----BEGIN RSA PRIVATE KEY-----")
    assert key_type_of(read_private_pem(rsa)) is KeyType.RSA_2048

    curve = openssl("ecparam", "-name", "prime256v1", "-genkey")
    assert curve.startswith(b"-----BEGIN EC PARAMETERS-----")
    assert key_type_of(read_private_pem(curve)) is KeyType.ECDSA_P256


def test_a_key_is_found_behind_its_certificate() -> None:
    key = private_pem(generate(KeyType.ECDSA_P256))
    certificate = openssl("req", "-new", "-key", "/dev/stdin", "-subj", "/CN=x", "-x509", data=key)
    assert private_pem(read_private_pem(certificate + key)) == key


@pytest.mark.parametrize("traditional", [False, True])
def test_a_key_with_a_passphrase_is_refused_with_the_way_out(traditional: bool) -> None:
    format_ = ["-traditional"] if traditional else []
    pem = openssl("genrsa", "-aes256", "-passout", "pass:secret words", *format_, "2048")
    with pytest.raises(MaterialError, match=r"protected by a passphrase.*openssl pkey -in KEY -out NEW"):
        read_private_pem(pem)


def test_what_is_not_a_private_key_is_named_for_what_it_is() -> None:
    pem = openssl("genpkey", "-algorithm", "ed25519")
    public = openssl("pkey", "-pubout", data=pem)
    der = openssl("pkey", "-outform", "DER", data=pem)
    subject = ["-key", "/dev/stdin", "-subj", "/CN=x", "-x509"]
    certificate = openssl("req", "-new", *subject, data=pem)
    for data, words in (
        (certificate, "holds a certificate but no private key"),
        (public, "holds a public key"),
        (der, "is binary"),
        (b"# empty\n", "holds no private key"),
        (b"", "holds no private key"),
    ):
        with pytest.raises(MaterialError, match=words):
            read_private_pem(data)


def test_a_damaged_key_is_refused() -> None:
    pem = private_pem(generate(KeyType.ECDSA_P256))
    lines = pem.splitlines(keepends=True)
    for damaged in (pem[:-30], b"".join([lines[0], *lines[2:]]), pem.replace(lines[1][:8], b"AAAAAAAA")):
        with pytest.raises(MaterialError, match="damaged or of an unknown kind"):
            read_private_pem(damaged)


def test_kinds_of_keys_that_servers_cannot_use_are_named() -> None:
    x25519 = openssl("genpkey", "-algorithm", "x25519")
    with pytest.raises(MaterialError, match="of the kind X25519, which TLS servers cannot use"):
        read_private_pem(x25519)
    weak = read_private_pem(openssl("genrsa", "1024"))
    with pytest.raises(MaterialError, match="RSA 1024 bits, which is not supported"):
        key_type_of(weak)
