"""The kinds of key the wizard makes, by name; needs no library for keys."""

from __future__ import annotations

from enum import Enum


class KeyType(Enum):
    """A kind of key; the value is the name used in answers files."""

    ECDSA_P256 = "ecdsa-p256"
    ECDSA_P384 = "ecdsa-p384"
    RSA_2048 = "rsa-2048"
    RSA_3072 = "rsa-3072"
    RSA_4096 = "rsa-4096"
    ED25519 = "ed25519"

    @property
    def label(self) -> str:
        """The name for people."""
        return _LABELS[self]


_LABELS = {
    KeyType.ECDSA_P256: "ECDSA P-256",
    KeyType.ECDSA_P384: "ECDSA P-384",
    KeyType.RSA_2048: "RSA 2048 bits",
    KeyType.RSA_3072: "RSA 3072 bits",
    KeyType.RSA_4096: "RSA 4096 bits",
    KeyType.ED25519: "Ed25519",
}
