"""Ask: questions declared once, rendered as fields, as prompts, as keys of an answers file and as flags.

A target is a frozen dataclass whose fields are its questions. The rules of a field stand beside it
as methods, each taking the host:

    default_NAME    the answer while none is given
    applies_NAME    whether it is asked at all
    check_NAME      why a value cannot be used, in a sentence
    caution_NAME    what to know about a value that can be used
    options_NAME    the options of a choice that depend on the host
    chosen_NAME     whether a passphrase is made up now, rather than one that something already has

Inside a rule `self` holds the answers to the earlier questions; touching one that is missing or wrong ends
the rule quietly, since that question already says what to do (sheet.py).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

from wizard.host import Host
from wizard.kinds import Kind, Passphrase, Plain

T = TypeVar("T")


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
    once: bool = False
    """Whether the answer is for one run only: it is not kept for the next."""
    name: str = ""
    """The field's name; filled in from the dataclass."""

    @property
    def secret(self) -> bool:
        """Whether the answer is never shown, kept or written; an answers file names a file instead."""
        return isinstance(self.kind, Passphrase)

    @property
    def key(self) -> str:
        """The key in an answers file."""
        return f"{self.name}_file" if self.secret else self.name

    @property
    def flag(self) -> str:
        """The flag on a command line, for the same value."""
        return f"--{self.key.replace('_', '-')}"


def question(label: str, kind: Kind[T], *, page: str, help: str, more: str = "", once: bool = False) -> T:
    """Declare a field of a target as a question."""
    asked = Question(label, kind, page, help, more, once)
    field: T = dataclasses.field(metadata={"question": asked})
    return field


class NotAnswered(AttributeError):
    """A rule asked for an earlier answer that is missing or wrong."""


class Questionnaire:
    """What gives a frozen dataclass its questions and its rules.

    Classes that only add questions to others are dataclasses without `__init__`, `repr` and `eq`, which
    nobody uses: each would cost a millisecond before the first frame.
    """

    pages: ClassVar[tuple[Page, ...]]

    @classmethod
    def questions(cls) -> tuple[Question, ...]:
        """The questions in the order they are asked: page by page, then as declared.

        Those of a page that the target does not have are not asked.
        """
        fields = dataclasses.fields(cls)  # type: ignore[arg-type]  # every subclass is a dataclass
        every = [dataclasses.replace(field.metadata["question"], name=field.name) for field in fields]
        return tuple(asked for page in cls.pages for asked in every if asked.page == page.key)

    def plain(self, host: Host) -> dict[str, Plain]:
        """The answers as an answers file holds them, to be used again: no secrets, only what was asked."""
        return {
            asked.name: asked.kind.plain(getattr(self, asked.name))
            for asked in self.questions()
            if not (asked.secret or asked.once)
            and asked.name in vars(self)
            and rule(self, "applies", asked, host) is not False
        }

    @classmethod
    def lasting(cls, given: Mapping[str, T]) -> dict[str, T]:
        """Those of the answers that are not for one run only."""
        once = {asked.name for asked in cls.questions() if asked.once}
        return {name: raw for name, raw in given.items() if name not in once}

    @classmethod
    def after_run(cls, given: Mapping[str, T]) -> dict[str, T]:
        """What of the answers is given for the next run, once they have been carried out."""
        return cls.lasting(given)

    def cautions(self, host: Host) -> tuple[str, ...]:
        """What to know about these answers, though they can be used."""
        given = (
            (asked, getattr(self, asked.name))
            for asked in self.questions()
            if asked.name in vars(self) and rule(self, "applies", asked, host) is not False
        )
        cautions = (rule(self, "caution", asked, host, value) for asked, value in given)
        return tuple(filter(None, cautions))

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 -- each property has its own result
        # Also asked when a property has touched a missing answer: that one is to be named, not the property.
        found = getattr(type(self), name, None)
        if isinstance(found, property):
            return found.__get__(self)
        raise NotAnswered(name)


def rule(answers: Questionnaire, name: str, asked: Question, host: Host, *value: object) -> Any:  # noqa: ANN401 -- each rule has its own result
    """Call `check_NAME` and the like where the target has it; None where an earlier answer is missing."""
    method = getattr(type(answers), f"{name}_{asked.name}", None)
    if method is None:
        return None
    try:
        return method(answers, host, *value)
    except NotAnswered:
        return False if name == "applies" else None
