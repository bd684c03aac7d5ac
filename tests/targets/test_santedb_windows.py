"""SanteDB on Windows: the files and the script that are carried over. Windows is not there to try them."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from shlex import split

import pytest
import tree_sitter
import tree_sitter_powershell
from cryptography.hazmat.primitives.serialization import Encoding

from tests.peers.tls import https, listening, server_context
from tests.targets.hub_plans import file, names, openssl
from tests.targets.santedb_plans import Setup, setup
from wizard import preview, transaction
from wizard.kinds import Raw
from wizard.material.certificates import read_certificates_pem
from wizard.plan import Plan
from wizard.proof import Verdict, prove

READY = "The files for Windows are ready"


@pytest.fixture
def santedb(tmp_path: Path) -> Iterator[Setup]:
    with setup(tmp_path, "127.0.0.1") as there:
        yield there


def answers(**given: Raw) -> dict[str, Raw]:
    """For the dCDR, whose endpoints are opened."""
    return {"way": "windows", "product": "www", "host": "0.0.0.0", "alt_names": ["localhost"], **given}


def script_of(plan: Plan) -> str:
    return (file(plan, "secure-santedb.ps1").after or b"").decode("utf-8-sig")


def commands(script: str) -> list[str]:
    """The lines that do something."""
    return [line.strip() for line in script.splitlines() if line.strip() and not line.strip().startswith("#")]


# The script -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("product", ["icdr", "www", "gateway"])
@pytest.mark.parametrize("account", ["", "CLINIC\\it's me", "NT AUTHORITY\\LOCAL SERVICE", "a’b"])
def test_the_script_is_powershell(santedb: Setup, product: str, account: str) -> None:
    script = script_of(santedb.plan(**answers(product=product, service_user=account)))
    parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_powershell.language()))
    assert not parser.parse(script.encode()).root_node.has_error
    assert "@" not in script.replace("@(", "")


def test_each_line_says_what_it_does(santedb: Setup) -> None:
    lines = [line.strip() for line in script_of(santedb.plan(**answers())).splitlines()]
    doing = [number for number, line in enumerate(lines) if line and line != "}" and not line.startswith("#")]
    assert doing
    assert [lines[number] for number in doing if not lines[number - 1].startswith("#")] == []


def test_certificate_binding_reservation_and_restart_are_in_it(santedb: Setup) -> None:
    plan, port = santedb.plan(**answers()), santedb.there.port
    (certificate,) = read_certificates_pem(file(plan, "server.crt").after or b"")
    thumbprint = hashlib.sha1(certificate.public_bytes(Encoding.DER)).hexdigest().upper()
    said = commands(script_of(plan))
    assert f"foreach ($port in @({port})) {{" in said
    assert (
        f"& netsh http add sslcert \"ipport=0.0.0.0:$port\" 'certhash={thumbprint}' "
        "'appid={A97FB5DE-7627-401C-8E70-5B96C1A0073B}' 'certstorename=MY'"
    ) in said
    assert f"foreach ($url in @('https://+:{port}/')) {{" in said
    assert '& netsh http add urlacl "url=$url" "user=$account"' in said
    assert "Restart-Service $service[0].Name" in said
    assert "$Config = Join-Path $folder 'instances\\default\\config\\santedb.config'" in said


@pytest.mark.parametrize(
    ("product", "identifier"),
    [
        ("icdr", "{21F35B18-E417-4F8E-B9C7-73E98B7C71B8}"),
        ("www", "{A97FB5DE-7627-401C-8E70-5B96C1A0073B}"),
        ("gateway", "{E65AB546-1345-42E7-82D2-0914336CD71E}"),
    ],
)
def test_each_product_has_its_own_identifier(santedb: Setup, product: str, identifier: str) -> None:
    assert f"'appid={identifier}'" in script_of(santedb.plan(**answers(product=product)))


def test_a_host_of_its_own_is_reserved_as_it_is(santedb: Setup) -> None:
    script = script_of(santedb.plan(**answers(host="")))
    assert f"'https://127.0.0.1:{santedb.there.port}/'" in script


def test_a_file_that_has_changed_meanwhile_is_not_replaced(santedb: Setup) -> None:
    plan = santedb.plan(**answers())
    before = hashlib.sha256(santedb.config.read_bytes()).hexdigest().upper()
    after = hashlib.sha256(file(plan, "santedb.config.xml").after or b"").hexdigest().upper()
    assert f"if ($now -ne '{before}' -and $now -ne '{after}') {{" in commands(script_of(plan))


def test_windows_reads_it_as_what_it_is(santedb: Setup) -> None:
    data = file(santedb.plan(**answers()), "secure-santedb.ps1").after or b""
    assert data.startswith(b"\xef\xbb\xbf")
    assert data.count(b"\r\n") == data.count(b"\n")


# The files --------------------------------------------------------------------------------------------------


def test_the_configuration_given_is_only_read_and_its_copy_edited(santedb: Setup) -> None:
    before = santedb.config.read_bytes()
    santedb.apply(**answers())
    assert santedb.config.read_bytes() == before
    after = (santedb.there.folder / "for-windows" / "santedb.config.xml").read_text()
    assert after.count(f"https://0.0.0.0:{santedb.there.port}") == 2
    assert after.count("<certificate ") == after.count('storeLocation="LocalMachine"') == 2
    assert "<baseAddress>https://" in after


def test_the_bundle_opens_with_the_password_beside_it(santedb: Setup) -> None:
    santedb.apply(**answers())
    folder = santedb.there.folder / "for-windows"
    password = (folder / "santedb.p12.password").read_text().strip()
    bundle = (
        "pkcs12",
        "-in",
        str(folder / "santedb.p12"),
        "-legacy",
        "-nodes",
        "-passin",
        f"pass:{password}",
    )
    assert b"BEGIN PRIVATE KEY" in openssl(*bundle)
    assert {(folder / name).stat().st_mode & 0o777 for name in ("santedb.p12", "santedb.p12.password")} == {
        0o600
    }


def test_nothing_secret_is_shown(santedb: Setup) -> None:
    plan = santedb.plan(**answers())
    password = (file(plan, "santedb.p12.password").after or b"").decode().strip()
    shown = preview.text(plan) + str(preview.as_json(plan)) + repr(plan) + script_of(plan)
    assert password not in shown
    assert "Very-Secret-9" not in shown
    assert file(plan, "santedb.p12").secret


def test_a_second_run_changes_nothing(santedb: Setup) -> None:
    santedb.apply(**answers())
    assert santedb.plan(**answers()).changes == ()


def test_nothing_is_put_where_mono_looks(santedb: Setup) -> None:
    assert not [name for name in names(santedb.plan(**answers()).changes) if name.endswith((".pvk", ".cer"))]


# The proof from afar ----------------------------------------------------------------------------------------


def test_before_anything_is_made_the_proof_stops_at_the_files(santedb: Setup) -> None:
    proof = prove(santedb.filled(**answers()).proof(santedb.host))
    assert proof.results[0].title == READY
    assert proof.results[0].verdict is Verdict.FAILED
    assert {one.verdict for one in proof.results[1:]} == {Verdict.SKIPPED}


def test_files_that_were_changed_are_found(santedb: Setup) -> None:
    santedb.apply(**answers())
    script = santedb.there.folder / "for-windows" / "secure-santedb.ps1"
    script.write_text(script.read_text() + "x")
    proof = prove(santedb.filled(**answers()).proof(santedb.host))
    assert "secure-santedb.ps1 is not as it should be" in proof.results[0].got


def test_what_the_machine_then_serves_is_proven_from_here(santedb: Setup, tmp_path: Path) -> None:
    santedb.apply(**answers())
    folder = santedb.there.folder / "for-windows"
    certificate, key = (folder / "server.crt").read_bytes(), (folder / "server.key").read_bytes()
    with listening(https(server_context(certificate, key, tmp_path))) as port:
        given = answers(address=f"127.0.0.1:{port}")
        proof = prove(santedb.filled(**given).proof(santedb.host))
    assert proof.passed, [(one.title, one.got) for one in proof.results]


def test_the_advice_to_prove_it_needs_no_answers(santedb: Setup, tmp_path: Path) -> None:
    folder = santedb.there.folder / "for-windows"
    santedb.apply(**answers())
    certificate, key = (folder / "server.crt").read_bytes(), (folder / "server.key").read_bytes()
    with listening(https(server_context(certificate, key, tmp_path))) as port:
        plan = santedb.plan(**answers(address=f"127.0.0.1:{port}"))
        (command,) = (one.command for one in plan.advice if "prove from here" in one.text)
        program, *words = split(command)
        assert program == "tls-wizard"
        assert words[:2] == ["prove", f"https://localhost:{port}/hdsi/"]
        wizard = [sys.executable, "-m", "wizard", *words]
        done = subprocess.run(wizard, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "passed   Mode verify-ca" in done.stdout


def test_whoever_carries_them_over_is_told_how(santedb: Setup) -> None:
    plan = santedb.plan(**answers())
    assert plan.advice[0].command == "powershell -ExecutionPolicy Bypass -File .\\secure-santedb.ps1"
    assert "on another way" in plan.advice[0].text
    transaction.apply(plan, santedb.host.state)
    assert "only the files can be checked" in santedb.sheet(**answers())["way"].caution
