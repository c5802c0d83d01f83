"""Take what a report tells: the situation, the doctor's findings, the project's notes, the commits."""

import os
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from milepost import __version__
from milepost.doctor.run import examine
from milepost.doctor.site import Place
from milepost.errors import MilepostError
from milepost.formats import decisions, knowledge
from milepost.formats.context import depends_on
from milepost.formats.journal import AnyEvent, AttemptEnded, AttemptStarted, Landed, SliceLanded, Undone
from milepost.formats.metrics import Row
from milepost.formats.tree import milestone_file, read, root_file
from milepost.git.run import git
from milepost.model import money
from milepost.model.state import RegistryEntry
from milepost.rules import pacing
from milepost.rules.projection import slices_left
from milepost.store import ledger
from milepost.store.snapshot import Snapshot
from milepost.ui.cli import looking
from milepost.ui.cli.context import Where
from milepost.ui.views import history, report
from milepost.ui.views.history import Asked
from milepost.ui.views.report import Besides, Commit, Health, Report
from milepost.ui.views.situation import Situation


class NoMilestone(MilepostError):
    """A milestone that is not in the plan."""


class Taken(NamedTuple):
    """A report, and what its JSON needs besides."""

    report: Report
    asked: Asked
    rows: tuple[Row, ...]


def take(where: Where, program: str, mid: str = "") -> Taken:
    """Look. mid: a milestone; empty: the whole project. Raises NoMilestone, FormatError."""
    here = looking.around(where, program)
    entry = _entry(mid, here)
    tree = Snapshot(where.root, where.state_dir)
    asked = Asked(latest=max(1, len(here.events)), milestone=mid)
    events = here.events
    besides = Besides(
        name=os.path.basename(where.root) or where.root,
        path=where.root,
        version=__version__,
        money=_money(here, asked, tree),
        commits=_commits(_brought(events, mid), where),
        decisions=decisions.parse(read(tree, root_file(tree, "DECISIONS"))),
        knowledge=knowledge.parse(read(tree, root_file(tree, "KNOWLEDGE"))),
        needs={one.id: depends_on(read(tree, milestone_file(tree, one.id, "CONTEXT"))) for one in here.state.registry},
        health=_health(where),
    )
    rows = tuple(row for row in ledger.rows(events) if mid in ("", row.id.split("/")[0]))
    return Taken(report.report(here, besides, entry), asked, rows)


def _entry(mid: str, here: Situation) -> RegistryEntry | None:
    if not mid:
        return None
    found = next((entry for entry in here.state.registry if entry.id == mid), None)
    if found is None:
        raise NoMilestone(f"there is no milestone {mid}", hint=f"{here.program} queue lists them.")
    return found


def _money(here: Situation, asked: Asked, tree: Snapshot) -> history.History:
    ceiling = here.preferences.budget_ceiling
    return history.history(
        here.events,
        asked,
        slices_left=slices_left(here.state.registry, tree),
        ceiling=None if ceiling is None else money.from_usd(ceiling),
        carried=here.carried,
        windows=pacing.lines(here.events, here.preferences, here.now_ms),
    )


def _brought(events: Sequence[AnyEvent], mid: str) -> tuple[str, ...]:
    """Commits on the target, in the order they came; of a milestone that was never merged, those of its units."""
    units = {event.attempt: event.unit.split("/")[0] for event in events if isinstance(event, AttemptStarted)}
    merged = {event.milestone for event in events if isinstance(event, Landed | SliceLanded)}
    found: dict[str, None] = {}
    for event in events:
        match event:
            case Landed(milestone=owner) | SliceLanded(milestone=owner) | Undone(milestone=owner):
                pass
            case AttemptEnded(attempt=attempt) if units.get(attempt, "") not in merged:
                owner = units.get(attempt, "")
            case _:
                continue
        if event.commit and mid in ("", owner):
            found.setdefault(event.commit)
    return tuple(found)


_FIELDS = "%H%x00%ct%x00%an%x00%s%x00%b%x00%x1e"


def _commits(ids: Iterable[str], where: Where) -> tuple[Commit, ...]:
    """What git says of them; one that is gone is left out."""
    wanted = "".join(f"{name}\n" for name in ids).encode()
    if not wanted:
        return ()
    said = git(
        Path(where.root), "log", "--no-walk=unsorted", "--ignore-missing", "--stdin", f"--format={_FIELDS}",
        stdin=wanted, ok=(0, 128),
    )  # fmt: skip
    rows = (record.strip("\n").split("\0") for record in said.out.split("\x1e"))
    return tuple(
        Commit(id=row[0], at_ms=int(row[1]) * 1000, author=row[2], subject=row[3], body=_body(row[4]))
        for row in rows
        if len(row) >= 5
    )


def _body(text: str) -> str:
    """Without the trailers at its end, which are for programs."""
    paragraphs = text.strip().split("\n\n")
    trailing = paragraphs and all(": " in line for line in paragraphs[-1].splitlines())
    return "\n\n".join(paragraphs[:-1] if trailing else paragraphs)


def _health(where: Where) -> tuple[Health, ...] | None:
    place = Place(
        root=Path(where.root), state_dir=where.state_dir, home=where.home, cwd=Path(where.root), now_s=time.time()
    )
    try:
        found = examine(place).findings
    except (MilepostError, OSError):
        return None
    return tuple(
        Health(severity=str(one.severity), code=one.code, message=f"{one.path} {one.message}".strip(), hint=one.hint)
        for one in found
    )
