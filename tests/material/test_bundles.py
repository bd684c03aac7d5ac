"""Bundles as other programs open them."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import pkcs12

from tests.material import handshake
from tests.material.samples import HOST, Sample, samples
from wizard.material.bundles import Pkcs12, pkcs12_bundle, single_file_pem
from wizard.material.certificates import read_certificates_pem
from wizard.material.key_types import KeyType
from wizard.material.keys import private_pem, read_private_pem

every_key_type = pytest.mark.parametrize("key_type", KeyType, ids=lambda key_type: key_type.value)
either_form = pytest.mark.parametrize("legacy", [False, True], ids=["modern", "legacy"])


def client_of_two_tiers(key_type: KeyType) -> Sample:
    return samples(key_type)[3]


def openssl(*arguments: str, bundle: Pkcs12) -> str:
    reading, writing = os.pipe()
    os.write(writing, bundle.password.reveal().encode())
    os.close(writing)
    try:
        done = subprocess.run(
            ["openssl", "pkcs12", *arguments, "-passin", f"fd:{reading}"],
            input=bundle.data,
            capture_output=True,
            check=False,
            timeout=60,
            pass_fds=[reading],
        )
    finally:
        os.close(reading)
    assert done.returncode == 0, done.stderr.decode()
    return (done.stdout + done.stderr).decode()


@every_key_type
@either_form
def test_openssl_takes_key_and_chain_out_of_a_bundle(key_type: KeyType, legacy: bool) -> None:
    client = client_of_two_tiers(key_type)
    bundle = pkcs12_bundle(client.key, client.chain, legacy=legacy)
    out = openssl("-nodes", bundle=bundle).encode()
    assert private_pem(read_private_pem(out)) == private_pem(client.key)
    assert read_certificates_pem(out) == client.chain
    assert b"friendlyName: rpc.user.1" in out


def test_a_bundle_is_encrypted_as_it_says() -> None:
    client = client_of_two_tiers(KeyType.RSA_2048)
    modern = openssl("-info", "-noout", bundle=pkcs12_bundle(client.key, client.chain))
    assert "MAC: sha256" in modern
    assert modern.count("PBES2, PBKDF2, AES-256-CBC, Iteration 20000, PRF hmacWithSHA256") == 2
    legacy = openssl("-info", "-noout", bundle=pkcs12_bundle(client.key, client.chain, legacy=True))
    assert "MAC: sha1" in legacy
    assert legacy.count("pbeWithSHA1And3-KeyTripleDES-CBC") == 2


@either_form
def test_java_and_gnutls_open_a_bundle(legacy: bool, tmp_path: Path) -> None:
    client = client_of_two_tiers(KeyType.RSA_2048)
    bundle = pkcs12_bundle(client.key, client.chain, legacy=legacy)
    file = tmp_path / "client.p12"
    file.write_bytes(bundle.data)
    password = bundle.password.reveal()  # of a file that only this test has; arguments are not secret
    command = ["certtool", "--p12-info", "--inder", "--password", password, "--infile", str(file)]
    shown = subprocess.run(command, capture_output=True, check=True, timeout=60).stdout.decode()
    assert shown.count("BEGIN CERTIFICATE") == 2
    if shutil.which("keytool") is None:
        pytest.skip("keytool is not installed: what Java makes of our PKCS#12 is NOT tested here")
    command = ["keytool", "-list", "-v", "-keystore", str(file), "-storepass", password]
    shown = subprocess.run(command, capture_output=True, check=True, timeout=60).stdout.decode()
    assert "PrivateKeyEntry" in shown
    assert "Certificate chain length: 2" in shown


def test_each_bundle_has_its_own_password_and_no_other_opens_it() -> None:
    client = client_of_two_tiers(KeyType.ECDSA_P256)
    first, second = (pkcs12_bundle(client.key, client.chain) for _ in range(2))
    assert first.password != second.password
    assert first.password.reveal() not in repr(first)
    for password in (second.password.reveal(), "", "changeit"):
        with pytest.raises(ValueError, match="Invalid password"):
            pkcs12.load_key_and_certificates(first.data, password.encode())


def test_a_single_file_is_all_a_client_needs(tmp_path: Path) -> None:
    client, server = client_of_two_tiers(KeyType.ECDSA_P256), samples(KeyType.ECDSA_P256)[2]
    (tmp_path / "client.pem").write_bytes(single_file_pem(client.key, client.chain))
    context = handshake.client(server.anchor)
    context.load_cert_chain(tmp_path / "client.pem")
    demanding = handshake.present(handshake.server(client.anchor), server.chain, server.key)
    handshake.connect(context, demanding, HOST)
