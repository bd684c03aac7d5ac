"""A TLS connection between two contexts, in memory: real handshakes without sockets and threads."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from cryptography import x509

from wizard.material.certificates import certificate_pem
from wizard.material.keys import PrivateKey, private_pem


def present(context: ssl.SSLContext, chain: tuple[x509.Certificate, ...], key: PrivateKey) -> ssl.SSLContext:
    """Let a context present a certificate chain, leaf first."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "both.pem"
        file.write_bytes(private_pem(key) + b"".join(map(certificate_pem, chain)))
        context.load_cert_chain(file)
    return context


def client(anchor: x509.Certificate, *, strict: bool = True) -> ssl.SSLContext:
    """A client as Python 3.13 makes it by default, or without its strictness, as Python 3.12 does."""
    context = ssl.create_default_context(cadata=certificate_pem(anchor).decode())
    return _strict(context) if strict else _lenient(context)


def server(anchor: x509.Certificate | None = None, *, strict: bool = True) -> ssl.SSLContext:
    """A server; with an anchor it demands a client certificate under that."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if anchor is not None:
        context.load_verify_locations(cadata=certificate_pem(anchor).decode())
        context.verify_mode = ssl.CERT_REQUIRED
    return _strict(context) if strict else _lenient(context)


def _strict(context: ssl.SSLContext) -> ssl.SSLContext:
    context.verify_flags |= ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN
    context.hostname_checks_common_name = False
    return context


def _lenient(context: ssl.SSLContext) -> ssl.SSLContext:
    context.verify_flags &= ~(ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN)
    return context


def connect(
    client: ssl.SSLContext,
    server: ssl.SSLContext,
    name: str,
    version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3,
) -> None:
    """Shake hands at one protocol version and send a byte each way; raises ssl.SSLError when one refuses."""
    client.minimum_version = client.maximum_version = version
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = client.wrap_bio(to_client, to_server, server_hostname=name)
    theirs = server.wrap_bio(to_server, to_client, server_side=True)
    # TLS 1.3 tells a client only at its first read that its certificate is refused.
    steps: list[Callable[[], object]] = [ours.do_handshake, theirs.do_handshake]
    _together(steps)
    theirs.write(b"s")
    ours.write(b"c")
    assert (ours.read(1), theirs.read(1)) == (b"s", b"c")


def _together(steps: list[Callable[[], object]]) -> None:
    """Take steps in turn until each is through."""
    for _ in range(20):
        for step in tuple(steps):
            try:
                step()
            except ssl.SSLWantReadError:
                continue
            steps.remove(step)
        if not steps:
            return
    raise AssertionError("the handshake does not end")
