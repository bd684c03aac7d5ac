"""The files of a configuration, put together by their includes as nginx does it.

After nginx's ngx_conf_include() in src/core/ngx_conf_file.c: what is not absolute begins at the folder of the
main file, and a pattern takes what glob(3) finds, in its order.
"""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path

from wizard.errors import Refusal
from wizard.formats.nginx import Directive, Document, read
from wizard.formats.splice import CannotEdit
from wizard.small_files import read_small, version

LARGEST = 20_000_000
"""Bytes of a file; five thousand servers in one come to less than two million."""
MOST_FILES = 20_000
DEEPEST = 20
"""How many files may include each other."""


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """One file."""

    path: Path
    """The file itself, where the path in the configuration is a symbolic link."""
    document: Document

    def refusal(self, error: CannotEdit) -> Refusal:
        """The same about this file."""
        return Refusal(self.path, error.reason, error.remedy, error.line, error.by_hand)


@dataclass(frozen=True, slots=True, eq=False)
class Placed:
    """A directive, and the file in which it stands."""

    directive: Directive
    source: Source
    tree: Tree = field(repr=False)

    @property
    def name(self) -> str:
        """Its name."""
        return self.directive.name

    @property
    def arguments(self) -> tuple[str, ...]:
        """Its arguments."""
        return self.directive.arguments

    @property
    def line(self) -> int:
        """In which line it begins."""
        return self.source.document.line(self.directive.start)

    @property
    def where(self) -> str:
        """Its file and line, for people."""
        return f"{self.source.path}, line {self.line}"

    @property
    def remark(self) -> str:
        """The comment behind it."""
        return self.source.document.remark(self.directive)

    def inside(self) -> tuple[Placed, ...]:
        """What stands in its block, that of included files too."""
        return tuple(self.tree.expanded(self.directive.block or (), self.source))


@dataclass(eq=False)
class Tree:
    """All files of one configuration."""

    main: Path
    """As it was given; what it includes begins at its folder."""
    sources: dict[Path, Source] = field(default_factory=dict, repr=False)
    """By the path under which they are included."""
    patterns: dict[str, tuple[str, ...]] = field(default_factory=dict, repr=False)
    """What each include with a pattern found."""

    def top(self) -> tuple[Placed, ...]:
        """What stands outside of all blocks. Raises OSError, and Refusal where a file cannot be read."""
        source = self._source(self.main, None)
        return tuple(self.expanded(source.document.directives, source))

    def expanded(self, directives: tuple[Directive, ...], source: Source, depth: int = 0) -> Iterator[Placed]:
        """The directives, with what they include in place of each include. Raises OSError or Refusal."""
        for directive in directives:
            if directive.name != "include" or len(directive.arguments) != 1:
                yield Placed(directive, source, self)
                continue
            if depth > DEEPEST:
                line = source.document.line(directive.start)
                raise Refusal(source.path, "Files include each other in a circle.", "Mend that.", line)
            for path in self.included(directive.arguments[0]):
                inner = self._source(path, Placed(directive, source, self))
                yield from self.expanded(inner.document.directives, inner, depth + 1)

    def included(self, argument: str) -> tuple[Path, ...]:
        """The files that an include takes."""
        pattern = self.absolute(argument)
        if not any(sign in argument for sign in "*?["):
            return (Path(pattern),)
        self.patterns[pattern] = _found(pattern)
        return tuple(map(Path, self.patterns[pattern]))

    def absolute(self, argument: str) -> str:
        """A path as nginx takes it."""
        return os.path.join(self.main.parent, argument)  # noqa: PTH118 -- a pattern is no path

    def loads(self, path: Path) -> bool:
        """Whether an include with a pattern takes a file of this path, were it there."""
        return any(
            fnmatchcase(str(path), pattern) and str(path).count("/") == pattern.count("/")
            for pattern in self.patterns
        )

    def _source(self, path: Path, included_by: Placed | None) -> Source:
        if path not in self.sources:
            if len(self.sources) >= MOST_FILES:
                raise Refusal(path, f"The configuration has more than {MOST_FILES:,} files.", "Give fewer.")
            self.sources[path] = self._read(path, included_by)
        return self.sources[path]

    def _read(self, path: Path, included_by: Placed | None) -> Source:
        real = Path(os.path.realpath(path))
        try:
            return _read(real, version(real))
        except CannotEdit as error:
            raise Refusal(real, error.reason, error.remedy, error.line, error.by_hand) from None
        except OSError as error:
            if included_by is None:
                raise
            reason = f"It includes {path}, which cannot be read: {error.strerror}."
            raise Refusal(included_by.source.path, reason, "Mend that first.", included_by.line) from None

    def is_current(self) -> bool:
        """Whether all files are as they were read, and the patterns find the same."""
        try:
            return all(
                _read(source.path, version(source.path)) is source for source in self.sources.values()
            ) and all(_found(pattern) == found for pattern, found in self.patterns.items())
        except (OSError, CannotEdit):
            return False


def _found(pattern: str) -> tuple[str, ...]:
    return tuple(sorted(glob.glob(pattern)))  # noqa: PTH207 -- a pattern is no path


@lru_cache(maxsize=MOST_FILES)
def _read(path: Path, _version: tuple[int, int, int]) -> Source:
    return Source(path, read(read_small(path, LARGEST)))
