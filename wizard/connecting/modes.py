"""How much a connector verifies, in the three modes that its makers offer."""

from __future__ import annotations

from enum import Enum


class Mode(Enum):
    """A mode; the value is the name used in answers files and on the command line."""

    FULL = "full"
    VERIFY_CA = "verify-ca"
    SKIP = "skip"

    @property
    def label(self) -> str:
        """The name for people, as on the connector's form."""
        return {
            Mode.FULL: "full verification",
            Mode.VERIFY_CA: "verify CA certificate",
            Mode.SKIP: "skip CA certificate verification",
        }[self]

    @property
    def verifies(self) -> bool:
        """Whether it looks at the server's certificate at all."""
        return self is not Mode.SKIP

    @property
    def presents(self) -> bool:
        """Whether it presents a certificate of its own."""
        return self is Mode.FULL

    @property
    def exposed(self) -> str:
        """What the mode does not protect from, in a sentence or two."""
        return {
            Mode.FULL: "It does not protect from somebody who has copied the client's key, nor from a "
            "certificate that has been revoked: nobody looks that up.",
            Mode.VERIFY_CA: "The server does not learn who calls: whoever reaches it can, unless it asks for "
            "more. Some programs leave the name unchecked in this mode; with those, every server with a "
            "certificate from the same authority can pose as this one.",
            Mode.SKIP: "Anybody on the way can pose as the server, read and change everything, and take "
            "passwords and tokens: any certificate will do. Use it for a test at most.",
        }[self]
