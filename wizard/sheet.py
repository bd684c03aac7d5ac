"""A questionnaire filled in: what was given, completed with defaults, and checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Generic, TypeVar

from wizard.errors import Refusal
from wizard.host import Host
from wizard.kinds import Choice, Kind, Raw
from wizard.questions import NotAnswered, Page, Question, Questionnaire, rule
from wizard.rights import needs_root
from wizard.secret import Secret

Q = TypeVar("Q", bound=Questionnaire)


NO_VALUE = object()
"""Stands for the value of a question that has none."""


class Missing(ValueError):
    """There is no answer and no default yet."""


class Elsewhere(ValueError):
    """The answer cannot be used here, but another target serves: with these answers to begin with."""

    def __init__(
        self, sentence: str, target: str, answers: Mapping[str, Raw], carried: Sequence[str] = ()
    ) -> None:
        super().__init__(sentence)
        self.target = target
        """Its key."""
        self.answers = answers
        self.carried = carried
        """The questions of both, whose answers are taken along as they were given."""

    def given(self, before: Mapping[str, Raw]) -> dict[str, Raw]:
        """What is given to the other target, of what was given `before`."""
        return {**self.answers, **{name: before[name] for name in self.carried if name in before}}


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
    chosen: bool = False
    """Whether a passphrase is made up now, and so has to be repeated."""
    refusal: Refusal | None = None
    """The refusal of a file that the answer names, when that is the error."""
    elsewhere: Elsewhere | None = None
    """The other target that serves, when that is the error."""
    needs_root: bool = False
    """Whether the error would not be one for root, and the user could become that."""


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

    @property
    def pages(self) -> tuple[Page, ...]:
        """The pages on which something is asked, given the answers so far."""
        return tuple(page for page in self.target.pages if self.page(page))

    def __getitem__(self, name: str) -> Entry:
        return next(entry for entry in self.entries if entry.question.name == name)


def fill_in(target: type[Q], given: Mapping[str, Raw], host: Host, *, secrets: bool = True) -> Sheet[Q]:
    """Read what was given, complete it with defaults, and check each answer.

    Without `secrets` the answers are complete without the passphrases that are missing; nothing else is.
    A pure function of its arguments and of the files that the rules look at.
    """
    answers = target.__new__(target)
    entries = []
    for asked in target.questions():
        entry, value = _entry(answers, asked, given, host)
        if asked.secret and entry.missing and not secrets:
            entry = replace(entry, error="")
        entries.append(entry)
        if value is not NO_VALUE:
            object.__setattr__(answers, asked.name, value)
    complete = not any(entry.error for entry in entries)
    for field in fields(target) if complete else ():  # type: ignore[arg-type]  # every target is a dataclass
        if field.name not in vars(answers):  # not asked, and without a default
            object.__setattr__(answers, field.name, None)
    return Sheet(target, tuple(entries), answers if complete else None)


def _entry(
    answers: Questionnaire, asked: Question, given: Mapping[str, Raw], host: Host
) -> tuple[Entry, object]:
    """The entry of one question, and its value when it can be used, else NO_VALUE."""
    if rule(answers, "applies", asked, host) is False:
        return Entry(asked, "", given=False, applies=False), _unasked(answers, asked, host)
    if options := rule(answers, "options", asked, host):
        asked = replace(asked, kind=Choice(options))
    default, why_none = _default(answers, asked, host)
    raw = given.get(asked.name)
    if raw == "" and not asked.kind.optional:  # it has to be told: what is likely here is not meant
        default, raw, why_none = None, None, Missing("This is needed.")
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
        caution="" if error else rule(answers, "caution", asked, host, value) or "",
        missing=isinstance(error, Missing),
        chosen=asked.secret and rule(answers, "chosen", asked, host) is True,
        refusal=error if isinstance(error, Refusal) else None,
        elsewhere=error if isinstance(error, Elsewhere) else None,
        needs_root=needs_root(host, str(error or "")),
    )
    return entry, NO_VALUE if error else value


def _unasked(answers: Questionnaire, asked: Question, host: Host) -> object:
    """The value of a question that does not apply: its default, or nothing where it may be left empty."""
    try:
        default = rule(answers, "default", asked, host)
    except (ValueError, OSError, Refusal):  # nobody asks for it
        default = None
    if default is None:
        return asked.kind.read("") if asked.kind.optional else NO_VALUE
    return default


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
    if value is None:
        return _read(asked.kind, "") if asked.kind.optional else (None, Missing("This is needed."))
    # A name found on the host can be as odd as one that is typed, so it is read like one.
    return _read(asked.kind, asked.kind.plain(value))


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
        problem = rule(answers, "check", asked, host, value)
    except Refusal as refusal:
        return refusal
    except OSError as error:
        return _not_seen(error)
    except ValueError as error:  # what the parts say of a file that cannot be used
        return error
    return ValueError(problem) if problem else None


def _not_seen(error: OSError) -> ValueError:
    return ValueError(f"{error.filename or 'This'} cannot be looked at: {error.strerror}.")


def _shown(raw: Raw) -> str:
    """An answer as given, as the text of a field."""
    if isinstance(raw, Secret):
        return ""
    if isinstance(raw, bool):
        return "yes" if raw else "no"
    return str(raw) if isinstance(raw, int | str) else ", ".join(map(str, raw))
