"""A plan that a unit has just written, held against the lint: errors go back to the agent, warnings are told.

A plan that is refused is taken out of the tree, or it would be carried out: `runtime/refused/plan-slice-M001-S01/`.
The next attempt at the unit finds it in its place again and mends it. Both steps may run twice.
Source: issue "From an idea to a plan"; spec auto 5.17 (plan-slice, plan-milestone).
"""

from pathlib import Path
from typing import Final

from milepost.formats.tree import Tree
from milepost.model.units import Unit, UnitKind
from milepost.prompts.shrink import budgets
from milepost.rules import done, plan_lint
from milepost.unit import books, executor
from milepost.unit.before import Before, artifacts
from milepost.unit.bench import Bench
from milepost.unit.put_right import tree_of

_PLANNING: Final = (UnitKind.PLAN_MILESTONE, UnitKind.PLAN_SLICE)
_AGAIN: Final = "There is a plan already. Keep what is good of it, and mend this:"


def refused(unit: Unit, before: Before | None, bench: Bench) -> tuple[str, ...]:
    """What is wrong enough with the plan for the agent to mend it; says the rest. Nothing for a plan that stood.

    before: the milestone's books before the session. A refused plan is taken out of the tree.
    """
    found = _found(unit, tree_of(bench), bench)
    if not found or (before is not None and _stood(unit, before, bench)):
        return ()
    for finding in found:
        if not finding.error:
            bench.watcher.note(f"plan: {finding.path} {finding.problem}")
    errors = tuple(f"{finding.path}: {finding.problem}" for finding in found if finding.error)
    if errors:
        _take_out(unit, bench)
    return errors


def told(unit: Unit, tree: Tree, bench: Bench) -> str:
    """For the prompt of a unit that plans again what is planned already: what is wrong with that. Else empty."""
    if unit.kind not in _PLANNING or not tree.text(plan_lint.document(unit, tree)):
        return ""
    lines = [f"- {finding.path} {finding.problem}" for finding in _found(unit, tree, bench)]
    return "\n".join((_AGAIN, *lines)) if lines else ""


def put_back(unit: Unit, bench: Bench) -> None:
    """Put a refused plan of this unit where it was, unless something newer is there."""
    books.bring_back(bench.workspace.state, _shelf(unit, bench))


def _found(unit: Unit, tree: Tree, bench: Bench) -> tuple[plan_lint.Finding, ...]:
    most = budgets(executor.window(bench.models)).max_tasks
    return plan_lint.lint(unit, tree, max_tasks=most, gate=bool(bench.preferences.verification_commands))


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
