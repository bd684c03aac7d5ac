"""SanteDB as it is found: products, instances, includes, generations, Mono, and what stands in the way."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings

from tests.formats.test_xml import FILES, changed_lines
from tests.formats.test_xml_generated import configuration
from tests.peers.santedb import CONFIG, Installation
from tests.targets.hub_plans import HOST, file
from tests.targets.santedb_plans import USER, Setup, setup, texts
from wizard import transaction
from wizard.errors import Refusal
from wizard.host import Host, Service
from wizard.kinds import Raw
from wizard.targets.santedb import SanteDb
from wizard.targets.santedb_server import config, mono, processes
from wizard.targets.santedb_server.address import Address
from wizard.targets.santedb_server.products import Product
from wizard.targets.santedb_server.switch import Switch

REST = '<section xsi:type="RestConfigurationSection">'
ROOT = (
    '<SanteDBConfiguration xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
    'xmlns="http://santedb.org/configuration">'
)
AGS = """\
  <section xsi:type="q:AgsConfigurationSection" xmlns:q="http://santedb.org/mobile/configuration">
    <q:service name="HDSI" serviceBehavior="x">
      <q:endpoint contract="C, D" address="http://127.0.0.1:9200/hdsi" />
    </q:service>
  </section>
"""


@pytest.fixture
def santedb(tmp_path: Path) -> Iterator[Setup]:
    with setup(tmp_path) as there:
        yield there


def process(arguments: tuple[str, ...], folder: Path, pid: int = 2**22 + 1, user: str = USER) -> Host:
    """A host on which this runs, as a look shows it; nothing of it does."""
    service = Service(
        pid=pid,
        arguments=arguments,
        program=Path(arguments[0]).name,
        directory=folder,
        user=user,
        started=datetime.now(UTC),
        listening=(("0.0.0.0", 9200),),
    )
    return replace(HOST, user=user, services=(service,))


# Processes --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "product", "main"),
    [
        (("mono", "{}/SanteDB.exe", "--console"), Product.ICDR, "santedb.config.xml"),
        (("mono", "SanteDB.exe"), Product.ICDR, "santedb.config.xml"),
        (("/usr/bin/mono-sgen", "--debug", "santedb.exe", "--config=x/y.xml"), Product.ICDR, "x/y.xml"),
        (("mono", "./SanteDB.exe", r"--config=x\y.xml"), Product.ICDR, "x/y.xml"),
        (
            ("mono", "/usr/lib/mono/4.5/mono-service.exe", "-d:{}", "{}/SanteDB.exe", "--console"),
            Product.ICDR,
            "santedb.config.xml",
        ),
        (("mono", "santedb-www.exe", "--console"), Product.WWW, "instances/default/config/santedb.config"),
        (
            ("mono", "santedb-dcg.exe", '--name="north"', "--daemon"),
            Product.GATEWAY,
            "instances/north/config/santedb.config",
        ),
        (("mono", "SanteDB.Docker.Server.exe"), Product.ICDR, "santedb.config.xml"),
    ],
)
def test_a_process_tells_product_instance_and_configuration(
    arguments: tuple[str, ...], product: Product, main: str, tmp_path: Path
) -> None:
    here = process(tuple(word.format(tmp_path) for word in arguments), tmp_path)
    found = processes.running(here)
    assert found is not None
    assert found.product is product
    assert found.config == tmp_path / main
    assert found.installation == tmp_path


def test_other_programs_of_mono_are_none(tmp_path: Path) -> None:
    assert processes.running(process(("mono", "other.exe"), tmp_path)) is None
    assert SanteDb.find(process(("mono",), tmp_path)).status == "not found here"


def test_version_2_keeps_its_configuration_in_the_home(tmp_path: Path) -> None:
    old = tmp_path / "SanteDB" / "www-default" / "SanteDB.config"
    old.parent.mkdir(parents=True)
    old.write_text("x")
    assert processes.default_config(Product.WWW, tmp_path / "no", "default", tmp_path) == old


def test_the_environment_of_the_process_decides_where_mono_looks(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    environment = {**os.environ, "XDG_CONFIG_HOME": str(elsewhere)}
    with subprocess.Popen(["cat"], env=environment, stdin=subprocess.PIPE) as other:
        found = processes.running(process(("mono", "SanteDB.exe"), tmp_path, other.pid))
        while b"cat" not in Path(f"/proc/{other.pid}/cmdline").read_bytes():
            pass
        found = processes.running(process(("mono", "SanteDB.exe"), tmp_path, other.pid))
        assert mono.listener_folder(USER, found) == elsewhere / ".mono" / "httplistener"
        assert "other" not in str(mono.listener_folder("nobody", found))
        assert other.stdin is not None
        other.stdin.close()
    assert mono.listener_folder("root", None) == Path("/root/.config/.mono/httplistener")


def test_in_a_container_it_is_told_and_not_secured_from_outside(santedb: Setup) -> None:
    environment = {**os.environ, "SDB_AMI_LISTEN": "http://0.0.0.0:8080/ami"}
    with subprocess.Popen(["sleep", "60"], env=environment) as other:
        while b"sleep" not in Path(f"/proc/{other.pid}/cmdline").read_bytes():
            pass
        here = replace(santedb.host, services=(replace(santedb.host.services[0], pid=other.pid),))
        found = SanteDb.find(here)
        assert "container" in found.status
        assert "SDB_AMI_LISTEN=http://0.0.0.0:8080/ami" in found.warnings[0].text
        assert "nginx" in santedb.sheet(here)["config"].error
        other.kill()


def test_every_endpoint_is_listed(santedb: Setup) -> None:
    found = SanteDb.find(santedb.host)
    assert found.runs
    assert found.status.endswith(f"iCDR, http on {santedb.there.port}")
    at = f"0.0.0.0:{santedb.there.port}"
    assert f"http://{at}/hdsi  IHdsiServiceContract, plain HTTP" in found.details
    assert f"http://{at}/ami  IAmiServiceContract, plain HTTP" in found.details
    santedb.apply(host="127.0.0.1", alt_names=["127.0.0.1"])
    at = f"127.0.0.1:{santedb.there.port}"
    found = SanteDb.find(santedb.host)
    assert f"https://{at}/hdsi  IHdsiServiceContract, https, this host only" in found.details
    next(santedb.there.listener.glob("*.pvk")).unlink()
    found = SanteDb.find(santedb.host)
    assert (
        f"https://{at}/hdsi  IHdsiServiceContract, https without a certificate, this host only"
        in found.details
    )


def test_the_real_process_is_found_with_its_mono(santedb: Setup) -> None:
    with santedb.there.running():
        found = SanteDb.find(santedb.look())
    assert any("on Mono 6." in detail for detail in found.details)
    assert found.warnings == ()


@pytest.mark.parametrize(
    ("number", "works"),
    [
        *(((4, 6, 2), True), ((5, 18, 1), True), ((5, 20, 1), False), ((6, 0), False)),
        *(((6, 6), False), ((6, 8, 0, 105), True), ((6, 12, 0), True)),
    ],
)
def test_versions_of_mono_that_cannot_serve_are_told(number: tuple[int, ...], works: bool) -> None:
    assert bool(mono.problem(number)) != works


# Files ------------------------------------------------------------------------------------------------------


def included(there: Installation, name: str = r"config\santedb.rest.config.xml") -> Path:
    """The REST section moves into a file of its own, which the first one includes."""
    text = CONFIG.format(host="0.0.0.0", port=there.port)
    start = text.index(f"  {REST}")
    end = text.index("</section>", start) + len("</section>\n")
    inner = there.folder / "config" / "santedb.rest.config.xml"
    inner.parent.mkdir(exist_ok=True)
    inner.write_text(f"{ROOT}\n{text[start:end]}</SanteDBConfiguration>\n")
    there.config.write_text(text[:start] + f"  <include>{name}</include>\n" + text[end:])
    return inner


def test_the_file_that_is_included_is_edited_and_that_one_only(santedb: Setup) -> None:
    inner = included(santedb.there)
    main = santedb.config.read_bytes()
    plan = santedb.plan()
    assert inner in [change.path for change in plan.changes]
    assert santedb.config not in [change.path for change in plan.changes]
    transaction.apply(plan, santedb.host.state)
    assert santedb.config.read_bytes() == main
    with santedb.there.running():
        assert santedb.proven().passed


def test_an_include_is_looked_for_in_the_folder_of_the_program(santedb: Setup, tmp_path: Path) -> None:
    included(santedb.there)
    elsewhere = tmp_path / "elsewhere.xml"
    elsewhere.write_bytes(santedb.config.read_bytes())
    assert config.read(elsewhere, santedb.there.folder).ports
    with pytest.raises(Refusal, match="does not start then, either"):
        config.read(elsewhere, None)


def test_an_include_that_is_missing_is_refused_with_its_line(santedb: Setup) -> None:
    included(santedb.there).unlink()
    refused = santedb.sheet()["config"].refusal
    assert refused is not None
    assert refused.line


def test_an_include_of_itself_is_refused(santedb: Setup) -> None:
    included(santedb.there, "santedb.config.xml")
    assert "includes it again" in santedb.sheet()["config"].error


def test_two_sections_are_refused(santedb: Setup) -> None:
    text = santedb.config.read_text()
    santedb.config.write_text(text.replace(f"  {REST}", f"  {REST}</section>\n  {REST}"))
    assert "second section" in santedb.sheet()["config"].error


def test_version_2_of_the_disconnected_products_is_edited_without_a_base_address(santedb: Setup) -> None:
    santedb.config.write_text(f"{ROOT}\n{AGS}</SanteDBConfiguration>\n")
    sheet = santedb.sheet()
    assert "no base address" in sheet["config"].caution
    assert not sheet["public_url"].applies
    after = file(santedb.plan(host="0.0.0.0"), "santedb.config.xml").after or b""
    assert b'address="https://0.0.0.0:9200/hdsi"' in after
    assert b"baseAddress" not in after


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        (
            "SanteDB.exe.config",
            "<configuration><system.serviceModel><services /></system.serviceModel></configuration>",
            "WCF",
        ),
        ("OpenIZ.exe.config", "<configuration><openiz.core /></configuration>", "OpenIZ"),
        ("web.config", "<configuration />", "no configuration of SanteDB"),
        ("empty.xml", f"{ROOT}</SanteDBConfiguration>", "SDB_AMI_LISTEN"),
        ("entities.xml", f"<!DOCTYPE x>{ROOT}</SanteDBConfiguration>", "document type"),
    ],
)
def test_other_generations_and_other_files_are_refused_with_the_reason(
    name: str, content: str, said: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(Refusal, match=said) as refused:
        config.read(tmp_path / name, None)
    assert refused.value.remedy


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_each_file_is_switched_and_nothing_in_it_but_the_endpoints(path: Path) -> None:
    found = config.read(path, None)
    switch = Switch(found, tuple(found.ports))
    before = found.file.document.data
    http = {one.line for one in found.endpoints if one.address and one.address.scheme == "http"}
    after = switch.edited()
    gone, new = changed_lines(before, after)
    assert gone == new <= len(http)
    assert (gone > 0) == bool(http)
    path_of = [one.text.partition("://")[2].partition("/")[2] for one in found.endpoints]
    assert [str(address).partition("://")[2].partition("/")[2] for _, address in switch.endpoints] == path_of
    assert after.replace(b"https://", b"http://").count(b"http://") == before.replace(
        b"https://", b"http://"
    ).count(b"http://")


@settings(max_examples=150)
@given(configuration())
def test_any_configuration_is_switched_or_refused(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    main = tmp_path_factory.getbasetemp() / "generated.xml"
    main.write_bytes(data)
    try:
        found = config.read(main, None)
        once = Switch(found, tuple(found.ports), "0.0.0.0", base_url="https://a.example.org").edited()
    except Refusal:
        return
    main.write_bytes(once)
    again = config.read(main, None)
    twice = Switch(again, tuple(again.ports), "0.0.0.0", base_url="https://a.example.org").edited()
    assert twice == once
    assert all(one.address is None or one.address.scheme == "https" for one in again.endpoints)


def test_other_addresses_are_reported_and_left_alone(santedb: Setup) -> None:
    other = (
        '  <section xsi:type="OAuthConfigurationSection" issuerName="http://localhost:8080/auth" />\n'
        '  <section xsi:type="FhirServiceConfigurationSection"><base>http://h:8080/fhir</base></section>\n'
    )
    santedb.config.write_text(santedb.config.read_text().replace(f"  {REST}", f"{other}  {REST}"))
    plan = santedb.plan()
    assert "issuer's name stays http://localhost:8080/auth" in texts(plan)
    assert "http://h:8080/fhir" in texts(plan)
    assert other.encode() in (file(plan, "santedb.config.xml").after or b"")


def test_other_addresses_follow_the_public_url_when_that_is_ticked(santedb: Setup) -> None:
    """Also in another file than that of the endpoints."""
    other = (
        '  <section xsi:type="OAuthConfigurationSection" issuerName="http://localhost:8080/auth" />\n'
        '  <section xsi:type="FhirServiceConfigurationSection"><base>http://h:8080/fhir</base></section>\n'
    )
    included(santedb.there)
    end = "</SanteDBConfiguration>"
    santedb.config.write_text(santedb.config.read_text().replace(end, f"{other}{end}"))
    before = santedb.config.read_bytes()
    ticked: dict[str, Raw] = {"public_url": "https://api.example.org:8443", "other_urls": True}
    run = santedb.apply(**ticked)
    after = santedb.config.read_text()
    assert 'issuerName="https://api.example.org:8443/auth"' in after
    assert "<base>https://api.example.org:8443/fhir</base>" in after
    assert len(set(before.decode().splitlines()) - set(after.splitlines())) == 2
    assert not santedb.plan(**ticked).changed
    assert not santedb.sheet(**ticked)["other_urls"].applies
    transaction.undo(run, santedb.host.state)
    assert santedb.config.read_bytes() == before


def test_of_an_odd_address_all_behind_the_host_stays(santedb: Setup) -> None:
    other = '  <section xsi:type="OAuthConfigurationSection" issuerName="http://[old/auth?realm=1" />\n'
    end = "</SanteDBConfiguration>"
    santedb.config.write_text(santedb.config.read_text().replace(end, f"{other}{end}"))
    santedb.apply(public_url="https://api.example.org:8443", other_urls=True)
    assert 'issuerName="https://api.example.org:8443/auth?realm=1"' in santedb.config.read_text()


def test_an_address_of_another_kind_is_left_alone(santedb: Setup) -> None:
    odd = '<endpoint contract="C" address="net.tcp://0.0.0.0:1/x" />\n      '
    text = santedb.config.read_text()
    santedb.config.write_text(
        text.replace('<endpoint contract="SanteDB.Rest.HDSI', odd + '<endpoint contract="SanteDB.Rest.HDSI')
    )
    assert "net.tcp://0.0.0.0:1/x is no address" in santedb.sheet()["config"].caution
    assert b"net.tcp://0.0.0.0:1/x" in (file(santedb.plan(), "santedb.config.xml").after or b"")


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("http://0.0.0.0:8080/hdsi", ("http", "0.0.0.0", 8080, "/hdsi")),
        ("HTTPS://+:8443/", ("https", "+", 8443, "/")),
        ("http://*:80", ("http", "*", 80, "")),
        ("http://[::1]:9200/a/b", ("http", "[::1]", 9200, "/a/b")),
        ("http://api.example.org/x", ("http", "api.example.org", 80, "/x")),
        ("https://[::1]/x", ("https", "[::1]", 443, "/x")),
    ],
)
def test_addresses_are_read_in_their_parts(text: str, parts: tuple[str, str, int, str]) -> None:
    assert Address.parse(text) == Address(*parts)


@pytest.mark.parametrize(
    "text", ["", "x", "ftp://a", "http://", "http://:80", "http://a:0", "http://a:x", "http://[x]:1"]
)
def test_what_is_no_address_is_told(text: str) -> None:
    with pytest.raises(ValueError, match=r"\.$"):
        Address.parse(text)
