"""Addresses that begin with https://, as people paste them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wizard.address import Address, reached_at


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://api.example.com", "https://api.example.com/"),
        (" HTTPS://API.example.com:443/v1/status ", "https://api.example.com/v1/status"),
        ("https://api.example.com:8443/a b".replace(" ", "%20"), "https://api.example.com:8443/a%20b"),
        ("https://[::1]:8443/x", "https://[::1]:8443/x"),
        ("https://10.0.0.5/", "https://10.0.0.5/"),
        ("https://bücher.example/ü", "https://xn--bcher-kva.example/%C3%BC"),
    ],
)
def test_an_address_is_read_and_shown(text: str, shown: str) -> None:
    address = Address.parse(text)
    assert str(address) == shown
    assert Address.parse(shown) == address


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("api.example.com:8443", "Give the whole address"),
        ("https://", "Give the whole address"),
        ("http://api.example.com/", "without TLS"),
        ("ftp://api.example.com/", "begins with https://"),
        ("https://*.example.com/", "stands for many names"),
        ("https://0.0.0.0/", "every address of this machine"),
        ("https://h:99999/", "a port from 1 to 65535"),
        ("https://h:0/", "0 is not a port"),
        ("https://[::1/", "IPv6 address in brackets"),
        ("https://a b/", "blank or a control character"),
        ("https://a/\r\nHost: b", "blank or a control character"),
    ],
)
def test_what_is_none_is_refused_with_what_to_change(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Address.parse(text)


@pytest.mark.parametrize(
    "text", ["https://jake:s3cret@h/", "https://h/?key=s3cret", "https://h/#s3cret", "https://h/x?s3cret"]
)
def test_what_may_be_secret_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(ValueError, match=r"(?i)leave") as refused:
        Address.parse(text)
    assert "s3cret" not in str(refused.value)


@given(st.text().map("https://{}".format) | st.text())
def test_anything_is_read_or_refused_with_a_sentence(text: str) -> None:
    try:
        address = Address.parse(text)
    except ValueError as refused:
        assert str(refused)
    else:
        assert Address.parse(str(address)) == address
        assert str(address).isascii()
        assert not any(map(str.isspace, str(address)))


@pytest.mark.parametrize(
    ("listens", "reached"),
    [
        ("0.0.0.0", "127.0.0.1"),
        ("*", "127.0.0.1"),
        ("::", "::1"),
        ("::ffff:0.0.0.0", "127.0.0.1"),
        ("::ffff:127.0.0.1", "127.0.0.1"),
        ("10.0.0.5", "10.0.0.5"),
        ("fd00::5", "fd00::5"),
        ("hub.example.com", "hub.example.com"),
    ],
)
def test_what_listens_on_every_address_is_reached_by_loopback(listens: str, reached: str) -> None:
    assert reached_at(listens) == reached
