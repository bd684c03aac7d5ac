"""How results become a proof."""

from __future__ import annotations

import pytest

from wizard.plan import Advice
from wizard.proof import Check, Expect, Outcome, Proof, Result, Verdict, as_json, prove, summary, text


def check(title: str, outcome: Outcome) -> Check:
    return Check(title, Expect.ACCEPT, lambda: outcome, f"curl {title}")


def outcome(verdict: Verdict, *, stop: bool = False) -> Outcome:
    return Outcome(verdict=verdict, got=verdict.value, stop=stop)


def proof_of(*verdicts: Verdict) -> Proof:
    return prove(check(str(number), outcome(verdict)) for number, verdict in enumerate(verdicts))


PASSED, FINDING, FAILED, SKIPPED = Verdict.PASSED, Verdict.FINDING, Verdict.FAILED, Verdict.SKIPPED


@pytest.mark.parametrize(
    ("verdicts", "passed", "line"),
    [
        ((PASSED, PASSED), True, "Proven: 2 passed."),
        ((PASSED, FINDING), True, "Proven: 1 passed, 1 finding."),
        ((PASSED, SKIPPED), True, "Proven: 1 passed, 1 skipped."),
        ((PASSED, FAILED), False, "Not proven: 1 passed, 1 failed."),
        ((SKIPPED, PASSED), False, "Not proven: 1 passed, 1 skipped."),
        ((FINDING,), False, "Not proven: 1 finding."),
        ((FINDING, FINDING, FAILED, FAILED), False, "Not proven: 2 findings, 2 failed."),
        ((), False, "Not proven: no checks."),
    ],
)
def test_a_proof_passes_when_nothing_failed_and_something_passed(
    verdicts: tuple[Verdict, ...], passed: bool, line: str
) -> None:
    proof = proof_of(*verdicts)
    assert proof.passed is passed
    assert summary(proof) == line


def test_what_was_only_looked_at_proves_nothing_without_a_connection() -> None:
    def looked(verdict: Verdict) -> Check:
        return Check("script", Expect.HOLDS, lambda: outcome(verdict), "grep")

    connected = check("reach", outcome(PASSED))
    assert prove([looked(PASSED), connected]).passed
    assert prove([looked(SKIPPED), connected]).passed
    assert not prove([looked(PASSED)]).passed
    assert not prove([looked(FAILED), connected]).passed


def test_when_a_check_says_stop_the_rest_is_not_run_and_says_why() -> None:
    def explode() -> Outcome:
        raise AssertionError("must not run")

    nothing = Outcome(verdict=FAILED, got="Nothing listens at 127.0.0.1:1.", stop=True)
    seen: list[Result] = []
    proof = prove([check("reach", nothing), Check("names", Expect.ACCEPT, explode, "curl")], seen.append)
    assert tuple(seen) == proof.results
    assert [result.verdict for result in proof.results] == [FAILED, SKIPPED]
    assert proof.results[1].meaning == "Nothing listens at 127.0.0.1:1."
    assert not proof.passed


def test_results_come_one_by_one_while_the_checks_run() -> None:
    order: list[str] = []

    def run(title: str) -> Check:
        def note() -> Outcome:
            order.append(f"run {title}")
            return outcome(PASSED)

        return Check(title, Expect.ACCEPT, note, "curl")

    prove([run("a"), run("b")], lambda result: order.append(f"told {result.title}"))
    assert order == ["run a", "told a", "run b", "told b"]


def test_what_was_skipped_is_one_line_with_its_reason() -> None:
    untried = Outcome(verdict=SKIPPED, got="only root\ncan see", meaning="It is so.")
    nothing = Outcome(verdict=FAILED, got="Nothing listens.", stop=True)
    proof = prove([check("process", untried), check("reach", nothing), check("names", outcome(PASSED))])
    assert text(proof).splitlines() == [
        "skipped  process: only root\\ncan see",
        "failed   reach",
        "         Nothing listens.",
        "         Try it: curl reach",
        "skipped  names: not tried",
        "Not proven: 1 failed, 2 skipped.",
    ]


def test_text_is_harmless_and_json_is_complete() -> None:
    advice = Advice("Close the port.", "ufw deny 1")
    hostile = Outcome(verdict=FINDING, got="HTTP/1.1 200 \x1b[2J", meaning="It answers.", advice=(advice,))
    proof = prove([check("ok", outcome(PASSED)), check("plain", hostile)])
    assert text(proof).splitlines() == [
        "passed   ok",
        "         passed",
        "finding  plain",
        "         HTTP/1.1 200 \\x1b[2J",
        "         It answers.",
        "         To do: Close the port.",
        "           ufw deny 1",
        "         Try it: curl plain",
        "Proven: 1 passed, 1 finding.",
    ]
    data = as_json(proof)
    assert data["passed"] is True
    assert data["counts"] == {"passed": 1, "finding": 1, "failed": 0, "skipped": 0}
    assert data["results"][1] == {  # type: ignore[index]  # plain data, checked here
        "title": "plain",
        "expect": "accept",
        "verdict": "finding",
        "got": "HTTP/1.1 200 \x1b[2J",
        "meaning": "It answers.",
        "advice": [{"text": "Close the port.", "command": "ufw deny 1"}],
        "command": "curl plain",
    }
