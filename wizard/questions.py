"""Ask: questions declared once, rendered as fields, as prompts and as keys of an answers file.

A target is a frozen dataclass whose fields are its questions. The rules of a field stand beside it
as methods: `default_NAME`, `check_NAME`, `caution_NAME` and `applies_NAME`, each taking the host.
Inside a rule `self` holds the answers to the earlier questions; touching one that is missing or
wrong ends the rule quietly, since that question already says what to do.
"""

from __future__ import annotations

import dataclasses
import ipaddress
import os
import pwd
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Generic, Protocol, TypeAlias, TypeVar

from wizard.errors import Refusal
from wizard.host import Host

Raw: TypeAlias = str | int | bool | Sequence[str]
"""An answer as given: typed into a field, or a value of an answers file."""

LONGEST = 1000
"""Characters of an answer, or of one item of a list."""

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Kind(Protocol[T]):
    """What sort of answer a question takes."""

    def read(self, raw: Raw) -> T:
        """The answer as a value; ValueError with a sentence for the user when it is not one."""

    def show(self, value: T) -> str:
        """The value as the text of a field."""

    def plain(self, value: T) -> str | int | bool | list[str]:
        """The value as an answers file holds it."""


class _Written(Generic[T]):
    """A kind whose values stand as text in an answers file."""

    def show(self, value: T) -> str:
        return str(value)

    def plain(self, value: T) -> str | int | bool | list[str]:
        return self.show(value)


@dataclass(frozen=True)
class Text(_Written[str]):
    """One line of text."""

    def read(self, raw: Raw) -> str:
        return _line(raw)


@dataclass(frozen=True)
class FilePath(_Written[Path]):
    """The full path of a file or folder; `~` is the user's home."""

    def read(self, raw: Raw) -> Path:
        text = _line(raw)
        try:
            path = Path(text).expanduser()
        except RuntimeError:
            raise ValueError(f'"{text}" names a home folder that does not exist.') from None
        if not path.is_absolute():
            raise ValueError(f"Write the whole path, beginning with /: {Path.cwd() / path}?")
        # Without .. and doubled slashes, but with symbolic links as they are: the user knows that name.
        return Path(re.sub("//+", "/", str(path)) if ".." not in path.parts else os.path.realpath(path))


@dataclass(frozen=True)
class Whole(_Written[int]):
    """A whole number within limits, both included."""

    low: int
    high: int

    def read(self, raw: Raw) -> int:
        limits = f"Give a number from {self.low} to {self.high}."
        if isinstance(raw, bool) or not isinstance(raw, str | int):
            raise ValueError(limits)
        text = _line(str(raw))
        try:
            number = int(text)
        except ValueError:
            raise ValueError(f'"{text}" is not a whole number. {limits}') from None
        if not self.low <= number <= self.high:
            raise ValueError(limits)
        return number

    def plain(self, value: int) -> int:
        return value


@dataclass(frozen=True)
class Choice(_Written[str]):
    """One of a few, each with a label for people."""

    options: tuple[tuple[str, str], ...]
    """(value, label) in the order shown."""

    def read(self, raw: Raw) -> str:
        text = _line(raw)
        if text not in dict(self.options):
            raise ValueError(f'"{text}" is not one of: {", ".join(value for value, _ in self.options)}.')
        return text


@dataclass(frozen=True)
class YesNo(_Written[bool]):
    """Yes or no."""

    def read(self, raw: Raw) -> bool:
        if isinstance(raw, bool):
            return raw
        text = raw.strip().lower() if isinstance(raw, str) else ""
        if text not in ("yes", "no"):
            raise ValueError("Answer yes or no.")
        return text == "yes"

    def show(self, value: bool) -> str:
        return "yes" if value else "no"

    def plain(self, value: bool) -> bool:
        return value


@dataclass(frozen=True)
class Several(_Written[tuple[str, ...]]):
    """A list, with commas or blanks between; each item is read by `item`, which may raise ValueError."""

    item: Callable[[str], str]

    def read(self, raw: Raw) -> tuple[str, ...]:
        if isinstance(raw, str):
            items: Sequence[str] = [part for part in re.split(r"[,\s]+", raw) if part]
        elif isinstance(raw, Sequence):
            items = raw
        else:
            raise ValueError('Give a list, such as ["api.example.com", "10.0.0.5"].')
        if not items:
            raise ValueError("This is needed.")
        return tuple(dict.fromkeys(self.item(_line(item)) for item in items))

    def show(self, value: tuple[str, ...]) -> str:
        return ", ".join(value)

    def plain(self, value: tuple[str, ...]) -> list[str]:
        return list(value)


@dataclass(frozen=True)
class Account(_Written[str]):
    """The name of an account of this host."""

    def read(self, raw: Raw) -> str:
        text = _line(raw)
        try:
            return pwd.getpwnam(text).pw_name
        except KeyError:
            raise ValueError(f'There is no account "{text}" on this host.') from None


@dataclass(frozen=True)
class IPv4Address(_Written[str]):
    """An address as `a.b.c.d:port`."""

    def read(self, raw: Raw) -> str:
        text = _line(raw)
        address, _, port = text.rpartition(":")
        if not address:
            raise ValueError(f"The port is missing: {text}:50051?")
        try:
            ipaddress.IPv4Address(address)
        except ValueError:
            raise ValueError(f'"{address}" is not an IPv4 address such as 127.0.0.1.') from None
        if not port.isdecimal() or not 0 < int(port) < 65536:
            raise ValueError(f'"{port}" is not a port: give a number from 1 to 65535.')
        return f"{address}:{int(port)}"


def _line(raw: Raw) -> str:
    """One trimmed, printable, non-empty line."""
    if not isinstance(raw, str):
        raise ValueError("Give a text in quotes.")
    text = raw.strip()
    if not text:
        raise ValueError("This is needed.")
    if len(text) > LONGEST:
        raise ValueError(f"This has {len(text)} characters; at most {LONGEST} are allowed.")
    if not text.isprintable():
        raise ValueError("There is a control character in it: type it again instead of pasting.")
    return text


@dataclass(frozen=True, slots=True)
class Page:
    """Questions shown together, at most seven."""

    key: str
    title: str
    note: str = ""
    """What must be known before answering, one or two sentences."""


@dataclass(frozen=True, slots=True)
class Question:
    """One question, whichever way it is rendered."""

    label: str
    kind: Kind[Any]
    page: str
    help: str
    """One line under the field."""
    more: str = ""
    """What F1 adds."""
    name: str = ""
    """The field's name and the key in an answers file; filled in from the dataclass."""


def question(label: str, kind: Kind[T], *, page: str, help: str, more: str = "") -> T:
    """Declare a field of a target as a question."""
    asked = Question(label, kind, page, help, more)
    field: T = dataclasses.field(metadata={"question": asked})
    return field


class Missing(ValueError):
    """There is no answer and no default yet."""


class NotAnswered(AttributeError):
    """A rule asked for an earlier answer that is missing or wrong."""


class Questionnaire:
    """What gives a frozen dataclass its questions and its rules."""

    pages: ClassVar[tuple[Page, ...]]

    @classmethod
    def questions(cls) -> tuple[Question, ...]:
        """The questions in the order they are asked: page by page, then as declared."""
        fields = dataclasses.fields(cls)  # type: ignore[arg-type]  # every subclass is a dataclass
        asked = [dataclasses.replace(field.metadata["question"], name=field.name) for field in fields]
        pages = [page.key for page in cls.pages]
        return tuple(sorted(asked, key=lambda question: pages.index(question.page)))

    def cautions(self, host: Host) -> tuple[str, ...]:
        """What to know about these answers, though they can be used."""
        given = ((asked, getattr(self, asked.name)) for asked in self.questions())
        cautions = (_rule(self, "caution", asked, host, value) for asked, value in given)
        return tuple(filter(None, cautions))

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 -- only ever raises
        raise NotAnswered(name)


Q = TypeVar("Q", bound=Questionnaire)


@dataclass(frozen=True, slots=True)
class Entry:
    """One question with what is known about its answer."""

    question: Question
    text: str
    """What the field shows: as given, or the default."""
    given: bool
    """Whether it was given; otherwise `text` is the default."""
    default: str = ""
    """The default as text; empty when there is none."""
    error: str = ""
    """Why the answer cannot be used, and what is right; empty when it can."""
    caution: str = ""
    """What to know about an answer that can be used."""
    applies: bool = True
    """Whether the question is asked at all, given the earlier answers."""
    missing: bool = False
    """Whether the error is only that nothing has been answered yet."""
    refusal: Refusal | None = None
    """The refusal of a file that the answer names, when that is the error."""


@dataclass(frozen=True, slots=True)
class Sheet(Generic[Q]):
    """A questionnaire as filled in so far."""

    target: type[Q]
    entries: tuple[Entry, ...]
    answers: Q | None
    """The complete answers; None while an entry has an error."""

    @property
    def asked(self) -> tuple[Entry, ...]:
        """The entries that apply."""
        return tuple(entry for entry in self.entries if entry.applies)

    @property
    def wrong(self) -> tuple[Entry, ...]:
        """The entries that stop, first one first."""
        return tuple(entry for entry in self.asked if entry.error)

    def page(self, page: Page) -> tuple[Entry, ...]:
        """The entries of one page that apply."""
        return tuple(entry for entry in self.asked if entry.question.page == page.key)

    def __getitem__(self, name: str) -> Entry:
        return next(entry for entry in self.entries if entry.question.name == name)


def fill_in(target: type[Q], given: Mapping[str, Raw], host: Host) -> Sheet[Q]:
    """Read what was given, complete it with defaults, and check each answer.

    A pure function of its arguments and of the files that the rules look at.
    """
    answers = target.__new__(target)
    entries = []
    for asked in target.questions():
        entry, value = _entry(answers, asked, given, host)
        entries.append(entry)
        if value is not None:
            object.__setattr__(answers, asked.name, value)
    complete = not any(entry.error for entry in entries)
    return Sheet(target, tuple(entries), answers if complete else None)


def _entry(
    answers: Questionnaire, asked: Question, given: Mapping[str, Raw], host: Host
) -> tuple[Entry, object]:
    """The entry of one question, and its value when it can be used."""
    if _rule(answers, "applies", asked, host) is False:
        return Entry(asked, "", given=False, applies=False), _rule(answers, "default", asked, host)
    default, why_none = _default(answers, asked, host)
    raw = given.get(asked.name)
    value, error = (default, why_none) if raw is None else _read(asked.kind, raw)
    if error is None:
        error = _checked(answers, asked, host, value)
    default_text = "" if default is None else asked.kind.show(default)
    entry = Entry(
        asked,
        text=default_text if raw is None else _shown(raw),
        given=raw is not None,
        default=default_text,
        error=str(error or ""),
        caution="" if error else _rule(answers, "caution", asked, host, value) or "",
        missing=isinstance(error, Missing),
        refusal=error if isinstance(error, Refusal) else None,
    )
    return entry, None if error else value


def _default(answers: Questionnaire, asked: Question, host: Host) -> tuple[object, Exception | None]:
    """The default, or why there is none."""
    rule = getattr(answers, f"default_{asked.name}", None)
    try:
        value = rule(host) if rule else None
    except NotAnswered as missing:
        before = next(question for question in answers.questions() if question.name == str(missing))
        return None, Missing(f'Its default follows from "{before.label}": answer that first.')
    except ValueError as error:
        return None, error
    except OSError as error:
        return None, _not_seen(error)
    # A name found on the host can be as odd as one that is typed, so it is read like one.
    return (None, Missing("This is needed.")) if value is None else _read(asked.kind, asked.kind.plain(value))


def _read(kind: Kind[Any], raw: Raw) -> tuple[object, Exception | None]:
    """What was given as a value, or why it is none."""
    try:
        return kind.read(raw), None
    except ValueError as error:
        return None, error
    except OSError as error:
        return None, _not_seen(error)


def _checked(answers: Questionnaire, asked: Question, host: Host, value: object) -> Exception | None:
    """Why the value cannot be used, as the target's own rule says; None when it can."""
    try:
        problem = _rule(answers, "check", asked, host, value)
    except Refusal as refusal:
        return refusal
    except OSError as error:
        return _not_seen(error)
    return ValueError(problem) if problem else None


def _not_seen(error: OSError) -> ValueError:
    return ValueError(f"{error.filename or 'This'} cannot be looked at: {error.strerror}.")


def _rule(answers: Questionnaire, rule: str, asked: Question, host: Host, *value: object) -> Any:  # noqa: ANN401 -- each rule has its own result
    """Call `check_NAME` and the like where the target has it; None where an earlier answer is missing."""
    method = getattr(type(answers), f"{rule}_{asked.name}", None)
    if method is None:
        return None
    try:
        return method(answers, host, *value)
    except NotAnswered:
        return False if rule == "applies" else None


def _shown(raw: Raw) -> str:
    """An answer as given, as the text of a field."""
    if isinstance(raw, bool):
        return "yes" if raw else "no"
    return str(raw) if isinstance(raw, int | str) else ", ".join(map(str, raw))
