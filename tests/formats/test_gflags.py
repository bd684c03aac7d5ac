"""How argument words become flags, after ParseNewCommandLineFlags in gflags src/gflags.cc."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from wizard.formats.gflags import Setting, end_of_flags, read_flags

BOOLEANS = {"useHttpsIRI"}


@dataclass(frozen=True)
class Word:
    text: str
    known: bool = True


def words(line: str) -> list[Word]:
    return [Word(text.removesuffix("…"), not text.endswith("…")) for text in line.split()]


def read(line: str) -> list[tuple[str, str | None]]:
    return [(setting.name, setting.value) for setting in read_flags(words(line), BOOLEANS)]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("--db hub", [("db", "hub")]),
        ("-db hub", [("db", "hub")]),
        ("--db=hub", [("db", "hub")]),
        ("-db=a=b", [("db", "a=b")]),
        ("--db=", [("db", "")]),
        ("--log-dir /x --log_dir /y", [("log_dir", "/x"), ("log_dir", "/y")]),
        ("--sslcert x", [("sslcert", "x")]),
        ("--sslCert --sslKey k", [("sslCert", "--sslKey")]),
        ("--sslCert -- --sslKey k", [("sslCert", "--"), ("sslKey", "k")]),
        ("stray - --db hub more", [("db", "hub")]),
        ("--db a -- --db b", [("db", "a")]),
        ("--useHttpsIRI true --db hub", [("useHttpsIRI", "true"), ("db", "hub")]),
        ("--useHttpsIRI=false", [("useHttpsIRI", "false")]),
        ("--nouseHttpsIRI --db hub", [("useHttpsIRI", "false"), ("db", "hub")]),
        ("--node x", [("node", "x")]),
        ("--help --db hub", [("help", "true"), ("db", "hub")]),
        ("--db", [("db", None)]),
        ("", []),
        ("--db $X… --salt=… …", [("db", None), ("salt", None)]),
        ("--sal… --db hub", [("db", "hub")]),
    ],
)
def test_words_are_read_as_gflags_does(line: str, expected: list[tuple[str, str | None]]) -> None:
    assert read(line) == expected


def test_a_setting_knows_its_words() -> None:
    assert read_flags(words("x --db hub -salt=s --useHttpsIRI --depth"), BOOLEANS) == [
        Setting("db", "hub", 1, 2),
        Setting("salt", "s", 3, 3, attached=True),
        Setting("useHttpsIRI", "true", 4, 4, bare=True),
        Setting("depth", None, 5, 5, bare=True),
    ]


@pytest.mark.parametrize(
    ("line", "end"), [("a --db b", 3), ("--db -- x", 3), ("--db b x -- --y", 3), ("--", 0)]
)
def test_two_dashes_end_the_flags_unless_a_flag_takes_them(line: str, end: int) -> None:
    assert end_of_flags(words(line), BOOLEANS) == end
