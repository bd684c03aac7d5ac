"""A connector: from the answers to three texts, and to the proof before a real nginx."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.connecting.servers import Parties, result
from tests.peers.sandboxed import cli, furnished
from tests.peers.tls import self_signed
from tests.sources.elsewhere import Elsewhere
from tests.targets.hub_plans import HOST, openssl
from wizard import history, preview, review, transaction
from wizard.demo.sandbox import Sandbox
from wizard.errors import WizardError, WrongAnswer
from wizard.host import Host
from wizard.kinds import Raw
from wizard.material.certificates import read_certificates_pem
from wizard.material.description import name_words
from wizard.plan import File, Plan
from wizard.proof import Proof, Verdict, prove
from wizard.secret import Secret
from wizard.sheet import Sheet, fill_in
from wizard.state import State
from wizard.targets.connector import Connector

PASSPHRASE = Secret("correct horse battery staple 42")


@dataclass(frozen=True)
class Setup:
    """A connector for the server that insists on a client certificate."""

    parties: Parties
    folder: Path

    @property
    def host(self) -> Host:
        return replace(HOST, state=State(self.folder / "state"))

    @property
    def texts(self) -> Path:
        return self.folder / "texts"

    def given(self, **given: Raw) -> Mapping[str, Raw]:
        return {
            "url": f"https://127.0.0.1:{self.parties.mutual}/",
            "ca": [str(self.parties.bundle)],
            "client_certificate": str(self.parties.client),
            "client_key": str(self.parties.client_key),
            "directory": str(self.texts),
            **given,
        }

    def sheet(self, **given: Raw) -> Sheet[Connector]:
        return fill_in(Connector, self.given(**given), self.host)

    def filled(self, **given: Raw) -> Connector:
        sheet = self.sheet(**given)
        assert sheet.answers is not None, [(entry.question.name, entry.error) for entry in sheet.wrong]
        return sheet.answers

    def plan(self, **given: Raw) -> Plan:
        return review.prepared(self.filled(**given), self.host)

    def apply(self, **given: Raw) -> Plan:
        plan = self.plan(**given)
        transaction.apply(plan, self.host.state)
        return plan

    def proven(self, **given: Raw) -> Proof:
        return prove(self.filled(**given).proof(self.host))

    def error(self, name: str, **given: Raw) -> str:
        return self.sheet(**given)[name].error


@pytest.fixture
def setup(parties: Parties, tmp_path: Path) -> Setup:
    return Setup(parties, tmp_path)


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Elsewhere:
    return Elsewhere(tmp_path_factory.mktemp("connector") / "elsewhere")


def subjects(path: Path) -> list[str]:
    return [name_words(one.subject) for one in read_certificates_pem(path.read_bytes())]


def told(plan: Plan) -> str:
    return "\n".join(warning.text for warning in plan.warnings)


# The texts --------------------------------------------------------------------------------------------------


def test_three_texts_for_this_account_alone_in_the_order_a_connector_needs(setup: Setup) -> None:
    plan = setup.apply()
    assert [change.path.name for change in plan.changes] == ["texts", "client.key", "client.crt", "ca.pem"]
    assert setup.texts.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in setup.texts.iterdir()} == {0o600}
    assert subjects(setup.texts / "ca.pem") == ["Elsewhere Issuing", "Elsewhere Root"]
    assert subjects(setup.texts / "client.crt") == ["hub.example.org", "Elsewhere Issuing"]
    assert (setup.texts / "client.key").read_bytes().startswith(b"-----BEGIN PRIVATE KEY-----\n")
    assert setup.proven().passed


def test_in_whatever_form_it_comes_only_pem_is_written(setup: Setup, elsewhere: Elsewhere) -> None:
    """Binary, after a text, with line ends of Windows, in any order, the key as older openssl wrote it."""
    certificate, key = elsewhere.pair("any", "client")
    older = elsewhere.folder / "older.key"
    older.write_bytes(openssl("ec", "-in", str(key)))
    dumped = elsewhere.folder / "dumped.pem"
    text = openssl("x509", "-in", str(certificate), "-text").replace(b"\n", b"\r\n")
    dumped.write_bytes(b"Bag Attributes\r\n    friendlyName: any\r\n" + text)
    given: dict[str, Raw] = {
        "ca": [
            str(elsewhere.in_der(elsewhere.root, "root.der")),
            str(elsewhere.in_pkcs7("both.p7b", elsewhere.root, elsewhere.intermediate)),
        ],
        "client_certificate": str(dumped),
        "client_key": str(older),
    }
    setup.apply(**given)
    assert subjects(setup.texts / "ca.pem") == ["Elsewhere Issuing", "Elsewhere Root"]
    assert subjects(setup.texts / "client.crt") == ["hub.example.org", "Elsewhere Issuing"]
    for path in setup.texts.iterdir():
        content = path.read_bytes()
        assert content.startswith(b"-----BEGIN ")
        assert content.endswith(b"-----\n")
        assert b"\r" not in content
        assert b"Bag Attributes" not in content
        assert b"Certificate:" not in content


def test_the_authority_may_be_pasted(setup: Setup) -> None:
    setup.apply(ca=setup.parties.bundle.read_text())
    assert subjects(setup.texts / "ca.pem") == ["Elsewhere Issuing", "Elsewhere Root"]


def test_the_key_is_in_nothing_that_is_shown_or_kept(setup: Setup) -> None:
    plan = setup.apply()
    secret = "".join((setup.texts / "client.key").read_text().splitlines()[1:-1])[30:60]
    shown = preview.text(plan) + json.dumps(preview.as_json(plan)) + repr(plan)
    assert secret not in shown
    kept = b"".join(path.read_bytes() for path in setup.host.state.root.rglob("*") if path.is_file())
    assert secret.encode() not in kept
    (advice,) = [one for one in plan.advice if "client key" in one.text]
    assert advice.command == f"cat {setup.texts / 'client.key'}", "how to copy it, not the key"
    assert str(setup.texts / "client.key") in advice.text


def test_the_other_texts_are_shown_for_pasting(setup: Setup) -> None:
    plan = setup.apply()
    texts = [advice.command for advice in plan.advice]
    assert (setup.texts / "ca.pem").read_text() in texts
    assert (setup.texts / "client.crt").read_text() in texts


def test_what_is_there_and_fits_stays(setup: Setup) -> None:
    setup.apply()
    plan = setup.plan()
    assert not plan.changed
    assert {path.name for path in plan.kept} == {"client.key", "client.crt", "ca.pem"}
    (setup.texts / "ca.pem").chmod(0o644)
    (change,) = setup.plan().changes
    assert (change.path.name, preview.mode_text(change)) == ("ca.pem", "0600")


# What is refused --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "what"),
    [("intermediate", "is an intermediate authority"), ("server", "is the certificate of a server itself")],
)
def test_t42_an_authority_without_its_root_is_refused(setup: Setup, given: str, what: str) -> None:
    said = setup.error("ca", ca=[str(getattr(setup.parties, given))])
    assert said.startswith("The root is missing: ")
    assert what in said
    assert "Python 3.13, curl" in said
    assert "Python before 3.13, OpenSSL, Node.js" in said


def test_t42_a_certificate_that_signed_itself_is_its_own_root(setup: Setup) -> None:
    given: dict[str, Raw] = {
        "url": f"https://127.0.0.1:{setup.parties.itself}/",
        "mode": "verify-ca",
        "ca": [str(setup.parties.signed_itself)],
    }
    setup.apply(**given)
    assert [path.name for path in setup.texts.iterdir()] == ["ca.pem"]
    assert setup.proven(**given).passed


def test_what_has_no_place_among_the_authorities_is_left_out_and_told(setup: Setup) -> None:
    plan = setup.plan(ca=[str(setup.parties.bundle), str(setup.parties.server)])
    assert "hub.example.org is left out: it is a server's or a client's, no authority." in told(plan)
    (ca,) = [change for change in plan.changes if change.path.name == "ca.pem"]
    assert isinstance(ca, File)
    assert ca.after == setup.parties.bundle.read_bytes()


def test_an_intermediate_whose_root_is_not_there_is_told_beside_another_root(
    setup: Setup, elsewhere: Elsewhere
) -> None:
    plan = setup.plan(ca=[str(setup.parties.bundle), str(elsewhere.intermediate)])
    # The two authorities have the same names, but not the same keys.
    assert "Elsewhere Issuing leads to no root that was given" in told(plan)


def test_a_whole_list_of_authorities_is_told(setup: Setup) -> None:
    many = setup.folder / "many.pem"
    many.write_bytes(b"".join(self_signed(f"root-{number}")[0] for number in range(11)))
    plan = setup.plan(ca=[str(many), str(setup.parties.bundle)])
    assert "12 roots were given" in told(plan)
    assert "each of them can vouch for a server that poses as this one" in told(plan)


def test_an_expired_root_is_refused_and_left_out_beside_a_new_one(setup: Setup) -> None:
    ended = setup.folder / "ended.pem"
    ended.write_bytes(self_signed("ended", days=1, now=datetime.now(UTC) - timedelta(days=9))[0])
    assert setup.error("ca", ca=[str(ended)]).startswith("The root ended has expired on 20")
    plan = setup.plan(ca=[str(ended), str(setup.parties.bundle)])
    assert "ended is left out: it has expired on 20" in told(plan)
    (ca,) = [change for change in plan.changes if change.path.name == "ca.pem"]
    assert isinstance(ca, File)
    assert ca.after == setup.parties.bundle.read_bytes()


@pytest.mark.parametrize(
    ("extensions", "days", "said"),
    [
        ("server", 90, "was not made for clients, by its extended key usage, but for servers"),
        ("client", 0, "has expired on"),
        ("intermediate", 90, "is the certificate of an authority"),
    ],
)
def test_a_certificate_that_servers_refuse_from_a_client(
    setup: Setup, elsewhere: Elsewhere, extensions: str, days: int, said: str
) -> None:
    certificate, key = elsewhere.pair(f"refused-{extensions}-{days}", extensions, days=days)
    given = {"client_certificate": str(certificate), "client_key": str(key)}
    assert said in setup.error("client_certificate", **given)


def test_a_key_that_would_be_another_once_it_is_written_anew(setup: Setup, elsewhere: Elsewhere) -> None:
    certificate, key = elsewhere.pair("bound", "client", kind=("-newkey", "rsa-pss"))
    given = {"client_certificate": str(certificate), "client_key": str(key)}
    assert "is bound to one kind of signature (RSA-PSS)" in setup.error("client_certificate", **given)


def test_a_key_of_another_certificate(setup: Setup) -> None:
    said = setup.error("client_key", client_key=str(setup.parties.rogue_key))
    assert said.startswith("The key belongs to another certificate than hub.example.org.")


def test_a_key_where_a_certificate_belongs_and_the_other_way_round(setup: Setup) -> None:
    key, certificate = str(setup.parties.client_key), str(setup.parties.client)
    assert "private key" in setup.error("client_certificate", client_certificate=key)
    assert "holds a certificate but no private key" in setup.error("client_key", client_key=certificate)
    assert "private key" in setup.error("ca", ca=[key])


def test_the_operators_own_files_are_not_overwritten(setup: Setup) -> None:
    own = setup.folder / "own"
    own.mkdir()
    (own / "client.key").write_bytes(setup.parties.client_key.read_bytes())
    said = setup.error("directory", client_key=str(own / "client.key"), directory=str(own))
    assert said.endswith("is one of your own files, and would be overwritten. Give another folder.")


def test_a_file_that_changes_between_the_questions_and_the_plan_is_told(setup: Setup) -> None:
    ca, certificate = setup.folder / "ca.pem", setup.folder / "client.pem"
    given: dict[str, Raw] = {"ca": [str(ca)], "client_certificate": str(certificate)}
    for path, good, asked in (
        (ca, setup.parties.bundle, "ca"),
        (certificate, setup.parties.client, "client_certificate"),
    ):
        ca.write_bytes(setup.parties.bundle.read_bytes())
        certificate.write_bytes(setup.parties.client.read_bytes())
        filled = setup.filled(**given)
        path.write_text("no certificate at all\n")
        with pytest.raises(WrongAnswer, match="No certificate was found") as wrong:
            filled.plan(setup.host)
        assert wrong.value.question == asked
        path.unlink()
        with pytest.raises(WizardError):
            review.prepared(filled, setup.host)
        path.write_bytes(good.read_bytes())


# A key under a passphrase -----------------------------------------------------------------------------------


def test_a_protected_key_is_asked_for_once_and_written_without(setup: Setup, elsewhere: Elsewhere) -> None:
    protected = elsewhere.encrypted(setup.parties.client_key, "asked.key", PASSPHRASE.reveal())
    asked = setup.sheet(client_key=str(protected))["client_key_passphrase"]
    assert (asked.applies, asked.missing) == (True, True)
    plan = setup.apply(client_key=str(protected), client_key_passphrase=PASSPHRASE)
    written = (setup.texts / "client.key").read_bytes()
    assert written.startswith(b"-----BEGIN PRIVATE KEY-----\n")
    assert PASSPHRASE.reveal() not in preview.text(plan) + json.dumps(plan.answers, default=str)
    assert not setup.sheet(client_key=str(protected))["client_key_passphrase"].applies, "it has been opened"
    assert not setup.plan(client_key=str(protected)).changed
    assert setup.proven(client_key=str(protected)).passed


def test_a_wrong_passphrase_is_told_at_its_question(setup: Setup, elsewhere: Elsewhere) -> None:
    protected = elsewhere.encrypted(setup.parties.client_key, "wrong.key", PASSPHRASE.reveal())
    with pytest.raises(WrongAnswer, match="cannot be decrypted with this passphrase") as wrong:
        setup.plan(client_key=str(protected), client_key_passphrase=Secret("something else"))
    assert wrong.value.question == "client_key_passphrase"


# The modes --------------------------------------------------------------------------------------------------


def test_skip_is_never_the_default_and_warns_loudly(setup: Setup) -> None:
    assert setup.sheet()["mode"].default == "full"
    entry = setup.sheet(mode="skip")["mode"]
    assert entry.caution.startswith("NOTHING IS VERIFIED in this mode. Anybody on the way can pose")
    assert setup.sheet(mode="skip").pages == Connector.pages[:1], "nothing is written, so no folder is asked"
    plan = setup.plan(mode="skip")
    assert plan.warnings[0].text.startswith("NOTHING IS VERIFIED in this mode.")
    assert not plan.changed
    assert preview.why_nothing(plan) == "there is nothing to write"


def test_before_anything_is_written_the_proof_says_so(setup: Setup) -> None:
    proof = setup.proven()
    assert not proof.passed
    texts = result(proof, "The texts")
    assert texts.verdict is Verdict.FAILED
    assert (
        texts.got == f"{setup.texts / 'ca.pem'} is not there. Apply what is planned first, or check the path."
    )


def test_undo_takes_the_texts_away_again(setup: Setup) -> None:
    setup.apply()
    transaction.undo(history.find(setup.host.state, None), setup.host.state)
    assert not setup.texts.exists()


# The command line -------------------------------------------------------------------------------------------


@pytest.fixture
def box(tmp_path: Path) -> Sandbox:
    return furnished(tmp_path / "box")


def connector_file(box: Sandbox, parties: Parties) -> Path:
    path = box.root / "connector.toml"
    path.write_text(
        'target = "connector"\n'
        f'url = "https://127.0.0.1:{parties.mutual}/"\n'
        f'ca = ["{parties.bundle}"]\n'
        f'client_certificate = "{parties.client}"\n'
        f'client_key = "{parties.client_key}"\n'
    )
    return path


def test_questions_plan_apply_and_prove(box: Sandbox, parties: Parties) -> None:
    questions = cli(box, "questions", "connector")
    assert questions.returncode == 0
    assert 'mode = "full"' in questions.stdout
    named = str(connector_file(box, parties))
    planned = json.loads(cli(box, "plan", named, "--json").stdout)
    assert [change["secret"] for change in planned["changes"]] == [False, True, False, False]
    assert cli(box, "prove", named).returncode == 6, "nothing has been written yet"
    assert cli(box, "apply", named).returncode == 0
    assert (box.root / "connector-127.0.0.1" / "client.key").stat().st_mode & 0o777 == 0o600
    proven = cli(box, "prove", named)
    assert proven.returncode == 0, proven.stdout
    assert "passed   Mode full\n         it works: TLS 1.3, HTTP/1.1 200 OK" in proven.stdout
    again = cli(box, "apply", named, "--detailed-exitcode")
    assert (again.returncode, again.stdout) == (0, "Nothing to change: everything is as it should be.\n")


def test_a_copy_is_made_again_where_it_was_made(box: Sandbox, parties: Parties) -> None:
    assert cli(box, "apply", str(connector_file(box, parties))).returncode == 0
    done = cli(box, "reissue", str(box.root / "connector-127.0.0.1" / "client.crt"))
    assert done.returncode == 1
    assert "has only been copied there. Make the certificate again where it was made" in done.stderr


def test_any_address_is_proven(box: Sandbox, parties: Parties) -> None:
    url = f"https://127.0.0.1:{parties.mutual}/"
    files = ("--ca", str(parties.root), "--cert", str(parties.client), "--key", str(parties.client_key))
    done = cli(box, "prove", url, *files)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("Proven: 11 passed.\n")
    data = json.loads(cli(box, "prove", url, "--mode", "verify-ca", *files, "--json").stdout)
    assert data["passed"] is False
    (mode,) = [found for found in data["results"] if found["title"] == "Mode verify-ca"]
    assert mode["got"] == "HTTP/1.1 400 Bad Request: No required SSL certificate was sent"
    assert cli(box, "prove", url, "--ca", str(parties.root)).returncode == 6
    skipped = cli(box, "prove", f"https://127.0.0.1:{parties.whole}/", "--mode", "skip")
    assert skipped.returncode == 0
    assert "finding  Mode skip\n" in skipped.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("http://127.0.0.1/",), "http:// is without TLS"),
        (("https://127.0.0.1:0/",), "0 is not a port"),
        (("https://127.0.0.1:1/", "--mode", "full"), "name it with --cert and --key"),
        (("https://127.0.0.1:1/", "--cert", "client.crt"), "--cert and --key go together"),
        (("hub-rest", "--mode", "skip"), "--mode goes with an address"),
    ],
)
def test_what_does_not_go_together_is_wrong_usage(
    box: Sandbox, arguments: tuple[str, ...], said: str
) -> None:
    done = cli(box, "prove", *arguments)
    assert done.returncode == 2
    assert said in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


def test_nobody_there(box: Sandbox) -> None:
    done = cli(box, "prove", "https://127.0.0.1:1/")
    assert done.returncode == 6
    assert "Nothing listens at 127.0.0.1:1." in done.stdout


def test_an_address_can_be_called_where_its_name_does_not_lead(box: Sandbox, parties: Parties) -> None:
    url = ("prove", "https://hub.example.org/", "--ca", str(parties.bundle), "--mode", "verify-ca")
    done = cli(box, *url, "--connect", f"127.0.0.1:{parties.whole}")
    assert done.returncode == 0, done.stdout
    assert f"127.0.0.1:{parties.whole} answers TLS" in done.stdout
    for wrong in ("127.0.0.1", "http://a:1", "a:b"):
        done = cli(box, *url, "--connect", wrong)
        assert done.returncode == 2
        assert done.stderr.startswith(f"tls-wizard: --connect {wrong}: ")
