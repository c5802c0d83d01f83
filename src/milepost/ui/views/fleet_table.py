"""The table under a coordinator's lines: one row for each milestone that is at work or wants something. Pure."""

import shutil
from collections.abc import Iterable, Mapping

from milepost.formats.status import Status
from milepost.rules.standings import Stage, Standing
from milepost.ui.views.parallel_text import plain

_QUIET = frozenset({Stage.DONE, Stage.INELIGIBLE})
_WITH_UNIT = frozenset({Stage.STARTING, Stage.RUNNING, Stage.UNRESPONSIVE})


def rows(standings: Iterable[Standing], statuses: Mapping[str, Status], *, now_ms: int) -> tuple[str, ...]:
    """The lines, cut to the terminal's width; none when nothing goes on."""
    width = shutil.get_terminal_size().columns - 1
    shown = [s for s in standings if s.stage not in _QUIET]
    lines = [_row(s, statuses.get(s.id), now_ms) for s in shown]
    return tuple(line[:width] for line in (["", *lines] if lines else []))


def _row(standing: Standing, status: Status | None, now_ms: int) -> str:
    head = f"  {standing.id:<6}  {standing.stage:<12}"
    if status is None or standing.stage not in _WITH_UNIT:
        return f"{head}  {plain(standing.cause)}".rstrip()
    unit = status.current_unit
    doing = f"{unit.type} {unit.id}  {_clock(now_ms - unit.started_at)}" if unit else "between units"
    return f"{head}  {doing}  {status.completed_units} units  ${status.cost:.2f}"


def _clock(milliseconds: int) -> str:
    seconds = max(0, milliseconds) // 1000
    return f"{seconds // 60}:{seconds % 60:02d}"
