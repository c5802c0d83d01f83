"""A fleet as people see it: the documented status first, then what it does not say.

Each worker with its state and the cause, its unit and since when, its last progress; the budget; the conflicts to
come; what waits for a person; who coordinates. Source: parallel 1.5, PR-081, PR-197, PR-245, DV-17, DV-30, FM-06;
issue "Health".
"""

from collections.abc import Iterator
from dataclasses import dataclass

from milepost.fleet.condition import Condition
from milepost.fleet.look import Look
from milepost.fleet.worker_look import WorkerLook
from milepost.formats.preferences import Preferences
from milepost.model import money
from milepost.model.words import counted
from milepost.rules import budget
from milepost.rules.budget import Line, Standing
from milepost.ui.views import inbox, inbox_text, parallel_text
from milepost.ui.views.parallel_text import plain
from milepost.ui.views.spans import ago

ALERT_PERCENT = 80
"""From here on the budget is an alert (PR-245)."""
_QUIET_MS = 300_000
"""From here on missing progress is said loudly; a test suite may well take some minutes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """What is shown at one moment."""

    seen: Look
    money: Standing
    waiting: tuple[inbox.Row, ...]
    program: str

    @property
    def shown(self) -> bool:
        """Whether there is anything to show beside that nothing is active."""
        return self.seen.active or bool(self.seen.workers)

    @property
    def living(self) -> bool:
        """Whether any worker is alive."""
        return any(worker.alive for worker in self.seen.workers)


def board(seen: Look, preferences: Preferences, program: str) -> Board:
    """Fold. Pure. program: `gsd` or `sf`."""
    told = seen.fleet
    session = told.session or (told.started.session if told.started else "")
    standing = budget.standing(seen.events, session, budget.limits_of(preferences))
    return Board(seen=seen, money=standing, waiting=inbox.rows(seen, preferences.parallel, program), program=program)


def text(made: Board) -> str:
    """For a terminal; ends with a newline."""
    if not made.shown:
        return "\n".join([parallel_text.INACTIVE, *_after(made)]) + "\n"
    parts = [parallel_text.status([row(worker) for worker in made.seen.workers])]
    parts += ["\n".join(lines) for lines in (_workers(made), _money(made), _to_come(made), _waiting(made)) if lines]
    parts.append("\n".join(_standing(made)))
    return "\n\n".join(parts) + "\n"


def row(worker: WorkerLook) -> parallel_text.Row:
    """A worker as the documented status shows it."""
    return parallel_text.Row(
        milestone=worker.milestone,
        title=worker.title,
        state=str(worker.state or Condition.STARTING),
        units=worker.units,
        micro_usd=worker.micro_usd,
    )


def brief(made: Board) -> list[str]:
    """A few lines for `gsd status`; none when there is no fleet to speak of."""
    if not made.shown:
        return []
    lines = [f"Parallel   {_one(worker, made.seen.now_ms)}" for worker in made.seen.workers]
    lines += [f"Budget     {line}" for line in alerts(made)]
    if made.waiting:
        lines.append(f"Waiting    {counted(len(made.waiting), 'thing')} for you: {made.program} inbox")
    return lines


def signature(made: Board) -> tuple[object, ...]:
    """What has to differ for a new block to be worth printing: everything but how long ago it is."""
    workers = tuple(
        (w.milestone, w.state, w.condition, w.unit, w.units, w.micro_usd, w.pid, w.last_order)
        for w in made.seen.workers
    )
    waiting = tuple((r.kind, r.milestone, r.reason) for r in made.waiting if r.kind is not inbox.Kind.UNRESPONSIVE)
    told = tuple((f.a, f.b, f.files) for f in made.seen.forecasts)
    return workers, waiting, told, made.seen.coordinator, tuple(alerts(made))


def _workers(made: Board) -> list[str]:
    return [_one(worker, made.seen.now_ms) for worker in made.seen.workers]


def _one(worker: WorkerLook, now_ms: int) -> str:
    """`M001 working: execute-task M001/S01/T02 for 3 min; last progress 4 s ago`."""
    words = "; ".join(plain(part) for part in _parts(worker, now_ms) if part)
    return f"{worker.milestone} {str(worker.condition).replace('-', ' ')}" + (f": {words}" if words else "")


def _parts(worker: WorkerLook, now_ms: int) -> Iterator[str]:
    if worker.unit is not None:
        yield f"{worker.unit.type} {worker.unit.id} for {ago(now_ms - worker.unit.started_at)}"
    cause = worker.cause
    by = f" by {cause.by}" if cause.by else ""
    since = f", {ago(now_ms - cause.at_ms)} ago" if cause.at_ms else ""
    if cause.what or by:
        yield f"{cause.what}{by}{since}".strip()
    if worker.alive and worker.progress_ms is not None and worker.unit is not None:
        quiet = worker.progress_ms >= _QUIET_MS
        yield f"{'NO PROGRESS for' if quiet else 'last progress'} {ago(worker.progress_ms)}{'' if quiet else ' ago'}"
    if worker.unpriced:
        yield f"{counted(worker.unpriced, 'request')} of unknown price"
    if worker.alive:
        yield f"pid {worker.pid}" if worker.pid else ""


def _money(made: Board) -> list[str]:
    """The budget of all workers, then what is worth an alert."""
    line = made.money.fleet
    said = f"Budget: {money.show(line.books.spent)} spent, {money.show(line.books.reserved)} reserved"
    if line.books.unpriced:
        said += f", {counted(line.books.unpriced, 'request')} of unknown price"
    if line.ceiling is None:
        said += ", no ceiling"
    else:
        said += f", {money.show(line.left)} left of {money.show(line.ceiling)}"
    return [said, *alerts(made)]


def alerts(made: Board) -> list[str]:
    """Ceilings of which 80 % or more is spent."""
    lines = [(budget.whose(budget.FLEET), made.money.fleet)]
    lines += [(budget.whose(mid), line) for mid, line in made.money.workers.items()]
    found = []
    for whose, line in lines:
        share = percent(line)
        if share is not None and share >= ALERT_PERCENT:
            spent = f"{money.show(_used(line))} of {money.show(line.ceiling)}"
            found.append(f"ALERT: {share} % of {whose} is spent ({spent})")
    return found


def percent(line: Line) -> int | None:
    """How much of a ceiling is used; None: there is none."""
    return None if not line.ceiling else _used(line) * 100 // line.ceiling


def _used(line: Line) -> int:
    """Of a worker's own ceiling, what earlier sessions spent counts too."""
    if line.ceiling is None or line.left is None:
        return line.books.spent
    return max(line.books.spent, line.ceiling - line.left - line.books.reserved)


def _to_come(made: Board) -> list[str]:
    now = made.seen.now_ms
    return [
        f"To come: {f.a} conflicts with {f.b} in {plain(', '.join(f.lines or f.files))}"
        f" (seen {ago(now - f.seen_at)} ago)"
        for f in made.seen.forecasts
    ]


def _waiting(made: Board) -> list[str]:
    rows = [row for row in made.waiting if row.kind is not inbox.Kind.FORECAST]
    if not rows:
        return []
    lines = [f"{inbox_text.line(row, made.seen.now_ms)} → {plain(row.next)}" for row in rows]
    return [f"Waiting for you ({len(rows)}):", *lines]


def _standing(made: Board) -> list[str]:
    """Who coordinates, or that nothing runs."""
    seen = made.seen
    if seen.coordinator is not None:
        who = f"pid {seen.coordinator.who.pid}" if seen.coordinator.who else "pid unknown"
        return [f"Coordinator: {who}."]
    if seen.active:
        return [f"No coordinator is running; the workers go on, and {made.program} parallel start takes them up."]
    return [parallel_text.INACTIVE, *_after(made)]


def _after(made: Board) -> list[str]:
    """How the latest coordinator ended, when nothing runs."""
    ended = made.seen.fleet.ended
    if ended is None:
        return []
    since = ago(made.seen.now_ms - ended.at_ms)
    return [f"The last run ended {since} ago: {ended.state}: {plain(ended.reason)}"]


def farewell(made: Board) -> str:
    """One sentence when nothing runs any more; it says of each worker what became of it."""
    counts: dict[str, list[str]] = {}
    for worker in made.seen.workers:
        counts.setdefault(str(worker.condition).replace("-", " "), []).append(worker.milestone)
    parts = [f"{', '.join(mids)} {word}" for word, mids in counts.items()]
    return f"Nothing runs any more: {'; '.join(parts)}." if parts else "Nothing runs any more."
