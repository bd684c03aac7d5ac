"""Whether the pieces that a script builds a variable of can be told apart.

Strict on purpose: `OPTS="$OPTS --more"`, `OPTS+=" --more"`, `ARGS=("${ARGS[@]}" --more)` and `ARGS+=(--more)`
are read. A piece that is glued to the one before it, and an earlier value that stands anywhere but in front,
are refused: a word that is made of two places cannot be changed at one of them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from wizard.formats.shell import Assignment, Script
from wizard.formats.splice import CannotEdit, line_of
from wizard.formats.words import Part, Word

_BLANKS = " \t\n"
_REMEDY = (
    'Add whole words behind a blank, {name}="${name} --option value"; '
    'if it is a single value, pass it in double quotes, "${name}".'
)


def extends_itself(assignment: Assignment, word: Word) -> bool:
    """`OPTS="$OPTS --more"` or `ARGS=("${ARGS[@]}" --more)`: the word is the earlier value."""
    return any(part.kind in ("variable", "array") and part.text == assignment.name for part in word.parts)


def without_own(assignment: Assignment, word: Word) -> Word:
    """What the word adds to the earlier value in front of it."""
    parts = (part for part in word.parts if part.kind != "variable" or part.text != assignment.name)
    return Word(word.start, word.end, tuple(parts))


def is_fresh(assignment: Assignment) -> bool:
    """Whether nothing is left of what the variable held before."""
    return not assignment.append and not any(extends_itself(assignment, w) for w in assignment.words or ())


def check_elements(script: Script, assignments: Sequence[Assignment]) -> None:
    """Raise CannotEdit unless an array that holds its own earlier elements begins with them."""
    for assignment in assignments:
        words = [_solid(word) for word in assignment.words or ()]
        own = [i for i, parts in enumerate(words) if any(_is_own(p, assignment, script) for p in parts)]
        first = words[0][0] if own == [0] and len(words[0]) == 1 and not assignment.append else None
        if own and (first is None or first.kind == "variable"):
            name = assignment.name
            raise CannotEdit(
                f"The array {name} holds its own earlier elements here, and not simply at its beginning.",
                f'Add elements behind them: {name}+=(--option value) or {name}=("${{{name}[@]}}" --option).',
                line_of(script.data, assignment.start),
            )


def check_text(script: Script, history: Sequence[tuple[Assignment, bool]]) -> None:
    """Raise CannotEdit unless blanks part all pieces of a text that is split to words.

    `history` are the assignments that build it up, each with whether it is certain.
    """
    pieces = [(assignment, certain, _added(assignment, script)) for assignment, certain in history]
    closed = all(_is_closed(piece) for _, _, piece in pieces)
    # What it may hold at first comes from the environment.
    inside, base = True, None
    for assignment, certain, piece in pieces:
        fresh = is_fresh(assignment)
        glued = piece and not _is_blank(piece[0], 0)
        # In another block it may be added again and again, behind any other piece.
        if not fresh and glued and (inside or (assignment.block != base and not closed)):
            raise _refusal(script, assignment)
        if piece or fresh:
            inside = not _is_closed(piece) or (inside and not certain)
        if fresh and certain:
            base = assignment.block


def _added(assignment: Assignment, script: Script) -> list[Part]:
    """The value without the earlier one, which has to stand in front and by itself."""
    parts = _solid(assignment.words[0]) if assignment.words else []
    for part in parts:
        # A backslash makes no blank of its own in a value that is split.
        if part.escape and part.text in _BLANKS:
            raise _refusal(script, assignment)
    own = [i for i, part in enumerate(parts) if _is_own(part, assignment, script)]
    if not own:
        return parts
    at = own[0]
    leads = all(part.kind == "text" and not part.text.strip(_BLANKS) for part in parts[:at])
    if assignment.append or len(own) > 1 or not leads or parts[at].kind == "array":
        raise CannotEdit(
            f"{assignment.name} holds its own earlier value here, and not simply at its beginning.",
            _REMEDY.format(name=assignment.name),
            line_of(script.data, assignment.start),
        )
    if parts[at].kind == "variable":
        return parts[at + 1 :]
    if at + 1 < len(parts) and not _is_blank(parts[at + 1], 0):
        raise _refusal(script, assignment)
    return parts


def _refusal(script: Script, assignment: Assignment) -> CannotEdit:
    return CannotEdit(
        f"{assignment.name} is put together here in the middle of a word, so its options are not certain.",
        _REMEDY.format(name=assignment.name),
        line_of(script.data, assignment.start),
    )


def _solid(word: Word) -> list[Part]:
    return [part for part in word.parts if part.text or part.kind != "text"]


def _is_own(part: Part, assignment: Assignment, script: Script) -> bool:
    """Whether the earlier value of the variable goes into it, whole or changed."""
    if part.kind in ("variable", "array") and part.text:
        return part.text == assignment.name
    written = script.reader.text(part.start, part.end)
    return part.kind != "text" and bool(re.search(rf"\$(\{{[!#]?)?{assignment.name}\b", written))


def _is_blank(part: Part, position: int) -> bool:
    return part.kind == "text" and not part.escape and part.text[position] in _BLANKS


def _is_closed(piece: Sequence[Part]) -> bool:
    return not piece or _is_blank(piece[-1], -1)
