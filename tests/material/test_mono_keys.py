"""RSA keys for Mono: which of them it can load is told before it is tried, and held against what it does."""

from __future__ import annotations

import math
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from itertools import combinations, permutations
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_der_x509_certificate
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.peers.hub import free_port
from tests.peers.santedb import listening
from wizard.material import MaterialError
from wizard.material.certificates import belongs_together, self_signed_server
from wizard.material.key_types import KeyType
from wizard.material.keys import PrivateKey, generate
from wizard.material.mono_keys import _Numbers, _written, pvk, read_pvk, why_unfit
from wizard.probe import Endpoint, Handshake, tls
from wizard.trouble import Trouble

NOW = datetime.now(UTC)


def from_primes(p: int, q: int, e: int = 65537) -> rsa.RSAPrivateKey:
    """The key of these primes as OpenSSL and others have it, with the smallest d."""
    d = pow(e, -1, math.lcm(p - 1, q - 1))
    numbers = (p, q, d, d % (p - 1), d % (q - 1), pow(q, -1, p))
    public = rsa.RSAPublicNumbers(e, p * q)
    return rsa.RSAPrivateNumbers(*numbers, public).private_key(unsafe_skip_rsa_key_validation=True)


@cache
def primes() -> tuple[int, ...]:
    """Thirty-four of 1024 bits, in a second and a half: enough for 561 keys."""
    keys = (rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(17))
    return tuple(prime for key in keys for prime in (key.private_numbers().p, key.private_numbers().q))


@cache
def many_keys() -> tuple[rsa.RSAPrivateKey, ...]:
    return tuple(from_primes(p, q) for p, q in combinations(primes(), 2))


@cache
def mendable() -> tuple[rsa.RSAPrivateKey, ...]:
    """Those of the many that can be written so that Mono loads them."""
    return tuple(key for key in many_keys() if not {"dp", "dq"} & set(_Numbers.of(key).short))


def fitting(key_type: KeyType = KeyType.RSA_2048) -> PrivateKey:
    """A new key that Mono can load as it is."""
    while why_unfit(key := generate(key_type)):
        pass
    return key


def short_of(name: str) -> rsa.RSAPrivateKey:
    """A valid key of which this number begins with zeros; valid as it is, and seldom."""
    return short_iq() if name == "iq" else _by_exponent(name)


@cache
def _by_exponent(name: str) -> rsa.RSAPrivateKey:
    """By the public exponent, which may be any odd number; p and q are as they are."""
    # With a larger common divisor d is short whatever the exponent.
    pairs = ((p, q) for p, q in permutations(primes(), 2) if math.gcd(p - 1, q - 1) == 2)
    p, q = next((p, q) for p, q in pairs if not is_short(pow(q, -1, p)))
    for e in range(3, 2**20, 2):
        if math.gcd(e, (p - 1) * (q - 1)) == 1:
            d = pow(e, -1, math.lcm(p - 1, q - 1))
            if _Numbers(p * q, e, p, q, d).short == (name,):
                return from_primes(p, q, e)
    raise AssertionError("there is none")


@cache
def short_iq() -> rsa.RSAPrivateKey:
    """Of two primes that happen to be so; more are made until there are two."""
    pool = list(primes())
    while True:
        for p, q in permutations(pool, 2):
            if is_short(pow(q, -1, p)) and _Numbers.of(key := from_primes(p, q)).short == ("iq",):
                return key
        numbers = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_numbers()
        pool += [numbers.p, numbers.q]


def is_short(half: int) -> bool:
    return half.bit_length() <= 1024 - 9


@dataclass(frozen=True)
class Tried:
    """What Mono does with keys, each on a port of its own."""

    ports: tuple[int, ...]

    def results(self) -> list[Handshake | Trouble]:
        return [tls(Endpoint("127.0.0.1", port), "localhost") for port in self.ports]

    def loaded(self) -> list[bool]:
        return [isinstance(result, Handshake) for result in self.results()]


@contextmanager
def tried(home: Path, files: list[tuple[PrivateKey, bytes]]) -> Iterator[Tried]:
    """One Mono with a certificate for each key, and these bytes as the key's file."""
    folder = home / ".config" / ".mono" / "httplistener"
    folder.mkdir(parents=True)
    ports = []
    for key, data in files:
        while (port := free_port()) in ports:
            pass
        ports.append(port)
        certificate = self_signed_server(key, "localhost", ("localhost",), 10, NOW)
        (folder / f"{port}.cer").write_bytes(certificate.public_bytes(Encoding.DER))
        (folder / f"{port}.pvk").write_bytes(data)
    with listening(home, [f"https://+:{port}/" for port in ports]):
        yield Tried(tuple(ports))


def as_it_is(key: rsa.RSAPrivateKey) -> bytes:
    """The key in a PVK file, whether Mono can load it or not."""
    return _written(_Numbers.of(key))


# Against Mono -----------------------------------------------------------------------------------------------


def test_t28_what_is_said_of_a_hundred_keys_is_what_mono_does(tmp_path: Path) -> None:
    keys = many_keys()
    assert len(keys) >= 500
    unfit = [*map(short_of, ("d", "iq", "dp", "dq")), *(key for key in keys if why_unfit(key))]
    sample = [*unfit, *(key for key in keys if not why_unfit(key))][:100]
    with tried(tmp_path, [(key, as_it_is(key)) for key in sample]) as mono:
        assert mono.loaded() == [not why_unfit(key) for key in sample]


def test_t28_every_key_that_is_repaired_is_loaded_and_is_the_same_key(tmp_path: Path) -> None:
    mended = [short_of("d"), short_of("iq"), *(key for key in mendable() if why_unfit(key))][:20]
    with tried(tmp_path, [(key, pvk(key)) for key in mended]) as mono:
        for key, result in zip(mended, mono.results(), strict=True):
            assert isinstance(result, Handshake)
            assert belongs_together(load_der_x509_certificate(result.certificate), key)


@pytest.mark.parametrize("name", ["d", "iq"])
def test_t28_a_key_that_fails_before_its_repair_is_loaded_after_it(name: str, tmp_path: Path) -> None:
    key = short_of(name)
    assert why_unfit(key).endswith(f"lead its {name}")
    with tried(tmp_path, [(key, as_it_is(key)), (key, pvk(key))]) as mono:
        assert mono.loaded() == [False, True]


@pytest.mark.parametrize("name", ["dp", "dq"])
def test_t28_a_key_beyond_repair_is_refused_and_mono_does_not_load_it(name: str, tmp_path: Path) -> None:
    key = short_of(name)
    with pytest.raises(MaterialError, match="Have a certificate made for a new RSA key"):
        pvk(key)
    with tried(tmp_path, [(key, as_it_is(key))]) as mono:
        assert mono.loaded() == [False]


def test_every_size_is_served(tmp_path: Path) -> None:
    sizes = (KeyType.RSA_2048, KeyType.RSA_3072, KeyType.RSA_4096)
    keys = [fitting(size) for size in sizes]
    with tried(tmp_path, [(key, pvk(key)) for key in keys]) as mono:
        assert mono.loaded() == [True, True, True]


def test_t27_mono_does_not_look_where_its_manual_says(tmp_path: Path) -> None:
    key = fitting()
    with tried(tmp_path, [(key, pvk(key))]) as mono:
        assert mono.loaded() == [True]
    (tmp_path / ".config" / ".mono").rename(tmp_path / ".mono")
    with listening(tmp_path, [f"https://+:{mono.ports[0]}/"]):
        assert mono.loaded() == [False]


# The file ---------------------------------------------------------------------------------------------------


def test_openssl_reads_the_file_and_writes_the_same(tmp_path: Path) -> None:
    key = next(one for one in many_keys() if not why_unfit(one))
    (tmp_path / "key.pvk").write_bytes(pvk(key))
    command = ["openssl", "rsa", "-inform", "PVK", "-in", "key.pvk", "-outform", "PEM"]
    done = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    (tmp_path / "key.pem").write_bytes(done.stdout)
    command = ["openssl", "rsa", "-in", "key.pem", "-outform", "PVK", "-pvk-none", "-out", "again.pvk"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    ours, theirs = pvk(key), (tmp_path / "again.pvk").read_bytes()
    assert ours[:8] == theirs[:8]
    assert ours[12:] == theirs[12:]  # but for the type of key, signature or exchange, either of which will do


@settings(max_examples=25)
@given(st.integers(0, 560))
def test_what_is_written_is_read_as_the_same_key(number: int) -> None:
    key = mendable()[number % len(mendable())]
    again = read_pvk(pvk(key))
    assert again.public_key() == key.public_key()
    assert not why_unfit(again)


@settings(max_examples=200)
@given(st.integers(0, 1195), st.binary(max_size=3))
def test_a_damaged_file_is_refused_with_a_sentence(at: int, instead: bytes) -> None:
    data = pvk(mendable()[0])
    try:
        read_pvk(data[:at] + instead)
    except MaterialError as error:
        assert str(error).endswith(".")
    else:
        raise AssertionError("it was read")


def test_the_same_key_is_always_written_the_same() -> None:
    key = short_of("d")
    assert pvk(key) == pvk(key)


def test_a_file_with_a_password_is_told_apart() -> None:
    data = bytearray(pvk(fitting()))
    data[12] = 1
    with pytest.raises(MaterialError, match="password"):
        read_pvk(bytes(data))


# Other keys -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key_type", [KeyType.ECDSA_P256, KeyType.ED25519])
def test_only_rsa_keys_are_taken(key_type: KeyType) -> None:
    key = generate(key_type)
    assert why_unfit(key).startswith("Mono takes RSA keys only")
    with pytest.raises(MaterialError, match="nginx"):
        pvk(key)


def test_a_size_that_mono_cannot_load_is_refused() -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2056)
    assert "unusual sizes" in why_unfit(key)
    with pytest.raises(MaterialError):
        pvk(key)


def test_the_numbers_are_in_no_repr() -> None:
    numbers = _Numbers.of(many_keys()[0])
    assert str(numbers.d) not in repr(numbers)
