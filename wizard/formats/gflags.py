"""How gflags reads the words of a command line, after ParseNewCommandLineFlags and SplitArgumentLocked
in gflags src/gflags.cc.

One or two dashes are equal, so are `--flag=value` and `--flag value`, and `-` and `_` within a name; the last
setting wins; `--` ends the flags; a flag that is not boolean takes the next word, whatever it looks like; a
boolean one never does. Words that are no flags are ignored wherever they stand.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Protocol

OWN_BOOLEANS = frozenset({"help", "helpfull", "helpshort", "helppackage", "helpxml", "version"})
"""Boolean flags which gflags brings along (src/gflags_reporting.cc)."""

INDIRECT = frozenset({"flagfile", "fromenv", "tryfromenv"})
"""Flags that set other flags, from a file or from the environment, at the place where they stand."""


class Argument(Protocol):
    """A word of the command line, as far as it is known before the program runs."""

    @property
    def text(self) -> str:
        """The word, or its beginning as far as it is known."""

    @property
    def known(self) -> bool:
        """Whether `text` is the whole word."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting of a flag; `first` and `last` are the positions of its first and last word."""

    name: str
    value: str | None = field(repr=False)
    """None when it depends on the run, or when the flag takes a value and the line ends without one."""
    first: int
    last: int
    attached: bool = False
    """The value follows an equals sign in the same word."""
    bare: bool = False
    """A name alone: a boolean flag, or a value is missing."""


def flag_name(word: str) -> tuple[str, str | None] | None:
    """Name and attached value of a flag word; None when the word is none (`-`, a value, nothing)."""
    if not word.startswith("-") or word == "-":
        return None
    body = word[2:] if word.startswith("--") else word[1:]
    name, equals, value = body.partition("=")
    return name.replace("-", "_"), value if equals else None


def read_flags(words: Sequence[Argument], booleans: Collection[str]) -> list[Setting]:
    """The settings on a command line, in order, up to `--`. `booleans` are the program's boolean flags."""
    settings: list[Setting] = []
    position = 0
    while position < len(words):
        setting = _setting_at(words, position, frozenset(booleans) | OWN_BOOLEANS)
        if setting is not None:
            if not setting.name and not setting.attached:
                break
            settings.append(setting)
        position = position + 1 if setting is None else setting.last + 1
    return settings


def end_of_flags(words: Sequence[Argument], booleans: Collection[str]) -> int:
    """Position of the `--` that ends the flags, or the number of words."""
    settings = read_flags(words, booleans)
    start = settings[-1].last + 1 if settings else 0
    return next((i for i in range(start, len(words)) if words[i].known and words[i].text == "--"), len(words))


def _setting_at(words: Sequence[Argument], position: int, booleans: Collection[str]) -> Setting | None:
    word = words[position]
    parts = flag_name(word.text)
    if parts is None or (not word.known and parts[1] is None):
        return None
    name, value = parts
    if value is not None:
        return Setting(name, value if word.known else None, position, position, attached=True)
    if not name:
        return Setting("", None, position, position)
    if name in booleans or (name.startswith("no") and name[2:] in booleans):
        no = name not in booleans
        return Setting(name[2:] if no else name, "false" if no else "true", position, position, bare=True)
    if position + 1 == len(words):
        return Setting(name, None, position, position, bare=True)
    after = words[position + 1]
    return Setting(name, after.text if after.known else None, position, position + 1)
