"""Names as people type them, with what becomes of them."""

from __future__ import annotations

import re
import subprocess
import sys
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wizard.material import MaterialError
from wizard.material.names import cautions, check_common_name, read_name


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("signer", "signer"),
        ("  Hub.Example.ORG ", "hub.example.org"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("例え.jp", "xn--r8jz45g.jp"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("*.example.org", "*.example.org"),
        ("a" * 63 + ".example", "a" * 63 + ".example"),
        ("127.0.0.1", ip_address("127.0.0.1")),
        ("::1", ip_address("::1")),
        ("[2001:DB8::7]", ip_address("2001:db8::7")),
    ],
)
def test_names_and_addresses_are_read(typed: str, name: object) -> None:
    assert read_name(typed) == name


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("", "is empty"),
        ("https://hub.example.org", "leave https:// out"),
        ("hub.example.org/path", "without a slash"),
        ("10.0.0.0/8", "without a slash"),
        ("hub.example.org:50051", "leave the port out"),
        ("127.0.0.1:443", "leave the port out"),
        ("[::1]:443", "leave the port out"),
        ("hub example", "no blanks"),
        ("hub.example.org.", "leave the final dot out"),
        ("hub..example", "remove one dot"),
        (".example", "remove one dot"),
        ("a" * 64 + ".example", "at most 63 characters"),
        ("ü" * 60 + ".example", "cannot be part of a host name"),
        (".".join(["a" * 60] * 5), "at most 253"),
        ("-hub.example", "hyphen"),
        ("my_hub", "_ cannot be in a host name"),
        ("hub.*.org", "wildcard must be the whole first part"),
        ("hub*.example.org", "wildcard must be the whole first part"),
        ("*", "wildcard must be the whole first part"),
        ("*.*.org", "wildcard must be the whole first part"),
        ("300.1.1.1", "looks like an IP address"),
        ("::g", "not an IPv6 address"),
        ("fe80::1%eth0", "leave % and what follows it out"),
        ("0.0.0.0", "means every address of this machine"),
        ("straße.example", "give its xn-- form"),
    ],
)
def test_what_is_no_name_is_refused_with_what_to_change(typed: str, words: str) -> None:
    with pytest.raises(MaterialError, match=re.escape(words)):
        read_name(typed)


@given(st.text(max_size=80))
def test_any_text_is_either_a_name_that_reads_as_itself_or_a_sentence(text: str) -> None:
    try:
        name = read_name(text)
    except MaterialError as refusal:
        assert str(refusal)
    else:
        assert str(name).isascii()
        assert read_name(str(name)) == name


def test_wildcards_come_with_a_caution_and_plain_names_without() -> None:
    assert "every name under com" in cautions(read_name("*.com"))[0]
    assert "one level only" in cautions(read_name("*.example.org"))[0]
    assert cautions(read_name("hub.example.org")) == ()
    assert cautions(read_name("127.0.0.1")) == ()


def test_a_common_name_has_1_to_64_visible_characters() -> None:
    assert check_common_name("x" * 64) is None
    assert check_common_name("Hub am Fluß") is None
    assert "65 characters" in (check_common_name("x" * 65) or "")
    assert "is empty" in (check_common_name(" ") or "")
    for invisible in ("hub\x00", "hub\x1b[31m", "hub\n", "hub\u202e", "hub\udc80"):
        assert "invisible character" in (check_common_name(invisible) or "")


def test_what_is_asked_on_every_keystroke_loads_no_library_for_certificates() -> None:
    modules = ", ".join(
        f"wizard.{name}"
        for name in (
            "material.names",
            "material.key_types",
            "material.subject",
            "material.passphrases",
            "secret",
        )
    )
    script = f"import sys, {modules}; sys.exit('cryptography' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False, timeout=60).returncode == 0
