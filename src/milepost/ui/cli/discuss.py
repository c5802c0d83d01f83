"""`gsd discuss [M002|M001/S02]`: settle what a milestone or a slice is to be, before it is planned.

With a person at the terminal the session asks; without one (`--headless`) it decides, and writes its assumptions down.
Where nothing is named, what the plan waits for comes first. Source: spec auto 7 (discuss), 4.1 (rules 5 and 6), 10.1.
"""

import sys
from collections.abc import Sequence

from milepost.errors import ExitCode, MilepostError
from milepost.formats import roadmap
from milepost.formats.preferences import Preferences
from milepost.formats.tree import Tree, milestone_file, milestone_ids, read, slice_file
from milepost.model import ids
from milepost.model.state import Phase, Status
from milepost.model.units import Unit, UnitKind
from milepost.rules import done
from milepost.rules.derive import derive
from milepost.store.snapshot import Snapshot
from milepost.ui import progress
from milepost.ui.cli import context, running
from milepost.ui.cli.new_milestone import answerer, require_agent, site_of
from milepost.unit.asking import Nobody


class NotToDiscuss(MilepostError):
    """There is nothing of that name to discuss, or it is too late for it."""

    exit_code = ExitCode.BLOCKED


def run(argv: Sequence[str], program: str) -> int:
    """Run; the exit codes of `auto`. A headless run ends with its JSON line even when it never began."""
    made = running.parser(program, "discuss")
    made.description = "Settle what a milestone or a slice is to be; a session asks, and writes its context."
    made.add_argument("what", nargs="?", default="", metavar="M002|M001/S02", help="default: what the plan waits for")
    made.add_argument("--auto", action="store_true", help="then work through the plan, in the same run")
    made.add_argument("--assume", action="store_true", help="ask nobody: decide, and write the assumptions down")
    options = made.parse_args(argv)
    begun = False
    try:
        where = context.find(program)
        site = site_of(where, program)
        options.discuss = _unit(options.what, Snapshot(where.root, where.state_dir), site.preferences)
        require_agent(options, site)
        options.goes_on, options.answerer = options.auto, Nobody() if options.assume else answerer(options)
        if not options.headless:
            sys.stderr.write(f"discussing {options.discuss.id}\n")
        begun = True
        return running.start(options, program, "discuss")
    except (MilepostError, OSError) as error:
        if options.headless and not begun:
            progress.failure(error)
        raise


def _unit(what: str, tree: Tree, prefs: Preferences) -> Unit:
    """What is to be discussed. Raises NotToDiscuss or BadId."""
    if not what:
        return _waited_for(tree, prefs)
    mid, _, sid = what.partition("/")
    if ids.require_milestone(mid) not in milestone_ids(tree):
        raise NotToDiscuss(f"there is no milestone {mid}", hint="gsd queue lists them.")
    return _slice(mid, sid, tree) if sid else _milestone(mid, tree)


def _milestone(mid: str, tree: Tree) -> Unit:
    if read(tree, milestone_file(tree, mid, "ROADMAP")) or done.settled(Unit(UnitKind.COMPLETE_MILESTONE, mid), tree):
        raise NotToDiscuss(
            f"{mid} is planned already", hint=f'A slice: gsd discuss {mid}/S01. A change of course: gsd steer "…"'
        )
    return Unit(UnitKind.DISCUSS_MILESTONE, mid)


def _slice(mid: str, sid: str, tree: Tree) -> Unit:
    slices = {entry.id: entry for entry in roadmap.slices(read(tree, milestone_file(tree, mid, "ROADMAP")))}
    if ids.require_part(sid) not in slices:
        raise NotToDiscuss(f"{mid} has no slice {sid}", hint=f"Its slices: {', '.join(slices) or 'none yet'}")
    if slices[sid].done or read(tree, slice_file(tree, mid, sid, "PLAN")):
        raise NotToDiscuss(f"{mid}/{sid} is planned already", hint='A change of course: gsd steer "…"')
    return Unit(UnitKind.DISCUSS_SLICE, f"{mid}/{sid}")


def _waited_for(tree: Tree, prefs: Preferences) -> Unit:
    """The active milestone without a context, the next slice that is to have one, else the next draft."""
    state = derive(tree)
    mid = state.active_milestone.id if state.active_milestone else ""
    waits = state.phase is Phase.NEEDS_DISCUSSION
    if mid and (waits or (state.phase is Phase.PRE_PLANNING and not read(tree, milestone_file(tree, mid, "CONTEXT")))):
        return Unit(UnitKind.DISCUSS_MILESTONE, mid)
    sid = state.active_slice.id if state.active_slice and state.phase is Phase.PLANNING else ""
    undiscussed = sid and not read(tree, slice_file(tree, mid, sid, "CONTEXT"))
    if undiscussed and prefs.phases.require_slice_discussion:
        return Unit(UnitKind.DISCUSS_SLICE, f"{mid}/{sid}")
    for entry in state.registry:
        files = (milestone_file(tree, entry.id, suffix) for suffix in ("CONTEXT", "ROADMAP"))
        if entry.status is Status.PENDING and not any(read(tree, path) for path in files):
            return Unit(UnitKind.DISCUSS_MILESTONE, entry.id)
    if undiscussed:
        return Unit(UnitKind.DISCUSS_SLICE, f"{mid}/{sid}")
    raise NotToDiscuss("nothing waits for a discussion", hint='A new one: gsd new-milestone "…"')
