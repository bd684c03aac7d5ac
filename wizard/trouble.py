"""What can stand in the way of a connection, each with a sentence for a newcomer."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from enum import Enum, auto


class Kind(Enum):
    """What can stand in the way of a connection."""

    NOT_LISTENING = auto()
    UNREACHABLE = auto()
    TIMEOUT = auto()
    SILENT = auto()
    CLOSED = auto()
    PLAIN_HTTP = auto()
    NOT_TLS = auto()
    NOT_HTTP = auto()
    TLS_ONLY = auto()
    SELF_SIGNED = auto()
    UNKNOWN_AUTHORITY = auto()
    NAME = auto()
    EXPIRED = auto()
    NOT_YET_VALID = auto()
    PURPOSE = auto()
    STRICT = auto()
    CERTIFICATE = auto()
    VERSION = auto()
    CLIENT_CERTIFICATE = auto()
    HANDSHAKE = auto()
    IDENTITY = auto()
    UNTRIED = auto()


_SENTENCES = {
    Kind.NOT_LISTENING: "Nothing listens at {at}. Start the service, and check the port.",
    Kind.UNREACHABLE: "{at} cannot be reached: {detail}. Check the name and the network.",
    Kind.TIMEOUT: "{at} did not answer in time. A firewall may drop the connection.",
    Kind.SILENT: "{at} takes the connection, but then says nothing: it may not be a TLS service.",
    Kind.CLOSED: "{at} closed the connection without a word: it may not be a TLS service, or it failed.",
    Kind.PLAIN_HTTP: "{at} speaks plain HTTP, not TLS. TLS is not switched on there.",
    Kind.NOT_TLS: "{at} answers something that is not TLS. Check that this is the right port.",
    Kind.NOT_HTTP: "{at} answers something that is not HTTP.",
    Kind.TLS_ONLY: "{at} refuses plain HTTP with a TLS alert.",
    Kind.SELF_SIGNED: "The certificate is self-signed, and not the one that this client trusts.",
    Kind.UNKNOWN_AUTHORITY: "The certificate comes from an authority that this client does not trust, "
    "or the server does not send the certificates between.",
    Kind.NAME: "The certificate is not valid for the name {name}.",
    Kind.EXPIRED: "The certificate has expired, or this machine's clock is ahead.",
    Kind.NOT_YET_VALID: "The certificate is not valid yet, or this machine's clock is behind.",
    Kind.PURPOSE: "The certificate was not made for servers: its extended key usage says otherwise.",
    Kind.STRICT: "Strict clients, such as Python 3.13 and later, refuse the certificate: {detail}.",
    Kind.CERTIFICATE: "The certificate is refused: {detail}.",
    Kind.VERSION: "The server and this client have no TLS version in common.",
    Kind.CLIENT_CERTIFICATE: "The server refuses this client for its certificate, or for having none.",
    Kind.HANDSHAKE: "The handshake failed ({detail}): the server may have no certificate, share no cipher "
    "with this client, or want a client certificate.",
    Kind.IDENTITY: "This client has no certificate to present: {detail}.",
    Kind.UNTRIED: "The TLS library of this machine cannot try this ({detail}).",
}


_VERIFY_CODES = {
    2: Kind.UNKNOWN_AUTHORITY,
    9: Kind.NOT_YET_VALID,
    10: Kind.EXPIRED,
    18: Kind.SELF_SIGNED,
    19: Kind.UNKNOWN_AUTHORITY,
    20: Kind.UNKNOWN_AUTHORITY,
    21: Kind.UNKNOWN_AUTHORITY,
    26: Kind.PURPOSE,
    62: Kind.NAME,
    64: Kind.NAME,
    **dict.fromkeys(range(80, 95), Kind.STRICT),
}
"""X509_V_ERR_* of OpenSSL, include/openssl/x509_vfy.h; 80 to 94 occur with X509_STRICT only."""

_REASONS = {
    "UNSUPPORTED_PROTOCOL": Kind.VERSION,
    "TLSV1_ALERT_PROTOCOL_VERSION": Kind.VERSION,
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": Kind.CLIENT_CERTIFICATE,
    "TLSV1_ALERT_UNKNOWN_CA": Kind.CLIENT_CERTIFICATE,
    "SSLV3_ALERT_BAD_CERTIFICATE": Kind.CLIENT_CERTIFICATE,
    "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE": Kind.CLIENT_CERTIFICATE,
    "SSLV3_ALERT_CERTIFICATE_REVOKED": Kind.CLIENT_CERTIFICATE,
    "SSLV3_ALERT_CERTIFICATE_EXPIRED": Kind.CLIENT_CERTIFICATE,
    "SSLV3_ALERT_CERTIFICATE_UNKNOWN": Kind.CLIENT_CERTIFICATE,
    "WRONG_VERSION_NUMBER": Kind.NOT_TLS,
    "PACKET_LENGTH_TOO_LONG": Kind.NOT_TLS,
    "RECORD_LAYER_FAILURE": Kind.NOT_TLS,
    "NO_PROTOCOLS_AVAILABLE": Kind.UNTRIED,
    "NO_CIPHERS_AVAILABLE": Kind.UNTRIED,
}
"""Reasons of OpenSSL's errors, include/openssl/sslerr.h; an alert is what the server said."""

_NOT_FOR_THE_CLIENT = ("TLSV1_ALERT_INTERNAL_ERROR", "TLSV1_ALERT_USER_CANCELLED")
"""Alerts by which a server gives up for reasons of its own."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a connection did not come about, or was of no use."""

    kind: Kind
    sentence: str

    @classmethod
    def of(cls, kind: Kind, at: object, name: str = "", detail: str = "") -> Trouble:
        """Tell of trouble at the endpoint `at`; `detail` is what the system or a library says about it."""
        return cls(kind, _SENTENCES[kind].format(at=at, name=name, detail=detail[:200]))

    @classmethod
    def of_identity(cls, problem: str) -> Trouble:
        """Tell why this client cannot present what it should; the paths of files may be in it in full."""
        return cls(Kind.IDENTITY, _SENTENCES[Kind.IDENTITY].format(detail=problem))

    @classmethod
    def in_handshake(cls, error: OSError, at: object, name: str, *, undecided: bool = False) -> Trouble:
        """Tell what an error during the handshake, or the first read after it, means.

        `undecided`: the server had asked for a client certificate and not let the client in yet.
        """
        if isinstance(error, ssl.SSLCertVerificationError):
            kind = _VERIFY_CODES.get(error.verify_code, Kind.CERTIFICATE)
            return cls.of(kind, at, name, error.verify_message)
        if isinstance(error, TimeoutError):
            return cls.of(Kind.SILENT, at)
        if undecided and _by_the_server(error):
            return cls.of(Kind.CLIENT_CERTIFICATE, at)
        if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError) or not isinstance(error, ssl.SSLError):
            return cls.of(Kind.CLOSED, at)
        reason = error.reason or ""
        return cls.of(_REASONS.get(reason, Kind.HANDSHAKE), at, detail=reason)


def _by_the_server(error: OSError) -> bool:
    """Tell whether the server ended the connection, by any alert that fits a client or without a word.

    What servers say to a client they refuse differs: OpenSSL "handshake failure" where TLS 1.2 misses a
    certificate, GnuTLS "decode error" and "access denied", and gRPC nothing at all.
    """
    if isinstance(error, ConnectionError | ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return True
    reason = error.reason or "" if isinstance(error, ssl.SSLError) else ""
    return "_ALERT_" in reason and reason not in _NOT_FOR_THE_CLIENT
