"""A plan that a unit has just written, held against the lint: errors go back to the agent, warnings are told.

A plan that is refused is taken out of the tree, or it would be carried out: `runtime/refused/plan-slice-M001-S01/`.
The next attempt at the unit finds it in its place again and mends it. Both steps may run twice.
Source: issue "From an idea to a plan"; spec auto 5.17 (plan-slice, plan-milestone).
"""

from pathlib import Path

from milepost.model.units import Unit
from milepost.prompts.shrink import budgets
from milepost.rules import done, plan_lint
from milepost.unit import books
from milepost.unit.before import Before, artifacts
from milepost.unit.bench import Bench
from milepost.unit.put_right import tree_of


def refused(unit: Unit, before: Before | None, bench: Bench) -> tuple[str, ...]:
    """What is wrong enough with the plan for the agent to mend it; says the rest. Nothing for a plan that stood.

    before: the milestone's books before the session. A refused plan is taken out of the tree.
    """
    found = plan_lint.lint(
        unit, tree_of(bench), max_tasks=budgets(0).max_tasks, gate=bool(bench.preferences.verification_commands)
    )
    if not found or (before is not None and _stood(unit, before, bench)):
        return ()
    for finding in found:
        if not finding.error:
            bench.watcher.note(f"plan: {finding.path} {finding.problem}")
    errors = tuple(f"{finding.path}: {finding.problem}" for finding in found if finding.error)
    if errors:
        _take_out(unit, bench)
    return errors


def put_back(unit: Unit, bench: Bench) -> None:
    """Put a refused plan of this unit where it was, unless something newer is there."""
    books.bring_back(bench.workspace.state, _shelf(unit, bench))


def _take_out(unit: Unit, bench: Bench) -> None:
    path, shelf = done.artifact(unit, tree_of(bench)), _shelf(unit, bench)
    if path is None or not (bench.workspace.state / path).is_file():
        return
    (shelf / path).parent.mkdir(parents=True, exist_ok=True)
    (bench.workspace.state / path).replace(shelf / path)
    bench.watcher.note(f"the plan is refused; it lies in {shelf.relative_to(bench.workspace.root)} until it is mended")


def _shelf(unit: Unit, bench: Bench) -> Path:
    return bench.workspace.root_state / "runtime" / "refused" / f"{unit.kind}-{unit.id.replace('/', '-')}"


def _stood(unit: Unit, before: Before, bench: Bench) -> bool:
    """Whether the plan is, byte for byte, what it was before the unit."""
    tree = tree_of(bench)
    path = plan_lint.document(unit, tree)
    return before.artifacts.get(path) == artifacts(tree, unit.milestone).get(path)
