"""The words of a simple bash command, with what they are made of, to the byte.

After the bash manual, 3.1.2 Quoting and 3.7.1 Simple Command Expansion.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from wizard.formats.splice import CannotEdit, line_of

_BLANKS = b" \t"
_WORD_ENDS = b" \t\n;&|()<>"
_REDIRECTIONS = (b"<<<", b"<<-", b"&>>", b"<<", b">>", b"<&", b">&", b"<>", b">|", b"&>", b"<", b">")

PartKind = Literal["text", "variable", "array", "unknown"]


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of a word: fixed text, or an expansion."""

    kind: PartKind
    text: str = field(repr=False)
    """The fixed text, the name of the variable or array, or the default in `${name:-default}`.
    An array without a name is `"$@"` or a part of an array."""
    start: int
    end: int
    quoted: bool = False
    escape: bool = False
    """One character behind a backslash; `start` is that of the backslash."""


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a command, from `start` to `end` (exclusive), quotes included."""

    start: int
    end: int
    parts: tuple[Part, ...]

    @property
    def text(self) -> str:
        """The fixed text the word begins with."""
        texts: list[str] = []
        for part in self.parts:
            if part.kind != "text":
                break
            texts.append(part.text)
        return "".join(texts)

    @property
    def known(self) -> bool:
        """Whether the word is fixed text alone."""
        return all(part.kind == "text" for part in self.parts)


@dataclass(frozen=True, slots=True)
class Command:
    """A simple command: its words without redirections."""

    start: int
    words: tuple[Word, ...]
    content_end: int
    """End of its last word or redirection."""
    heredoc: bool
    """Whether a here-document follows on the next lines."""
    end: int
    """Where bash ends it: an operator, a newline, a comment or the end of the script."""


class Reader:
    """Reads words as bash does, from a given position up to `end`."""

    def __init__(self, data: bytes, end: int, expansions: dict[int, int]) -> None:
        self.data = data
        self.end = end
        self.expansions = expansions
        """End of each `${...}`, `$(...)`, `$((...))` and `<(...)`, by start."""

    def text(self, start: int, end: int) -> str:
        """The script from `start` to `end`; bytes that are not UTF-8 survive as surrogates."""
        return self.data[start:end].decode("utf-8", "surrogateescape")

    def command(self, start: int) -> Command:
        """The simple command that begins at `start`."""
        words: list[Word] = []
        content_end = at = start
        heredoc = False
        while True:
            at = self._skip_gap(at)
            operator = self._redirection(at)
            if operator:
                heredoc = heredoc or operator in (b"<<", b"<<-")
                target = self.word(self._skip_gap(at + len(operator)))
                content_end = at = target.end
                continue
            word = self.word(at)
            if not word.parts:
                return Command(start, tuple(words), content_end, heredoc, at)
            content_end = at = word.end
            if not (self._redirection(at) and self.data[word.start : word.end].isdigit()):
                words.append(word)

    def elements(self, start: int) -> tuple[Word, ...]:
        """The elements of an array whose first one may begin at `start`."""
        words: list[Word] = []
        at = start
        while (at := self._skip_gap(at, lines=True)) < self.end and self.data[at] != ord(")"):
            word = self.word(at)
            if not word.parts:
                raise CannotEdit(
                    "The array is not closed in a way that can be read.", line=line_of(self.data, at)
                )
            words.append(word)
            at = word.end
        return tuple(words)

    def _skip_gap(self, at: int, lines: bool = False) -> int:
        while at < self.end:
            if self.data[at] in _BLANKS or (lines and self.data[at] == ord("\n")):
                at += 1
            elif self.data.startswith(b"\\\n", at):
                at += 2
            elif lines and self.data[at] == ord("#"):
                newline = self.data.find(b"\n", at, self.end)
                at = self.end if newline < 0 else newline
            elif self.data.startswith(b"`#", at):
                at = self._close(b"`", at + 2) + 1
            else:
                break
        return at

    def _redirection(self, at: int) -> bytes:
        if at in self.expansions or self.data[at : at + 1] not in (b"<", b">", b"&"):
            return b""
        return next((op for op in _REDIRECTIONS if self.data.startswith(op, at, self.end)), b"")

    def word(self, start: int) -> Word:
        """The word at `start`; it has no parts when there is none (an operator, a comment, the end)."""
        parts: list[Part] = []
        at = end = start
        if self.data[at : at + 1] == b"#":
            return Word(start, start, ())
        while at < self.end:
            if self.data.startswith(b"\\\n", at):
                at += 2
                continue
            if self.data[at] in _WORD_ENDS and at not in self.expansions:
                break
            at = end = self._piece(at, at == start, parts)
        return Word(start, end, tuple(parts))

    def _piece(self, at: int, first: bool, parts: list[Part]) -> int:
        """Read one quoted or plain stretch at `at` onto `parts`; the position after it."""
        char = self.data[at : at + 1]
        if char == b"'":
            close = self._close(b"'", at + 1)
            parts.append(Part("text", self.text(at + 1, close), at + 1, close, quoted=True))
            return close + 1
        if char == b'"':
            return self._double_quoted(at + 1, parts)
        if char == b"\\":
            parts.append(Part("text", self.text(at + 1, at + 2) or "\\", at, at + 2, escape=True))
            return min(at + 2, self.end)
        if char in (b"$", b"`") or at in self.expansions:
            return self._expansion(at, False, parts)
        if char in b"*?[{" or (first and char == b"~"):
            parts.append(Part("unknown", "", at, at + 1))
            return at + 1
        stop = at + 1
        while stop < self.end and self.data[stop] not in _WORD_ENDS + b"'\"\\$`*?[{":
            stop += 1
        parts.append(Part("text", self.text(at, stop), at, stop))
        return stop

    def _double_quoted(self, at: int, parts: list[Part]) -> int:
        parts.append(Part("text", "", at, at, quoted=True))
        while at < self.end:
            char = self.data[at : at + 1]
            if char == b'"':
                return at + 1
            if self.data.startswith(b"\\\n", at):
                at += 2
            elif char == b"\\" and self.data[at + 1 : at + 2] in (b"$", b"`", b'"', b"\\"):
                parts.append(Part("text", self.text(at + 1, at + 2), at, at + 2, quoted=True, escape=True))
                at += 2
            elif char in (b"$", b"`"):
                at = self._expansion(at, True, parts)
            else:
                stop = at + 1
                while stop < self.end and self.data[stop] not in b'"\\$`':
                    stop += 1
                parts.append(Part("text", self.text(at, stop), at, stop, quoted=True))
                at = stop
        raise self._unclosed('"', at)

    def _expansion(self, at: int, quoted: bool, parts: list[Part]) -> int:
        after = self.data[at + 1 : at + 2]
        if at in self.expansions:
            end = self.expansions[at]
        elif self.data[at : at + 1] == b"`":
            end = self._close(b"`", at + 1, escapes=True) + 1
        elif after == b"'" and not quoted:
            end = self._close(b"'", at + 2, escapes=True) + 1
            if b"\\" not in self.data[at:end]:
                parts.append(Part("text", self.text(at + 2, end - 1), at + 2, end - 1, quoted=True))
                return end
        elif after == b'"' and not quoted:
            return self._double_quoted(at + 2, parts)
        elif after in (b"{", b"("):
            raise self._unclosed(f"${after.decode()}", at)
        else:
            end = at + 1
            while end < self.end and (self.data[end : end + 1].isalnum() or self.data[end] == ord("_")):
                end += 1
            if end == at + 1 and after and after in b"@*#?$!-":
                end += 1
            elif end == at + 1:
                parts.append(Part("text", "$", at, end, quoted))
                return end
        kind, name = _expanded(self.text(at, end))
        whole = quoted or self.data.startswith((b"$((", b"$'"), at)  # one word, whatever it gives
        parts.append(Part(kind, name, at, end, whole))
        return end

    def _close(self, mark: bytes, at: int, escapes: bool = False) -> int:
        start = at
        while at < self.end:
            if self.data.startswith(mark, at):
                return at
            at += 2 if escapes and self.data[at] == ord("\\") else 1
        raise self._unclosed(mark.decode(), start)

    def _unclosed(self, mark: str, at: int) -> CannotEdit:
        return CannotEdit(
            f"What begins with {mark} here has no end that can be found.",
            "Check the quotes of the script.",
            line_of(self.data, at),
        )


def _expanded(text: str) -> tuple[PartKind, str]:
    name = text[2:-1] if text.startswith("${") else text[1:]
    variable, dash, default = name.partition("-")
    if dash and text.startswith("${") and variable.rstrip(":").replace("_", "x").isalnum():
        return "unknown", default
    if "@" in name and text.startswith(("${", "$@")):
        whole = name.endswith("[@]") and name[:-3].isidentifier()
        return "array", name[:-3] if whole else ""
    return ("variable", name) if name.isidentifier() else ("unknown", "")
