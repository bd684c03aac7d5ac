"""Diffie-Hellman parameters against the formula of RFC 7919 and against OpenSSL."""

from __future__ import annotations

import base64
import ssl
import subprocess
import warnings
from pathlib import Path

import pytest

from wizard.material.dh import _PRIMES, dh_parameters

OFFSETS = {2048: 560316, 3072: 2625351, 4096: 5736041}


def e_shifted(bits: int) -> int:
    """floor(2^bits * e), by the series of 1/k!."""
    guard = 64
    term = total = 1 << (bits + guard)
    k = 0
    while term:
        k += 1
        term //= k
        total += term
    return total >> guard


def openssl(*arguments: str, data: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(["openssl", *arguments], input=data, capture_output=True, check=False, timeout=60)


@pytest.mark.parametrize("bits", OFFSETS)
def test_the_primes_are_those_of_the_formula_in_rfc_7919(bits: int) -> None:
    prime = 2**bits - 2 ** (bits - 64) + (e_shifted(bits - 130) + OFFSETS[bits]) * 2**64 - 1
    assert _PRIMES[bits] == prime


@pytest.mark.parametrize("bits", OFFSETS)
def test_the_file_is_the_one_openssl_writes(bits: int) -> None:
    made = openssl("genpkey", "-genparam", "-algorithm", "DH", "-pkeyopt", f"group:ffdhe{bits}")
    assert made.returncode == 0, made.stderr
    assert dh_parameters(bits) == made.stdout


def test_another_size_is_refused_with_the_sizes_there_are() -> None:
    with pytest.raises(ValueError, match="no group of 1024 bits; choose one of 2048, 3072, 4096"):
        dh_parameters(1024)


def test_t08_the_dh_file_is_2048_bits_under_the_header_that_all_servers_read(tmp_path: Path) -> None:
    pem = dh_parameters()
    lines = pem.decode().splitlines()
    assert lines[0] == "-----BEGIN DH PARAMETERS-----"
    assert lines[-1] == "-----END DH PARAMETERS-----"
    der = base64.b64decode("".join(lines[1:-1]))
    # PKCS#3 is SEQUENCE { prime, generator }; X9.42 has a third number, the subgroup order.
    assert der.endswith(b"\x02\x01\x02")

    checked = openssl("dhparam", "-check", "-text", "-noout", data=pem)
    assert checked.returncode == 0
    assert b"DH Parameters: (2048 bit)" in checked.stdout
    assert b"ffdhe2048" in checked.stdout
    assert b"DH parameters appear to be ok" in checked.stdout + checked.stderr

    file = tmp_path / "dh.pem"
    file.write_bytes(pem)
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_dh_params(str(file))


def test_t08_the_wrong_header_which_we_avoid_is_what_cryptography_writes() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore"
        )  # Diffie-Hellman of cryptography is deprecated, the reason we write our own
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.serialization import Encoding, ParameterFormat

        parameters = serialization.load_pem_parameters(dh_parameters())
        theirs = parameters.parameter_bytes(Encoding.PEM, ParameterFormat.PKCS3)
    assert theirs.startswith(b"-----BEGIN X9.42 DH PARAMETERS-----")
    assert theirs != dh_parameters()
