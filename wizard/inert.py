"""Text from files and from the network, made harmless before a person sees it."""

from __future__ import annotations

import unicodedata


def inert(text: str) -> str:
    """Show control characters by name instead of obeying them; tabs become four blanks.

    Escape sequences, bells, and the invisible characters that reorder text (Unicode categories Cc,
    Cf, Cs, Zl and Zp) appear as `\\x1b` or `\\u202e`. Line feeds are not kept: give single lines.
    """
    # Printable is less than what may stay, and quickly told; most lines are.
    return text if text.isprintable() else "".join(map(_shown, text))


def _shown(character: str) -> str:
    if character == "\t":
        return "    "
    category = unicodedata.category(character)
    if category == "Cs":  # half of a pair; it cannot be written at all
        return "�"
    if category in ("Cc", "Cf", "Zl", "Zp"):
        return character.encode("unicode_escape").decode("ascii")
    return character


def inert_lines(text: str) -> str:
    """The same for a text of several lines; only their line feeds are kept."""
    return "\n".join(map(inert, text.split("\n")))


def inert_line(text: str) -> str:
    """The same for a text of several lines that has to stand in one."""
    return inert(" ".join(text.split("\n")))


def inert_bytes(data: bytes) -> str:
    """One line of a file as text: UTF-8 where it is that, else each foreign byte as `\\xff`."""
    return inert(data.decode("utf-8", errors="backslashreplace"))
