"""A passphrase on its way through the program, which nothing shows by accident."""

from __future__ import annotations

import hmac
from typing import NoReturn


class Secret:
    """A text that neither print, log, crash report nor pickle gives away; `reveal` is the one way to it.

    Compares in constant time. Python cannot wipe memory, so keep it only as long as it is needed.
    """

    __slots__ = ("__text",)

    def __init__(self, text: str) -> None:
        self.__text = text

    def reveal(self) -> str:
        """The text itself, for the function that encrypts or decrypts with it."""
        return self.__text

    def __bool__(self) -> bool:
        return bool(self.__text)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(_encoded(self.__text), _encoded(other.reveal()))

    def __hash__(self) -> int:
        return hash(self.__text)

    def __repr__(self) -> str:
        return "[hidden]"

    __str__ = __repr__

    def __reduce__(self) -> NoReturn:
        raise TypeError("A secret is not stored.")


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
