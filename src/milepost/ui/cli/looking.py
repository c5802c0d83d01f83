"""Take the situation of a project: files, journal, leases and processes, read once and never written."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from milepost.errors import FormatError
from milepost.fleet.look import look
from milepost.formats import captures, evidence
from milepost.formats.evidence import Evidence
from milepost.formats.journal import AnyEvent
from milepost.formats.tree import read, root_file
from milepost.model import money
from milepost.rules import projection, waits
from milepost.rules.attempts import Attempt
from milepost.rules.derive import derive
from milepost.rules.dispatch import decide
from milepost.store import ledger, preferences, regular
from milepost.store.snapshot import Snapshot
from milepost.store.steering import steered
from milepost.ui.cli import stop
from milepost.ui.cli.context import Where
from milepost.ui.views import fleet, inbox_project, overview, plan_tree
from milepost.ui.views.dashboard import Dashboard
from milepost.ui.views.situation import Situation
from milepost.ui.views.waiting import honest


def around(where: Where, program: str, events: Callable[[], Sequence[AnyEvent]] | None = None) -> Situation:
    """Look. events: reads the journal, for a caller that follows it. Raises FormatError for a plan nobody can read."""
    state_path = Path(where.root, where.state_dir)
    tree = Snapshot(where.root, where.state_dir)
    settings = preferences.load(where.root, where.home, state_dir=where.state_dir).preferences
    state = derive(tree, lock=None)
    active = state.active_milestone.id if state.active_milestone else None
    holder = stop.runner(state_path)
    seen = look(state_path, now_ms=time.time_ns() // 1_000_000, events=events)
    return Situation(
        program=program,
        state_dir=where.state_dir,
        state=state,
        decision=honest(decide(state, steered(tree, active), settings), state, tree.homes),
        preferences=settings,
        board=fleet.board(seen, settings, program),
        runner=holder.run if holder else "",
        pid=holder.pid if holder else 0,
        carried=ledger.carried(state_path),
        evidence=lambda attempt: _evidence(attempt, where),
        drafts=plan_tree.drafts(tree, state.registry),
        captures=captures.parse(read(tree, root_file(tree, "CAPTURES"))),
        plan=lambda: plan_tree.of(tree, state.registry),
    )


def problems(where: Where) -> tuple[str, ...]:
    """What is wrong with the preferences, for people."""
    return tuple(map(str, preferences.load(where.root, where.home, state_dir=where.state_dir).problems))


def dashboard_of(here: Situation, where: Where) -> Dashboard:
    """What `status` shows: the situation, and what else is in the project's files."""
    tree = Snapshot(where.root, where.state_dir)
    ceiling = here.preferences.budget_ceiling
    finished = tuple(projection.finished_slices(here.events).values())
    return Dashboard(
        here=here,
        seen=overview.overview(
            here.state,
            here.decision,
            here.events,
            running=_running(here, where) + _waiting(here),
            ceiling=None if ceiling is None else money.from_usd(ceiling),
            carried=here.carried,
        ),
        projection=projection.project(finished, projection.slices_left(here.state.registry, tree)),
        waiting=inbox_project.rows(here),
    )


def _running(here: Situation, where: Where) -> str:
    if here.pid:
        lock = ledger.read_lock(Path(where.root, where.state_dir))
        doing = f": {lock.unit_type} {lock.unit_id}, since {lock.unit_started_at}" if lock else ""
        return f"pid {here.pid}{doing}"
    living = [w.milestone for w in here.look.workers if w.alive]
    return f"parallel workers: {', '.join(living)}" if living else ""


def _waiting(here: Situation) -> str:
    """What a provider is waited for; also between two runs, since the next one waits for the rest."""
    ahead = [wait for wait in waits.open_waits(here.events) if wait.resume_at_ms > here.now_ms]
    told = (f"{here.clock(wait.resume_at_ms)} ({wait.unit.partition('/')[2]}: {wait.text})" for wait in ahead)
    words = f"waiting for the provider until {', '.join(told)}"
    return "" if not ahead else f", {words}" if here.alive else f"nothing; {words}"


def _evidence(attempt: Attempt, where: Where) -> Evidence | None:
    """The gate's record, in the worktree or where it landed; a later attempt's record is not this one's."""
    if attempt.verified is None or not attempt.verified.evidence:
        return None
    root = Path(where.root)
    for place in (root / where.state_dir / "worktrees" / attempt.milestone, root):
        path = place / attempt.verified.evidence
        try:
            found = evidence.decode(regular.read(path), str(path))
        except (OSError, FormatError):
            continue
        if found.attempt == attempt.id:
            return found
    return None
