"""Why a unit is as it is: every attempt, with who did it, what came of it, the evidence, and what it cost.

A fold over the journal and the gate's records. Source: DESIGN rule 10; issue "Knowing what happened".
"""

from collections.abc import Iterator, Sequence

from milepost.formats.evidence import Check, Evidence
from milepost.formats.journal import (
    AnyEvent,
    AttemptEnded,
    AttemptStarted,
    BudgetReserved,
    Corrected,
    Landed,
    Result,
    SessionEnded,
    SliceLanded,
    Undone,
    UnitSkipped,
    UnitsUndone,
    UsageReported,
    Verified,
    WaitBegan,
)
from milepost.model import money
from milepost.model.words import counted
from milepost.rules import held
from milepost.rules.attempts import Attempt
from milepost.rules.dispatch import Dispatch
from milepost.rules.quick import QUICK
from milepost.ui.views import happenings, quick, spending
from milepost.ui.views.situation import Situation
from milepost.ui.views.spans import ago, lasted, seconds
from milepost.ui.views.story import Section, Story

_TOLD = (AttemptStarted, UsageReported, BudgetReserved, SessionEnded, Corrected, Verified, AttemptEnded)
"""Facts that have a line of their own; every other fact of an attempt is told in its own words."""


def story(key: str, here: Situation) -> Story:
    """All of a unit. key: `kind/unit id`; it may have no attempts."""
    tried = [a for a in here.attempts if a.key == key]
    marks = [e for e in here.events if _marks(e, key)]
    landing = landed(tried, here)
    sections = [_attempt(a, len(tried), here) for a in tried]
    if marks:
        told = tuple((here.clock(e.at_ms), happenings.sentence(e)) for e in marks)
        sections.append(Section(title="Besides", facts=told))
    word, words = standing(key, tried, here)
    return Story(
        says=f"{_named(key)} {words}{_sums(tried, here)}",
        sections=(*sections, *([Section(title="", facts=(("landed", landing),))] if landing else [])),
        next=_next(key, word, here),
        document={
            "about": "unit",
            "unit": key,
            "state": word,
            "says": words,
            "attempts": [document(a, here) for a in tried],
            "landed": landing or None,
            "besides": [{"at": e.at_ms, "says": happenings.sentence(e)} for e in marks],
            "cost": money.to_usd(sum(a.micro_usd for a in tried)),
            "unpricedRequests": sum(a.unpriced for a in tried),
            "tokens": sum(a.tokens for a in tried),
            "next": _next(key, word, here) or None,
        },
    )


def standing(key: str, tried: Sequence[Attempt], here: Situation) -> tuple[str, str]:
    """A word for the unit (running, done, undone, open, failed, skipped, untried), and the sentence."""
    if skip := _skipped(key, here):
        return "skipped", f"was skipped by a person{f': {skip.reason}' if skip.reason else ''}"
    if not tried and key.startswith(f"{QUICK}/"):
        return "untried", "was not tried yet"
    if not tried:
        due = isinstance(here.decision, Dispatch) and here.decision.unit.key == key
        after = (
            f"; next is {here.decision.unit}" if isinstance(here.decision, Dispatch) else f": {here.decision.reason}"
        )
        return "untried", "was not tried yet: it is next" if due else f"was not tried yet{after}"
    last = tried[-1]
    if here.open(last):
        return "running", f"is running: attempt {last.started.number}, for {ago(last.took_ms(here.now_ms))}"
    if last.ended is None:
        said = ": its gate could not be judged" if last.verified and last.verified.verdict == "inconclusive" else ""
        return "open", f"is not settled{said}; the next start judges what it left, without paying again"
    if last.committed:
        undone = _undone(last, here)
        words = f"is done after {counted(len(tried), 'attempt')}"
        return ("undone", f"{words}, and was taken back out of {undone}") if undone else ("done", words)
    return "failed", f"is not done: {last.result}: {_joined(last.ended.reason) or 'no reason was given'}"


def landed(tried: Sequence[Attempt], here: Situation) -> str:
    """Where the work of the last attempt that brought a commit is now; empty: on no target yet."""
    done = [a for a in tried if a.committed]
    if not done:
        return ""
    since, milestone, part = done[-1].heard_ms, done[-1].milestone, done[-1].started.unit.split("/")[1:2]
    for event in here.events:
        match event:
            case Landed(milestone=mid, at_ms=at_ms) if mid == milestone and at_ms >= since:
                return f"on {event.target} as {event.commit[:10]}, {here.clock(at_ms)}{_push(event)}"
            case SliceLanded(milestone=mid, slice=sid, at_ms=at_ms) if mid == milestone and [sid] == part:
                return f"on {event.target} as {event.commit[:10]} (slice), {here.clock(at_ms)}{_push(event)}"
            case _:
                pass
    return ""


def because(attempt: Attempt) -> str:
    """Why there was this attempt."""
    past = attempt.before
    if past is None:
        return "it was due, for the first time"
    if past.ended is None:
        return "the attempt before never came to an end"
    if past.committed:
        return "its inputs changed, or it was due again, after it had been done"
    return f"the attempt before ended as {past.result}: {_joined(past.ended.reason) or 'no reason was given'}"


def result(attempt: Attempt, here: Situation) -> str:
    """How it came out, in one line."""
    if attempt.ended is None:
        return "in flight" if here.open(attempt) else "cut off, not settled"
    return happenings.sentence(attempt.ended)


def cost(attempt: Attempt) -> str:
    """`$0.42, 45.2k tokens, 14 requests`."""
    return _priced(spending.total(attempt.usage))


def models(attempt: Attempt) -> str:
    """Who answered; the model that was chosen, while nobody has."""
    answered = ", ".join(dict.fromkeys(usage.model for usage in attempt.usage))
    return answered or attempt.started.model


def document(attempt: Attempt, here: Situation) -> dict[str, object]:
    """One attempt for programs."""
    begun, ended, gate = attempt.started, attempt.ended, attempt.verified
    record = here.evidence(attempt)
    return {
        "attempt": attempt.id,
        "number": begun.number,
        "run": begun.run,
        "startedAt": begun.at_ms,
        "endedAt": None if ended is None else attempt.end_ms(here.now_ms),
        "heldSince": held.since(attempt.facts) if here.open(attempt) else None,
        "because": because(attempt),
        "agent": begun.agent,
        "model": models(attempt) or None,
        "tier": begun.tier or None,
        "routed": begun.routed or None,
        "result": str(ended.result) if ended else None,
        "reason": ended.reason if ended else None,
        "commit": ended.commit if ended and ended.commit else None,
        "cost": money.to_usd(attempt.micro_usd),
        "unpricedRequests": attempt.unpriced,
        "tokens": attempt.tokens,
        "requests": len(attempt.usage),
        "toolCalls": attempt.session.tool_calls if attempt.session else None,
        "error": attempt.session.error or None if attempt.session else None,
        "gate": {"verdict": gate.verdict, "source": gate.source, "reason": gate.reason, "evidence": gate.evidence}
        if gate
        else None,
        "checks": [{"command": c.command, "exitCode": c.exit_code, "verdict": str(c.verdict)} for c in record.checks]
        if record
        else None,
        "corrections": [{"what": c.what, "paths": list(c.paths), "backup": c.backup} for c in attempt.corrections],
        "besides": [
            {"at": e.at_ms, "event": happenings.tag(e), "says": happenings.sentence(e)} for e in _other(attempt)
        ],
        "transcript": f"{here.state_dir}/{begun.transcript}" if begun.transcript else None,
    }


def _attempt(attempt: Attempt, of: int, here: Situation) -> Section:
    begun = attempt.started
    until = "now" if here.open(attempt) else here.clock(attempt.end_ms(here.now_ms))
    took = lasted(attempt.took_ms(here.now_ms))
    title = f"Attempt {begun.number} of {max(of, begun.number)}, {here.clock(begun.at_ms)} to {until} ({took})"
    return Section(title=title, facts=tuple(_facts(attempt, here)))


def _facts(attempt: Attempt, here: Situation) -> Iterator[tuple[str, str]]:
    begun = attempt.started
    yield "because", because(attempt)
    tier = f"tier {begun.tier}" if begun.tier else ""
    yield "agent", ", ".join(filter(None, (begun.agent, models(attempt), tier)))
    if begun.routed:
        yield "chosen", begun.routed
    if attempt.session:
        yield "session", happenings.sentence(attempt.session).removeprefix("session ended: ")
    for event in _other(attempt):
        yield "", f"{here.clock(event.at_ms)} {happenings.sentence(event)}"
    for fixed in attempt.corrections:
        yield "corrected", happenings.sentence(fixed).removeprefix("put right: ")
    if attempt.verified:
        yield "gate", happenings.sentence(attempt.verified).removeprefix("gate: ")
        yield from (("", _check(check)) for check in _checks(here.evidence(attempt)))
    if attempt.verified and attempt.verified.evidence:
        yield "evidence", attempt.verified.evidence
    yield "result", result(attempt, here)
    yield "cost", cost(attempt)
    if begun.transcript:
        yield "transcript", f"{here.state_dir}/{begun.transcript}"


def _checks(record: Evidence | None) -> tuple[Check, ...]:
    return record.checks if record else ()


def _check(check: Check) -> str:
    late = ", timed out" if check.timed_out is True else ""
    return f"{check.command}: {check.verdict}, exit {check.exit_code}, {seconds(int(check.duration_ms))}{late}"


def _other(attempt: Attempt) -> list[AnyEvent]:
    return [event for event in attempt.facts if not isinstance(event, _TOLD)]


def _marks(event: AnyEvent, key: str) -> bool:
    """Whether it is about the unit and not about one attempt."""
    if isinstance(event, UnitsUndone):
        return key in event.units
    about = str(getattr(event, "unit", ""))
    same_kind = getattr(event, "kind", key.removesuffix(f"/{about}")) == key.removesuffix(f"/{about}")
    named = about == key or (about == _id(key) and (same_kind or isinstance(event, WaitBegan)))
    return bool(about) and named and not hasattr(event, "attempt")


def _skipped(key: str, here: Situation) -> UnitSkipped | None:
    said = [e for e in here.events if isinstance(e, UnitSkipped) and f"{e.kind}/{e.unit}" == key]
    return said[-1] if said and not said[-1].taken_back else None


def _undone(last: Attempt, here: Situation) -> str:
    """From where it was taken back out since; empty: from nowhere."""
    for event in here.events:
        if event.at_ms < last.heard_ms:
            continue
        if isinstance(event, Undone) and event.milestone == last.milestone:
            return event.target
        if isinstance(event, UnitsUndone) and last.key in event.units:
            return last.started.branch
    return ""


def _sums(tried: Sequence[Attempt], here: Situation) -> str:
    if not tried:
        return ""
    took = sum(a.took_ms(here.now_ms) for a in tried)
    return f" ({lasted(took)}, {_priced(spending.total(u for a in tried for u in a.usage))})"


def _priced(spent: spending.Spent) -> str:
    tokens, asked = money.show_tokens(spent.tokens), counted(spent.requests, "request")
    return f"{spending.show(spent)}, {tokens} tokens, {asked}"


def _next(key: str, word: str, here: Situation) -> str:
    if task := next((one for one in here.quick if one.unit.key == key), None):
        waits = task.waits and word != "running"
        return here.typed(task.hint or quick.onward(task, "gsd")) if waits else ""
    if word in ("done", "running", "skipped"):
        return ""
    if word == "failed" and any(a.key == key and a.result is not Result.INTERRUPTED for a in here.attempts):
        return here.typed(f"gsd auto tries again; gsd auto --retry {_id(key)} counts its attempts afresh.")
    return here.typed("gsd auto")


def _push(event: Landed | SliceLanded) -> str:
    if event.push_error:
        return f"; NOT pushed: {event.push_error}"
    return "; pushed" if event.pushed else ""


def _named(key: str) -> str:
    if key.startswith(f"{QUICK}/"):
        return key.partition("/")[2]
    kind, _, unit = key.rpartition("/M")
    return f"{kind} M{unit}" if kind else key


def _id(key: str) -> str:
    kind, _, unit = key.rpartition("/M")
    return f"M{unit}" if kind else key


def _joined(reason: str) -> str:
    return "; ".join(reason.splitlines())
