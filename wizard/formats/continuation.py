r"""Commands that were meant to go on over the next lines, but which bash ends earlier.

A line goes on only when the backslash is its very last character (bash manual, 3.1.2.1 Escape Character).
A missing backslash, a blank behind it, a comment or an empty line in between end the command; the options on
the following lines become commands of their own, and the program starts without them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from wizard.formats.shell import Script
from wizard.formats.splice import CannotEdit, Splice, line_of
from wizard.formats.words import Command

_MARKS = (b">", b"<", b"&>", b"1>", b"2>", b'"$@"', b"$@", b'"${', b"${")
"""What may begin a line that continues a command, besides an option."""


@dataclass(frozen=True, slots=True)
class Repair:
    """One place where a continued command was broken, and what is done about it."""

    line: int
    """Line number in the file as it was, from 1."""
    sentence: str


@dataclass(frozen=True, slots=True)
class _Break:
    """Where bash ends a command too early: bytes `start` to `end` become a continuation."""

    start: int
    end: int
    """Start of the line on which the command goes on."""
    comments: tuple[bytes, ...]
    repair: Repair


def mend(script: Script, start: int) -> tuple[list[Splice], tuple[Repair, ...]]:
    """The splices that join the command at `start` with the options that were meant for it.

    Comments in between move, unchanged, to lines of their own above the command. Raises CannotEdit when an
    operator ends the command and options follow nevertheless.
    """
    data = script.data
    breaks = [] if script.quote else list(_breaks(script, start))
    top = _line_start(data, start)
    while data.endswith(b"\\\n", 0, top):
        top = _line_start(data, top - 1)
    comments = [_indent(data, top) + comment + b"\n" for found in breaks for comment in found.comments]
    splices = [Splice(top, top, b"".join(comments))] if comments else []
    for found in breaks:
        kept = data[found.start : _line_end(data, found.start)]
        joint = kept if kept.strip() == b"\\" and kept.endswith(b"\\") else b" \\"
        splices.append(Splice(found.start, found.end, joint + b"\n"))
    return splices, tuple(found.repair for found in breaks)


def _breaks(script: Script, start: int) -> Iterator[_Break]:
    indent = _indent(script.data, start)
    while found := _break(script, script.reader.command(start), indent):
        yield found
        start = found.end + len(_indent(script.data, found.end))


def _break(script: Script, command: Command, indent: bytes) -> _Break | None:
    data = script.data
    line_end = _line_end(data, command.end)
    following, comments = _following(data, line_end + 1, script.end)
    heredoc = any(other.heredoc and _line_end(data, other.end) == line_end for other in script.commands)
    if following >= script.end or command.heredoc or heredoc:
        return None
    ending = data[command.end : line_end].rstrip()
    if ending and not ending.startswith(b"#"):
        _refuse_options_after_operator(data, ending, following)
        return None
    slip = _slip(data, command, line_end)
    if slip is not None:
        ending = data[slip + 1 : line_end].strip()
    alone = not data[_line_start(data, command.end) : command.end].strip()
    swallowed = not alone and slip is None and ending.endswith(b"\\")
    escaped = alone or swallowed or slip is not None
    option = _option(data, following)
    if not (option or (escaped and _continues(data, following, indent))):
        return None
    begin = command.content_end if slip is None else len(data[:slip].rstrip(b" \t"))
    own = (ending.rstrip(b"\\").rstrip() if swallowed else ending,) if ending else ()
    found = _fault(alone, swallowed, slip is not None, bool(ending), bool(comments))
    at = command.end if alone else begin if slip is None else slip
    # Only a name is shown: what else follows may be a secret.
    lost = option or "what follows"
    sentence = f"{found[0]}, so for bash the command ends here, without {lost}; {found[1]}."
    return _Break(begin, following, (*own, *comments), Repair(line_of(data, at), sentence))


def _fault(alone: bool, swallowed: bool, slip: bool, comment: bool, comments_follow: bool) -> tuple[str, str]:
    """What is wrong and what is done, in words."""
    if swallowed:
        return "The comment swallows the backslash at its end", "the comment moves above the command"
    if alone and comment:
        return "A comment stands inside the continued command", "the comment moves above the command"
    if alone:
        moved = " and the comment below it moves above the command" if comments_follow else ""
        return "An empty line stands inside the continued command", f"the empty line is removed{moved}"
    if slip and comment:
        return "A comment stands behind the backslash", "the comment moves above the command"
    if slip:
        return "A blank stands behind the backslash", "the blank is removed"
    moved = " and the comment moves above the command" if comment or comments_follow else ""
    return "There is no backslash at the end of this line", f"the backslash is added{moved}"


def _slip(data: bytes, command: Command, line_end: int) -> int | None:
    """Position of a backslash that escapes a blank, or a comment, instead of the end of the line."""
    for part in (part for word in command.words for part in word.parts if part.escape and not part.quoted):
        rest = data[part.start + 1 : line_end].strip()
        if part.text in (" ", "\t", "#") and (not rest or rest.startswith(b"#")):
            return part.start
    return None


def _following(data: bytes, at: int, end: int) -> tuple[int, tuple[bytes, ...]]:
    """Start of the next line that is neither empty nor a comment, and the comments before it."""
    comments: list[bytes] = []
    while at < end:
        line = data[at : _line_end(data, at)].strip()
        if line and not line.startswith(b"#"):
            break
        comments += [line] if line else []
        at = _line_end(data, at) + 1
    return at, tuple(comments)


def _refuse_options_after_operator(data: bytes, ending: bytes, following: int) -> None:
    if ending.split(b"#")[0].strip() in (b"&", b";") and _option(data, following):
        raise CannotEdit(
            "This line begins with an option, but the command above it has already been ended by "
            f"{ending[:1].decode()} and starts without it.",
            "Move the option into the command, before the end of it.",
            line_of(data, following),
        )


def _option(data: bytes, at: int) -> str:
    """Name, with its dashes, of the option that the line at `at` begins with; empty when it is none."""
    name = data[at : _line_end(data, at)].split(maxsplit=1)[0].partition(b"=")[0]
    return name.decode("utf-8", "replace") if name[:1] == b"-" and name.strip(b"-")[:1].isalpha() else ""


def _continues(data: bytes, at: int, indent: bytes) -> bool:
    own = _indent(data, at)
    return data.startswith(_MARKS, at + len(own)) or (own.startswith(indent) and own != indent)


def _line_start(data: bytes, at: int) -> int:
    return data.rfind(b"\n", 0, at) + 1


def _line_end(data: bytes, at: int) -> int:
    newline = data.find(b"\n", at)
    return len(data) if newline < 0 else newline


def _indent(data: bytes, at: int) -> bytes:
    """The blanks at the start of the line in which `at` lies."""
    start = _line_start(data, at)
    line = data[start : _line_end(data, start)]
    return line[: len(line) - len(line.lstrip(b" \t"))]
