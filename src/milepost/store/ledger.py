"""`metrics.json` and `auto.lock`: what GSD and people look at, made from the journal.

Both are projections: they can be deleted and are made again. Rows of the ledger that another program wrote stay.
Source: spec auto 5.4, 5.12; DESIGN rule 1.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

from msgspec import UNSET

from milepost.errors import FormatError
from milepost.formats import lock, metrics
from milepost.formats.journal import AnyEvent, AttemptEnded, AttemptStarted, SessionEnded, UsageReported
from milepost.model import asides, money
from milepost.store import atomic, regular

_UNBELIEVABLE_USD = 1e9
"""A cost that is no cost: rows of other programs are not checked by anybody."""


def publish(state: Path, events: Iterable[AnyEvent]) -> None:
    """Write `metrics.json` anew. Raises FormatError for a ledger that cannot be read: it is not replaced."""
    ledger = _projected(_read(state), rows(events))
    atomic.replace(_path(state), metrics.encode(ledger))


def publish_own(state: Path, events: Iterable[AnyEvent]) -> None:
    """The same in the state directory of a worktree, where an agent may have written anything by this name.

    Rows of other programs stay; what cannot be read is replaced, and no link is followed out of the directory.
    """
    made = rows(events)
    try:
        ledger = _read(state)
    except (FormatError, OSError):
        ledger = metrics.Ledger(project_started_at=0)
    atomic.replace(_path(state), metrics.encode(_projected(ledger, made)), durable=False, within=state)


def _projected(ledger: metrics.Ledger, made: list[metrics.Row]) -> metrics.Ledger:
    if not ledger.project_started_at and made:
        ledger = ledger._replace(project_started_at=made[0].started_at)
    return metrics.project(ledger, made)


def carried(state: Path) -> int:
    """Micro-USD in rows that another program wrote. A ledger that cannot be read raises FormatError."""
    costs = [unit.get("cost") for unit in _read(state).units if not isinstance(unit.get("attempt"), str)]
    known = [c for c in costs if isinstance(c, int | float) and not isinstance(c, bool)]
    return sum(money.from_usd(c) for c in known if 0 <= c < _UNBELIEVABLE_USD)


def rows(events: Iterable[AnyEvent]) -> list[metrics.Row]:
    """One row per attempt that made a request, in the order they began, and then what was asked beside the work."""
    started: dict[str, AttemptStarted] = {}
    usage: dict[str, list[UsageReported]] = {}
    sessions: dict[str, SessionEnded] = {}
    ends: dict[str, AttemptEnded] = {}
    for event in events:
        match event:
            case AttemptStarted(attempt=attempt):
                started[attempt] = event
            case UsageReported(attempt=attempt):
                usage.setdefault(attempt, []).append(event)
            case SessionEnded(attempt=attempt):
                sessions[attempt] = event
            case AttemptEnded(attempt=attempt):
                ends[attempt] = event
            case _:
                pass
    units = [_row(started[a], usage[a], sessions.get(a), ends.get(a)) for a in started if a in usage]
    return [*units, *(_beside(aside, started, usage[a], ends.get(a)) for a in usage if (aside := asides.of(a)))]


def _beside(
    aside: asides.Aside, started: Mapping[str, AttemptStarted], usage: list[UsageReported], end: AttemptEnded | None
) -> metrics.Row:
    """A row like that of a unit: so the rows add up to all that was spent."""
    about = started.get(aside.about)
    return metrics.Row(
        type=aside.kind,
        id=about.unit if about else "",
        model=usage[-1].model,
        started_at=usage[0].at_ms,
        finished_at=(end or usage[-1]).at_ms,
        tokens=_tokens(usage),
        cost=_cost(usage),
        assistant_messages=len(usage),
        user_messages=1,
        api_requests=len(usage),
        attempt=usage[0].attempt,
    )


def _row(
    begun: AttemptStarted, usage: list[UsageReported], session: SessionEnded | None, end: AttemptEnded | None
) -> metrics.Row:
    return metrics.Row(
        type=begun.kind,
        id=begun.unit,
        model=usage[-1].model,
        started_at=begun.at_ms,
        finished_at=(end or usage[-1]).at_ms,
        tokens=_tokens(usage),
        cost=_cost(usage),
        tool_calls=session.tool_calls if session else 0,
        assistant_messages=len(usage),
        user_messages=1,
        api_requests=len(usage),
        prompt_char_count=begun.prompt_chars,
        tier=begun.tier or UNSET,
        model_downgraded=begun.model != begun.ceiling if begun.routed else UNSET,
        attempt=begun.attempt,
        result=str(end.result) if end else UNSET,
    )


def _tokens(usage: list[UsageReported]) -> metrics.Tokens:
    return metrics.Tokens(
        input=sum(u.input for u in usage),
        output=sum(u.output for u in usage),
        cache_read=sum(u.cache_read for u in usage),
        cache_write=sum(u.cache_write for u in usage),
        total=sum(u.input + u.output + u.cache_read + u.cache_write for u in usage),
    )


def _cost(usage: list[UsageReported]) -> float | None:
    known = [u.micro_usd for u in usage if u.micro_usd is not None]
    return money.to_usd(sum(known)) if len(known) == len(usage) else None


def lock_file(state: Path) -> Path:
    """Where the lock lies."""
    return state / "auto.lock"


def write_lock(state: Path, record: lock.Lock) -> None:
    """Say who works on what. No link is followed out of the state directory."""
    atomic.replace(lock_file(state), lock.encode(record), durable=False, within=state)


def read_lock(state: Path) -> lock.Lock | None:
    """What the lock says; None when there is none or it cannot be read."""
    try:
        return lock.decode(regular.read(lock_file(state)))
    except OSError:
        return None


def unlock(state: Path) -> None:
    """Take the lock away, at the end of a run."""
    lock_file(state).unlink(missing_ok=True)


def _path(state: Path) -> Path:
    return state / "metrics.json"


def _read(state: Path) -> metrics.Ledger:
    try:
        return metrics.decode(regular.read(_path(state)), str(_path(state)))
    except FileNotFoundError:
        return metrics.Ledger(project_started_at=0)
    except FormatError as error:
        hint = f"Move it away: mv {_path(state)} {_path(state)}.old. Our own rows are made again from the journal."
        raise FormatError(error.path, error.line, error.expected, hint=hint) from None
