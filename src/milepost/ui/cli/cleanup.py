"""`gsd cleanup`: remove what landed milestones left: merged branches and their worktrees, old snapshots, transcripts.

    gsd cleanup                          list it, ask, remove it
    gsd cleanup branches --dry-run       only list
    gsd cleanup activity --days 30 --yes do not ask

Nothing goes that is not reachable elsewhere; transcripts go by age alone, and only those of milestones that are merged.
Exit code 2 when nothing was agreed to, or something had to stay. Source: spec auto 7 (cleanup).
"""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from milepost.doctor import run as doctor
from milepost.doctor import tidying
from milepost.doctor.checks.old_transcripts import DAYS
from milepost.doctor.finding import Finding
from milepost.doctor.run import Mended
from milepost.doctor.site import Place
from milepost.errors import ExitCode
from milepost.ui.agreed import agreed
from milepost.ui.cli import arguments, context
from milepost.ui.views.parallel_text import plain

_UNTOLD: Final = "Nothing was removed; add --yes to do it."


def run(argv: Sequence[str], program: str) -> int:
    """List, ask, remove."""
    options = _parser(program).parse_args(argv)
    where = context.find(program)
    here = Path(context.cwd())
    place = Place(root=Path(where.root), state_dir=where.state_dir, home=where.home, cwd=here, now_s=time.time())
    wanted = tidying.checks(options.kinds or tidying.KINDS, options.days)
    found = [one for one in doctor.examine(place, checks=wanted).findings if one.fixable]
    if options.dry_run or not found:
        sys.stdout.write(_json(found, ()) if options.json else _listed(found))
        return ExitCode.DONE
    if not options.yes and not _agreed(found, options):
        return ExitCode.BLOCKED
    done = doctor.mend(place, checks=wanted).mended
    sys.stdout.write(_json(found, done) if options.json else _told(done))
    return ExitCode.DONE if all(one.done for one in done) else ExitCode.BLOCKED


def _parser(program: str) -> argparse.ArgumentParser:
    made = arguments.Parser(prog=f"{program} cleanup", description="Remove what landed milestones left behind.")
    made.add_argument("kinds", nargs="*", metavar="KIND", type=_kind, help=f"{', '.join(tidying.KINDS)}; none: all")
    made.add_argument("--dry-run", action="store_true", help="only list what would go")
    made.add_argument("-y", "--yes", action="store_true", help="do not ask")
    made.add_argument(
        "--days", type=_days, default=float(DAYS), metavar="N", help=f"transcripts older than this (default {DAYS})"
    )
    made.add_argument("--json", action="store_true", help="the same as JSON; removes only with --yes")
    return made


def _kind(text: str) -> str:
    if text not in tidying.KINDS:
        raise arguments.BadOption(f"{text!r} is none of {', '.join(tidying.KINDS)}")
    return text


def _days(text: str) -> float:
    try:
        found = float(text)
    except ValueError:
        found = -1.0
    if not 0 <= found < 1e6:
        raise argparse.ArgumentTypeError("must be a number of days, 0 or more")
    return found


def _listed(found: Sequence[Finding]) -> str:
    lines: list[str] = []
    for kind in tidying.KINDS:
        mine = [one for one in found if tidying.kind(one) == kind]
        lines += [kind.capitalize(), *(f"  {plain(one.message)}" for one in mine)] if mine else []
    return "\n".join([*lines, *([] if lines else ["There is nothing to clean up."])]) + "\n"


def _agreed(found: Sequence[Finding], options: argparse.Namespace) -> bool:
    sys.stdout.write(_json(found, ()) if options.json else _listed(found))
    sys.stdout.flush()
    if options.json:
        sys.stderr.write(f"{_UNTOLD}\n")
        return False
    return agreed("Remove it?", untold=_UNTOLD)


def _told(done: Sequence[Mended]) -> str:
    gone = [f"{plain(one.finding.subject)}: {one.done}" for one in done if one.done]
    kept = [f"{plain(one.finding.subject)} stays: {one.refused}" for one in done if not one.done]
    return "".join(f"{line}\n" for line in (*gone, *kept))


def _json(found: Sequence[Finding], done: Sequence[Mended]) -> str:
    ends = {(one.finding.code, one.finding.subject): one for one in done}
    rows = []
    for one in found:
        end = ends.get((one.code, one.subject))
        rows.append(
            {
                "kind": tidying.kind(one),
                "what": one.subject,
                "why": one.message,
                "removed": bool(end and end.done),
                "problem": (end.refused or None) if end else None,
            }
        )
    return json.dumps(rows) + "\n"
