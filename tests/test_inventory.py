"""What is told of certificates: from real runs, real files, and what can become of them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.material.samples import key_of, one_tier, samples, two_tiers
from tests.peers.sandboxed import furnished
from tests.targets.hub_plans import plan_of
from wizard import journal, transaction
from wizard.inert import inert
from wizard.inventory import Listed, inventory, report
from wizard.journal import Run
from wizard.material.authority import Authority, new_authority
from wizard.material.bundles import chain_pem
from wizard.material.certificates import (
    certificate_pem,
    describe,
    read_certificates_pem,
    self_signed_client,
    self_signed_server,
)
from wizard.material.key_types import KeyType
from wizard.material.keys import PrivateKey, generate, private_pem
from wizard.material.recipes import SERVER, Recipe, issue_self_signed, subject_name, validity_from
from wizard.material.register import Issued, write_register
from wizard.material.requests import request_pem, signing_request
from wizard.material.subject import Subject
from wizard.plan import File, Plan
from wizard.secret import Secret
from wizard.state import State

NOW = datetime.now(UTC).replace(microsecond=0)
P256 = KeyType.ECDSA_P256
KEY = key_of(P256, "leaf")
TITLE = "Secure IOTA Hub, REST, at 127.0.0.1:50051"
HUB = "hub.example.org"


@pytest.fixture
def state(tmp_path: Path) -> State:
    return State(tmp_path / "state")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "tls"
    folder.mkdir()
    return folder


def contents(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None


def key_file(
    path: Path, key: PrivateKey = KEY, *, mode: int = 0o600, passphrase: Secret | None = None
) -> File:
    after = private_pem(key, passphrase)
    return File(
        path=path,
        before=contents(path),
        after=after,
        mode=mode,
        secret=True,
        about="private key, ECDSA P-256",
    )


def certificate_file(path: Path, *chain: x509.Certificate, about: str = "server certificate") -> File:
    return File(path=path, before=contents(path), after=chain_pem(chain), mode=0o644, about=about)


def run(state: State, *changes: File, title: str = TITLE, awaits: Path | None = None) -> Run:
    return transaction.apply(Plan(target="hub-rest", title=title, changes=changes, awaits=awaits), state)


def server(key: PrivateKey = KEY, name: str = HUB, days: int = 397) -> x509.Certificate:
    return self_signed_server(key, name, (name,), days, NOW)


def pair(
    state: State, folder: Path, certificate: x509.Certificate | None = None, *above: x509.Certificate
) -> Run:
    """A run that writes key.pem and cert.pem."""
    chain = (certificate or server(), *above)
    return run(state, key_file(folder / "key.pem"), certificate_file(folder / "cert.pem", *chain))


def row(state: State, path: Path, now: datetime = NOW) -> Listed:
    (found,) = [row for row in inventory(state, now) if row.path == path]
    return found


def wrong(state: State, path: Path, now: datetime = NOW) -> str:
    """The one thing that is wrong."""
    (sentence,) = row(state, path, now).wrong
    assert re.fullmatch(r"[A-Z/].*\.", sentence), sentence
    return sentence


# What is listed ---------------------------------------------------------------------------------------------


def test_a_host_without_certificates_says_so(state: State, folder: Path) -> None:
    assert inventory(state, NOW) == ()
    assert report.text((), ()) == "The wizard has not made or installed a certificate on this host yet."
    run(state, File(path=folder / "start.sh", before=None, after=b"exec Hub\n", mode=0o755))
    assert inventory(state, NOW) == ()


def test_what_the_hub_target_writes_is_listed_with_its_run(tmp_path: Path) -> None:
    box = furnished(tmp_path / "box")
    done = transaction.apply(plan_of(box), box.state)
    (found,) = inventory(box.state, datetime.now(UTC))
    (certificate,) = read_certificates_pem((box.hub / "cert.pem").read_bytes())
    said = describe(certificate, datetime.now(UTC))
    assert found == Listed(
        box.hub / "cert.pem",
        done.id,
        "hub-rest",
        done.title,
        (),
        common_name=HUB,
        names=("DNS hub.example.org", "IP 127.0.0.1"),
        issuer="itself (self-signed)",
        kind="self-signed server",
        not_after=said.not_after,
        days_left=396,
        fingerprint=said.fingerprint,
        issued=None,
    )
    transaction.undo(done, box.state)
    assert inventory(box.state, datetime.now(UTC)) == ()


def test_an_undone_run_vanishes_and_comes_back_with_the_undo_undone(state: State, folder: Path) -> None:
    first = pair(state, folder)
    second = pair(state, folder, server(name="new.example.org"))
    assert [(one.run, one.common_name) for one in inventory(state, NOW)] == [(second.id, "new.example.org")]
    undo = transaction.undo(second, state)
    assert [(one.run, one.common_name) for one in inventory(state, NOW)] == [(first.id, HUB)]
    transaction.undo(undo, state)
    assert [(one.run, one.common_name) for one in inventory(state, NOW)] == [(second.id, "new.example.org")]


def test_what_a_later_run_removed_is_not_missed(state: State, folder: Path) -> None:
    pair(state, folder)
    path = folder / "cert.pem"
    run(state, File(path=path, before=path.read_bytes(), after=None))
    assert inventory(state, NOW) == ()


def test_a_key_and_what_is_secret_is_no_row(state: State, folder: Path) -> None:
    both = private_pem(KEY) + certificate_pem(server())
    run(state, File(path=folder / "both.pem", before=None, after=both, mode=0o600, secret=True))
    assert inventory(state, NOW) == ()


def test_a_request_is_no_certificate_and_none_is_missed(state: State, folder: Path) -> None:
    pem = request_pem(signing_request(KEY, Subject(HUB), (HUB,)))
    about = "signing request for a certificate"
    run(state, File(path=folder / "request.csr", before=None, after=pem, mode=0o644, about=about))
    assert inventory(state, NOW) == ()


def test_the_kinds(state: State, folder: Path) -> None:
    unlimited = issue_self_signed(
        Recipe(usages=frozenset({"digital_signature"}), purposes=()),
        KEY,
        subject=subject_name(Subject("a")),
        names=(x509.DNSName("a"),),
        validity=validity_from(NOW, 90),
    )
    one, two = one_tier(P256, NOW), two_tiers(P256, NOW)
    assert two.root
    kinds = {
        "authority": one.certificate,
        "intermediate authority": two.certificate,
        "server": samples(P256, NOW)[0].chain[0],
        "client": samples(P256, NOW)[1].chain[0],
        "self-signed server": server(),
        "self-signed client": self_signed_client(KEY, Subject("a@example.org"), 90, NOW),
        "self-signed server and client": unlimited,
    }
    for number, certificate in enumerate(kinds.values()):
        run(state, certificate_file(folder / f"{number}.crt", certificate))
    found = [row(state, folder / f"{number}.crt") for number in range(len(kinds))]
    assert [one.kind for one in found] == [*kinds]
    assert [one.wrong for one in found] == [()] * len(found)
    assert found[2].issuer == found[3].issuer == "Example CA"


def test_the_most_urgent_stands_first(state: State, folder: Path) -> None:
    days = {"long": 397, "ending": 397, "middle": 200, "damaged": 300, "gone": 397}
    for name, number in days.items():
        run(state, certificate_file(folder / f"{name}.crt", server(days=number), about="certificate"))
    run(
        state,
        certificate_file(
            folder / "ending.crt", self_signed_server(KEY, HUB, (HUB,), 90, NOW - timedelta(days=80))
        ),
    )
    (folder / "gone.crt").unlink()
    (folder / "damaged.crt").write_bytes(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    found = inventory(state, NOW)
    assert [one.path.stem for one in found] == ["damaged", "gone", "ending", "middle", "long"]


# What can be wrong: the certificate -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("days", "ago", "sentence"),
    [
        (90, 59, None),
        (90, 60, r"It ends in 29 days, on 20\d\d-\d\d-\d\d\. Run tls-wizard again with the same answers: .*"),
        (90, 88, r"It ends in 1 day, on .*"),
        (90, 89, r"It ends within a day, on .*"),
        (90, 90, r"It has expired on .*: nobody accepts it\. Run tls-wizard again with the same answers: .*"),
        (30, 19, None),
        (30, 20, r"It ends in 9 days, on .*"),
        (
            90,
            -1,
            r"It is not valid before 20.* UTC: nobody accepts it until then\. Wait, or check .* clock\.",
        ),
    ],
)
def test_how_long_it_lasts(state: State, folder: Path, days: int, ago: int, sentence: str | None) -> None:
    pair(state, folder, server(days=days))
    now = NOW + timedelta(days=ago)
    found = row(state, folder / "cert.pem", now).wrong
    assert len(found) == (sentence is not None)
    assert sentence is None or re.fullmatch(sentence, found[0])


def test_who_makes_a_new_one_depends_on_who_issued_it(state: State, folder: Path) -> None:
    authority = one_tier(P256, NOW)
    leaf = authority.issue_server(KEY.public_key(), Subject(HUB), (HUB,), 90, NOW)
    pair(state, folder, leaf)
    late = NOW + timedelta(days=80)
    assert "Ask Example CA for a new one, and install it with" in wrong(state, folder / "cert.pem", late)
    run(state, certificate_file(folder / "ca.crt", authority.certificate, about="authority Example CA"))
    assert "Ask Example CA" in wrong(state, folder / "cert.pem", late), "it was only written for others"
    register = write_register([Issued.of(leaf, str(folder / "cert.pem"))])
    run(state, File(path=folder / "index.txt", before=None, after=register, mode=0o644))
    assert "Run tls-wizard again" in wrong(state, folder / "cert.pem", late)
    later = NOW + timedelta(days=3640)
    assert "Make a new one: what it has issued ends with it." in wrong(state, folder / "ca.crt", later)


def test_a_file_that_is_gone(state: State, folder: Path) -> None:
    done = pair(state, folder)
    (folder / "cert.pem").unlink()
    assert wrong(state, folder / "cert.pem").startswith("The file is gone. Put it back from a backup, or ")
    found = row(state, folder / "cert.pem")
    assert (found.run, found.title, found.common_name, found.days_left) == (done.id, TITLE, "", None)
    (folder / "key.pem").unlink()
    folder.rmdir()
    assert "is gone" in wrong(state, folder / "cert.pem")
    folder.write_text("a file where the folder was")
    assert "is gone" in wrong(state, folder / "cert.pem")


@pytest.mark.parametrize(
    "about", ["authority Hub CA", "the authority's root certificate", "Certificate by X"]
)
def test_what_is_missed_is_told_by_what_the_run_called_it(state: State, folder: Path, about: str) -> None:
    run(state, certificate_file(folder / "a.crt", server(), about=about))
    run(state, certificate_file(folder / "b.crt", server(), about="Hub's flags"))
    run(state, certificate_file(folder / "c.conf", server(), about=about))
    assert len(inventory(state, NOW)) == 3
    for name in ("a.crt", "b.crt", "c.conf"):
        (folder / name).unlink()
    assert [one.path.name for one in inventory(state, NOW)] == ["a.crt"]


def test_a_file_that_was_overwritten(state: State, folder: Path) -> None:
    pair(state, folder)
    (folder / "cert.pem").write_text("oops\n")
    sentence = wrong(state, folder / "cert.pem")
    assert sentence.startswith("There is no certificate in it any more. Put it back from a backup, or secure")
    (folder / "cert.pem").write_bytes(b"")
    assert wrong(state, folder / "cert.pem") == sentence


def test_a_certificate_that_is_damaged(state: State, folder: Path) -> None:
    pair(state, folder)
    path = folder / "cert.pem"
    pem = path.read_bytes()
    path.write_bytes(pem[:100] + b"AAAA" + pem[104:])
    assert "holds a certificate that is damaged" in wrong(state, path)
    path.write_bytes(pem[:200])
    assert "holds a certificate that is damaged" in wrong(state, path)


def linked(path: Path) -> None:
    path.rename(path.with_name("elsewhere"))
    path.symlink_to("elsewhere")


def too_large(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\n" * 1_000_000)


def a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def a_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def a_loop(path: Path) -> None:
    path.unlink()
    path.symlink_to(path)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (a_loop, "Too many levels of symbolic links"),
        (too_large, "It is larger than 1 MB"),
        (a_folder, "It is a folder, not a file"),
        (a_pipe, "It is a device or a pipe, not a file"),
    ],
)
def test_something_else_in_its_place(
    state: State, folder: Path, spoil: Callable[[Path], None], reason: str
) -> None:
    pair(state, folder)
    spoil(folder / "cert.pem")
    expected = (
        rf"The file cannot be read: {reason}\. Look at what stands there, or secure the service again .*"
    )
    assert re.fullmatch(expected, wrong(state, folder / "cert.pem"))


def test_a_certificate_elsewhere_behind_a_link_is_the_one_in_use(state: State, folder: Path) -> None:
    pair(state, folder)
    linked(folder / "cert.pem")
    found = row(state, folder / "cert.pem")
    assert (found.common_name, found.wrong) == (HUB, ())


@contextmanager
def as_nobody() -> Iterator[Path]:
    """Without root's right to read everything; a folder of one's own."""
    with tempfile.TemporaryDirectory() as name:
        root = os.geteuid() == 0
        if root:
            os.chown(name, 65534, 65534)
            os.seteuid(65534)
        try:
            yield Path(name)
        finally:
            if root:
                os.seteuid(0)


def test_files_that_this_account_cannot_read() -> None:
    with as_nobody() as root:
        state, folder = State(root / "state"), root / "tls"
        folder.mkdir()
        pair(state, folder)
        (folder / "key.pem").chmod(0)
        assert wrong(state, folder / "cert.pem") == (
            f"Its key {folder / 'key.pem'} cannot be read by this account. "
            f"See who may: sudo ls -ld {folder / 'key.pem'}."
        )
        (folder / "cert.pem").chmod(0)
        sentence = f"The file cannot be read by this account. See who may: sudo ls -ld {folder / 'cert.pem'}."
        assert wrong(state, folder / "cert.pem") == sentence
        folder.chmod(0)
        assert wrong(state, folder / "cert.pem") == sentence
        folder.chmod(0o700)


def test_a_server_without_alternative_names(state: State, folder: Path) -> None:
    bare = issue_self_signed(
        SERVER, KEY, subject=subject_name(Subject(HUB)), names=(), validity=validity_from(NOW, 90)
    )
    pair(state, folder, bare)
    sentence = wrong(state, folder / "cert.pem")
    assert sentence.startswith(
        "It has no subject alternative names, only a Common Name, which clients no longer"
    )
    run(state, certificate_file(folder / "client.crt", self_signed_client(KEY, Subject("rpc"), 90, NOW)))
    assert row(state, folder / "client.crt").wrong == ()


def test_one_made_by_the_commands_of_a_guide(state: State, folder: Path) -> None:
    ending = ("-days", "90", "-subj", "/CN=hub", "-addext", "basicConstraints=critical,CA:FALSE")
    subprocess.run(
        ["openssl", "req", "-x509", "-new", "-key", "/dev/stdin", "-out", "new.pem", *ending],
        cwd=folder,
        input=private_pem(KEY),
        check=True,
        capture_output=True,
    )
    (made,) = read_certificates_pem((folder / "new.pem").read_bytes())
    pair(state, folder, made)
    assert row(state, folder / "cert.pem", datetime.now(UTC)).kind == "self-signed server and client"
    assert "no subject alternative names" in wrong(state, folder / "cert.pem", datetime.now(UTC))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: rsa.generate_private_key(public_exponent=65537, key_size=1024), "RSA 1024 bits"),
        (lambda: ec.generate_private_key(ec.SECP224R1()), "ECDSA secp224r1"),
    ],
)
def test_a_weak_key(state: State, folder: Path, make: Callable[[], PrivateKey], words: str) -> None:
    key = make()
    run(state, key_file(folder / "key.pem", key), certificate_file(folder / "cert.pem", server(key)))
    sentence = wrong(state, folder / "cert.pem")
    assert sentence.startswith(f"Its key is too weak ({words}): clients refuse it.")
    assert sentence.endswith("Have a certificate made for a new key.")


@pytest.mark.parametrize("key_type", [KeyType.RSA_2048, KeyType.ECDSA_P384, KeyType.ED25519])
def test_a_strong_key(state: State, folder: Path, key_type: KeyType) -> None:
    key = key_of(key_type, "leaf")
    run(state, key_file(folder / "key.pem", key), certificate_file(folder / "cert.pem", server(key)))
    assert row(state, folder / "cert.pem").wrong == ()


# What can be wrong: the chain -------------------------------------------------------------------------------


def three(now: datetime = NOW) -> tuple[x509.Certificate, x509.Certificate, x509.Certificate]:
    """Leaf, intermediate and root."""
    authority = two_tiers(P256, now)
    assert authority.root
    leaf = authority.issue_server(KEY.public_key(), Subject(HUB), (HUB,), 90, now)
    return leaf, authority.certificate, authority.root


def test_a_chain_in_order_is_fine_with_its_root_and_without(state: State, folder: Path) -> None:
    leaf, between, root = three()
    for chain in ((leaf,), (leaf, between), (leaf, between, root)):
        pair(state, folder, *chain)
        found = row(state, folder / "cert.pem")
        assert (found.wrong, found.common_name, found.kind) == ((), HUB, "server")


@pytest.mark.parametrize("order", [(0, 2, 1), (1, 0), (1, 0, 2), (2, 1, 0), (1, 2, 0)])
def test_a_chain_out_of_order(state: State, folder: Path, order: tuple[int, ...]) -> None:
    parts = three()
    pair(state, folder, *(parts[number] for number in order))
    assert wrong(state, folder / "cert.pem").startswith("Its chain is out of order, and some clients refuse")
    if order[0] == 0 or 0 in order[1:2]:
        assert row(state, folder / "cert.pem").common_name == HUB


@pytest.mark.parametrize("others", [(2,), (3,), (3, 2)])
def test_a_chain_with_a_gap(state: State, folder: Path, others: tuple[int, ...]) -> None:
    foreign = new_authority(generate(P256), Subject("Other CA"), 90, NOW).certificate
    parts = (*three(), foreign)
    pair(state, folder, parts[0], *(parts[number] for number in others))
    assert wrong(state, folder / "cert.pem").startswith(
        f"Its chain has a gap: {HUB} was issued by Example Intermediate, whose certificate is not in the "
    )


def test_what_has_expired_in_a_chain(state: State, folder: Path) -> None:
    authority = two_tiers(P256, NOW)
    short = replace(
        authority,
        certificate=new_authority(authority.key, Subject("Example Intermediate"), 20, NOW).certificate,
        root=None,
    )
    leaf = authority.issue_server(KEY.public_key(), Subject(HUB), (HUB,), 90, NOW)
    pair(state, folder, leaf, short.certificate)
    sentence = wrong(state, folder / "cert.pem", NOW + timedelta(days=30))
    assert sentence.startswith("In its chain, Example Intermediate has expired on 20")


def test_a_list_of_whom_to_trust_is_no_chain(state: State, folder: Path) -> None:
    one, two = one_tier(P256, NOW).certificate, three()[2]
    peers = [self_signed_client(key_of(P256, name), Subject(name), 90, NOW) for name in ("a", "b")]
    run(
        state,
        certificate_file(folder / "authorities.pem", one, two, about="certificates of authorities"),
        certificate_file(folder / "clients.pem", *peers, about="certificates of clients"),
    )
    assert [row.wrong for row in inventory(state, NOW)] == [(), ()]


def test_a_chain_of_many_that_all_claim_one_name_takes_no_time(state: State, folder: Path) -> None:
    key = key_of(P256, "authority")
    alike = [new_authority(key, Subject("Example CA"), 90, NOW).certificate for _ in range(40)]
    leaf = Authority(alike[0], key).issue_server(KEY.public_key(), Subject(HUB), (HUB,), 80, NOW)
    pair(state, folder, leaf, *alike)
    assert row(state, folder / "cert.pem").wrong == ()


# What can be wrong: the key ---------------------------------------------------------------------------------


def test_a_key_that_is_missing(state: State, folder: Path) -> None:
    pair(state, folder)
    (folder / "key.pem").unlink()
    sentence = wrong(state, folder / "cert.pem")
    assert sentence.startswith(f"Its key {folder / 'key.pem'} is missing, and the service cannot start again")
    other = folder.with_name("other")
    other.mkdir()
    run(state, certificate_file(other / "cert.pem", server()))
    assert row(state, other / "cert.pem").wrong == (), "a run that wrote no key misses none"


def test_a_clients_key_may_have_gone_to_the_client(state: State, folder: Path) -> None:
    for name in ("alice", "bob"):
        key = generate(P256)
        client = self_signed_client(key, Subject(name), 90, NOW)
        run(state, key_file(folder / f"{name}.key", key), certificate_file(folder / f"{name}.crt", client))
    (folder / "bob.key").unlink()
    assert [row.wrong for row in inventory(state, NOW)] == [(), ()]


def test_a_key_of_another_certificate(state: State, folder: Path) -> None:
    pair(state, folder)
    (folder / "key.pem").write_bytes(private_pem(generate(P256)))
    sentence = wrong(state, folder / "cert.pem")
    assert sentence.startswith(
        f"The key {folder / 'key.pem'} does not belong to it: one of them was exchanged"
    )


def test_a_key_that_is_damaged_or_overwritten(state: State, folder: Path) -> None:
    pair(state, folder)
    path = folder / "key.pem"
    pem = path.read_bytes()
    path.write_bytes(pem[:60] + b"!!" + pem[62:])
    again = f"Put {path} back from a backup, or secure the service again with tls-wizard."
    assert wrong(state, folder / "cert.pem") == f"Its key is damaged. {again}"
    path.write_bytes(b"oops")
    expected = f"There is no private key any more where its key was. {again}"
    assert wrong(state, folder / "cert.pem") == expected
    a_folder(path)
    assert "key.pem cannot be read: It is a folder, not a file." in wrong(state, folder / "cert.pem")


@pytest.mark.parametrize(
    ("mode", "verb"), [(0o644, "read"), (0o640, "read"), (0o604, "read"), (0o620, "change"), (0o666, "read")]
)
def test_a_key_that_others_can_get_at(state: State, folder: Path, mode: int, verb: str) -> None:
    pair(state, folder)
    key = folder / "key.pem"
    key.chmod(mode)
    assert wrong(state, folder / "cert.pem").startswith(
        f"Others can {verb} its key {key}: chmod 600 {key} and"
    )
    command = re.search(r": (chmod 600 \S+)", wrong(state, folder / "cert.pem"))
    assert command
    subprocess.run(["sh", "-c", command[1]], check=True)
    assert row(state, folder / "cert.pem").wrong == ()


def test_a_key_elsewhere_behind_a_link_is_the_key(state: State, folder: Path) -> None:
    pair(state, folder)
    linked(folder / "key.pem")
    assert row(state, folder / "cert.pem").wrong == ()
    (folder / "elsewhere").unlink()
    assert "is missing" in wrong(state, folder / "cert.pem")


def test_a_key_under_a_passphrase_is_taken_as_it_is(state: State, folder: Path) -> None:
    authority = one_tier(P256, NOW)
    run(
        state,
        key_file(folder / "ca.key", authority.key, passphrase=Secret("a long passphrase")),
        certificate_file(folder / "ca.crt", authority.certificate, about="authority Example CA"),
    )
    assert row(state, folder / "ca.crt").wrong == ()
    (folder / "ca.key").chmod(0o644)
    assert "Others can read its key" in wrong(state, folder / "ca.crt")


def test_a_key_that_an_earlier_run_wrote_is_still_the_key(state: State, folder: Path) -> None:
    pair(state, folder)
    authority = one_tier(P256, NOW)
    leaf = authority.issue_server(KEY.public_key(), Subject(HUB), (HUB,), 90, NOW)
    root = certificate_file(folder / "ca.pem", authority.certificate, about="the authority's certificate")
    run(state, certificate_file(folder / "cert.pem", leaf), root)
    assert [row.wrong for row in inventory(state, NOW)] == [(), ()]
    (folder / "key.pem").unlink()
    assert "is missing" in wrong(state, folder / "cert.pem")
    assert row(state, folder / "ca.pem").wrong == ()


def test_whom_to_trust_has_its_key_elsewhere(state: State, folder: Path) -> None:
    """The certificate of an authority beside a pair is not taken for the certificate of the key."""
    authority = one_tier(P256, NOW)
    run(
        state,
        certificate_file(folder / "ca.pem", authority.certificate, about="the authority's certificate"),
        key_file(folder / "key.pem"),
        certificate_file(folder / "cert.pem", server()),
    )
    for spoil in (
        lambda: (folder / "key.pem").write_bytes(private_pem(generate(P256))),
        (folder / "cert.pem").unlink,
    ):
        spoil()
        assert row(state, folder / "ca.pem").wrong == ()
        assert row(state, folder / "cert.pem").wrong != ()


def test_a_copy_of_an_authoritys_certificate_has_no_key(state: State, folder: Path) -> None:
    authority = one_tier(P256, NOW)
    copies = folder / "trusted"
    copies.mkdir()
    run(
        state,
        key_file(folder / "ca.key", authority.key),
        certificate_file(folder / "ca.crt", authority.certificate, about="authority Example CA"),
        certificate_file(copies / "ca.pem", authority.certificate, about="the authority's certificate"),
    )
    (folder / "ca.key").chmod(0o644)
    assert "Others can read" in wrong(state, folder / "ca.crt")
    assert row(state, copies / "ca.pem").wrong == ()


def test_the_key_of_an_authority_may_be_kept_elsewhere(state: State, folder: Path) -> None:
    _, between, root = three()
    run(
        state,
        key_file(folder / "ca.key", key_of(P256, "authority")),
        certificate_file(folder / "ca.crt", root, about="root authority"),
        key_file(folder / "intermediate.key", key_of(P256, "intermediate")),
        certificate_file(folder / "intermediate.crt", between, about="authority that issues"),
    )
    (folder / "ca.key").unlink()
    (folder / "intermediate.key").unlink()
    assert [row.wrong for row in inventory(state, NOW)] == [(), ()]


def test_the_key_of_a_request_belongs_to_no_certificate_yet(state: State, folder: Path) -> None:
    pair(state, folder)
    root = one_tier(P256, NOW).certificate
    run(state, certificate_file(folder / "ca.pem", root, about="the authority's certificate"))
    run(state, key_file(folder / "request.key", generate(P256)), awaits=folder / "cert.pem")
    assert [row.wrong for row in inventory(state, NOW)] == [(), ()]


# What can be wrong: the authority ---------------------------------------------------------------------------


def issued(state: State, folder: Path, names: tuple[str, ...] = (HUB, "other.example.org")) -> Authority:
    """An authority with its register, and the servers it has issued to, in a folder below."""
    authority = one_tier(P256, NOW)
    (folder / "issued").mkdir()
    paths = [folder / "issued" / f"{name}.crt" for name in names]
    leaves = [authority.issue_server(KEY.public_key(), Subject(name), (name,), 90, NOW) for name in names]
    register = write_register(Issued.of(leaf, str(path)) for leaf, path in zip(leaves, paths, strict=True))
    run(
        state,
        key_file(folder / "ca.key", authority.key),
        certificate_file(folder / "ca.crt", authority.certificate, about="authority Example CA"),
        File(path=folder / "index.txt", before=None, after=register, mode=0o644, about="register"),
        *(certificate_file(path, leaf) for path, leaf in zip(paths, leaves, strict=True)),
    )
    return authority


def test_an_authority_counts_what_it_has_issued(state: State, folder: Path) -> None:
    issued(state, folder)
    assert row(state, folder / "ca.crt").issued == 2
    assert row(state, folder / "issued" / f"{HUB}.crt").issued is None
    (folder / "index.txt").write_bytes(b"")
    assert row(state, folder / "ca.crt").issued == 0
    (folder / "index.txt").unlink()
    assert row(state, folder / "ca.crt").issued is None
    assert [row.wrong for row in inventory(state, NOW)] == [(), (), ()]


def test_the_register_is_the_one_of_the_authority_that_issues(state: State, folder: Path) -> None:
    leaf, between, root = three()
    run(
        state,
        certificate_file(folder / "ca.crt", root, about="root authority"),
        certificate_file(folder / "intermediate.crt", between, about="authority that issues"),
        File(
            path=folder / "index.txt", before=None, after=write_register([Issued.of(leaf, "x")]), mode=0o644
        ),
    )
    assert row(state, folder / "ca.crt").issued is None
    assert row(state, folder / "intermediate.crt").issued == 1


def test_what_the_authority_has_taken_back(state: State, folder: Path) -> None:
    issued(state, folder)
    subprocess.run(
        [
            "openssl",
            "ca",
            "-config",
            "/dev/stdin",
            "-revoke",
            f"issued/{HUB}.crt",
            "-crl_reason",
            "keyCompromise",
        ],
        cwd=folder,
        input=b"[ca]\ndefault_ca=a\n[a]\ndatabase=index.txt\ncertificate=ca.crt\nprivate_key=ca.key\n"
        b"default_md=sha256\nunique_subject=no\n",
        check=True,
        capture_output=True,
    )
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    assert wrong(state, folder / "issued" / f"{HUB}.crt").startswith(
        f"Example CA has revoked it on {today} (keyCompromise): who checks that refuses it."
    )
    assert row(state, folder / "issued" / "other.example.org.crt").wrong == ()
    assert row(state, folder / "ca.crt").issued == 2


def test_a_register_that_cannot_be_read(state: State, folder: Path) -> None:
    issued(state, folder)
    (folder / "index.txt").write_bytes(b"V\n")
    assert wrong(state, folder / "ca.crt").startswith(
        f"{folder / 'index.txt'}: The register is damaged in line 1: it has 1 fields"
    )
    assert row(state, folder / "ca.crt").issued is None
    (folder / "index.txt").write_bytes(b"#\n" * 600_000)
    assert "index.txt cannot be read: It is larger than 1 MB" in wrong(state, folder / "ca.crt")


def test_an_authority_that_has_expired(state: State, folder: Path) -> None:
    key = key_of(P256, "authority")
    old = new_authority(key, Subject("Example CA"), 20, NOW)
    long = Authority(new_authority(key, Subject("Example CA"), 397, NOW).certificate, key)
    leaf = long.issue_server(KEY.public_key(), Subject(HUB), (HUB,), 90, NOW)
    pair(state, folder, leaf)
    run(state, certificate_file(folder / "ca.crt", old.certificate, about="authority Example CA"))
    late = NOW + timedelta(days=30)
    assert wrong(state, folder / "cert.pem", late).startswith(
        "Example CA, which issued it, has expired on 20"
    )
    assert "It has expired" in wrong(state, folder / "ca.crt", late)
    run(state, certificate_file(folder / "new.crt", long.certificate, about="authority Example CA"))
    assert row(state, folder / "cert.pem", late).wrong == (), (
        "renewed with its key, it vouches for what it issued"
    )


def test_several_things_can_be_wrong(state: State, folder: Path) -> None:
    pair(state, folder)
    (folder / "key.pem").write_bytes(private_pem(generate(P256)))
    (folder / "key.pem").chmod(0o644)
    sentences = row(state, folder / "cert.pem", NOW + timedelta(days=400)).wrong
    assert [sentence.split()[:2] for sentence in sentences] == [
        ["It", "has"],
        ["The", "key"],
        ["Others", "can"],
    ]


# Whatever stands there --------------------------------------------------------------------------------------


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    st.sampled_from(["cert.pem", "key.pem", "ca.crt", "index.txt"]),
    st.binary(max_size=40) | st.tuples(st.integers(0, 900), st.binary(min_size=1, max_size=4)),
)
def test_no_content_of_a_file_breaks_it(
    tmp_path_factory: pytest.TempPathFactory, name: str, damage: bytes | tuple[int, bytes]
) -> None:
    folder = tmp_path_factory.mktemp("host")
    state = State(folder / "state")
    authority = one_tier(P256, NOW)
    leaf = authority.issue_server(KEY.public_key(), Subject(HUB), (HUB,), 90, NOW)
    run(
        state,
        key_file(folder / "key.pem"),
        certificate_file(folder / "cert.pem", leaf),
        certificate_file(folder / "ca.crt", authority.certificate, about="authority Example CA"),
        File(
            path=folder / "index.txt", before=None, after=write_register([Issued.of(leaf, "a")]), mode=0o644
        ),
    )
    content = (folder / name).read_bytes()
    if isinstance(damage, bytes):
        content = damage
    else:
        content = content[: damage[0]] + damage[1] + content[damage[0] + len(damage[1]) :]
    (folder / name).write_bytes(content)
    found = inventory(state, NOW)
    assert len(found) == 2
    assert report.text(found, ())
    assert json.dumps(report.as_json(found, ()))


# For people and programs ------------------------------------------------------------------------------------


def listed(
    path: str, name: str = HUB, kind: str = "server", days: int | None = 396, **more: object
) -> Listed:
    base = Listed(
        Path(path), "20261126-101112-hub-rest", "hub-rest", TITLE, common_name=name, kind=kind, days_left=days
    )
    return replace(base, **more)  # type: ignore[arg-type]  # the fields vary from test to test


def test_the_text() -> None:
    rows = (
        listed(
            "/home/jake/hub/cert.pem",
            wrong=(
                "Others can read its key /home/jake/hub/key.pem: chmod 600 /home/jake/hub/key.pem and more.",
            ),
        ),
        listed(
            "/etc/a/very/long/path/to/the/certificate/of/hub.crt", "", "", None, wrong=("The file is gone.",)
        ),
        listed("/home/jake/ca/ca.crt", "Example CA", "intermediate authority", 1, issued=1, title="Undo"),
        listed("/a.crt", "x" * 64, "self-signed server", 3649),
        listed("/b.crt", "old.example.org", "client", -1),
    )
    assert report.text(rows, ()).split("\n") == [
        "hub.example.org   server                    396 days   /home/jake/hub/cert.pem",
        "    used by: IOTA Hub, REST, at 127.0.0.1:50051 (20261126-101112-hub-rest)",
        "    ! Others can read its key /home/jake/hub/key.pem: chmod 600",
        "      /home/jake/hub/key.pem and more.",
        "(no certificate)",
        "    /etc/a/very/long/path/to/the/certificate/of/hub.crt",
        "    used by: IOTA Hub, REST, at 127.0.0.1:50051 (20261126-101112-hub-rest)",
        "    ! The file is gone.",
        "Example CA        intermediate authority       1 day   /home/jake/ca/ca.crt",
        "    used by: Undo (20261126-101112-hub-rest)",
        "    has issued 1 certificate",
        "x" * 64,
        "    self-signed server      3,649 days   /a.crt",
        "    used by: IOTA Hub, REST, at 127.0.0.1:50051 (20261126-101112-hub-rest)",
        "old.example.org   client                     expired   /b.crt",
        "    used by: IOTA Hub, REST, at 127.0.0.1:50051 (20261126-101112-hub-rest)",
    ]


def test_what_waits_for_its_certificate(state: State, folder: Path) -> None:
    pem = request_pem(signing_request(KEY, Subject(HUB), (HUB,)))
    request = File(path=folder / "request.csr", before=None, after=pem, mode=0o644, about="signing request")
    done = run(state, key_file(folder / "request.key"), request, awaits=folder / "cert.pem")
    waiting = journal.waiting(journal.history(state))
    rows = inventory(state, NOW)
    assert rows == ()
    assert report.text(rows, waiting).split("\n") == [
        "Waiting for a certificate; when it has come: tls-wizard resume --run RUN FILES",
        f"    IOTA Hub, REST, at 127.0.0.1:50051, since {done.time:%Y-%m-%d %H:%M}",
        f"        ({done.id})",
        f"        to stand at {folder}/cert.pem",
    ]
    data = json.loads(json.dumps(report.as_json(rows, waiting)))
    assert data == {
        "certificates": [],
        "waiting": [
            {
                "run": done.id,
                "target": "hub-rest",
                "title": TITLE,
                "since": done.time.isoformat(),
                "awaits": str(folder / "cert.pem"),
            }
        ],
    }
    pair(state, folder)
    assert journal.waiting(journal.history(state)) == ()
    assert row(state, folder / "cert.pem").wrong == ()


def test_as_plain_data(state: State, folder: Path) -> None:
    done = pair(state, folder)
    (folder / "key.pem").chmod(0o644)
    rows = inventory(state, NOW)
    data = json.loads(json.dumps(report.as_json(rows, ())))
    (found,) = data["certificates"]
    said = describe(read_certificates_pem((folder / "cert.pem").read_bytes())[0], NOW)
    assert found == {
        "path": str(folder / "cert.pem"),
        "common_name": HUB,
        "names": [f"DNS {HUB}"],
        "issuer": "itself (self-signed)",
        "kind": "self-signed server",
        "not_after": said.not_after.isoformat(),
        "days_left": 396,
        "fingerprint": said.fingerprint,
        "issued": None,
        "run": done.id,
        "target": "hub-rest",
        "title": TITLE,
        "wrong": list(rows[0].wrong),
    }
    (folder / "cert.pem").unlink()
    (found,) = json.loads(json.dumps(report.as_json(inventory(state, NOW), ())))["certificates"]
    assert (found["not_after"], found["days_left"], found["kind"]) == (None, None, "")


def test_names_cannot_steer_the_terminal_and_json_keeps_them(state: State, tmp_path: Path) -> None:
    odd = tmp_path / "x\x1b[31m\udcff"
    odd.mkdir()
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a\x1b[2J\u202e\n")])
    made = issue_self_signed(
        SERVER, KEY, subject=subject, names=(x509.DNSName("a"),), validity=validity_from(NOW, 20)
    )
    changes = key_file(odd / "key.pem"), certificate_file(odd / "cert.pem", made)
    run(state, *changes, title="Secure \x1b[31m it", awaits=odd / "next.pem")
    (odd / "key.pem").chmod(0o644)
    rows = inventory(state, NOW + timedelta(days=15))
    assert len(rows[0].wrong) == 2
    waiting = journal.waiting(journal.history(state))
    lines = report.text(rows, waiting).split("\n")
    assert [line for line in lines if line != inert(line)] == []
    data = json.loads(json.dumps(report.as_json(rows, waiting)))
    assert data["certificates"][0]["path"] == str(odd / "cert.pem")
    assert data["certificates"][0]["common_name"] == "a\x1b[2J\u202e\n"


def test_no_key_is_told(state: State, folder: Path) -> None:
    pair(state, folder)
    secret = (folder / "key.pem").read_text().splitlines()[1]
    rows = inventory(state, NOW)
    assert secret not in report.text(rows, ()) + json.dumps(report.as_json(rows, ())) + repr(rows)


def test_nothing_is_changed(state: State, folder: Path) -> None:
    pair(state, folder)

    def stamps() -> dict[Path, tuple[int, int]]:
        return {path: (path.stat().st_mtime_ns, path.stat().st_mode) for path in folder.parent.rglob("*")}

    before = stamps()
    inventory(state, NOW)
    assert stamps() == before
