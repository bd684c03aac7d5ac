"""A client's side of a TLS handshake: what it presents, and how far it has come.

Python's ssl offers none of it as it is needed: it reads keys from paths only, and does not say whether the
server asked for a certificate; nor what the server sent, where the handshake came to nothing.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import NamedTemporaryFile

# Types of TLS messages: the record's (RFC 8446 B.1), then those of a handshake (RFC 8446 B.3).
_HANDSHAKE = 22
_NEW_SESSION_TICKET = 4
_CERTIFICATE = 11
_CERTIFICATE_REQUEST = 13
_FINISHED = 20

_MISMATCH = ("KEY_VALUES_MISMATCH", "KEY_TYPE_MISMATCH", "NO_CERTIFICATE_ASSIGNED")
"""What OpenSSL says of a key that is not the certificate's: of the same kind, or of another."""


def present(context: ssl.SSLContext, chain: bytes, key: bytes) -> str:
    """Let the context present a chain, leaf first, with its key; both are PEM, and the key is not encrypted.

    Returns why that cannot be done, to stand in a sentence; else an empty text.
    """
    try:
        with _readable(chain) as chain_path, _readable(key) as key_path:
            # An empty passphrase, or OpenSSL would ask for one on the terminal.
            context.load_cert_chain(chain_path, key_path, password="")
    except ssl.SSLError as error:
        if error.reason in _MISMATCH:
            return "the private key does not belong to the first certificate"
        why = f" ({error.reason})" if error.reason else ""
        return f"the certificate or the private key is damaged or too weak, or the key has a passphrase{why}"
    except OSError as error:
        return f"the system does not let it be read ({error.strerror})"
    return ""


@contextmanager
def _readable(data: bytes) -> Iterator[str]:
    """A path that reads as `data` for a while. It leads into memory.

    Only where the system has no files in memory, it is a private one on the disk, removed at once.
    """
    in_memory = hasattr(os, "memfd_create")
    with os.fdopen(os.memfd_create("identity"), "wb") if in_memory else NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        yield f"/proc/self/fd/{file.fileno()}" if in_memory else file.name


class Course:
    """How far the handshakes of a context have come, by what the server says (RFC 8446 4, RFC 5246 7.4)."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._asked = False
        self._admitted = False
        self.sent: tuple[bytes, ...] = ()
        """The certificates that the server sent, DER, its own first; also when it then refused the client."""
        # Python's own hook for looking at handshakes, since 3.8. Were it gone, fewer refusals would be
        # recognised, and nothing taken for one that is none.
        context._msg_callback = self._note  # type: ignore[attr-defined]  # private, so typeshed leaves it out

    @property
    def asked(self) -> bool:
        """The server asked for a client certificate, whether or not it insists on one."""
        return self._asked

    @property
    def undecided(self) -> bool:
        """The server asked for a client certificate and has not let the client in yet."""
        return self._asked and not self._admitted

    def _note(
        self, _connection: object, direction: str, version: int, content: int, message: int, data: bytes
    ) -> None:
        if direction != "read" or content != _HANDSHAKE:
            return
        if message == _CERTIFICATE_REQUEST:
            self._asked = True
        elif message == _CERTIFICATE:
            self.sent = tuple(_certificates(data[4:], has_extensions=version >= ssl.TLSVersion.TLSv1_3))
        # A server that asked sends these only once it has taken the client's Finished (RFC 8446 4.6.1).
        elif message == _NEW_SESSION_TICKET or (message == _FINISHED and version < ssl.TLSVersion.TLSv1_3):
            self._admitted = True


def _certificates(body: bytes, *, has_extensions: bool) -> Iterator[bytes]:
    """Those of a Certificate message (RFC 8446 4.4.2, RFC 5246 7.4.2); of a torn one the whole ones."""
    if has_extensions:
        _, body = _vector(body, 1)  # the context of the request, of which a server has none
    listed, _ = _vector(body, 3)
    while listed:
        certificate, listed = _vector(listed, 3)
        if has_extensions:
            _, listed = _vector(listed, 2)
        if certificate:
            yield certificate


def _vector(data: bytes, width: int) -> tuple[bytes, bytes]:
    """A vector whose length stands in `width` bytes before it (RFC 8446 3.4), and what follows."""
    end = width + int.from_bytes(data[:width], "big")
    return (data[width:end], data[end:]) if end <= len(data) else (b"", b"")
