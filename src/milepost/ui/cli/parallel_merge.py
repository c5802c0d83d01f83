"""`gsd parallel merge [MID]`: merge what is complete, one after the other. Source: parallel PR-088, PR-089, PR-120 to
PR-125, PR-330, 1.5 "Merge report".
"""

import argparse
import json
import sys
from collections.abc import Sequence

import anyio

from milepost.errors import ExitCode, MilepostError
from milepost.fleet import merge_queue, observe, orders
from milepost.fleet.look import look
from milepost.fleet.merge_queue import LANDED, Result
from milepost.fleet.site import Site
from milepost.rules import fleet
from milepost.store.tally import Tally
from milepost.ui.cli import arguments, shelving, sites
from milepost.ui.cli.context import Where
from milepost.ui.views import parallel_text
from milepost.unit.bench import Silent


class Notes(Silent):
    """Collects what the merge says on the way."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def note(self, text: str) -> None:
        """Keep a sentence."""
        self.said.append(text)


def parser(program: str) -> argparse.ArgumentParser:
    """The options."""
    made = arguments.Parser(
        prog=f"{program} parallel merge", description="Merge completed milestones into their branch."
    )
    made.add_argument("milestone", nargs="?", metavar="MID", help="only this one")
    made.add_argument("--order", choices=("sequential", "by-completion"), help="instead of parallel.merge_order")
    made.add_argument("--slice", default="", metavar="SID", help="one finished slice (merge_strategy: per-slice)")
    made.add_argument("--json", action="store_true", help="the results as JSON")
    made.add_argument("--no-sandbox", action="store_true", help="run the pre-merge check without the sandbox")
    made.add_argument("--queued", action="store_true", help=argparse.SUPPRESS)
    return made


def run(argv: Sequence[str], program: str, command: str = "merge") -> int:
    """Merge; the exit code is that of the worst result."""
    del command
    options = parser(program).parse_args(argv)
    notes = Notes()
    site = sites.site(program, sandbox=not options.no_sandbox, watcher=notes)
    chosen = _named(options.milestone, site) if options.milestone else _queue(options, site)
    results = anyio.run(_merge, chosen, options.slice, site)
    if options.json:
        sys.stdout.write(json.dumps([_json(result) for result in results]) + "\n")
    else:
        sys.stdout.write(parallel_text.merge_report(results, program) + "\n")
        sys.stdout.write("".join(f"  {line}\n" for result in results for line in _more(result, site)))
        for text in notes.said:
            sys.stdout.write(f"  {text}\n")
    return ExitCode.DONE if all(r.ended.outcome in LANDED for r in results) else ExitCode.BLOCKED


def _named(milestone: str, site: Site) -> tuple[str, ...]:
    """Raises BadId or UnknownMilestone before anything of it is made or held."""
    return orders.require_known((milestone,), look(site.state, now_ms=site.now_ms()))


def _queue(options: argparse.Namespace, site: Site) -> tuple[str, ...]:
    told = fleet.fold(Tally(site.state).events())
    wanted = options.order or site.preferences.parallel.merge_order
    return merge_queue.order(observe.read(site, told), told, by_completion=wanted == "by-completion")


async def _merge(chosen: Sequence[str], slice_id: str, site: Site) -> list[Result]:
    """One after the other; a conflict stops the queue, another failure does not (PR-330)."""
    results = []
    for milestone in chosen:
        try:
            results.append(await merge_queue.merge(milestone, site, slice_id=slice_id, says=_aloud))
            _tell(results[-1], slice_id, site)
        except MilepostError as error:
            if len(chosen) == 1:
                raise
            results.append(merge_queue.not_begun(milestone, error, site))
        if results[-1].ended.outcome in _CONFLICTS:
            break
    return results


def _aloud(text: str) -> None:
    """Say at once why nothing happens; the report comes when it did."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def _tell(result: Result, slice_id: str, site: Site) -> None:
    """Write the milestone's report, when all of it is on its target."""
    if result.ended.outcome in LANDED and not slice_id:
        where = Where(root=str(site.root), state_dir=site.state_dir, home=site.home)
        shelving.teller(where, site.program, site.preferences, site.watcher.note)(result.milestone)


def _more(result: Result, site: Site) -> list[str]:
    """What the documented form has no place for: lines, and what to do."""
    ended = result.ended
    if ended.outcome == "landed":
        return _unpushed(result)
    if ended.outcome == "kept":
        return [*_unpushed(result), f"something was kept: {ended.reason}", ended.hint]
    # A conflict is resolved in the worktree; the same file in the checkout is another one.
    inside = f"{site.state_dir}/worktrees/{ended.milestone}/" if ended.outcome in _CONFLICTS else ""
    return [*(f"{inside}{one}" for one in ended.details), *([ended.hint] if ended.hint else [])]


def _unpushed(result: Result) -> list[str]:
    return [f"NOT pushed: {result.push_error}"] if result.push_error else []


_CONFLICTS = ("conflict", "unresolved")


def _json(result: Result) -> dict[str, object]:
    ended = result.ended
    return {
        "milestoneId": ended.milestone,
        "success": ended.outcome in LANDED,
        "outcome": ended.outcome,
        "target": ended.target,
        "pushed": result.pushed,
        "pushError": result.push_error,
        "conflictFiles": list(ended.files) if ended.outcome in _CONFLICTS else [],
        "details": list(ended.details),
        "reason": ended.reason,
        "hint": ended.hint,
    }
