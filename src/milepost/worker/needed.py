"""Keys that a milestone's tasks need are there before the first of them is paid for, or the run says which are not.

A key counts when the environment or the `.env` of the project or of the worktree has it, or a person gave it for this
run. Those of the project's file that the manifest names are carried into the worktree's, which has none of its own;
what was given for the run stands in the environment of units alone. Source: spec auto 2.13, 5.2 (13).
"""

from dataclasses import replace

from milepost.errors import ExitCode
from milepost.git import repo
from milepost.git.exclude import exclude
from milepost.git.ignored import ignored
from milepost.model.units import Unit, UnitKind
from milepost.rules import needed
from milepost.store import dotenv
from milepost.unit.bench import Bench
from milepost.unit.put_right import tree_of
from milepost.worker.shift import Ending, Shift


def missing(unit: Unit, bench: Bench, shift: Shift) -> Ending | None:
    """Why a task cannot begin yet; None: it has the keys that its milestone names, or is no task."""
    if unit.kind is not UnitKind.EXECUTE_TASK or not (wanted := needed.of(tree_of(bench), unit.milestone)):
        return None
    place = bench.workspace
    theirs, ours = dotenv.lines(place.root), dotenv.lines(place.cwd)
    for secret in wanted:
        if secret.name in theirs and secret.name not in ours:
            if not ignored(place.cwd, dotenv.NAME):
                exclude(repo.inspect(place.root).common_dir, (dotenv.NAME,))
            dotenv.put(place.cwd, secret.name, theirs[secret.name])
    have = shift.variables | shift.keys.keys() | theirs.keys() | ours.keys()
    left = needed.pending(tree_of(bench), unit.milestone, have)
    if not left:
        return None
    told = "; ".join(f"{s.name} ({how})" if (how := needed.guidance(s)) else s.name for s in left)
    hint = f"gsd secrets set {left[0].name}, or go on without it: gsd secrets skip {left[0].name}; then gsd auto."
    return Ending(ExitCode.BLOCKED, f"{unit.milestone} needs keys before its tasks begin: {told}", hint)


def furnished(unit: Unit, bench: Bench, shift: Shift) -> Bench:
    """The bench with those keys given for this run that the unit's milestone names in its commands' environment."""
    if not shift.keys:
        return bench
    asked = {secret.name for secret in needed.of(tree_of(bench), unit.milestone)}
    given = {name: value for name, value in shift.keys.items() if name in asked}
    return replace(bench, env={**bench.env, **given})
