"""Real `.gsd/` trees: what is derived from them agrees with what GSD v3.0.0 derives from the same files.

The trees lie beside the checkout (`../shared/corpus`) or where `MILEPOST_CORPUS` says; without them these tests skip.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from milepost.formats import context, overrides, plan, requirements, roadmap, summary, validation
from milepost.formats.preferences import Preferences
from milepost.rules import done
from milepost.rules.derive import State, derive
from milepost.rules.dispatch import Dispatch, decide
from milepost.store.snapshot import Snapshot

RELEASE = "v3.0.0"
CORPUS = Path(os.environ.get("MILEPOST_CORPUS") or Path(__file__).parents[3] / "shared" / "corpus")

DIFFERENT: dict[tuple[str, str], str] = {
    ("ausgomez__readtome@e7dd70e6", key): (
        "Its slice plan lists tasks as `**T01**: title _(1h)_` inside <tasks>. GSD's markdown path reads none of them "
        "and would plan the slice again; its own STATE.md says `evaluating-gates`, that is: planned."
    )
    for key in ("phase", "active_task", "progress")
}
"""(tree, field) that differ on purpose, with the reason."""


def trees() -> list[str]:
    if not (CORPUS / "oracle.json").is_file():
        return []
    return sorted(json.loads((CORPUS / "oracle.json").read_text())["trees"])


pytestmark = pytest.mark.skipif(not trees(), reason=f"no corpus of real trees at {CORPUS} (set MILEPOST_CORPUS)")
each_tree = pytest.mark.parametrize("name", trees() or ["none"])


def recorded(name: str) -> dict[str, Any]:
    """What GSD derived, in our words."""
    found = json.loads((CORPUS / "oracle.json").read_text())["trees"][name]["derived_by_real_gsd"][RELEASE]
    keys = ("active_milestone", "active_slice", "active_task", "phase", "last_completed", "progress", "requirements")
    return {
        **{key: found[key] for key in keys},
        "registry": [(entry["id"], entry["status"]) for entry in found["registry"]],
    }


def derived(state: State) -> dict[str, Any]:
    counts = state.requirements
    tallies = state.progress._asdict().items()
    return {
        "active_milestone": state.active_milestone and state.active_milestone.id,
        "active_slice": state.active_slice and state.active_slice.id,
        "active_task": state.active_task and state.active_task.id,
        "phase": state.phase.value,
        "last_completed": state.last_completed_milestone and state.last_completed_milestone.id,
        "progress": {key: tally._asdict() for key, tally in tallies if tally},
        "requirements": {
            "active": counts.active,
            "validated": counts.validated,
            "deferred": counts.deferred,
            "outOfScope": counts.out_of_scope,
            "blocked": counts.blocked,
            "total": counts.total,
        },
        "registry": [(entry.id, entry.status.value) for entry in state.registry],
    }


@each_tree
def test_state_agrees(name: str) -> None:
    ours, theirs = derived(derive(Snapshot(str(CORPUS / name)))), recorded(name)
    differing = {key for key in theirs if ours[key] != theirs[key]}
    expected = {key for tree, key in DIFFERENT if tree == name}
    assert differing == expected, {key: (ours[key], theirs[key]) for key in differing ^ expected}


@each_tree
def test_titles_are_found(name: str) -> None:
    tree = Snapshot(str(CORPUS / name))
    for entry in derive(tree).registry:
        assert entry.title
        assert not entry.title.startswith(f"{entry.id}:")


@each_tree
def test_the_next_unit_is_one_that_is_not_done(name: str) -> None:
    tree = Snapshot(str(CORPUS / name))
    decision = decide(derive(tree), tree, Preferences())
    if isinstance(decision, Dispatch):
        assert not done.settled(decision.unit, tree)


def documents(name: str, ending: str) -> Iterator[str]:
    for path in sorted((CORPUS / name / ".gsd").rglob(f"*{ending}")):
        if path.is_file():
            yield path.read_bytes().decode("utf-8", "surrogateescape")


@each_tree
def test_every_document_can_be_read(name: str) -> None:
    for text in documents(name, ".md"):
        for read in (roadmap.parse, plan.parse, summary.parse, requirements.parse, overrides.parse):
            read(text)
        context.depends_on(text)
        validation.verdict(text)


@each_tree
def test_turning_a_roadmap_s_mark_there_and_back_is_byte_identical(name: str) -> None:
    for text in documents(name, "ROADMAP.md"):
        for raw in (text, text.replace("\n", "\r\n")):
            for entry in roadmap.slices(raw):
                first, second = (roadmap.untick, roadmap.tick) if entry.done else (roadmap.tick, roadmap.untick)
                turned = first(raw, entry.id)
                assert {s.id: s.done for s in roadmap.slices(turned)}[entry.id] != entry.done
                assert second(turned, entry.id) == raw


@each_tree
def test_turning_a_plan_s_mark_there_and_back_is_byte_identical(name: str) -> None:
    for text in documents(name, "-PLAN.md"):
        for raw in (text, text.replace("\n", "\r\n")):
            for task in plan.tasks(raw):
                first, second = (plan.untick, plan.tick) if task.done else (plan.tick, plan.untick)
                turned = first(raw, task.id)
                assert {t.id: t.done for t in plan.tasks(turned)}[task.id] != task.done
                assert second(turned, task.id) == raw
