"""Keys as services read them."""

from __future__ import annotations

import os
import ssl
import subprocess
from pathlib import Path

import pytest

from wizard.material import MaterialError
from wizard.material.key_types import KeyType
from wizard.material.keys import (
    PassphraseNeeded,
    WrongPassphrase,
    generate,
    key_type_of,
    key_words,
    private_pem,
    read_private_key,
    read_private_pem,
)
from wizard.secret import Secret

WORDS = Secret('Grüße, \\ and "quotes"')


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


def openssl_with_passphrase(*arguments: str, data: bytes, passphrase: Secret = WORDS) -> bytes:
    """The passphrase goes through a pipe, as it must: arguments are seen by everyone on a machine."""
    reading, writing = os.pipe()
    os.write(writing, passphrase.reveal().encode())
    os.close(writing)
    try:
        command = ["openssl", *arguments, "-passin", f"fd:{reading}"]
        done = subprocess.run(
            command, input=data, capture_output=True, check=True, timeout=60, pass_fds=[reading]
        )
    finally:
        os.close(reading)
    return done.stdout


@pytest.mark.parametrize("key_type", KeyType, ids=lambda key_type: key_type.value)
def test_an_encrypted_key_is_opened_by_others_and_by_us(key_type: KeyType) -> None:
    key = generate(key_type)
    pem = private_pem(key, WORDS)
    assert pem.startswith(b"-----BEGIN ENCRYPTED PRIVATE KEY-----\n")
    assert max(map(len, pem.splitlines())) == 64
    assert openssl_with_passphrase("pkey", data=pem) == private_pem(key)
    assert private_pem(read_private_pem(pem, WORDS)) == private_pem(key)


def test_gnutls_and_python_open_an_encrypted_key(tmp_path: Path) -> None:
    key = private_pem(generate(KeyType.ECDSA_P256), WORDS)
    file = tmp_path / "server.key"
    file.write_bytes(key)
    subject = ["req", "-x509", "-new", "-key", str(file), "-subj", "/CN=x"]
    file.with_suffix(".crt").write_bytes(openssl_with_passphrase(*subject, data=b""))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file.with_suffix(".crt"), file, WORDS.reveal)

    # certtool takes a passphrase only by argument, so it gets one that guards nothing.
    file.write_bytes(private_pem(read_private_pem(key, WORDS), Secret("guards nothing")))
    certtool = ["certtool", "--key-info", "--password", "guards nothing", "--infile", str(file)]
    done = subprocess.run(certtool, capture_output=True, check=True, timeout=60)
    assert b"EC/ECDSA" in done.stdout


def test_an_encrypted_key_costs_a_guesser_600_000_rounds() -> None:
    pem = private_pem(generate(KeyType.ECDSA_P256), WORDS)
    lines = openssl("asn1parse", data=pem).decode().splitlines()
    names = [line.rpartition(":")[2] for line in lines if "OBJECT" in line]
    assert names == ["PBES2", "PBKDF2", "hmacWithSHA256", "aes-256-cbc"]
    assert [int(line.rpartition(":")[2], 16) for line in lines if "INTEGER" in line] == [600_000]
    salts = [line.rpartition(":")[2] for line in lines if "HEX DUMP" in line]
    other = openssl("asn1parse", data=private_pem(read_private_pem(pem, WORDS), WORDS)).decode()
    assert all(len(salt) >= 32 and salt not in other for salt in salts)


def test_older_ways_of_encrypting_are_read() -> None:
    key = private_pem(generate(KeyType.ECDSA_P256))
    for command in (
        ["ec", "-aes128"],
        ["pkcs8", "-topk8", "-v2", "aes128"],
        ["pkcs8", "-topk8", "-v1", "PBE-SHA1-3DES"],
    ):
        encrypted = openssl(*command, "-passout", "pass:test", data=key)
        assert private_pem(read_private_pem(encrypted, Secret("test"))) == key


def test_a_missing_and_a_wrong_passphrase_are_told_from_damage() -> None:
    key = generate(KeyType.ECDSA_P256)
    pem = private_pem(key, WORDS)
    with pytest.raises(PassphraseNeeded, match="protected by a passphrase"):
        read_private_pem(pem)
    with pytest.raises(WrongPassphrase, match="cannot be decrypted with this passphrase"):
        read_private_pem(pem, Secret("grüße"))
    with pytest.raises(MaterialError, match="The passphrase is empty"):
        read_private_pem(pem, Secret(""))
    lines = pem.splitlines(keepends=True)
    for damaged in (pem[:-30], b"".join([lines[0], *lines[2:]]), b"".join([*lines[:-3], *lines[-2:]])):
        with pytest.raises(MaterialError, match="damaged or of an unknown kind"):
            read_private_pem(damaged, WORDS)
    assert private_pem(read_private_pem(private_pem(key), WORDS)) == private_pem(key)  # not needed


def test_a_passphrase_that_is_no_text_is_refused_without_showing_it() -> None:
    key = generate(KeyType.ECDSA_P256)
    with pytest.raises(MaterialError, match="empty"):
        private_pem(key, Secret(""))
    with pytest.raises(MaterialError, match="no text") as refusal:
        private_pem(key, Secret("hidden\udc80"))
    assert refusal.value.__suppress_context__
    assert "hidden" not in str(refusal.value)


def test_a_binary_key_is_read_whatever_it_is_called() -> None:
    key = generate(KeyType.RSA_2048)
    der = openssl("pkey", "-outform", "DER", data=private_pem(key))
    assert private_pem(read_private_key(der)) == private_pem(key)
    assert private_pem(read_private_key(private_pem(key))) == private_pem(key)
    encrypted = openssl("pkcs8", "-topk8", "-outform", "DER", "-passout", "pass:test", data=private_pem(key))
    assert private_pem(read_private_key(encrypted, Secret("test"))) == private_pem(key)
    with pytest.raises(PassphraseNeeded):
        read_private_key(encrypted)
    with pytest.raises(MaterialError, match="holds no private key in DER"):
        read_private_key(der[:100])
    with pytest.raises(MaterialError, match="holds no private key"):
        read_private_key(b"")
