"""What bash passes to a program for each word of its command, as far as that is known before it runs.

Variables and arrays are looked through when they are set in the script itself, and for certain.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from itertools import count, groupby

from wizard.formats.joins import check_elements, check_text, extends_itself, is_fresh, without_own
from wizard.formats.shell import ANY, Assignment, Script
from wizard.formats.splice import CannotEdit, line_of
from wizard.formats.words import Part, Word

_BLANKS = " \t\n"
_BLANK_SEPARATORS = frozenset({b"$'\\n'", b"$'\\n\\t'", b"$'\\t\\n'", b"$' \\n\\t'", b"$' \\t\\n'"})
"""Usual values of IFS, as they are written, with which bash splits at nothing but blanks."""
_DEEPEST = 20
_MOST = 10_000


class Place(Enum):
    """Where an argument stands, which decides how another value is written there."""

    WORD = auto()
    """A word of a command or an element of an array."""
    SPLIT = auto()
    """Text that bash splits at blanks and does not unquote."""


@dataclass(frozen=True, slots=True)
class Argument:
    """One word as the program will get it, and the span it is written at."""

    text: str = field(repr=False)
    """The word, or its beginning as far as it is known."""
    known: bool
    """Whether `text` is the whole word."""
    start: int
    end: int
    word: int
    """Position of the command's word it comes from; an array gives several arguments for one word."""
    place: Place = Place.WORD
    when: tuple[int, ...] = ()
    """The assignments, by position, that may not happen and without which it is not passed."""
    several: bool = False
    """May become no word, or several, at run time."""
    variable: str = ""
    """The variable or array it comes through, if its span lies in an assignment."""

    @property
    def certain(self) -> bool:
        """Passed at every run, not only under a condition."""
        return not self.when

    @property
    def may_be_flag(self) -> bool:
        """Whether it begins with a dash, or may do so at run time."""
        return self.text.startswith("-") or not (self.known or self.text) or self.several


class Resolver:
    """What bash will make of the words of the command at `position`."""

    def __init__(
        self, script: Script, position: int, depth: int = 0, steps: Iterator[int] | None = None
    ) -> None:
        self.script = script
        self.position = position
        self.depth = depth
        self.steps = count() if steps is None else steps

    def arguments(self, word: Word) -> Iterator[Argument]:
        """The arguments a word becomes."""
        parts = [part for part in word.parts if part.text or part.kind != "text"]
        if len(parts) == 1 and parts[0].kind == "array":
            yield from self._elements(word, parts[0])
            return
        if len(parts) > 1:
            self._refuse_cut(word, parts)
        argument = self._argument(word)
        if argument.known or len(parts) != 1 or parts[0].kind != "variable" or parts[0].quoted:
            yield argument
        else:
            yield from self._split(word, parts[0])

    def _refuse_cut(self, word: Word, parts: Sequence[Part]) -> None:
        """Refuse a word that is known to become several, of which only the first would be seen."""
        for part in parts:
            value = "" if part.quoted else self._value(replace(part, quoted=True)) or ""
            if part.kind == "array" or any(char in value for char in _BLANKS):
                name = f"${part.text}" if part.text else "An expansion"
                raise CannotEdit(
                    f"{name} is glued to other text here, and bash makes several words of it.",
                    "Pass what are words of their own as such, and put a single value in double quotes.",
                    line_of(self.script.data, word.start),
                )

    def _argument(self, word: Word) -> Argument:
        texts: list[str] = []
        for part in word.parts:
            text = part.text if part.kind == "text" else self._value(part)
            if text is None:
                begin = "".join(texts)
                unquoted = any(p.kind != "text" and not p.quoted for p in word.parts)
                several = any(p.kind == "array" for p in word.parts) or (unquoted and not begin)
                return Argument(begin, False, word.start, word.end, 0, several=several)
            texts.append(text)
        return Argument("".join(texts), True, word.start, word.end, 0)

    def _assigned(self, word: Word) -> Argument:
        """What an assignment makes of its word: bash splits nothing there, with or without quotes."""
        return self._argument(replace(word, parts=tuple(replace(part, quoted=True) for part in word.parts)))

    def _value(self, part: Part) -> str | None:
        """The value of a variable that is set once, for certain, before the command."""
        settings = [a for a in self.script.assignments if a.name == part.text]
        given = [a for a in settings if a.words != ()]  # `local NAME` stands before it, and gives no value
        if part.kind != "variable" or len(given) != 1 or given != settings[-1:]:
            return None
        words = given[0].words
        if not words or given[0].array or given[0].append:
            return None
        if not self._happened(given[0]) or self._lost(given[0]):
            return None
        inner = self._at(given[0])._assigned(words[0])
        return inner.text if inner.known and (part.quoted or self._is_one_word(inner.text)) else None

    def _at(self, assignment: Assignment) -> Resolver:
        """What the words of an assignment are made of; variables may refer to each other endlessly."""
        if self.depth == _DEEPEST or next(self.steps) == _MOST:
            raise CannotEdit(
                "Too many variables are made of each other here to follow them all.",
                "Write the options out in the command that starts the program.",
                line_of(self.script.data, assignment.start),
            )
        return Resolver(self.script, assignment.start, self.depth + 1, self.steps)

    def _happened(self, assignment: Assignment) -> bool:
        start, end = assignment.block
        return assignment.start < self.position and start <= self.position < end

    def _elsewhere(self, assignment: Assignment) -> bool:
        """In another function: there is no telling from where it stands when it happens."""
        start, end = assignment.function
        return not start <= self.position < end

    def _lost(self, assignment: Assignment) -> bool:
        """Whether something that may set any variable may come after the assignment."""
        unknown = (other for other in self.script.assignments if other.name == ANY)
        return any(other.start > assignment.start or self._elsewhere(other) for other in unknown)

    def _history(self, name: str, array: bool) -> list[tuple[Assignment, bool]] | None:
        """The assignments that build up a variable, each with whether it is certain; None: unknown."""
        assignments = [a for a in self.script.assignments if a.name == name]
        if any(a.words is None or (a.words and a.array is not array) or self._lost(a) for a in assignments):
            return None
        scattered = any(self._elsewhere(assignment) for assignment in assignments)
        history: list[tuple[Assignment, bool]] = []
        for assignment in assignments:
            certain = self._happened(assignment) and not scattered
            if is_fresh(assignment):
                history = [] if certain else [(earlier, False) for earlier, _ in history]
            history.append((assignment, certain))
        return history or None

    def _elements(self, word: Word, part: Part) -> Iterator[Argument]:
        history = self._history(part.text, array=True)
        unknown = any(assignment.name == ANY for assignment in self.script.assignments)
        if history is None or (unknown and _has_past(history)):
            yield Argument("", False, word.start, word.end, 0, several=True)
        check_elements(self.script, [assignment for assignment, _ in history or ()])
        split = not part.quoted or any(_splits_itself(assignment) for assignment, _ in history or ())
        for assignment, certain in history or ():
            for element in assignment.words or ():
                if extends_itself(assignment, element):
                    continue
                for argument in self._at(assignment).arguments(element):
                    passed = self._loosened(argument) if split else argument
                    when = passed.when if certain else (assignment.start, *passed.when)
                    yield replace(passed, when=when, variable=part.text)

    def _split(self, word: Word, part: Part) -> Iterator[Argument]:
        history = self._history(part.text, array=False)
        if history is None or _has_past(history):
            # What the variable holds before the script sets it comes from the environment.
            yield Argument("", False, word.start, word.end, 0, several=True)
        if history and self._separators():
            raise CannotEdit(
                f"The script sets IFS, and with it where bash splits the unquoted ${part.text}.",
                f'Keep the options in an array, {part.text}=(...), and pass "${{{part.text}[@]}}".',
                line_of(self.script.data, word.start),
            )
        check_text(self.script, history or ())
        for assignment, certain in history or ():
            for piece in assignment.words or ():
                for span in split_word(without_own(assignment, piece)):
                    argument = self._loosened(self._at(assignment)._assigned(span))
                    when = () if certain else (assignment.start,)
                    yield replace(argument, when=when, variable=part.text)

    def _loosened(self, argument: Argument) -> Argument:
        """The argument as an unquoted expansion passes it: split at blanks, and matched against files."""
        fixed = argument.known and self._is_one_word(argument.text)
        return replace(argument, known=fixed, several=not fixed, place=Place.SPLIT)

    def _is_one_word(self, text: str) -> bool:
        """Whether an unquoted expansion to `text` passes just that."""
        plain = self._separators() <= _BLANK_SEPARATORS or text.isalnum()
        return plain and text != "" and not any(char in text for char in f"{_BLANKS}*?[")

    def _separators(self) -> set[bytes | None]:
        """The values given to IFS, as they are written."""
        data = self.script.data
        values = [a.words for a in self.script.assignments if a.name == "IFS"]
        return {data[words[0].start : words[0].end] if words else None for words in values}


def _has_past(history: list[tuple[Assignment, bool]]) -> bool:
    """Whether something of what the variable held before its first assignment may be left."""
    assignment, certain = history[0]
    return not (certain and is_fresh(assignment))


def _splits_itself(assignment: Assignment) -> bool:
    """`ARGS=(${ARGS[@]} --more)`, without quotes."""
    words = [word for word in assignment.words or () if extends_itself(assignment, word)]
    return any(part.kind == "array" and not part.quoted for word in words for part in word.parts)


def uses(script: Script, variable: str) -> int:
    """How often commands get a variable as words of their own, other than to print it."""
    commands = [c.words for c in script.commands if c.words and c.words[0].text not in ("echo", "printf")]
    others = [a.words for a in script.assignments if a.words and a.name != variable]
    words = [[part for part in word.parts if part.text] for group in (*commands, *others) for word in group]
    return sum([(p.text, p.kind == "text") for p in parts] == [(variable, False)] for parts in words)


def split_word(word: Word) -> Iterator[Word]:
    """Cut a word at the blanks in its text, as bash does with the value of an unquoted variable."""
    gathered: list[Part] = []
    for part in word.parts:
        if part.kind != "text" or part.escape:
            gathered.append(part)
            continue
        at = part.start
        for blank, letters in groupby(part.text, key=_BLANKS.__contains__):
            text = "".join(letters)
            end = at + len(text.encode("utf-8", "surrogateescape"))
            if not blank:
                gathered.append(Part("text", text, at, end, part.quoted))
            elif gathered:
                yield _joined(gathered)
                gathered = []
            at = end
    if gathered:
        yield _joined(gathered)


def _joined(parts: list[Part]) -> Word:
    return Word(parts[0].start, parts[-1].end, tuple(parts))
