"""The matrix of what a connector is given and what comes of it, row by row, against a real nginx.

Each row is tried as Python before 3.13 verifies (as OpenSSL by itself), as Python 3.13 does, by the Python
that runs the tests, and by the curl and openssl commands.
"""

from __future__ import annotations

import shlex
import ssl
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from socket import create_connection
from urllib.request import HTTPSHandler, ProxyHandler, build_opener

import pytest

from tests.connecting.servers import Parties, call, proven, result
from wizard.connecting.modes import Mode
from wizard.probe import Handshake
from wizard.proof import Verdict
from wizard.trouble import Kind


@dataclass(frozen=True)
class Row:
    """What is trusted and what is served, by their names among the parties, and who is content with that."""

    ca: str
    served: str
    before_3_13: bool
    since_3_13: bool
    curl: bool
    """It does without a root, like Python 3.13."""


ROWS = {
    "the root, the whole chain": Row("root", "whole", True, True, True),
    "the root, the leaf alone": Row("root", "alone", False, False, False),
    "intermediate and root, the leaf alone": Row("bundle", "alone", True, True, True),
    "the intermediate only": Row("intermediate", "whole", False, True, True),
    "the server's own certificate": Row("server", "whole", False, True, True),
    "what signed itself": Row("signed_itself", "itself", True, True, True),
}


def connects(command: str) -> bool:
    """Whether the command that a check shows gets an answer."""
    done = subprocess.run(shlex.split(command), capture_output=True, timeout=30, check=False)
    return done.returncode == 0 and b"HTTP/1.1 200" in done.stdout


def openssl_connects(port: int, ca: Path) -> bool:
    command = ("openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-CAfile", str(ca), "-brief")
    done = subprocess.run(
        [*command, "-verify_return_error"], input=b"", capture_output=True, timeout=30, check=False
    )
    return done.returncode == 0


def this_python_connects(port: int, ca: Path) -> bool:
    context = ssl.create_default_context(cafile=str(ca))
    opener = build_opener(ProxyHandler({}), HTTPSHandler(context=context))
    try:
        with opener.open(f"https://127.0.0.1:{port}/", timeout=10) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


@pytest.mark.parametrize("name", ROWS)
def test_what_is_given_as_the_authority(name: str, parties: Parties) -> None:
    row = ROWS[name]
    ca, port = getattr(parties, row.ca), getattr(parties, row.served)
    one = call(port, Mode.VERIFY_CA, ca)
    assert isinstance(one.attempt(one.mode), Handshake) is row.before_3_13
    assert isinstance(one.attempt(one.mode, strict=True), Handshake) is row.since_3_13
    assert this_python_connects(port, ca) is (
        row.since_3_13 if sys.version_info >= (3, 13) else row.before_3_13
    )
    assert openssl_connects(port, ca) is row.before_3_13
    assert connects(one.command(one.mode)) is row.curl
    proof = proven(one)
    works = row.before_3_13 and row.since_3_13
    assert result(proof, "Mode verify-ca").verdict is (Verdict.PASSED if works else Verdict.FAILED)
    assert proof.passed is works


@pytest.mark.parametrize("given", ["intermediate", "server"])
def test_t42_what_is_no_root_is_refused_before_and_explained_after(given: str, parties: Parties) -> None:
    proof = proven(call(parties.whole, Mode.VERIFY_CA, getattr(parties, given)))
    texts, mode = result(proof, "The texts fit"), result(proof, "Mode verify-ca")
    issuer = {"intermediate": "Elsewhere Root", "server": "Elsewhere Issuing"}[given]
    assert texts.verdict is Verdict.FAILED
    assert "The root is missing: " in texts.got
    assert f"Add the certificate of {issuer}" in texts.got
    assert mode.verdict is Verdict.FAILED
    assert "Only clients that do without a root connect, such as Python 3.13 and curl" in mode.meaning


def test_without_an_authority_it_is_not_told_that_one_is_missing(parties: Parties) -> None:
    """The issuer may be a root, which nobody sends."""
    sent = result(proven(call(parties.alone, Mode.SKIP)), "It comes with")
    assert sent.got == "only its own certificate, issued by Elsewhere Issuing"
    assert "If that is a root, it is complete" in sent.meaning


def test_a_chain_that_is_not_sent_is_named_with_both_ways_out(parties: Parties) -> None:
    proof = proven(call(parties.alone, Mode.VERIFY_CA, parties.root))
    sent, mode = result(proof, "It comes with"), result(proof, "Mode verify-ca")
    assert sent.verdict is Verdict.FINDING
    assert sent.got == "only its own certificate; that of Elsewhere Issuing is missing"
    assert mode.verdict is Verdict.FAILED
    assert "add it to the authority's text, before the root; or have the server send it" in mode.meaning


@pytest.mark.parametrize("mode", [Mode.FULL, Mode.VERIFY_CA])
def test_another_name_fails_and_only_who_leaves_it_unchecked_connects(mode: Mode, parties: Parties) -> None:
    files = (parties.client, parties.client_key) if mode.presents else ()
    one = call(parties.whole, mode, parties.root, *files, host="localhost")
    for strict in (False, True):
        found = one.attempt(mode, strict=strict)
        assert not isinstance(found, Handshake)
        assert found.kind is Kind.NAME
        assert isinstance(one.attempt(mode, strict=strict, any_name=True), Handshake)
    assert not connects(one.command(mode))
    proof = proven(one)
    told = result(proof, f"Mode {mode.value}")
    assert told.verdict is Verdict.FAILED
    assert told.got == "The certificate is not valid for the name localhost."
    unchecked = "A program that leaves the name unchecked in this mode connects" in told.meaning
    assert unchecked is (mode is Mode.VERIFY_CA)
    assert result(proof, "It is for localhost").got == "It is for DNS hub.example.org, IP 127.0.0.1."


@pytest.mark.parametrize("port", ["mutual", "mutual_1_2"])
@pytest.mark.parametrize("who", ["nobody", "rogue", "server_as_client"])
def test_a_client_that_is_not_wanted_passes_the_handshake_and_gets_400(
    who: str, port: str, parties: Parties
) -> None:
    """The handshake tells nothing; only who reads the answer knows."""
    key = "" if who == "nobody" else f"{who}_key"
    files = (getattr(parties, who), getattr(parties, key)) if key else ()
    mode = Mode.FULL if files else Mode.VERIFY_CA
    one = call(getattr(parties, port), mode, parties.root, *files)
    shown = subprocess.run(shlex.split(one.command(mode)), capture_output=True, timeout=30, check=False)
    assert shown.returncode == 0
    assert shown.stdout.startswith(b"HTTP/1.1 400 Bad Request")
    proof = proven(one)
    told = result(proof, f"Mode {mode.value}")
    assert told.verdict is Verdict.FAILED
    assert told.got.startswith("HTTP/1.1 400 Bad Request: ")
    assert not proof.passed
    if who == "server_as_client":
        texts = result(proof, "The texts fit")
        assert texts.verdict is Verdict.FAILED
        assert "was not made for clients, by its extended key usage, but for servers" in texts.got


def test_a_key_of_another_certificate_is_told_before_anything_is_sent(parties: Parties) -> None:
    proof = proven(call(parties.mutual, Mode.FULL, parties.root, parties.client, parties.rogue_key))
    texts, mode = result(proof, "The texts fit"), result(proof, "Mode full")
    assert texts.verdict is mode.verdict is Verdict.FAILED
    assert "The key belongs to another certificate than hub.example.org" in texts.got
    assert "the private key does not belong to the first certificate" in mode.got
    for title in ("It speaks", "Python 3.13 takes", f"127.0.0.1:{parties.mutual} answers"):
        assert result(proof, title).verdict is Verdict.PASSED, "the server can be looked at all the same"


@pytest.mark.parametrize("port", ["mutual", "mutual_1_2"])
def test_full_is_proven_where_the_server_insists(port: str, parties: Parties) -> None:
    one = call(getattr(parties, port), Mode.FULL, parties.root, parties.client, parties.client_key)
    assert connects(one.command(Mode.FULL))
    proof = proven(one)
    assert proof.passed
    assert all(found.verdict is Verdict.PASSED for found in proof.results), proof
    for mode in (Mode.VERIFY_CA, Mode.SKIP):
        assert result(proof, f"Mode {mode.value}").got.startswith("refused, as it should be")


def test_t43_a_handshake_alone_would_take_a_refusal_for_a_success(parties: Parties) -> None:
    context = ssl.create_default_context(cafile=str(parties.root))
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    with (
        create_connection(("127.0.0.1", parties.mutual), 10) as connection,
        context.wrap_socket(connection, server_hostname="127.0.0.1") as secured,
    ):
        assert secured.version() == "TLSv1.3", "it came about, without a client certificate"
    proof = proven(call(parties.mutual, Mode.VERIFY_CA, parties.root))
    told = result(proof, "Mode verify-ca")
    assert told.verdict is Verdict.FAILED
    assert told.got == "HTTP/1.1 400 Bad Request: No required SSL certificate was sent"
    assert told.meaning == "The server knows its clients by certificates: choose full, with yours."


def test_full_where_the_server_does_not_insist_is_a_finding(parties: Parties) -> None:
    files = (parties.root, parties.client, parties.client_key)
    proof = proven(call(parties.optional, Mode.FULL, *files))
    assert result(proof, "Mode full").verdict is Verdict.PASSED
    told = result(proof, "Mode verify-ca")
    assert told.verdict is Verdict.FINDING
    assert told.got == "let in without a certificate: HTTP/1.1 200 OK"
    proof = proven(call(parties.whole, Mode.FULL, *files))
    told = result(proof, "Mode full")
    assert told.verdict is Verdict.FINDING
    assert "but the server asks for no client certificate" in told.got


def test_skip_connects_with_anybody_and_says_what_that_means(parties: Parties) -> None:
    """Here with one that nobody has signed, for another name."""
    one = call(parties.itself, Mode.SKIP, host="localhost")
    assert connects(one.command(Mode.SKIP))
    proof = proven(one)
    assert proof.passed, "it works, which is what was asked"
    told = result(proof, "Mode skip")
    assert told.verdict is Verdict.FINDING
    assert "who answers is not known" in told.got
    assert "Anybody on the way can pose as the server" in told.meaning
