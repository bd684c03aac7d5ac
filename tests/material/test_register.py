"""The register of an authority, as `openssl ca` reads it, goes on with it, and writes it itself."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.name import _ASN1Type
from cryptography.x509.oid import NameOID, ObjectIdentifier
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.material.samples import HOST, NAMES, key_of, one_tier
from tests.material.verifiers import run
from wizard.material import MaterialError
from wizard.material.authority import Authority
from wizard.material.certificates import certificate_pem, read_certificates_pem
from wizard.material.description import tolerance
from wizard.material.key_types import KeyType
from wizard.material.keys import private_pem
from wizard.material.register import (
    ATTRIBUTES,
    REASONS,
    UNKNOWN,
    Issued,
    one_line,
    read_register,
    write_register,
)
from wizard.material.subject import Subject

NOW = datetime.now(UTC).replace(microsecond=0)
KEY = key_of(KeyType.ECDSA_P256, "leaf")
CONFIGURATION = """\
[ca]
default_ca = ours
[ours]
database = index.txt
serial = serial
crlnumber = crlnumber
certificate = ca.crt
private_key = ca.key
new_certs_dir = .
default_md = sha256
default_days = 30
default_crl_days = 30
policy = any
copy_extensions = none
[any]
commonName = optional
"""


class Folder:
    """An authority as `openssl ca` finds it; it is asked inside the folder."""

    def __init__(self, path: Path) -> None:
        path.mkdir(parents=True, exist_ok=True)
        self.path = path
        self.authority: Authority = one_tier(KeyType.ECDSA_P256, NOW)
        (path / "ca.crt").write_bytes(certificate_pem(self.authority.certificate))
        (path / "ca.key").write_bytes(private_pem(self.authority.key))
        for name, text in (("serial", "1001\n"), ("crlnumber", "01\n"), ("ca.cnf", CONFIGURATION)):
            (path / name).write_text(text)
        (path / "index.txt.attr").write_bytes(ATTRIBUTES)
        self.write()

    def write(self, *entries: Issued) -> None:
        (self.path / "index.txt").write_bytes(write_register(entries))

    @property
    def data(self) -> bytes:
        return (self.path / "index.txt").read_bytes()

    @property
    def entries(self) -> tuple[Issued, ...]:
        return read_register(self.data)

    def ca(self, *arguments: str) -> str:
        """What `openssl ca` says; it must be content."""
        done = self._run(*arguments)
        assert done.returncode == 0, done.stdout
        return done.stdout

    def status(self, serial: str) -> str:
        """What `openssl ca -status` says, which always ends with an error."""
        return self._run("-status", serial).stdout

    def _run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["openssl", "ca", "-config", "ca.cnf", *arguments],
            cwd=self.path,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="latin-1",  # it shows subjects as they come
            check=False,
            timeout=60,
        )


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "authority")


def entry(
    serial: int,
    subject: str = "/CN=a",
    days: int = 397,
    *,
    file: str = UNKNOWN,
    revoked: datetime | None = None,
    reason: str = "",
) -> Issued:
    return Issued(serial, subject, NOW + timedelta(days=days), file, revoked, reason)


# OpenSSL reads what we write --------------------------------------------------------------------------------


def test_openssl_knows_what_is_valid_revoked_and_expired(folder: Folder) -> None:
    names = ("Zürich", "東京", "a/b+c", "rpc.user.1")
    public_key = KEY.public_key()
    issued = [folder.authority.issue_client(public_key, Subject(name), 397, NOW) for name in names]
    zurich, tokyo, odd, client = (Issued.of(one, f"/srv/tls/{n}.crt") for n, one in enumerate(issued))
    assert zurich.subject == r"/CN=Z\xC3\xBCrich"
    revoked = Issued(
        tokyo.serial, tokyo.subject, tokyo.until, tokyo.file, NOW - timedelta(days=2), "keyCompromise"
    )
    old = entry(7, odd.subject, days=-1)
    folder.write(zurich, revoked, old, client)
    written = folder.data

    assert f"{zurich.serial:X}=Valid (V)" in folder.status(f"{zurich.serial:X}")
    assert f"{revoked.serial:X}=Revoked (R)" in folder.status(f"{revoked.serial:x}")
    assert "07=Valid (V)" in folder.status("07")
    assert folder.data == written

    folder.ca("-updatedb")
    assert "07=Expired (E)" in folder.status("07")
    assert folder.entries == (zurich, revoked, replace(old, expired=True), client)
    assert write_register(folder.entries) == folder.data


def test_the_revocation_list_that_openssl_makes_of_it(folder: Folder) -> None:
    taken_back = NOW - timedelta(days=2)
    folder.write(
        entry(1),
        entry(2, revoked=taken_back, reason="keyCompromise"),
        entry(3, revoked=taken_back),
        entry(4, days=-3, revoked=taken_back, reason="superseded"),
        entry(2**159 - 1, days=10_000, revoked=taken_back, reason="cACompromise"),
    )
    folder.ca("-gencrl", "-out", "crl.pem")
    listed = x509.load_pem_x509_crl((folder.path / "crl.pem").read_bytes())
    assert [one.serial_number for one in listed] == [2, 3, 4, 2**159 - 1]
    assert {one.revocation_date_utc for one in listed} == {taken_back}
    reasons = [[extension.value for extension in one.extensions] for one in listed]
    assert reasons == [
        [x509.CRLReason(x509.ReasonFlags.key_compromise)],
        [],
        [x509.CRLReason(x509.ReasonFlags.superseded)],
        [x509.CRLReason(x509.ReasonFlags.ca_compromise)],
    ]


def test_an_end_after_2049_is_not_taken_for_the_past(folder: Folder) -> None:
    folder.write(entry(1, days=36_500), entry(2, days=3), entry(3, days=-3))
    assert b"V\t21" in folder.data
    folder.ca("-updatedb")
    assert [one.expired for one in folder.entries] == [False, False, True]


def test_a_renewal_for_the_same_subject_stands_beside_what_it_renews(folder: Folder) -> None:
    folder.write(entry(1), entry(2))
    assert "02=Valid (V)" in folder.status("02")
    (folder.path / "index.txt.attr").unlink()
    assert "creating name index" in folder.status("02")


# We read what OpenSSL writes, and write the same ------------------------------------------------------------


def request(folder: Folder, subject: x509.Name) -> None:
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
    made = builder.sign(KEY, hashes.SHA256())
    (folder.path / "request.pem").write_bytes(made.public_bytes(Encoding.PEM))


UTF8, BMP, PRINTABLE = _ASN1Type.UTF8String, _ASN1Type.BMPString, _ASN1Type.PrintableString


@pytest.mark.parametrize(
    ("attributes", "subject"),
    [
        ([(NameOID.COMMON_NAME, "hub.example.org", UTF8)], "/CN=hub.example.org"),
        ([(NameOID.COMMON_NAME, "Zürich", UTF8)], r"/CN=Z\xC3\xBCrich"),
        ([(NameOID.COMMON_NAME, "Zürich", BMP)], r"/CN=\x00Z\x00\xFC\x00r\x00i\x00c\x00h"),
        ([(NameOID.COMMON_NAME, r"a/b+c\d=e, ~", UTF8)], r"/CN=a\/b\+c\d=e, ~"),
        ([(NameOID.COMMON_NAME, "\t\n\x00\x7f\\", UTF8)], "/CN=" + r"\x09\x0A\x00\x7F" + "\\"),
        ([(NameOID.COUNTRY_NAME, "CH", PRINTABLE), (NameOID.COMMON_NAME, "a", UTF8)], "/C=CH/CN=a"),
        ([(NameOID.EMAIL_ADDRESS, "a@example.org", _ASN1Type.IA5String)], "/emailAddress=a@example.org"),
        ([(ObjectIdentifier("1.2.3.4.5"), "a", UTF8)], "/1.2.3.4.5=a"),
        *(
            ([(getattr(NameOID, name), "CH", PRINTABLE)], f"/{short}=CH")
            for name, short in (
                ("SURNAME", "SN"),
                ("GIVEN_NAME", "GN"),
                ("SERIAL_NUMBER", "serialNumber"),
                ("LOCALITY_NAME", "L"),
                ("STATE_OR_PROVINCE_NAME", "ST"),
                ("STREET_ADDRESS", "street"),
                ("ORGANIZATION_NAME", "O"),
                ("ORGANIZATIONAL_UNIT_NAME", "OU"),
                ("TITLE", "title"),
                ("BUSINESS_CATEGORY", "businessCategory"),
                ("POSTAL_CODE", "postalCode"),
                ("INITIALS", "initials"),
                ("GENERATION_QUALIFIER", "generationQualifier"),
                ("DN_QUALIFIER", "dnQualifier"),
                ("PSEUDONYM", "pseudonym"),
                ("ORGANIZATION_IDENTIFIER", "organizationIdentifier"),
                ("USER_ID", "UID"),
                ("DOMAIN_COMPONENT", "DC"),
                ("UNSTRUCTURED_NAME", "unstructuredName"),
            )
        ),
    ],
)
def test_the_line_is_the_one_that_openssl_writes_for_the_same_certificate(
    folder: Folder, attributes: list[tuple[ObjectIdentifier, str, _ASN1Type]], subject: str
) -> None:
    name = x509.Name([x509.NameAttribute(oid, text, kind, _validate=False) for oid, text, kind in attributes])
    assert one_line(name) == subject
    request(folder, name)
    folder.ca("-batch", "-notext", "-preserveDN", "-in", "request.pem", "-out", "new.crt")
    (certificate,) = read_certificates_pem((folder.path / "new.crt").read_bytes())
    assert folder.data == write_register([Issued.of(certificate, UNKNOWN)])
    assert folder.entries == (Issued.of(certificate, UNKNOWN),)


def test_a_part_of_a_subject_may_have_two_attributes() -> None:
    both = [x509.NameAttribute(NameOID.COMMON_NAME, "a"), x509.NameAttribute(NameOID.USER_ID, "b")]
    subject = x509.Name([x509.RelativeDistinguishedName(both), x509.RelativeDistinguishedName(both[:1])])
    made = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(KEY, hashes.SHA256())
    pem = made.public_bytes(Encoding.PEM)
    shown = run("openssl", "req", "-noout", "-subject", "-nameopt", "compat", data=pem).stdout
    assert shown.strip() == f"subject={one_line(x509.load_pem_x509_csr(pem).subject)}"
    assert "+" in shown


def test_what_openssl_takes_back_is_read_with_its_reason(folder: Folder) -> None:
    leaf = folder.authority.issue_server(KEY.public_key(), Subject(HOST), NAMES, 397, NOW)
    (folder.path / "leaf.crt").write_bytes(certificate_pem(leaf))
    folder.write(Issued.of(leaf, str(folder.path / "leaf.crt")))
    folder.ca("-revoke", "leaf.crt", "-crl_reason", "superseded")
    (read,) = folder.entries
    assert read.reason == "superseded"
    assert read.revoked is not None
    assert abs(read.revoked - datetime.now(UTC)) < timedelta(minutes=2)
    assert write_register([read]) == folder.data


# Round trips ------------------------------------------------------------------------------------------------

times = st.datetimes(datetime(1950, 1, 1), datetime(9999, 12, 31, 23, 59, 59), timezones=st.just(UTC)).map(
    lambda when: when.replace(microsecond=0)
)
printable = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=80)
paths = st.text(st.characters(exclude_characters="\0"), min_size=1, max_size=60)
parts = (st.integers(0, 2**160 - 1), printable, times, paths)
# OpenSSL 3 knows no revocation after 2049.
revocations = times.map(lambda when: when.replace(year=1950 + when.year % 100, day=min(when.day, 28)))
revoked = st.builds(Issued, *parts, revoked=revocations, reason=st.sampled_from(("", *REASONS[:-3])))
entries = st.builds(Issued, *parts, expired=st.booleans()) | revoked
registers = st.lists(entries, max_size=12, unique_by=lambda one: one.serial)


@given(registers)
def test_what_is_written_is_read_again_and_written_the_same(written: list[Issued]) -> None:
    data = write_register(written)
    read = read_register(data)
    assert write_register(read) == data
    assert read == tuple(
        there if there.file == one.file else replace(one, file=UNKNOWN)
        for one, there in zip(written, read, strict=True)
    )


@settings(max_examples=15)
@given(registers)
def test_openssl_takes_whatever_is_written(
    tmp_path_factory: pytest.TempPathFactory, written: list[Issued]
) -> None:
    folder = Folder(tmp_path_factory.mktemp("authority"))
    folder.write(*written)
    for one in written[:2]:
        status = "R" if one.revoked else "E" if one.expired else "V"
        assert f"({status})" in folder.status(f"{one.serial:040X}"[-40:])
    folder.ca("-updatedb")
    again = folder.entries
    assert [one.serial for one in again] == [one.serial for one in written]
    due = [one.until < NOW - timedelta(minutes=1) and one.revoked is None for one in written]
    assert [one.expired for one in again] == [
        old.expired or now for old, now in zip(written, due, strict=True)
    ]
    assert write_register(again) == folder.data


@example("", "\N{MUSICAL SYMBOL G CLEF}" * 17, 0, [NameOID.COMMON_NAME] * 2)  # longer than it may be
@given(
    st.text(max_size=30),
    st.text(max_size=30),
    st.integers(0, 2**160 - 1),
    st.lists(st.sampled_from([NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME]), max_size=3),
)
def test_any_name_becomes_one_printable_line(
    one: str, two: str, serial: int, oids: list[ObjectIdentifier]
) -> None:
    texts = [text.encode(errors="ignore").decode() or "a" for text in (one, two, "é/+\\")]
    with tolerance():
        parts = [
            x509.NameAttribute(oid, text, UTF8, _validate=False)
            for oid, text in zip(oids, texts, strict=False)
        ]
    line = one_line(x509.Name(parts))
    assert line.isascii()
    assert line.isprintable() or not line
    (read,) = read_register(write_register([Issued(serial, line, NOW, "x")]))
    assert (read.subject, read.serial) == (line, serial)


@pytest.mark.parametrize("file", ["", "a\tb", "a\nb", "a\0b", "ends\\", "\ud800"])
def test_a_file_whose_name_cannot_be_written_is_unknown(file: str) -> None:
    assert read_register(write_register([entry(1, file=file)])) == (entry(1),)


@pytest.mark.parametrize(
    "file", ["/srv/a b/ä.crt", "/srv/\udcff\x1b[31m", "a\\b", "a\rb\x0b\x85\u2028c", "#"]
)
def test_any_other_name_of_a_file_is_kept(folder: Folder, file: str) -> None:
    folder.write(entry(1, file=file))
    assert folder.entries == (entry(1, file=file),)
    assert "01=Valid (V)" in folder.status("01")


def test_the_years_on_both_sides_of_2050() -> None:
    last, first = datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC), datetime(2050, 1, 1, tzinfo=UTC)
    written = write_register([Issued(1, "", last, "a"), Issued(2, "", first, "b")])
    assert written == b"V\t491231235959Z\t\t01\ta\t\nV\t20500101000000Z\t\t02\tb\t\n"
    assert [one.until for one in read_register(written)] == [last, first]
    old = read_register(b"V\t500101000000Z\t\t01\ta\t\n")
    assert old[0].until == datetime(1950, 1, 1, tzinfo=UTC)


def test_times_are_written_in_utc() -> None:
    east = datetime(2030, 1, 1, 1, 30, tzinfo=timezone(timedelta(hours=2)))
    assert write_register([Issued(1, "", east, "a")]).startswith(b"V\t291231233000Z\t")


def test_serial_numbers_have_an_even_number_of_digits() -> None:
    lines = write_register([entry(serial) for serial in (0, 1, 0xABC, -1, 2**159)]).splitlines()
    assert [line.split(b"\t")[3] for line in lines] == [b"00", b"01", b"0ABC", b"-01", b"80" + b"00" * 19]


def test_an_empty_register_is_an_empty_file() -> None:
    assert write_register([]) == b""
    assert read_register(b"") == ()


def test_comments_are_passed_over_and_count_as_lines() -> None:
    good = write_register([entry(1)])
    assert read_register(b"# ours\n" + good) == (entry(1),)
    with pytest.raises(MaterialError, match="line 3"):
        read_register(b"# ours\n" + good + b"x\n")


# Damage -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"\n", "it has 1 fields"),
        (b"V\t301231235959Z\t\t01\tunknown\n", "it has 5 fields"),
        (b"V\t301231235959Z\t\t01\tunknown\t/CN=a\tb\n", "it has 7 fields"),
        (b"V\t301231235959Z\t\t01\ta\\\t/CN=a\n", "it has 5 fields"),
        (b"V\t301231235959Z\t251231235959Z\t01\tunknown\t/CN=a\n", "not marked R"),
        (b"R\t301231235959Z\t\t01\tunknown\t/CN=a\n", "not marked R"),
        (b"R\t301231235959Z\t251231235959Z,why\t01\tunknown\t/CN=a\n", "reason of revocation is unknown"),
        (b"R\t301231235959Z\t251231235959Z,\t01\tunknown\t/CN=a\n", "reason of revocation is unknown"),
        (b"R\t301231235959Z\t,superseded\t01\tunknown\t/CN=a\n", "a time is not of the form"),
        (b"V\t\t\t01\tunknown\t/CN=a\n", "a time is not of the form"),
        (b"V\t301331235959Z\t\t01\tunknown\t/CN=a\n", "not in the calendar"),
        (b"V\t301231235959Z\t\t1\tunknown\t/CN=a\n", "an even number"),
        (b"V\t301231235959Z\t\t\tunknown\t/CN=a\n", "an even number"),
        (b"V\t301231235959Z\t\t0x\tunknown\t/CN=a\n", "an even number"),
        (b"V\t301231235959Z\t\t0063\tunknown\t/CN=a\n", "serial number 63 is there twice"),
    ],
)
def test_damage_is_named_with_its_line_where_openssl_stops_too(folder: Folder, line: bytes, why: str) -> None:
    damaged = write_register([entry(0x63)]) + line
    with pytest.raises(MaterialError, match=rf"damaged in line 2: .*{why}.*backup\.$"):
        read_register(damaged)
    (folder.path / "index.txt").write_bytes(damaged)
    with pytest.raises(AssertionError):
        folder.ca("-gencrl")


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"X\t301231235959Z\t\t01\tunknown\t/CN=a\n", "neither V, R nor E"),
        (b"V\t301231235959Z\t\t01\tun\0known\t/CN=a\n", "a null byte"),
        (b"V\t00000101000000Z\t\t01\tunknown\t/CN=a\n", "not in the calendar"),
        (b"V\t3012312359Z\t\t01\tunknown\t/CN=a\n", "a time is not of the form"),
        (b"V\t301231235959Z\t\t02\tunknown\t/CN=a", "breaks off"),
    ],
)
def test_damage_that_openssl_passes_over_is_named(line: bytes, why: str) -> None:
    with pytest.raises(MaterialError, match=rf"damaged in line 2: .*{why}.*backup\.$"):
        read_register(write_register([entry(0x63)]) + line)


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ([entry(1), entry(1)], "Two certificates have the serial number 01"),
        ([entry(1, "/CN=a\tb")], "with a tab"),
        ([entry(1, "/CN=a\n")], "with a tab"),
        ([entry(1, revoked=NOW, reason="privilegeWithdrawn")], "does not know the reason"),
        ([entry(1, revoked=NOW, reason="superseded,\t")], "does not know the reason"),
    ],
)
def test_what_openssl_could_not_read_is_not_written(wrong: list[Issued], why: str) -> None:
    with pytest.raises(MaterialError, match=why):
        write_register(wrong)
