"""What will be done, to the byte, before anything is done.

A plan is made in memory and touches no disk. The transaction writes exactly the bytes held here,
so what is previewed is what is written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from wizard.kinds import Plain

Tell: TypeAlias = Callable[[str], None]
"""Is told, in a few words, how far the making of a plan has come."""


def silent(_: str) -> None:
    """Nobody is told."""


@dataclass(frozen=True, slots=True)
class Owner:
    """The account and group that own a file, as numbers."""

    uid: int
    gid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A file goes from one content to another; absent is a content too."""

    path: Path
    before: bytes | None = field(repr=False)
    """The content the plan was made from; None: there is no such file."""
    after: bytes | None = field(repr=False)
    """The content afterwards; None: the file is removed."""
    mode: int | None = None
    """Permission bits afterwards; None keeps those of the existing file. A new file needs a value."""
    owner: Owner | None = None
    """Owner afterwards; None keeps that of the existing file, or leaves a new one to who runs the wizard."""
    attributes: tuple[tuple[str, bytes], ...] | None = field(default=None, repr=False)
    """Extended attributes afterwards, (name, value) each; None keeps those of the existing file."""
    secret: bool = False
    """The whole content is secret (a private key): it is never shown."""
    hidden: tuple[bytes, ...] = field(default=(), repr=False)
    """Values inside the content that are never shown (a database password in a script)."""
    about: str = ""
    """What the file is, in a few words."""
    described: tuple[str, ...] = ()
    """What the content says, in plain words: shown where the bytes would mean nothing to a person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Directory:
    """A folder is made, or removed when it is empty."""

    path: Path
    present: bool = True
    mode: int = 0o755
    owner: Owner | None = None
    about: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A symbolic link goes from one target to another; absent is a target too."""

    path: Path
    before: str | None
    after: str | None
    about: str = ""


Change: TypeAlias = File | Directory | Link


@dataclass(frozen=True, slots=True)
class Command:
    """A program and its arguments; never a line for a shell."""

    arguments: tuple[str, ...]
    about: str = ""
    judge: Callable[[int, str], str] | None = field(default=None, repr=False, compare=False)
    """Tells from its exit status and what it said why a check failed; empty when it passed.

    None: what does not end with 0 has failed, and what it said is the reason.
    """


@dataclass(frozen=True, slots=True)
class Advice:
    """Something for the operator to do, with the command to copy where there is one."""

    text: str
    command: str = ""
    """What is copied: a command, or a text of several lines such as a signing request."""


@dataclass(frozen=True, slots=True)
class Warning:
    """Something the operator must know before saying yes."""

    text: str
    path: Path | None = None
    line: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """An ordered list of changes: keys before certificates before configuration."""

    target: str
    """Key of the target the plan belongs to, such as "hub-rest"."""
    title: str
    """What the run does, in words a colleague understands: "Secure IOTA Hub, REST, at 127.0.0.1:50051"."""
    changes: tuple[Change, ...]
    kept: tuple[Path, ...] = ()
    """Files that are there already and fit, so they stay as they are."""
    validations: tuple[Command, ...] = ()
    """Run after writing, without a terminal; when one fails, everything is rolled back."""
    warnings: tuple[Warning, ...] = ()
    advice: tuple[Advice, ...] = ()
    """What the operator does afterwards."""
    restart: Command | None = None
    """How the service is restarted, when that is known; run only after an explicit yes."""
    awaits: Path | None = None
    """The certificate that has to come from elsewhere before the service can be secured."""
    answers: Mapping[str, Plain] = field(default_factory=dict, repr=False)
    """The answers it was made from, without secrets; so that the run can be taken up again."""

    @property
    def changed(self) -> bool:
        """Whether there is anything to write."""
        return bool(self.changes)
