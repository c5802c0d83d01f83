"""The texts that the parallel document fixes, byte for byte. Nothing else is in them; our own words stand beside.

The SF edition has the same texts; its commands are typed without the product's name, so that is how they are shown
there. Source: parallel 1.5 (grammars), PR-044, PR-081 to PR-089, PR-125, PR-190, PR-191, PR-212.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from milepost.model import money

if TYPE_CHECKING:
    from milepost.fleet.merge_queue import Result

NONE_ELIGIBLE = "No milestones are eligible for parallel execution."
INACTIVE = "No parallel orchestration is currently active."
DISABLED = "Parallel mode is not enabled. Set `parallel.enabled: true` in your preferences."
NOTHING_TO_MERGE = "No completed milestones to merge."
"""The whole of a merge report without results."""
NO_WORKERS = "No parallel workers to merge."
SUBCOMMANDS = ("start", "status", "stop", "pause", "resume", "merge")
"""Those that the document names."""
_OURS = ("watch", "rebase", "panic")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A worker in the status."""

    milestone: str
    title: str
    state: str
    units: int
    micro_usd: int


def slash(program: str) -> str:
    """How the command is typed inside a session: `/gsd parallel`, `/parallel` for SF."""
    return "/parallel" if program == "sf" else f"/{program} parallel"


def plain(text: str) -> str:
    """`text` without what could command a terminal or break a line."""
    return _CONTROL.sub(" ", text)


def status(rows: Sequence[Row]) -> str:
    """The status block; no newline at its end."""
    lines = [
        f"- **{row.milestone}** ({plain(row.title)}) — {row.state} — {row.units} units — {usd(row.micro_usd)}"
        for row in rows
    ]
    total = sum(row.micro_usd for row in rows)
    return "\n".join(["# Parallel Workers", "", *lines, "", f"Total cost: {usd(total)}"])


def usd(micro_usd: int) -> str:
    """`$3.50`: two decimals, always."""
    return f"${micro_usd / money.MICRO:.2f}"


def started(workers: Iterable[str], errors: Iterable[tuple[str, str]] = ()) -> str:
    """What start says after the eligibility report and an empty line. errors: milestone (or `all`) and text."""
    text = f"Parallel orchestration started.\nWorkers: {', '.join(workers)}"
    failed = "; ".join(f"{milestone}: {plain(words)}" for milestone, words in errors)
    return f"{text}\nErrors: {failed}" if failed else text


def over_budget(ceiling_micro_usd: int) -> str:
    """Why a milestone is not started (PR-322): `Budget ceiling ($2.5) reached — skipping`."""
    return f"Budget ceiling (${ceiling_micro_usd / money.MICRO:.6f}".rstrip("0").rstrip(".") + ") reached — skipping"


def stopped(milestone: str = "") -> str:
    """All of them, or one."""
    return f"Stopped worker for {milestone}." if milestone else "All parallel workers stopped."


def paused(milestone: str = "") -> str:
    """All of them, or one."""
    return f"Paused worker for {milestone}." if milestone else "All parallel workers paused."


def resumed(milestone: str = "") -> str:
    """All of them, or one."""
    return f"Resumed worker for {milestone}." if milestone else "All parallel workers resumed."


def merge_report(results: "Sequence[Result]", program: str = "gsd") -> str:
    """The report of a merge; no newline at its end."""
    if not results:
        return NOTHING_TO_MERGE
    return "\n".join(["# Merge Results", "", *(_merged(result, program) for result in results)])


def _merged(result: "Result", program: str) -> str:
    ended = result.ended
    head = f"- **{ended.milestone}** — "
    if ended.outcome in ("conflict", "unresolved"):
        lines = [f"{head}CONFLICT ({len(ended.files)} file(s)):", *(f"  - `{plain(path)}`" for path in ended.files)]
        retry = f"{slash(program)} merge {ended.milestone}"
        return "\n".join([*lines, f"  Resolve conflicts manually and run `{retry}` to retry."])
    if ended.outcome not in ("landed", "kept"):
        return f"{head}failed: {plain(ended.reason)}"
    return f"{head}merged successfully" + (" (pushed)" if result.pushed else "")


def unknown(word: str, program: str = "gsd") -> str:
    """What an unknown sub-command gets: the documented line, then those that are ours."""
    listed = "|".join(SUBCOMMANDS)
    return f'Unknown parallel subcommand "{plain(word)}". Usage: {slash(program)} [{listed}]\nAlso: {", ".join(_OURS)}.'
