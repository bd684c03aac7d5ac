"""Damaged and unreadable files: whatever is cut or flipped, it is mended or refused with a sentence."""

from __future__ import annotations

import os
import random
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.sources.elsewhere import Elsewhere
from tests.sources.setups import PASSPHRASE, Setup, everything, restore, write
from wizard import review
from wizard.errors import WizardError
from wizard.kinds import Raw
from wizard.targets.hub_grpc import HubGrpc

Given = dict[str, Raw]
Read = tuple[Given, list[Path]]
"""Answers, and the files that are read for them."""


def mine(setup: Setup, *files: Path) -> list[Path]:
    """Copies in the sandbox."""
    folder = setup.box.root / "mine"
    folder.mkdir(exist_ok=True)
    for file in files:
        (folder / file.name).write_bytes(file.read_bytes())
    return [folder / file.name for file in files]


def given(certificate: Path, key: Path, *chain: Path) -> Given:
    return {
        "source": "existing",
        "certificate_file": str(certificate),
        "key_file": str(key),
        "chain_files": list(map(str, chain)),
    }


# What each source reads -------------------------------------------------------------------------------------


def self_signed(rest: Setup, _: Elsewhere) -> Read:
    rest.apply()
    return {}, [rest.folder / "cert.pem", rest.folder / "key.pem"]


def requested(rest: Setup, _: Elsewhere) -> Read:
    rest.apply(source="request")
    return {"source": "request"}, [rest.folder / "request.key", rest.folder / "request.csr"]


def delivered(rest: Setup, elsewhere: Elsewhere) -> Read:
    rest.apply()
    rest.apply(source="request")
    leaf = elsewhere.sign(rest.folder / "request.csr")
    answer = elsewhere.joined("all.pem", leaf, elsewhere.intermediate)
    came = mine(rest, answer, elsewhere.in_der(elsewhere.root, "root.der"))
    there = [rest.folder / name for name in ("request.key", "request.csr", "cert.pem", "key.pem")]
    return {"source": "request", "delivered": list(map(str, came))}, [*came, *there]


def answered(rest: Setup, elsewhere: Elsewhere) -> Read:
    rest.apply(**delivered(rest, elsewhere)[0])
    return {"source": "request"}, [rest.folder / name for name in ("cert.pem", "key.pem", "ca.pem")]


def existing(rest: Setup, elsewhere: Elsewhere) -> Read:
    certificate, key = elsewhere.pair("damage")
    key = elsewhere.encrypted(key, "encrypted.key", PASSPHRASE.reveal())
    chain = elsewhere.in_pkcs7("chain.p7b", elsewhere.root, elsewhere.intermediate)
    files = mine(rest, certificate, key, chain)
    return {**given(*files), "unprotected_copy": True, "key_passphrase": PASSPHRASE}, files


def copied(rest: Setup, elsewhere: Elsewhere) -> Read:
    files = mine(rest, *elsewhere.pair("damage"), elsewhere.intermediate, elsewhere.root)
    rest.apply(**given(*files))
    there = [rest.folder / name for name in ("cert.pem", "key.pem", "ca.pem")]
    return given(*files), [*files, *there]


def private_ca(rest: Setup, _: Elsewhere) -> Read:
    answers: Given = {"source": "private-ca", "two_tiers": True, "protect": False}
    rest.apply(**answers)
    authority = sorted((rest.folder / "authority").iterdir())
    return answers, [*authority, rest.folder / "cert.pem", rest.folder / "key.pem"]


def with_clients(grpc: Setup, _: Elsewhere) -> Read:
    answers: Given = {"source": "private-ca", "protect": False, "clients": ["alice"], "bundle": "pkcs12"}
    grpc.apply(**answers)
    return answers, [grpc.folder / "tls" / name for name in ("ca.crt", "server.crt", "server.key")]


def clients(grpc: Setup, elsewhere: Elsewhere) -> Read:
    answers, files = with_clients(grpc, elsewhere)
    every = sorted(path for path in (grpc.folder / "tls").rglob("*") if path.is_file())
    return answers, [path for path in every if path not in files]


def clients_of_others(grpc: Setup, elsewhere: Elsewhere) -> Read:
    files = mine(grpc, *elsewhere.pair("damage"), elsewhere.intermediate)
    (authority,) = mine(grpc, elsewhere.root)
    answers: Given = {**given(*files), "client_authority": str(authority), "test_client": ""}
    grpc.apply(**answers)
    return answers, [authority, grpc.folder / "tls" / "clients-ca.crt"]


SOURCES: tuple[Callable[[Setup, Elsewhere], Read], ...] = (
    self_signed,
    requested,
    delivered,
    answered,
    existing,
    copied,
    private_ca,
    with_clients,
    clients,
    clients_of_others,
)


@pytest.fixture
def read(request: pytest.FixtureRequest, elsewhere: Elsewhere) -> tuple[Setup, Given, list[Path]]:
    """A source with all that it reads in place."""
    name = "grpc" if "clients" in request.param.__name__ else "rest"
    setup: Setup = request.getfixturevalue(name)
    return setup, *request.param(setup, elsewhere)


# Damage -----------------------------------------------------------------------------------------------------


def damaged(whole: bytes, chance: random.Random) -> Iterator[bytes]:
    """The content cut, with bytes changed, put in and taken out."""
    place = chance.randrange(len(whole))
    yield b""
    yield whole[:place]
    yield whole[:place] + whole[place + 4 :]
    yield whole + b"\n\xff\x00 and more"
    for number in (1, 4):
        flipped = bytearray(whole)
        for _ in range(number):
            flipped[chance.randrange(len(whole))] = chance.randrange(256)
        yield bytes(flipped)
    # Within PEM this leaves well-formed base64 of something else.
    place = chance.randrange(len(whole) // 4, len(whole) * 3 // 4)
    yield whole[:place] + (b"B" if whole[place : place + 1] == b"A" else b"A") + whole[place + 1 :]


def outcome(setup: Setup, answers: Given) -> str:
    """The sentence of a refusal; empty when there was a plan, after which nothing is left to do."""
    sheet = setup.sheet(**answers)
    if sheet.answers is None:
        return "\n".join(entry.error for entry in sheet.wrong)
    try:
        plan = review.prepared(sheet.answers, setup.host)
    except WizardError as error:
        return str(error)
    if plan.changed:
        write(plan.changes)
        assert not setup.plan(**answers).changed
    if plan.awaits is None:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(*pair_of(setup))
    return ""


def pair_of(setup: Setup) -> tuple[Path, Path]:
    if setup.target is HubGrpc:
        return setup.folder / "tls" / "server.crt", setup.folder / "tls" / "server.key"
    return setup.folder / "cert.pem", setup.folder / "key.pem"


def named(part: Callable[..., object]) -> str:
    return part.__name__


def is_told(sentence: str) -> bool:
    return sentence.replace("\n", "").isprintable()


@pytest.mark.parametrize("read", SOURCES, ids=named, indirect=True)
def test_damage_anywhere_is_mended_or_refused_with_a_sentence(
    read: tuple[Setup, Given, list[Path]],
) -> None:
    setup, answers, files = read
    before = everything(setup.box.root)
    chance = random.Random(7)
    for path in files:
        for content in damaged(path.read_bytes(), chance):
            path.write_bytes(content)
            assert is_told(outcome(setup, answers)), (path, content)
            restore(before, setup.box.root)


def folder(path: Path) -> None:
    path.mkdir()


def pipe(path: Path) -> None:
    os.mkfifo(path)


def large(path: Path) -> None:
    path.write_bytes(b"-----BEGIN CERTIFICATE-----\n" * 40_000)


def loop(path: Path) -> None:
    path.symlink_to(path)


WAYS = (folder, pipe, large, loop)
UNREADABLE = [pytest.param(source, put) for source in SOURCES for put in WAYS]


@pytest.mark.parametrize(("read", "put"), UNREADABLE, ids=named, indirect=["read"])
def test_what_cannot_be_read_at_all_hangs_nothing_and_is_told(
    read: tuple[Setup, Given, list[Path]], put: Callable[[Path], None]
) -> None:
    setup, answers, files = read
    before = everything(setup.box.root)
    for path in files:
        path.unlink()
        put(path)
        assert is_told(outcome(setup, answers)), path
        restore(before, setup.box.root)
