"""Everything of a fleet that waits for a person: what it is, why, and what to type.

A fold over what is true now; nothing is stored, so a row goes away by itself when its reason does. Source: DESIGN
"People"; parallel PR-124, PR-190 to PR-197, DV-04, DV-16, FM-93; issue "Health".
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from milepost.fleet.condition import Cause, Condition, Facts, judge
from milepost.fleet.look import Look
from milepost.formats.preferences import Parallel
from milepost.rules.fleet import Past, Wanted
from milepost.rules.standings import merge_words


class Kind(StrEnum):
    """What is asked of the person; the order is that of the rows."""

    QUESTION = "question"
    """A session asks, and waits for the answer."""
    CONFLICT = "conflict"
    REFUSED = "refused"
    UNPUSHED = "unpushed"
    KEPT = "kept"
    """It landed, and something of it could not be cleared away."""
    FAILED = "failed"
    """It died, and nobody starts it again by itself."""
    BLOCKED = "blocked"
    CAPPED = "capped"
    """A unit used up its attempts."""
    GATE = "gate"
    """What was made does not pass, or could not be judged."""
    VERDICT = "verdict"
    """An acceptance test or a validation wants a person's word."""
    DRAFT = "draft"
    """Something is to be discussed, or written down, before it can be planned."""
    BUDGET = "budget"
    LIMIT = "limit"
    """A provider's limit, or a failure that passes; nobody waits for it any more."""
    UNRESPONSIVE = "unresponsive"
    MERGE = "merge"
    """Complete; say that it may be merged."""
    QUICK = "quick"
    """A quick task was begun, and nobody goes on with it by itself."""
    PAUSED = "paused"
    STOPPED = "stopped"
    UNDONE = "undone"
    FORECAST = "forecast"
    CAPTURE = "capture"
    ASSUMED = "assumed"
    """A question that nobody answered; the agent decided."""
    NOTIFY = "notify"
    """Nobody could be told of something."""
    FLEET = "fleet"
    """The fleet as a whole: nobody coordinates it, and there is work left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One thing that waits."""

    kind: Kind
    milestone: str
    """Empty for the fleet as a whole."""
    reason: str
    next: str
    """What to type, or to do."""
    since_ms: int = 0
    """Epoch milliseconds; 0: not known."""
    details: tuple[str, ...] = ()
    """Files, with lines where they are known."""


def rows(seen: Look, parallel: Parallel, program: str) -> tuple[Row, ...]:
    """What waits, the most pressing first. program: `gsd` or `sf`. Pure."""
    inbox = _Inbox(seen, parallel, program)
    found = [*inbox.workers(), *inbox.others(), *inbox.forecasts()]
    found += inbox.fleet(alone=not found)
    order = list(Kind)
    return tuple(sorted(found, key=lambda row: (order.index(row.kind), row.milestone)))


_SAID_BY_OTHERS: Final = ("blocked", "paused", "budget")
"""Endings whose reason is that of a milestone, which has a row of its own until it is mended."""


class _Inbox:
    def __init__(self, seen: Look, parallel: Parallel, program: str) -> None:
        self.seen = seen
        self.parallel = parallel
        self.program = program

    def workers(self) -> Iterator[Row]:
        """What each worker's condition asks for."""
        for worker in self.seen.workers:
            yield from self._of(worker.milestone, worker.condition, worker.cause, worker.past)

    def others(self) -> Iterator[Row]:
        """Milestones without a worker to show: not merged, not cleared away, or held back by an order."""
        shown = {worker.milestone for worker in self.seen.workers}
        for mid in self.seen.unmerged:
            if mid not in shown:
                past = self.seen.fleet.of(mid)
                facts = Facts(alive=False, past=past, complete=True, now_ms=self.seen.now_ms)
                yield from self._of(mid, *judge(facts), past)
        for mid in self.seen.uncleared:
            if mid not in shown:
                past = self.seen.fleet.of(mid)
                yield from filter(None, (self.merged(mid, Condition.MERGED, Cause(), past),))
        for mid, past in self.seen.fleet.past.items():
            if mid not in shown and mid not in self.seen.unmerged and self.seen.coordinator and past.landed is None:
                yield from self._held(mid, past)
            if mid not in shown and past.landed is not None and past.landed.push_error:
                yield from self._of(mid, Condition.MERGED, Cause(), past)

    def forecasts(self) -> Iterator[Row]:
        """Conflicts that are to come, while something can be done about them."""
        for told in self.seen.forecasts:
            more = " …" if len(told.files) > 5 else ""
            yield Row(
                kind=Kind.FORECAST,
                milestone=told.a,
                reason=f"will conflict with {told.b} in {', '.join(told.files[:5])}{more}",
                next=f"{self.program} parallel rebase {told.a} brings in what is merged; "
                f"{self.program} parallel pause {told.a} lets the other go first.",
                since_ms=told.seen_at,
                details=told.lines or told.files,
            )

    def fleet(self, *, alone: bool) -> Iterator[Row]:
        """Nobody coordinates, and there is work left. alone: nothing else waits that says so already."""
        ended = self.seen.fleet.ended
        if self.seen.coordinator is not None or not self.seen.fleet.session or not self.seen.left:
            return
        if ended is not None and ended.state in _SAID_BY_OTHERS and not alone:
            return
        reason = f"it ended: {ended.reason}" if ended else "its coordinator is gone without a last word"
        hint = ended.hint if ended else ""
        if ended is not None and ended.state in _SAID_BY_OTHERS:
            verb = "is" if len(self.seen.left) == 1 else "are"
            reason, hint = f"nobody coordinates, and {', '.join(self.seen.left)} {verb} not done", ""
        yield Row(
            kind=Kind.FLEET,
            milestone="",
            reason=reason,
            next=self._typed(hint or "gsd parallel start goes on from here."),
            since_ms=ended.at_ms if ended else 0,
        )

    def _of(self, mid: str, condition: Condition, cause: Cause, past: Past) -> Iterator[Row]:
        if past.slice_landing is not None:
            last = past.slice_landing
            kind = Kind.CONFLICT if last.outcome in ("conflict", "unresolved") else Kind.REFUSED
            words = f"slice {last.slice}: {merge_words(last)}"
            yield self._row(kind, mid, Cause(what=words, at_ms=last.at_ms, hint=last.hint), last.details or last.files)
        if asked := _ASKED.get(condition):
            row = asked(self, mid, condition, cause, past)
            if row is not None:
                yield row

    def _row(self, kind: Kind, mid: str, cause: Cause, details: tuple[str, ...] = (), fallback: str = "") -> Row:
        by = f" by {cause.by}" if cause.by else ""
        typed = self._typed(cause.hint or fallback or f"gsd parallel merge {mid}")
        reason = (cause.what or str(kind)) + by
        return Row(kind=kind, milestone=mid, reason=reason, next=typed, since_ms=cause.at_ms, details=details)

    def _typed(self, hint: str) -> str:
        return hint.replace("gsd ", f"{self.program} ")

    def not_merged(self, mid: str, condition: Condition, cause: Cause, past: Past) -> Row | None:
        """Its merge did not go through."""
        last = past.landing
        kind = Kind.CONFLICT if condition is Condition.CONFLICT else Kind.REFUSED
        details = (last.details or last.files) if last else ()
        where = f"{self.seen.state.name}/worktrees/{mid}"
        return self._row(kind, mid, cause, details, f"Resolve it in {where}, then gsd parallel merge {mid}")

    def merged(self, mid: str, condition: Condition, cause: Cause, past: Past) -> Row | None:
        """It is on its target; the remote, or the clearing away, may want a person."""
        del condition, cause
        if past.landed is not None and past.landed.push_error:
            hint = f"Mend that, then: git push REMOTE {past.landed.target}"
            words = f"on {past.landed.target}, and not pushed: {past.landed.push_error}"
            return self._row(Kind.UNPUSHED, mid, Cause(what=words, at_ms=past.landed.at_ms, hint=hint))
        if mid in self.seen.uncleared and past.landing is not None and past.landing.outcome == "kept":
            return self._row(
                Kind.KEPT, mid, Cause(what=merge_words(past.landing), hint=past.landing.hint or "gsd doctor")
            )
        return None

    def to_merge(self, mid: str, condition: Condition, cause: Cause, past: Past) -> Row | None:
        """Complete: with `auto` a living coordinator merges it by itself."""
        del condition, past
        if self.parallel.auto_merge == "auto" and self.seen.coordinator is not None:
            return None
        why = (
            f"auto_merge is {self.parallel.auto_merge}" if self.parallel.auto_merge != "auto" else "nobody coordinates"
        )
        if not self.seen.workers and self.seen.fleet.started is None:
            words = "complete, and not merged yet; nothing runs"
            return self._row(Kind.MERGE, mid, Cause(what=words, at_ms=cause.at_ms, hint="gsd auto merges it."))
        return self._row(Kind.MERGE, mid, Cause(what=f"complete, and not merged yet; {why}", at_ms=cause.at_ms))

    def died(self, mid: str, condition: Condition, cause: Cause, past: Past) -> Row | None:
        """A living coordinator starts it again, up to a limit."""
        del condition
        if self.seen.coordinator and past.wanted is not Wanted.RUN:
            return next(self._held(mid, past), None)  # `panic MID`: killed, and not started again by itself.
        again = f"gsd parallel start --retry {mid}"
        if past.crashes > self.parallel.max_restarts:
            words = f"it died {past.crashes} times in a row; last: {cause.what}"
            hint = f"Look at .gsd/parallel/logs, then {again}"
            return self._row(Kind.FAILED, mid, Cause(what=words, at_ms=cause.at_ms, hint=hint))
        return None if self.seen.coordinator else self._row(Kind.FAILED, mid, cause, fallback="gsd parallel start")

    def ended(self, mid: str, condition: Condition, cause: Cause, past: Past) -> Row | None:
        """Its worker ended and said what a person must do."""
        del past
        kind = Kind.BUDGET if condition is Condition.OUT_OF_BUDGET else Kind.BLOCKED
        raise_it = "Raise parallel.budget_ceiling in the preferences, then gsd parallel start."
        return self._row(kind, mid, cause, fallback=raise_it if kind is Kind.BUDGET else "gsd parallel start")

    def waits(self, mid: str, condition: Condition, cause: Cause, past: Past) -> Row | None:
        """Its process is there, and goes on when it is told to."""
        del past
        if condition is Condition.UNRESPONSIVE:
            return self._row(Kind.UNRESPONSIVE, mid, cause, fallback=f"gsd parallel stop {mid}")
        return self._row(Kind.PAUSED, mid, cause, fallback=f"gsd parallel resume {mid}")

    def stopped(self, mid: str, condition: Condition, cause: Cause, past: Past) -> Row | None:
        """Held back by an order while others go on; otherwise the whole fleet was stopped, which is said once."""
        del condition, cause
        return next(self._held(mid, past), None) if self.seen.coordinator else None

    def undone(self, mid: str, condition: Condition, cause: Cause, past: Past) -> Row | None:
        """It is not done again by itself."""
        del condition, past
        return self._row(Kind.UNDONE, mid, cause, fallback=f"gsd parallel start --retry {mid} does it again.")

    def _held(self, mid: str, past: Past) -> Iterator[Row]:
        if past.wanted is Wanted.RUN:
            return
        kind = Kind.PAUSED if past.wanted is Wanted.PAUSE else Kind.STOPPED
        cause = Cause(what=f"{kind} and not started; ordered", by=past.wanted_by, at_ms=past.wanted_at_ms)
        yield self._row(kind, mid, cause, fallback=f"gsd parallel resume {mid}")


_ASKED: Final[dict[Condition, Callable[[_Inbox, str, Condition, Cause, Past], Row | None]]] = {
    Condition.CONFLICT: _Inbox.not_merged,
    Condition.REFUSED: _Inbox.not_merged,
    Condition.MERGED: _Inbox.merged,
    Condition.WAITING_FOR_MERGE: _Inbox.to_merge,
    Condition.CRASHED: _Inbox.died,
    Condition.FAILED: _Inbox.died,
    Condition.BLOCKED: _Inbox.ended,
    Condition.NEEDS_YOU: _Inbox.ended,
    Condition.OUT_OF_BUDGET: _Inbox.ended,
    Condition.PAUSED: _Inbox.waits,
    Condition.UNRESPONSIVE: _Inbox.waits,
    Condition.STOPPED: _Inbox.stopped,
    Condition.UNDONE: _Inbox.undone,
}
"""Conditions that may wait for a person; the others go on by themselves, or are over."""
