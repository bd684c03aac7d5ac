"""A Nano node's certificate and its clients', good and bad, and what the node says to each of them.

Certificates that no sensible tool makes are put together here by hand.
"""

from __future__ import annotations

import os
import socket
import ssl
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from wizard.material.certificates import certificate_pem, self_signed_client, self_signed_server
from wizard.material.dh import dh_parameters
from wizard.material.key_types import KeyType
from wizard.material.keys import PrivateKey, generate, private_pem
from wizard.material.names import read_name
from wizard.material.recipes import signature_hash, subject_name, validity_from
from wizard.material.subject import Subject
from wizard.material.subject_hash import subject_hash

IN = ""
NO_CERTIFICATE = "SSLV3_ALERT_HANDSHAKE_FAILURE"
UNKNOWN_CA = "TLSV1_ALERT_UNKNOWN_CA"
UNSUPPORTED = "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE"
EXPIRED = "SSLV3_ALERT_CERTIFICATE_EXPIRED"
BAD = "SSLV3_ALERT_BAD_CERTIFICATE"

CA = x509.BasicConstraints(ca=True, path_length=None)
NO_CA = x509.BasicConstraints(ca=False, path_length=None)

REQUEST = (
    b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    b'Content-Length: 25\r\n\r\n{"action": "block_count"}'
)


def key_usage(*usages: str) -> x509.KeyUsage:
    """A key usage with these bits, by the names of `x509.KeyUsage`."""
    names = "digital_signature content_commitment key_encipherment data_encipherment key_agreement"
    every = [*names.split(), "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"]
    return x509.KeyUsage(**{name: name in usages for name in every})


def purposes(*oids: x509.ObjectIdentifier) -> x509.ExtendedKeyUsage:
    return x509.ExtendedKeyUsage(oids)


@dataclass(frozen=True)
class Party:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: PrivateKey

    @property
    def pem(self) -> bytes:
        return certificate_pem(self.certificate)

    @property
    def key_pem(self) -> bytes:
        return private_pem(self.key)

    @property
    def hash(self) -> str:
        return subject_hash(self.certificate.public_bytes(Encoding.DER))

    def install(self, folder: Path, name: str = "") -> Path:
        """Let it in: write the certificate into the folder, by default under its hash."""
        path = folder / (name or f"{self.hash}.0")
        path.write_bytes(self.pem)
        return path

    def issue(self, name: str, *extensions: x509.ExtensionType) -> Party:
        """A certificate signed by this one's key, whether it may do that or not."""
        return party(name, *extensions, issuer=self)


def party(
    name: str,
    *extensions: x509.ExtensionType,
    key: PrivateKey | None = None,
    begins: datetime | None = None,
    issuer: Party | None = None,
) -> Party:
    """A certificate of 30 days with just these extensions, signed by itself or by the issuer."""
    key = key or generate(KeyType.ECDSA_P256)
    subject = subject_name(Subject(name))
    first, last = validity_from(begins or datetime.now(UTC), 30)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(first)
        .not_valid_after(last)
    )
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    signer = issuer.key if issuer else key
    return Party(builder.sign(signer, signature_hash(signer)), key)


def client(name: str) -> Party:
    """A client as the wizard makes it."""
    key = generate(KeyType.ECDSA_P256)
    return Party(self_signed_client(key, Subject(name), 30, datetime.now(UTC)), key)


def signed_with_sha1(name: str, folder: Path) -> Party:
    """A client's certificate with a signature that the wizard does not make."""
    key = generate(KeyType.ECDSA_P256)
    path = folder / "sha1.key"
    path.write_bytes(private_pem(key))
    command = ["openssl", "req", "-x509", "-sha1", "-key", str(path), "-subj", f"/CN={name}"]
    made = subprocess.run(command, check=True, capture_output=True, timeout=60)
    return Party(x509.load_pem_x509_certificate(made.stdout), key)


@dataclass(frozen=True)
class Trial:
    """A client whose certificate is installed, and what comes of it."""

    party: Party
    said: str = IN
    """The alert; empty when the client gets in."""
    error: str = ""
    """OpenSSL's word for it."""


def trials(folder: Path) -> dict[str, Trial]:
    """Clients whose certificates are to be installed, by what is special about them."""
    now = datetime.now(UTC)
    server, one = ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH
    purpose, small = "unsuitable certificate purpose", rsa.generate_private_key(65537, 1024)
    return {
        "the wizard's own": Trial(client("rpc.user.1")),
        "no extensions": Trial(party("none")),
        "CA:FALSE": Trial(party("no CA", NO_CA)),
        "CA:TRUE": Trial(party("CA", CA)),
        "digitalSignature": Trial(party("signs", key_usage("digital_signature"))),
        "keyAgreement": Trial(party("agrees", key_usage("key_agreement"))),
        "clientAuth": Trial(party("client", purposes(one))),
        "clientAuth and serverAuth": Trial(party("both", purposes(one, server))),
        "RSA 2048": Trial(party("rsa", key=generate(KeyType.RSA_2048))),
        "Ed25519": Trial(party("ed", key=generate(KeyType.ED25519))),
        "SHA-1": Trial(signed_with_sha1("sha1", folder)),
        "keyEncipherment only": Trial(
            party("enciphers", key_usage("key_encipherment")), UNSUPPORTED, purpose
        ),
        "keyCertSign and cRLSign only": Trial(
            party("certifies", key_usage("key_cert_sign", "crl_sign")), UNSUPPORTED, purpose
        ),
        "serverAuth only": Trial(party("server", purposes(server)), UNSUPPORTED, purpose),
        "anyExtendedKeyUsage only": Trial(
            party("any", purposes(ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE)), UNSUPPORTED, purpose
        ),
        "expired": Trial(party("old", begins=now - timedelta(days=60)), EXPIRED, "certificate has expired"),
        "not yet valid": Trial(
            party("new", begins=now + timedelta(days=60)), BAD, "certificate is not yet valid"
        ),
        "RSA 1024": Trial(party("small", key=small), BAD, "EE certificate key too weak"),
    }


def write_server(folder: Path, **changed: bytes) -> dict[str, str]:
    """Write what a node serves with; returns the settings. `changed`: other contents of cert, key or dh."""
    key = generate(KeyType.ECDSA_P256)
    names = tuple(read_name(name) for name in ("localhost", "127.0.0.1", "::1"))
    certificate = self_signed_server(key, "localhost", names, 30, datetime.now(UTC))
    contents = {
        "cert": certificate_pem(certificate),
        "key": private_pem(key),
        "dh": dh_parameters(),
        **changed,
    }
    for name, data in contents.items():
        (folder / f"{name}.pem").write_bytes(data)
    return {f"server_{name}_path": str(folder / f"{name}.pem") for name in contents}


# The client -------------------------------------------------------------------------------------------------


def greet(port: int, who: Party | None = None, *others: Party, host: str = "127.0.0.1") -> str:
    """Make one call over TLS, presenting a certificate and others behind it; returns "" or why it failed."""
    try:
        with (
            socket.create_connection((host, port), timeout=5) as plain,
            presenting(who, *others).wrap_socket(plain, server_hostname=host) as secured,
        ):
            secured.sendall(REQUEST)
            answer = b"".join(iter(lambda: secured.recv(65536), b""))
    except ssl.SSLError as error:
        return error.reason or str(error)
    assert b'"count": "1"' in answer, answer
    return IN


def presenting(who: Party | None, *others: Party) -> ssl.SSLContext:
    """A client that trusts anybody, and whose own library has no objections to weak keys."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    if who:
        descriptor = os.memfd_create("client")
        with os.fdopen(descriptor, "wb") as file:
            file.write(who.key_pem + who.pem + b"".join(other.pem for other in others))
            file.flush()
            context.load_cert_chain(f"/proc/self/fd/{descriptor}")
    return context
