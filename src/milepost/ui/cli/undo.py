"""`gsd undo M001/S01/T02`, `gsd undo milestone M002`: take work back out. Source: DESIGN rule 7, spec auto 7."""

import argparse
import json
import sys
from collections.abc import Sequence

import anyio

from milepost.errors import ExitCode
from milepost.fleet import by_hand, undo_units, undoing
from milepost.fleet.site import Site
from milepost.fleet.undoing import Result
from milepost.git import undo
from milepost.model.ids import require_milestone
from milepost.rules import targets
from milepost.ui.cli import arguments, sites


def parser(program: str) -> argparse.ArgumentParser:
    """The options."""
    made = arguments.Parser(
        prog=f"{program} undo",
        description="Take units that were not merged back (the last one, when none is named), or a merged milestone.",
    )
    made.add_argument("what", nargs="?", default="", metavar="UNIT", help="M001/S01/T02, M001/S01, T02, or: milestone")
    made.add_argument("id", nargs="?", default="", metavar="MID", help="after milestone: which one")
    made.add_argument(
        "--force", "--yes", action="store_true",
        help="units: do it, where otherwise it is only shown; milestone: although merged milestones depend on it",
    )  # fmt: skip
    made.add_argument("--json", action="store_true", help="the result as JSON")
    return made


def run(argv: Sequence[str], program: str) -> int:
    """Undo."""
    made = parser(program)
    options = made.parse_args(argv)
    if options.what != "milestone":
        if options.id:
            made.error(f"unexpected: {options.id}")
        return _units(options, program)
    milestone = require_milestone(options.id)
    result = anyio.run(_take_out, milestone, sites.site(program), options.force)
    sys.stdout.write(json.dumps(_json(result)) + "\n" if options.json else _text(result, program))
    return ExitCode.DONE if isinstance(result.outcome, undo.Undone) else ExitCode.BLOCKED


def _units(options: argparse.Namespace, program: str) -> int:
    """Show what would go, or take it back."""
    site = sites.site(program)
    target = targets.parse(options.what, by_hand.state_of(site)) if options.what else None
    if options.force:
        wanted, commit = undo_units.carry_out(target, site)
        head = f"{wanted.target} is taken back by {commit[:10]}; {program} auto does it again."
    else:
        wanted, commit = undo_units.look(target, site), ""
        head = f"This would take back {wanted.target}. To do it: {program} undo {options.what or wanted.target} --force"
    clashes = [conflict.path for conflict in wanted.found.conflicts]
    if options.json:
        units = [unit.key for unit in wanted.units]
        told = {"target": wanted.target, "units": units, "commits": [one.commit for one in wanted.made]}
        sys.stdout.write(json.dumps({**told, "commit": commit, "conflictFiles": clashes}) + "\n")
    else:
        lines = [head, *(f"  {one.commit[:10]} {one.unit}: {one.subject}" for one in wanted.made)]
        lines += [f"  It would be refused: later work stands on it in {', '.join(clashes)}"] if clashes else []
        sys.stdout.write("\n".join(lines) + "\n")
    return ExitCode.BLOCKED if clashes else ExitCode.DONE


async def _take_out(milestone: str, site: Site, force: bool) -> Result:
    return await undoing.take_out(milestone, site, force=force)


_OUTSIDE = (
    "  Its planning files are not in git and still say that it is complete: remove {mid}-SUMMARY.md, untick its slices."
)


def _text(result: Result, program: str) -> str:
    return "\n".join(_lines(result, program)) + "\n"


def _lines(result: Result, program: str) -> list[str]:
    mid, target = result.milestone, result.target
    match result.outcome:
        case undo.Undone(commit=commit, settled=settled, push_error=push_error):
            return [
                f"{mid} is out of {target}: {commit[:10]} takes it back. Its commits are kept (refs/gsd/backup/{mid}).",
                *(f"  {one}" for one in settled),
                *([f"  NOT pushed: {push_error}"] if push_error else []),
                *([_OUTSIDE.format(mid=mid)] if result.plan_outside_git else []),
                f"  To have it back: git revert {commit[:10]}. To do it again: {program} auto --retry {mid}",
                f"  (in a fleet: {program} parallel start --retry {mid})",
            ]
        case undo.Conflicted(details=details, hint=hint):
            head = f"{mid} was not taken out of {target}: later work stands on it; nothing was touched."
            return [head, *(f"  {one}" for one in details), f"  {hint}"]
        case undo.Refused(reason=reason, paths=paths, hint=hint):
            return [f"{mid} was not taken out of {target}: {reason}", *(f"  {path}" for path in paths), f"  {hint}"]


def _json(result: Result) -> dict[str, object]:
    head: dict[str, object] = {"milestoneId": result.milestone, "target": result.target}
    match result.outcome:
        case undo.Undone(commit=commit, landed=landed, pushed=pushed, push_error=push_error):
            return {
                **head,
                "success": True,
                "commit": commit,
                "landed": landed,
                "pushed": pushed,
                "pushError": push_error,
            }
        case undo.Conflicted(files=files, hint=hint):
            return {**head, "success": False, "conflictFiles": [file.path for file in files], "hint": hint}
        case undo.Refused(reason=reason, hint=hint):
            return {**head, "success": False, "reason": reason, "hint": hint}
