"""Ten kinds of wrong material: each refused by a sentence of its own, and nothing written."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from tests.sources.elsewhere import Elsewhere
from tests.sources.setups import Setup, everything
from wizard.errors import WrongAnswer
from wizard.kinds import Raw
from wizard.secret import Secret

RSA_1024 = ("-newkey", "rsa:1024")
EXPIRED = timedelta(days=-100)
NOT_YET = timedelta(days=5)


def files(certificate: Path, key: Path, *chain: Path) -> dict[str, Raw]:
    """The answers by which files are given."""
    return {
        "source": "existing",
        "certificate_file": str(certificate),
        "key_file": str(key),
        "chain_files": list(map(str, chain)),
    }


def good(elsewhere: Elsewhere) -> dict[str, Raw]:
    return files(*elsewhere.pair("good"), elsewhere.intermediate)


def for_grpc(elsewhere: Elsewhere) -> dict[str, Raw]:
    """What Hub's gRPC API wants to know besides; its REST API does not ask."""
    return {"client_authority": str(elsewhere.root), "test_client": ""}


@pytest.fixture(params=["rest", "grpc"])
def setup(request: pytest.FixtureRequest) -> Setup:
    """A Hub for each of its APIs."""
    found: Setup = request.getfixturevalue(request.param)
    return found


def refused(setup: Setup, elsewhere: Elsewhere, given: dict[str, Raw]) -> str:
    """The sentence; nothing has changed in the sandbox, the wizard's own state included."""
    before = everything(setup.box.root)
    sentence = setup.refusal(**for_grpc(elsewhere) | given)
    assert everything(setup.box.root) == before
    return sentence


# What is there already --------------------------------------------------------------------------------------


def for_another_key(elsewhere: Elsewhere) -> dict[str, Raw]:
    return files(elsewhere.pair("one")[0], elsewhere.pair("two")[1], elsewhere.intermediate)


def binary(elsewhere: Elsewhere) -> dict[str, Raw]:
    certificate, key = elsewhere.pair("binary")
    return files(elsewhere.in_der(certificate, "der.pem"), key, elsewhere.intermediate)


def empty(elsewhere: Elsewhere) -> dict[str, Raw]:
    return files(elsewhere.joined("empty.pem"), elsewhere.pair("good")[1], elsewhere.intermediate)


def encrypted(elsewhere: Elsewhere, **given: Raw) -> dict[str, Raw]:
    certificate, key = elsewhere.pair("protected")
    return {
        **files(certificate, elsewhere.encrypted(key, "encrypted.key", "right"), elsewhere.intermediate),
        **given,
    }


WRONG: dict[str, tuple[str, str, Callable[[Elsewhere], dict[str, Raw]]]] = {
    "another key's certificate": ("key_file", "belongs to another certificate", for_another_key),
    "expired": (
        "certificate_file",
        "has expired on",
        lambda at: files(*at.pair("expired", begins=EXPIRED), at.intermediate),
    ),
    "without alternative names": (
        "certificate_file",
        "no subject alternative names",
        lambda at: files(*at.pair("nameless", "nameless"), at.intermediate),
    ),
    "an authority as leaf": (
        "certificate_file",
        "is an authority's (CA:TRUE)",
        lambda at: files(at.intermediate, at.intermediate.with_suffix(".key"), at.root),
    ),
    "a gap in the chain": (
        "chain_files",
        "hub.example.org was issued by Elsewhere Issuing, whose certificate was not given",
        lambda at: files(*at.pair("good"), at.root),
    ),
    "encrypted, without a passphrase": ("unprotected_copy", "cannot start with a protected key", encrypted),
    "a wrong passphrase": (
        "",
        "cannot be decrypted with this passphrase",
        lambda at: encrypted(at, unprotected_copy=True, key_passphrase=Secret("wrong")),
    ),
    "binary, though it is called .pem": ("certificate_file", "openssl x509 -inform DER", binary),
    "an empty file": ("certificate_file", "the line BEGIN CERTIFICATE is missing", empty),
    "1024 bits": (
        "certificate_file",
        "too weak (RSA 1024 bits)",
        lambda at: files(*at.pair("short", kind=RSA_1024), at.intermediate),
    ),
}
"""The question that says so (none: the plan does), the words it has alone, and the answers."""


@pytest.mark.parametrize("kind", WRONG)
def test_wrong_files_are_refused_by_a_sentence_of_their_own_and_nothing_is_written(
    setup: Setup, elsewhere: Elsewhere, kind: str
) -> None:
    question, _, give = WRONG[kind]
    given = give(elsewhere)
    sentence = refused(setup, elsewhere, given)
    assert [name for name, (_, words, _) in WRONG.items() if words in sentence] == [kind]
    sheet = setup.sheet(**for_grpc(elsewhere) | given)
    assert [entry.question.name for entry in sheet.wrong if not entry.missing][:1] == [question][
        : bool(question)
    ]
    assert sentence.isprintable()
    assert sentence.endswith(".")


def test_the_right_files_are_not_refused(setup: Setup, elsewhere: Elsewhere) -> None:
    plan = setup.plan(**for_grpc(elsewhere) | good(elsewhere))
    assert plan.changed


def test_a_wrong_passphrase_is_told_at_its_question(setup: Setup, elsewhere: Elsewhere) -> None:
    given = encrypted(elsewhere, unprotected_copy=True, key_passphrase=Secret("wrong"))
    answers = setup.answers(**for_grpc(elsewhere) | given)
    with pytest.raises(WrongAnswer) as wrong:
        setup.plan_of(answers)
    assert wrong.value.question == "key_passphrase"
    assert "wrong" not in str(wrong.value)


MORE: dict[str, tuple[str, Callable[[Elsewhere], dict[str, Raw]]]] = {
    "not yet valid": (
        "is not yet valid",
        lambda at: files(*at.pair("early", begins=NOT_YET), at.intermediate),
    ),
    "of a client": (
        "is not made for servers",
        lambda at: files(*at.pair("client", "client"), at.intermediate),
    ),
    "Ed25519": (
        "cannot use a key of the kind Ed25519",
        lambda at: files(*at.pair("edwards", kind=("-newkey", "ed25519")), at.intermediate),
    ),
    "RSA-PSS": (
        "is bound to one kind of signature (RSA-PSS)",
        lambda at: files(*at.pair("bound", kind=("-newkey", "rsa-pss")), at.intermediate),
    ),
    "other names": (
        "is not valid for DNS other.example.org",
        lambda at: {**good(at), "alt_names": ["hub.example.org", "other.example.org"]},
    ),
    "a key as certificate": (
        "holds a private key but no certificate",
        lambda at: files(at.pair("good")[1], at.pair("good")[1]),
    ),
    "a certificate as key": (
        "holds a certificate but no private key",
        lambda at: files(at.pair("good")[0], at.pair("good")[0], at.intermediate),
    ),
    "a request as certificate": (
        "holds a signing request",
        lambda at: files(at.request("asked"), at.folder / "asked.key"),
    ),
    "an empty key": (
        "holds no private key",
        lambda at: files(at.pair("good")[0], at.joined("empty.key"), at.intermediate),
    ),
    "an empty chain": (
        "The file is empty",
        lambda at: files(*at.pair("good"), at.intermediate, at.joined("empty.pem")),
    ),
    "nothing there": ("No such file", lambda at: files(at.folder / "none.pem", at.folder / "none.key")),
    "a folder": ("It is a folder, not a file", lambda at: files(at.folder, at.folder)),
    "a device": ("It is a device or a pipe", lambda _: files(Path("/dev/zero"), Path("/dev/zero"))),
    "a weak intermediate": (
        "The key of Weak is too weak (RSA 1024 bits)",
        lambda at: files(
            at.sign(at.request("w"), "server", by=weak(at)), at.folder / "w.key", at.folder / "weak.pem"
        ),
    ),
}


def weak(elsewhere: Elsewhere) -> str:
    """An intermediate authority with a weak key."""
    elsewhere.sign(elsewhere.request("weak", "/CN=Weak", RSA_1024), "intermediate", by="root")
    return "weak"


@pytest.mark.parametrize("kind", MORE)
def test_what_else_can_be_wrong_with_files_is_told_too(rest: Setup, elsewhere: Elsewhere, kind: str) -> None:
    words, give = MORE[kind]
    assert words in refused(rest, elsewhere, give(elsewhere))


# What was delivered -----------------------------------------------------------------------------------------

Delivery = Callable[[Elsewhere, Path], tuple[Path, ...]]


def without_names(elsewhere: Elsewhere, csr: Path) -> tuple[Path, ...]:
    bare = elsewhere.folder / "bare.csr"
    key = str(csr.with_suffix(".key"))
    given = ("-key", key, "-subj", "/CN=hub.example.org", "-out", str(bare))
    elsewhere.openssl("req", "-new", "-config", "openssl.cnf", *given)
    return elsewhere.sign(bare, "nameless"), elsewhere.intermediate


def an_authority(elsewhere: Elsewhere, csr: Path) -> tuple[Path, ...]:
    bare, _ = without_names(elsewhere, csr)
    return elsewhere.sign(bare.with_suffix(".csr"), "intermediate", by="root"), elsewhere.root


def pkcs12(elsewhere: Elsewhere, _: Path) -> tuple[Path, ...]:
    certificate, key = elsewhere.pair("good")
    given = ("-in", str(certificate), "-inkey", str(key), "-passout", "pass:x", "-out", "bundle.pem")
    elsewhere.openssl("pkcs12", "-export", *given)
    return (elsewhere.folder / "bundle.pem",)


DELIVERED: dict[str, tuple[str, Delivery]] = {
    "another key's certificate": (
        "was made for another private key",
        lambda at, _: (at.pair("one")[0], at.intermediate),
    ),
    "expired": ("has expired on", lambda at, csr: (at.sign(csr, begins=EXPIRED), at.intermediate)),
    "not yet valid": ("is not yet valid", lambda at, csr: (at.sign(csr, begins=NOT_YET), at.intermediate)),
    "without alternative names": ("no subject alternative names", without_names),
    "an authority as leaf": ("is an authority's (CA:TRUE)", an_authority),
    "a gap in the chain": ("whose certificate was not given", lambda at, csr: (at.sign(csr), at.root)),
    "a weak intermediate": (
        "too weak (RSA 1024 bits)",
        lambda at, csr: (at.sign(csr, by=weak(at)), at.folder / "weak.pem", at.root),
    ),
    "authorities only": ("Only certificates of authorities", lambda at, _: (at.intermediate, at.root)),
    "an empty file": ("The file is empty", lambda at, csr: (at.sign(csr), at.joined("empty.pem"))),
    "the request itself": ("This is the signing request", lambda _, csr: (csr,)),
    "a key": ("This is a private key", lambda _, csr: (csr.with_suffix(".key"),)),
    "PKCS#12": ("The file is PKCS#12", pkcs12),
    "nothing there": ("No such file", lambda at, _: (at.folder / "none.pem",)),
}


@pytest.mark.parametrize("kind", DELIVERED)
def test_a_wrong_answer_of_the_authority_is_refused_by_a_sentence_of_its_own_and_nothing_is_written(
    rest: Setup, elsewhere: Elsewhere, kind: str
) -> None:
    rest.apply(source="request")
    _, give = DELIVERED[kind]
    delivered = give(elsewhere, rest.folder / "request.csr")
    given: dict[str, Raw] = {"source": "request", "delivered": list(map(str, delivered))}
    sentence = refused(rest, elsewhere, given)
    assert [name for name, (words, _) in DELIVERED.items() if words in sentence] == [kind]
    assert [entry.question.name for entry in rest.sheet(**given).wrong] == ["delivered"]


def test_what_becomes_wrong_after_the_question_is_refused_by_the_plan(
    rest: Setup, elsewhere: Elsewhere
) -> None:
    rest.apply(source="request")
    leaf = elsewhere.sign(rest.folder / "request.csr")
    answer = elsewhere.joined("answer.pem", leaf, elsewhere.intermediate)
    answers = rest.answers(source="request", delivered=[str(answer)])
    elsewhere.joined("answer.pem", leaf)
    with pytest.raises(WrongAnswer, match="The chain has a gap") as wrong:
        rest.plan_of(answers)
    assert wrong.value.question == "delivered"
    answer.unlink()
    with pytest.raises(WrongAnswer, match=r"answer\.pem cannot be read: No such file"):
        rest.plan_of(answers)

    answers = rest.answers(**good(elsewhere))
    certificate = Path(str(good(elsewhere)["certificate_file"]))
    certificate.write_bytes(b"")
    with pytest.raises(WrongAnswer, match="BEGIN CERTIFICATE is missing") as wrong:
        rest.plan_of(answers)
    assert wrong.value.question == "certificate_file"
    certificate.unlink()
    with pytest.raises(WrongAnswer, match=r"good\.pem cannot be read: No such file"):
        rest.plan_of(answers)
