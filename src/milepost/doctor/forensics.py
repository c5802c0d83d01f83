"""What was out of the ordinary in the runs so far, each with its evidence, and what kind of trouble it is.

Told apart are trouble with the model, with its context, loops, tools, gates, the machine and the money. A fold over
journal and transcripts; nothing is judged by a model. Source: parallel PR-240; spec auto 5.6, 5.7, 7 (forensics).
"""

from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from statistics import median
from typing import Final, TypeAlias

from milepost.doctor.trace import Entry, What
from milepost.formats.journal import AnyEvent, Result
from milepost.model import money
from milepost.model.words import counted
from milepost.rules.attempts import Attempt, of_units
from milepost.rules.runs import Run

SPIKE = 3
"""Times the median of its kind from which an attempt is a spike."""
SAMPLES: Final = 3
"""Attempts of a kind from which there is a median to speak of."""
_LEAST_SPIKE_TOKENS: Final = 1_000
LOOP: Final = 3
"""Attempts at one unit without a commit between them."""
_FAILING_CALLS: Final = 3
_MISSING_READS: Final = 2
_CLOCK_BACK_MS: Final = 1_000
_NOT_THERE: Final = ("no file", "no directory", "no such file", "does not exist", "not found")
_READING: Final = ("read", "list", "search", "ls", "grep", "find", "glob")


class Trouble(StrEnum):
    """What kind of trouble (PR-240 names the first four)."""

    MODEL = "model"
    CONTEXT = "context"
    LOOP = "loop"
    TOOL = "tool"
    GATE = "gate"
    MACHINE = "machine"
    MONEY = "money"


@dataclass(frozen=True, slots=True, kw_only=True)
class Anomaly:
    """One thing that was out of the ordinary."""

    code: str
    trouble: Trouble
    says: str
    """One sentence."""
    at_ms: int
    unit: str = ""
    """`kind/id`; empty: it is about a run."""
    attempts: tuple[str, ...] = ()
    evidence: str = ""
    """A path below the state directory, or a run."""


Reader: TypeAlias = Callable[[Attempt], tuple[Entry, ...]]
"""Reads what the session of an attempt said and did."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """What is looked at."""

    events: Sequence[AnyEvent]
    attempts: Sequence[Attempt]
    runs: Sequence[Run]
    alive: Container[str]
    """Runs that live."""
    trace: Reader
    since_ms: int = 0
    silence_ms: int = 45 * 60_000
    """A gap between two lines of an attempt from which the machine, not the agent, is suspected."""


def examine(seen: Material) -> tuple[Anomaly, ...]:
    """All that is out of the ordinary, oldest first. Pure, but for reading the transcripts it is given."""
    recent = [a for a in seen.attempts if a.started.at_ms >= seen.since_ms]
    found: list[Anomaly] = []
    for attempts in of_units(recent).values():
        found += [*_loops(attempts), *_gates(attempts)]
    found += _spikes(recent, seen.attempts)
    for attempt in recent:
        found += [
            *_endings(attempt),
            *_corrected(attempt),
            *_tools(attempt, seen.trace(attempt)),
            *_gaps(attempt, seen),
        ]
    found += [*_runs(seen), *_clock(seen)]
    return tuple(sorted(found, key=lambda one: (one.at_ms, one.code, one.unit)))


def _loops(attempts: Sequence[Attempt]) -> Iterator[Anomaly]:
    row: list[Attempt] = []
    best: list[Attempt] = []
    for attempt in attempts:
        row = [] if attempt.committed or attempt.result is Result.INTERRUPTED else [*row, attempt]
        best = max(best, row, key=len)
    if len(best) >= LOOP:
        reasons = Counter(a.ended.reason for a in best if a.ended)
        last, times = reasons.most_common(1)[0] if reasons else ("", 0)
        same = f", {times} times for the same reason: {_line(last)}" if times > 1 else ""
        yield _of(
            best[-1], "stuck-loop", Trouble.LOOP, f"tried {len(best)} times in a row without a commit{same}", best
        )
    for one, two in pairwise(attempts):
        if one.ended and two.ended and two.ended.reason and one.ended.reason == two.ended.reason and len(best) < LOOP:
            yield _of(
                two,
                "same-failure",
                Trouble.LOOP,
                f"failed twice in the same way: {_line(two.ended.reason)}",
                (one, two),
            )
            return


def _gates(attempts: Sequence[Attempt]) -> Iterator[Anomaly]:
    failed = [a for a in attempts if a.result is Result.VERIFY_FAILED]
    if len(failed) > 1:
        reason = failed[-1].ended.reason if failed[-1].ended else ""
        yield _of(
            failed[-1], "gate-fails", Trouble.GATE, f"its gate failed {len(failed)} times: {_line(reason)}", failed
        )
    broken = [a for a in attempts if a.verified is not None and a.verified.verdict == "inconclusive"]
    if broken:
        verdict = broken[-1].verified
        says = f"its gate could not be judged: {verdict.reason if verdict else ''}"
        yield _of(broken[-1], "gate-broken", Trouble.GATE, says, broken)


def _spikes(recent: Sequence[Attempt], everything: Sequence[Attempt]) -> Iterator[Anomaly]:
    """Against the project's own median of that kind."""
    kinds: dict[str, list[Attempt]] = {}
    for attempt in everything:
        if attempt.usage:
            kinds.setdefault(attempt.started.kind, []).append(attempt)
    for attempt in recent:
        others = [other for other in kinds.get(attempt.started.kind, ()) if other is not attempt]
        if len(others) < SAMPLES:
            continue
        usual, tokens = median(a.micro_usd for a in others), median(a.tokens for a in others)
        if usual and attempt.micro_usd > SPIKE * usual:
            times = attempt.micro_usd / usual
            says = f"cost {money.show(attempt.micro_usd)}, {times:.1f} times the usual {money.show(round(usual))}"
        elif tokens >= _LEAST_SPIKE_TOKENS and attempt.tokens > SPIKE * tokens:
            says = f"took {money.show_tokens(attempt.tokens)} tokens, {attempt.tokens / tokens:.1f} times what is usual"
        else:
            continue
        asked = counted(len(attempt.usage), "request")
        yield _of(attempt, "cost-spike", Trouble.MONEY, f"{says} for {attempt.started.kind}; {asked}", (attempt,))


_ENDINGS: Final = {
    Result.TIMED_OUT: ("timeout", Trouble.MODEL, "ran out of its time"),
    Result.UNFINISHED: ("missing-artifact", Trouble.MODEL, "ended without what it owes"),
    Result.PROVIDER_ERROR: ("provider-error", Trouble.MODEL, "the provider failed"),
    Result.CRASHED: ("crash", Trouble.MACHINE, "its process died"),
    Result.OVER_BUDGET: ("over-budget", Trouble.MONEY, "ran out of money"),
}
"""Results that are out of the ordinary by themselves."""


def _endings(attempt: Attempt) -> Iterator[Anomaly]:
    ended, session = attempt.ended, attempt.session
    if ended is not None and ended.result in _ENDINGS:
        code, trouble, words = _ENDINGS[ended.result]
        if "context" in (session.error_kind if session else ""):
            trouble = Trouble.CONTEXT
        yield _of(attempt, code, trouble, f"{words}: {_line(ended.reason) or 'no reason was given'}", (attempt,))
    if (
        session is not None
        and not session.tool_calls
        and ended is not None
        and not attempt.committed
        and not session.error
    ):
        yield _of(attempt, "no-tool-call", Trouble.MODEL, "the agent called no tool at all", (attempt,))
    if session is not None and session.stop == "max-requests":
        yield _of(attempt, "many-requests", Trouble.LOOP, f"used up its {session.requests} requests", (attempt,))


def _corrected(attempt: Attempt) -> Iterator[Anomaly]:
    for fixed in attempt.corrections:
        paths = f": {', '.join(fixed.paths)}" if fixed.paths else ""
        yield _of(attempt, "correction", Trouble.TOOL, f"put right: {fixed.what}{paths}", (attempt,))


def _tools(attempt: Attempt, trace: Sequence[Entry]) -> Iterator[Anomaly]:
    """Calls that failed, and files that were looked for and are not there."""
    calls = {entry.id: entry for entry in trace if entry.what is What.CALL}
    failed = [entry for entry in trace if entry.what is What.RESULT and not entry.ok]
    missing = [e for e in failed if e.tool in _READING and any(words in e.text.lower() for words in _NOT_THERE)]
    if len(missing) >= _MISSING_READS:
        names = dict.fromkeys(calls[e.id].text for e in missing if e.id in calls)
        says = f"looked for {counted(len(names), 'file')} that {'is' if len(names) == 1 else 'are'} not there: "
        yield _of(attempt, "missing-context", Trouble.CONTEXT, says + ", ".join(list(names)[:5]), (attempt,))
    rest = Counter(entry.tool for entry in failed if entry not in missing)
    for tool, times in rest.items():
        if times >= _FAILING_CALLS:
            last = next(entry.text for entry in reversed(failed) if entry.tool == tool)
            says = f"{times} calls of {tool} failed or were refused; the last: {_line(last)}"
            yield _of(attempt, "broken-tool-call", Trouble.TOOL, says, (attempt,))


def _gaps(attempt: Attempt, seen: Material) -> Iterator[Anomaly]:
    """A machine that slept, or a session that nobody ended."""
    own = [attempt.started.at_ms, *(fact.at_ms for fact in attempt.facts if fact.run == attempt.started.run)]
    for before, after in pairwise(own):
        if after - before >= seen.silence_ms:
            minutes = (after - before) // 60_000
            says = f"nothing was written for {minutes} minutes: the machine slept, or its clock was set"
            yield _of(attempt, "silence", Trouble.MACHINE, says, (attempt,))
            return


def _runs(seen: Material) -> Iterator[Anomaly]:
    for run in seen.runs:
        if run.started.at_ms < seen.since_ms:
            continue
        if run.died(seen.alive):
            why = run.lost.reason if run.lost else f"pid {run.started.pid} is gone without a last word"
            yield _run(run, "crash", Trouble.MACHINE, f"run {run.id} died: {why}", run.heard_ms)
        elif run.ended is not None and run.ended.state == "error":
            yield _run(
                run, "run-error", Trouble.MACHINE, f"run {run.id} ended in error: {run.ended.reason}", run.ended.at_ms
            )


def _clock(seen: Material) -> Iterator[Anomaly]:
    """A clock that was set back, seen by one run: its own lines are in the order they were written."""
    latest: dict[str, int] = {}
    said: set[str] = set()
    for event in seen.events:
        back = latest.get(event.run, 0) - event.at_ms
        if back >= _CLOCK_BACK_MS and event.run not in said and event.at_ms >= seen.since_ms:
            said.add(event.run)
            yield Anomaly(
                code="clock-jump", trouble=Trouble.MACHINE, at_ms=event.at_ms, evidence=event.run,
                says=f"the clock went back by {back // 1000} s during run {event.run}",
            )  # fmt: skip
        latest[event.run] = max(latest.get(event.run, 0), event.at_ms)


def _of(attempt: Attempt, code: str, trouble: Trouble, says: str, about: Iterable[Attempt]) -> Anomaly:
    return Anomaly(
        code=code,
        trouble=trouble,
        says=says,
        at_ms=attempt.end_ms(attempt.heard_ms),
        unit=attempt.key,
        attempts=tuple(one.id for one in about),
        evidence=attempt.started.transcript,
    )


def _run(run: Run, code: str, trouble: Trouble, says: str, at_ms: int) -> Anomaly:
    return Anomaly(code=code, trouble=trouble, says=says, at_ms=at_ms, evidence=run.id)


def _line(text: str) -> str:
    first = "; ".join(text.splitlines())
    return first if len(first) <= 200 else f"{first[:200]}…"
