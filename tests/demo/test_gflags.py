"""Command lines as gflags reads them."""

from __future__ import annotations

from pathlib import Path

import pytest

from wizard.demo.gflags import FlagErrors, Value, parse

DEFAULTS: dict[str, Value] = {
    "sslCert": "/dev/null",
    "sslKey": "/dev/null",
    "dbPort": 3306,
    "useHttpsIRI": False,
}


def given(*words: str) -> dict[str, Value]:
    """The flags that differ from their defaults."""
    values = parse(words, DEFAULTS)
    return {name: value for name, value in values.items() if value != {**DEFAULTS, "flagfile": ""}[name]}


@pytest.mark.parametrize(
    ("words", "flags"),
    [
        (["--sslCert", "a"], {"sslCert": "a"}),
        (["-sslCert", "a"], {"sslCert": "a"}),
        (["--sslCert=a"], {"sslCert": "a"}),
        (["-sslCert=a=b"], {"sslCert": "a=b"}),
        (["--sslCert="], {"sslCert": ""}),
        (["--sslCert", "a", "--sslCert=b"], {"sslCert": "b"}),
        (["--sslCert", "--sslKey", "k"], {"sslCert": "--sslKey"}),
        (["--useHttpsIRI", "true"], {"useHttpsIRI": True}),
        (["--useHttpsIRI", "--dbPort", "1"], {"useHttpsIRI": True, "dbPort": 1}),
        (["--useHttpsIRI=YES"], {"useHttpsIRI": True}),
        (["--useHttpsIRI", "--nouseHttpsIRI"], {}),
        (["stray", "-", "--dbPort", "1"], {"dbPort": 1}),
        (["--", "--unknown"], {}),
    ],
)
def test_flags_are_read_in_every_spelling(words: list[str], flags: dict[str, Value]) -> None:
    assert given(*words) == flags


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["--sslDH", "x"], "ERROR: unknown command line flag 'sslDH'"),
        (["--sslcert=x"], "ERROR: unknown command line flag 'sslcert'"),
        (["--ssl-cert", "x"], "ERROR: unknown command line flag 'ssl-cert'"),
        (["--sslCert"], "ERROR: flag '--sslCert' is missing its argument"),
        (["--nosslCert"], "ERROR: boolean value (nosslCert) specified for string command line flag"),
        (["--dbPort", "many"], "ERROR: illegal value 'many' specified for uint32 flag 'dbPort'"),
        (["--useHttpsIRI=maybe"], "ERROR: illegal value 'maybe' specified for bool flag 'useHttpsIRI'"),
        (
            ["--b", "x", "--a"],
            "ERROR: unknown command line flag 'a'\nERROR: unknown command line flag 'b'",
        ),
    ],
)
def test_errors_are_worded_as_gflags_words_them(words: list[str], error: str) -> None:
    with pytest.raises(FlagErrors) as caught:
        given(*words)
    assert str(caught.value) == error


def test_a_flag_file_counts_where_it_stands_and_hides_its_own_mistakes(tmp_path: Path) -> None:
    file = tmp_path / "flags"
    file.write_text("# comment\n\n--sslCert=from-file\r\n--unknown=1\n--sslKey\n--useHttpsIRI\n")
    assert given("--sslCert", "before", f"--flagfile={file}")["sslCert"] == "from-file"
    flags = given(f"--flagfile={file}", "--sslCert", "after")
    assert flags["sslCert"] == "after"
    assert flags["useHttpsIRI"] is True
    assert "sslKey" not in flags
    with pytest.raises(FlagErrors, match="missing: No such file or directory"):
        given("--flagfile", str(tmp_path / "missing"))
