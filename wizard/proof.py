"""The last step: real connections, each with an expectation and a result in plain words."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum

from wizard.inert import inert
from wizard.plan import Advice


class Expect(Enum):
    """What the service ought to do with the connection of a check, or else what ought to be."""

    ACCEPT = "accept"
    REFUSE = "refuse"
    HOLDS = "holds"
    """No connection is made; what the title says ought to be so."""


class Verdict(Enum):
    """How a check came out."""

    PASSED = "passed"
    FINDING = "finding"
    """A known limit of the service, told with what to do about it; it does not fail the proof."""
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a check found."""

    verdict: Verdict
    got: str
    """What was seen; may quote the network, so the one who shows it makes it harmless."""
    meaning: str = ""
    """What that means for the operator."""
    advice: tuple[Advice, ...] = ()
    stop: bool = False
    """The checks after this one would be of no use."""


@dataclass(frozen=True, slots=True)
class Check:
    """One connection, or a few that answer one question; or a look at what the service runs with."""

    title: str
    expect: Expect
    run: Callable[[], Outcome]
    command: str
    """The same check for a shell, to copy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A check together with what it found."""

    title: str
    expect: Expect
    verdict: Verdict
    got: str
    meaning: str
    advice: tuple[Advice, ...]
    command: str


@dataclass(frozen=True, slots=True)
class Proof:
    """All results, in the order of the checks."""

    results: tuple[Result, ...]

    def count(self, verdict: Verdict) -> int:
        """Return how many checks came out so."""
        return sum(result.verdict is verdict for result in self.results)

    @property
    def passed(self) -> bool:
        """Nothing failed, and the first connection, which reaches the service, came out as it should."""
        reach = next((result for result in self.results if result.expect is not Expect.HOLDS), None)
        return self.count(Verdict.FAILED) == 0 and reach is not None and reach.verdict is Verdict.PASSED


def _ignore(_: Result) -> None:
    pass


def prove(checks: Iterable[Check], progress: Callable[[Result], None] = _ignore) -> Proof:
    """Run the checks one after another; `progress` is given each result as it comes.

    When a check says stop, the ones after it are skipped for the reason it gave.
    """
    results: list[Result] = []
    stopped: Outcome | None = None
    for check in checks:
        if stopped is None:
            outcome = check.run()
            stopped = outcome if outcome.stop else None
        else:
            outcome = Outcome(verdict=Verdict.SKIPPED, got="not tried", meaning=stopped.got)
        results.append(_result(check, outcome))
        progress(results[-1])
    return Proof(tuple(results))


def _result(check: Check, outcome: Outcome) -> Result:
    return Result(
        title=check.title,
        expect=check.expect,
        verdict=outcome.verdict,
        got=outcome.got,
        meaning=outcome.meaning,
        advice=outcome.advice,
        command=check.command,
    )


def summary(proof: Proof) -> str:
    """Say in one line how it came out: "Proven: 6 passed, 1 finding." """
    counts = [_counted(proof.count(verdict), verdict) for verdict in Verdict if proof.count(verdict)]
    return f"{'Proven' if proof.passed else 'Not proven'}: {', '.join(counts) or 'no checks'}."


def _counted(count: int, verdict: Verdict) -> str:
    return f"{count} {verdict.value}{'s' if verdict is Verdict.FINDING and count > 1 else ''}"


def text(proof: Proof) -> str:
    """Write all results for a terminal, harmless whatever the network sent."""
    return "\n".join([*map(result_text, proof.results), summary(proof)])


def result_text(result: Result) -> str:
    """Write one result for a terminal: a line, and indented below it what is to know or to do."""
    if result.verdict is Verdict.SKIPPED:
        return inert(f"{result.verdict.value:<8} {result.title}: {result.got}")
    lines = [f"{result.verdict.value:<8} {inert(result.title)}"]
    lines.extend(f"         {inert(line)}" for line in (result.got, result.meaning) if line)
    for advice in result.advice:
        lines.append(f"         To do: {inert(advice.text)}")
        lines.extend(f"           {inert(line)}" for line in advice.command.splitlines())
    if result.verdict is not Verdict.PASSED:
        lines.append(f"         Try it: {inert(result.command)}")
    return "\n".join(lines)


def as_json(proof: Proof) -> dict[str, object]:
    """Write the proof as plain data."""
    return {
        "passed": proof.passed,
        "counts": {verdict.value: proof.count(verdict) for verdict in Verdict},
        "results": [
            {
                "title": result.title,
                "expect": result.expect.value,
                "verdict": result.verdict.value,
                "got": result.got,
                "meaning": result.meaning,
                "advice": [{"text": advice.text, "command": advice.command} for advice in result.advice],
                "command": result.command,
            }
            for result in proof.results
        ],
    }
