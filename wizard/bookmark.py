"""Where somebody was when the wizard ended before its run was proven: the next start offers to go on there.

One small file in the state folder, put there anew whenever a step, a page or a question is entered, together
with the answers so far, and removed when the way has come to its end. Nothing waits for the disk: a kill
leaves the last place, a power cut perhaps the one before it or none.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from wizard.answers import storable
from wizard.errors import WizardError, WrongAnswer
from wizard.inert import inert
from wizard.kinds import Raw, Several, Text, Url, is_plain
from wizard.sheet import fill_in
from wizard.small_files import read_small, write_small
from wizard.state import State
from wizard.targets import Target

if TYPE_CHECKING:
    from wizard.host import Host
    from wizard.journal import Run
    from wizard.plan import Plan
    from wizard.sheet import Sheet
    from wizard.targets.catalogue import Offered

FORMAT = 1
LONGEST_NAME = 40
"""Characters of the name by which a place is known again; it fits on a line of the narrowest dialog."""
NEVER_KEPT = "Passphrases are never kept: it is asked for again."


class Step(StrEnum):
    """A step from which one can go on; the first one is no place to come back to."""

    ASK = "Ask"
    REVIEW = "Review"
    APPLY = "Apply"
    PROVE = "Prove"


STEPS = ("Choose", *Step)


@dataclass(frozen=True, slots=True)
class Bookmark:
    """The step, and what was answered until then."""

    target: type[Target]
    step: Step
    given: Mapping[str, Raw] = field(repr=False)
    """The answers as they were given, or those of the run; secrets among them are not kept."""
    question: str = ""
    """The question that was asked, or the first one of its page."""
    run: Run | None = None
    """The run to prove."""
    taken_up: bool = False
    """Whether the answers are those of an earlier run that is taken up: they are for this one way."""


def keep(state: State, place: Bookmark) -> None:
    """Somebody is here now. Raises WizardError or OSError where that cannot be kept."""
    record = {
        "format": FORMAT,
        "target": place.target.key,
        "step": place.step,
        "question": place.question,
        "run": place.run.id if place.run else "",
        "taken_up": place.taken_up,
        "time": datetime.now(UTC).isoformat(),
        "answers": storable(place.given),
    }
    state.make()
    write_small(state.bookmark, json.dumps(record).encode())


def forget(state: State) -> None:
    """The way is at its end, or not gone on with. Raises OSError."""
    state.bookmark.unlink(missing_ok=True)


def found(state: State, targets: tuple[Offered, ...]) -> Bookmark | None:
    """The place to go on from.

    None where there is none: nothing was left unfinished, the file is not one of ours or of a newer version,
    the run has been taken back or waits for its certificate, or one has to be rolled back first.
    """
    from wizard import journal

    try:
        record = _read(state)
        place = _placed(record, {target.key: target for target in targets})
        runs = journal.history(state)
        since = datetime.fromisoformat(record["time"])
        if any(run.status.interrupted for run in runs):
            return None
        return _with_run(place, record["run"], runs, since)
    except (OSError, ValueError, KeyError, TypeError, RecursionError, WizardError):
        return None


def _read(state: State) -> dict[str, Any]:
    status = state.bookmark.lstat()
    if not stat.S_ISREG(status.st_mode) or status.st_uid != os.geteuid():
        raise ValueError("somebody else has put it there")
    record: dict[str, Any] = json.loads(read_small(state.bookmark))
    if record["format"] != FORMAT:
        raise ValueError("written by another version")
    return record


def _placed(record: dict[str, Any], targets: Mapping[str, Offered]) -> Bookmark:
    target = targets[record["target"]].load()
    asked = {question.name for question in target.questions() if not question.secret}
    if not isinstance(answers := record["answers"], dict):
        raise TypeError("no answers")
    given = {name: raw for name, raw in answers.items() if name in asked and is_plain(raw)}
    names = [question.name for question in target.questions()]
    question = record["question"] if record["question"] in names else ""
    taken_up = record.get("taken_up") is True
    return Bookmark(target, Step(record["step"]), given, question, taken_up=taken_up)


def _with_run(place: Bookmark, name: str, runs: tuple[Run, ...], since: datetime) -> Bookmark | None:
    """The place with the run that is to be proven; who was dropped while it wrote has not heard of it."""
    from wizard.journal import Status

    if place.step not in (Step.APPLY, Step.PROVE):
        return place
    written = [
        run
        for run in runs
        if run.target == place.target.key
        and run.status in (Status.APPLIED, Status.UNDONE)
        and not run.undoes
        and (run.id == name if name else run.time >= since)
    ]
    if not written:  # it failed, or was rolled back: nothing is written
        return None if name else replace(place, step=Step.REVIEW)
    run = written[-1]
    if run.status is Status.UNDONE or run.awaits or not run.answers:
        return None
    return replace(place, step=Step.PROVE, given=dict(run.answers), run=run)


# To go on ---------------------------------------------------------------------------------------------------


def words(place: Bookmark, host: Host) -> str:
    """Where that is, harmless to show: "Step 3 of 5 (Review), Nano node RPC, rpc.example.com."."""
    sheet = fill_in(place.target, place.given, host)
    where = str(place.step)
    if place.step is Step.ASK and place.question and sheet[place.question].applies:
        page = sheet[place.question].question.page
        number = 1 + [page.key for page in sheet.pages].index(page)
        where += f", page {number} of {len(sheet.pages)}"
    step = f"Step {1 + STEPS.index(place.step)} of {len(STEPS)} ({where})"
    said = ", ".join(filter(None, (step, place.target.title, _name(sheet))))
    return said if said.endswith("…") else f"{said}."


def _name(sheet: Sheet[Target]) -> str:
    """By what it is known again: its common name, else the first text that was answered."""
    kinds = Text | Several | Url
    texts = [entry for entry in sheet.asked if entry.text and isinstance(entry.question.kind, kinds)]
    named = [entry for entry in texts if entry.question.name == "common_name"]
    name = next((inert(entry.text) for entry in (*named, *texts)), "")
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"


def not_kept(sheet: Sheet[Target], question: str = "") -> WrongAnswer | None:
    """Which answer has to be given again, since it was a secret; None where there is none.

    Where a question is named, only up to its page: what comes behind has not been asked yet.
    """
    pages = [page.key for page in sheet.target.pages]
    last = pages.index(sheet[question].question.page) if question else len(pages)
    missing = [entry.question for entry in sheet.wrong if entry.missing and entry.question.secret]
    secret = next((asked.name for asked in missing if pages.index(asked.page) <= last), None)
    return WrongAnswer(secret, NEVER_KEPT) if secret else None


def to_prove(place: Bookmark, host: Host) -> tuple[Target, Plan] | None:
    """The answers of the run, of which only passphrases may be missing, and a plan that has nothing to write.

    None where there is no run, or where an answer cannot be used any more.
    """
    from wizard.again import restart_of
    from wizard.plan import Plan

    answers = fill_in(place.target, place.given, host, secrets=False).answers
    if place.run is None or answers is None:
        return None
    plan = Plan(
        target=place.target.key,
        title=place.run.title,
        changes=(),
        restart=restart_of(answers, host),
        answers=place.run.answers,
    )
    return answers, plan
