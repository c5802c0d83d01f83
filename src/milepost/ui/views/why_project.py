"""Why the project is as it is: who or what made it so, when, the evidence, and what to type. Source: DESIGN rule 10."""

from dataclasses import dataclass

from milepost.formats.journal import FleetEnded
from milepost.model.state import Phase
from milepost.model.words import counted
from milepost.rules.attempts import Attempt
from milepost.rules.dispatch import Dispatch
from milepost.rules.quick import QUICK
from milepost.rules.runs import Run
from milepost.ui.views import dashboard, happenings, overview, why_unit
from milepost.ui.views.inbox import Row
from milepost.ui.views.situation import Situation
from milepost.ui.views.spans import ago
from milepost.ui.views.story import Section, Story

STATES = ("running", "waiting", "paused", "blocked", "budget", "interrupted", "crashed", "error", "done", "idle")
"""Words for a project, as `why` takes and gives them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a project stands, and what made it so."""

    word: str
    """One of STATES."""
    cause: str
    since_ms: int = 0
    hint: str = ""
    run: Run | None = None
    """The run that made it so; None: none, or a whole fleet."""
    last: Attempt | None = None
    """The attempt that says more about it."""


def standing(here: Situation) -> Standing:
    """Fold. What is at work comes before what has ended, and an end before what is only due."""
    if here.alive:
        return _running(here)
    complete = here.state.phase is Phase.COMPLETE
    fleet = here.look.fleet.ended
    run = max((r for r in here.runs), key=lambda r: r.heard_ms, default=None)
    if fleet is not None and (run is None or fleet.at_ms >= run.heard_ms or not run.solo):
        return _of_fleet(fleet, here)
    if run is None:
        return _never(here)
    if run.ended is None:
        return _crashed(run, here)
    ended = run.ended
    if ended.state == "done" and not complete and isinstance(here.decision, Dispatch):
        return Standing(
            word="idle", cause=f"{ended.reason.rstrip('.')}; {here.decision.unit} is due, and nobody is at it",
            since_ms=ended.at_ms, hint=ended.hint or "gsd auto", run=run,
        )  # fmt: skip
    last = None if ended.state == "done" else _last(run, here)
    return Standing(word=ended.state, cause=ended.reason, since_ms=ended.at_ms, hint=ended.hint, run=run, last=last)


def story(here: Situation, waiting: tuple[Row, ...], asked: str = "") -> Story:
    """All of it. waiting: the inbox. asked: the state that was asked about, which may not be the one that is."""
    found = standing(here)
    says = f"It is not {asked}. It is" if asked and asked != found.word else "The project is"
    since = f", since {here.clock(found.since_ms)} ({ago(here.now_ms - found.since_ms)} ago)" if found.since_ms else ""
    hint = here.typed(found.hint) if found.hint else ""
    following = hint or (waiting[0].next if waiting else "")
    rows = tuple(
        (f"{r.milestone} {r.kind}".strip() if len(r.milestone) < 5 else str(r.kind), r.reason) for r in waiting
    )
    return Story(
        says=f"{says} {found.word}{since}.",
        sections=(
            Section(title="", facts=tuple(_facts(found, here))),
            *([Section(title=f"Waiting for you ({here.program} inbox)", facts=rows)] if rows else []),
        ),
        next=following,
        document={
            "about": "project",
            "state": found.word,
            "asked": asked or None,
            "cause": found.cause,
            "since": found.since_ms or None,
            "run": found.run.id if found.run else None,
            "command": found.run.started.command if found.run else None,
            "pid": here.pid or None,
            "running": [why_unit.document(a, here) for a in here.at_work],
            "lastAttempt": why_unit.document(found.last, here) if found.last else None,
            "waiting": len(waiting),
            "next": following or None,
        },
    )


def _facts(found: Standing, here: Situation) -> list[tuple[str, str]]:
    facts = [("why", found.cause)]
    if found.run is not None:
        run = found.run
        worked = counted(run.attempts, "attempt")
        facts.append(("who", f"run {run.id} ({run.started.command}), began {here.clock(run.started.at_ms)}, {worked}"))
    for attempt in here.at_work:
        facts += [
            ("at work", f"{attempt.named}: attempt {attempt.started.number}, since {here.clock(attempt.started.at_ms)}")
        ]
        facts += [("", why_unit.because(attempt)), ("", why_unit.cost(attempt))]
    if found.last is not None:
        facts += _evidence(found.last, here)
    landings = overview.landed(here.events)
    return [*facts, *(("landed", f"{e.milestone} {happenings.sentence(e)[7:]}") for e in landings)]


def _evidence(last: Attempt, here: Situation) -> list[tuple[str, str]]:
    facts = [("at", f"{last.named}, attempt {last.started.number}: {why_unit.result(last, here)}")]
    record = here.evidence(last)
    facts += [("", f"{c.command}: {c.verdict}, exit {c.exit_code}") for c in (record.checks if record else ())]
    if last.verified is not None and last.verified.evidence:
        facts.append(("evidence", last.verified.evidence))
    if last.started.transcript:
        facts.append(("transcript", f"{here.state_dir}/{last.started.transcript}"))
    key = f"{last.started.kind}/{last.started.unit}"
    return [*facts, ("more", f"{here.program} why {key}")]


def _running(here: Situation) -> Standing:
    run = next((r for r in reversed(here.runs) if r.id in here.alive), None)
    workers = [w.milestone for w in here.look.workers if w.alive]
    who = f"pid {here.pid} is at work" if here.pid else "parallel workers are at work"
    if workers and not here.pid:
        who += f": {', '.join(workers)}"
    if here.waits and not here.at_work:
        wait = here.waits[0]
        cause = dashboard.wait_words(wait, here)
        return Standing(word="waiting", cause=cause, since_ms=wait.at_ms, run=run if here.pid else None)
    return Standing(word="running", cause=who, since_ms=run.started.at_ms if run else 0, run=run if here.pid else None)


def _of_fleet(ended: FleetEnded, here: Situation) -> Standing:
    last = [a for a in here.attempts if a.ended and not a.committed]
    bad = last[-1] if last and ended.state != "done" else None
    return Standing(
        word=ended.state, cause=f"the fleet ended: {ended.reason}", since_ms=ended.at_ms, hint=ended.hint, last=bad
    )


def _never(here: Situation) -> Standing:
    if isinstance(here.decision, Dispatch):
        return Standing(word="idle", cause=f"nothing was run yet; {here.decision.unit} is due", hint="gsd auto")
    word = "done" if here.state.phase is Phase.COMPLETE else "blocked"
    return Standing(word=word, cause=here.decision.reason, hint=here.decision.hint)


def _crashed(run: Run, here: Situation) -> Standing:
    last = _last(run, here)
    lost = run.lost.reason if run.lost else f"pid {run.started.pid} is gone without a last word"
    open_ = f", in {last.named}" if last and last.ended is None else ""
    command = "quick" if run.started.command == QUICK else "auto"
    hint = f"gsd {command} settles what it left, without paying again, and goes on."
    return Standing(word="crashed", cause=f"{lost}{open_}", since_ms=run.heard_ms, hint=hint, run=run, last=last)


def _last(run: Run, here: Situation) -> Attempt | None:
    """The latest attempt of a run, if it did not end well."""
    made = [a for a in here.attempts if a.started.run == run.id]
    return made[-1] if made and not made[-1].committed else None
