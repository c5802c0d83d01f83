"""Put reports into `reports/`, by hand or when a milestone is on its branch. Source: spec auto 5.18, 2.9.

What a report takes and draws is loaded when one is made: it is a third of the start of a run, and most make none.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from milepost import __version__
from milepost.errors import MilepostError
from milepost.formats.journal import Landed
from milepost.formats.preferences import Preferences
from milepost.formats.reports import FINAL, Entry, Index
from milepost.model import money
from milepost.model.state import Phase, RegistryEntry, Status
from milepost.store import reports
from milepost.ui.cli.context import Where

if TYPE_CHECKING:
    from milepost.ui.views.report import Report
    from milepost.ui.views.situation import Situation

_WIDTH = 100
"""Columns of a visualisation that goes to a log."""
_BROKEN = (MilepostError, OSError, ValueError, LookupError)
"""What a report may die of, whatever lies in the project; the run that it is about goes on."""


def kind(made: "Report") -> str:
    """Of a report that somebody asked for."""
    return FINAL if made.milestone is None and made.here.state.phase is Phase.COMPLETE else "manual"


def shelve(made: "Report", where: Where, what: str) -> Path:
    """Write the page, enter it into the index; where it is. what: its kind. Raises OSError, FormatError."""
    from milepost.ui.report import html, index

    state = Path(where.root, where.state_dir)
    head = Index(project_name=made.besides.name, project_path=where.root, version=__version__)
    return reports.put(state, _entry(made, what, state), html.text_of(made), head, index.text_of)


def unreported(where: Where, program: str) -> tuple[str, ...]:
    """Milestones that are on their branch and have no page from then."""
    from milepost.ui.cli import looking

    here = looking.around(where, program)
    state = Path(where.root, where.state_dir)
    known = reports.read(state).known()
    there = {entry.milestone_id for entry in known if entry.kind == "milestone" and not reports.missing(state, entry)}
    return tuple(entry.id for entry in _landed(here) if entry.id not in there)


def teller(where: Where, program: str, settings: Preferences, say: Callable[[str], None]) -> Callable[[str], None]:
    """What is to be done when a milestone is on its branch: `auto_report`, `auto_visualize`. Never raises."""

    def landed(mid: str) -> None:
        from milepost.ui.cli import reporting

        if settings.auto_report:
            try:
                path = shelve(reporting.take(where, program, mid).report, where, "milestone")
                say(f"{mid}: the report is {path.relative_to(where.root)}")
            except _BROKEN as error:
                say(f"{mid}: no report was written: {error}; {program} export --html --all tries again")
        if settings.auto_visualize:
            try:
                for line in _drawn(where, program):
                    say(line)
            except _BROKEN as error:
                say(f"{mid}: it could not be drawn: {error}")

    return landed


def _drawn(where: Where, program: str) -> list[str]:
    from milepost.ui.cli import looking
    from milepost.ui.views import visual

    here = looking.around(where, program)
    return visual.text(here, here.plan(), ("tree", "timeline"), _WIDTH).splitlines()


def _landed(here: "Situation") -> list[RegistryEntry]:
    """What a merge of ours brought; without worktrees there is no merge, and complete is complete."""
    merged = {event.milestone for event in here.events if isinstance(event, Landed)}
    tried = {attempt.milestone for attempt in here.attempts if here.preferences.git.isolation == "none"}
    done = (entry for entry in here.state.registry if entry.status is Status.COMPLETE)
    return [entry for entry in done if entry.id in merged | tried]


def _entry(made: "Report", what: str, state: Path) -> Entry:
    spent = made.spent
    mid, title = _named(made, what)
    stamp = _free(state, mid, made.here.now_ms)
    return Entry(
        filename=f"{mid}-{stamp}.html",
        generated_at=datetime.fromtimestamp(made.here.now_ms / 1000, tz=UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        milestone_id=mid,
        milestone_title=title,
        label="Final Report" if what == FINAL else made.title if made.milestone else f"{made.title}, all of it",
        kind=what,
        total_cost=money.to_usd(spent.micro_usd) if _priced(made) else None,
        total_tokens=spent.tokens,
        total_duration=made.took_ms,
        done_slices=made.slices.done,
        total_slices=made.slices.total,
        done_milestones=made.milestones.done,
        total_milestones=made.milestones.total,
        phase=str(made.here.state.phase),
        unpriced_requests=spent.unpriced,
        flat_rate_tokens=spent.flat_tokens,
    )


def _named(made: "Report", what: str) -> tuple[str, str]:
    """Id and title in the file's name: of the milestone, of the active one, or `final`."""
    active = made.here.state.active_milestone
    if made.milestone is not None:
        return made.milestone.id, made.milestone.title
    return (active.id, active.title) if active and what != FINAL else (FINAL if what == FINAL else "manual", "")


def _priced(made: "Report") -> bool:
    spent = made.spent
    return not spent.requests or spent.requests > spent.unpriced + spent.flat


def _free(state: Path, mid: str, now_ms: int) -> str:
    """The time in the file's name; a second later where there is such a file."""
    from milepost.ui.report import words

    while (state / reports.NAME / f"{mid}-{words.stamp(now_ms)}.html").exists():
        now_ms += 1000
    return words.stamp(now_ms)
