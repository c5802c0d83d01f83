"""Real `.gsd/` trees: each can be analysed for parallel work, and what is said of it holds.

The trees lie beside the checkout (`../shared/corpus`) or where `MILEPOST_CORPUS` says; without them these tests skip.
"""

import os
import re
from pathlib import Path

import pytest

from milepost.formats.tree import milestone_ids
from milepost.rules.derive import Status, derive
from milepost.rules.eligibility import Cause, Facts, Report, analyze, render
from milepost.rules.overlap import shared, touched
from milepost.store.snapshot import Snapshot

CORPUS = Path(os.environ.get("MILEPOST_CORPUS") or Path(__file__).parents[3] / "shared" / "corpus")


def trees() -> list[str]:
    return sorted(path.parent.name for path in CORPUS.glob("*/.gsd")) if CORPUS.is_dir() else []


pytestmark = pytest.mark.skipif(not trees(), reason=f"no corpus of real trees at {CORPUS} (set MILEPOST_CORPUS)")
each_tree = pytest.mark.parametrize("name", trees() or ["none"])


def analysed(name: str) -> tuple[Snapshot, Report]:
    tree = Snapshot(str(CORPUS / name))
    return tree, analyze(tree, derive(tree), Facts())


@each_tree
def test_every_milestone_is_in_the_report_once(name: str) -> None:
    tree, found = analysed(name)
    assert sorted(entry.id for entry in (*found.eligible, *found.ineligible)) == sorted(milestone_ids(tree))


@pytest.mark.spec(id="PR-040")
@each_tree
def test_it_agrees_with_the_state_on_what_is_complete_and_what_is_worked_on(name: str) -> None:
    tree, found = analysed(name)
    state = derive(tree)
    status = {entry.id: entry.status for entry in state.registry}
    assert {e.id for e in found.ineligible if e.cause is Cause.COMPLETE} <= {
        mid for mid, said in status.items() if said is Status.COMPLETE
    }
    assert not [e.id for e in found.eligible if status.get(e.id) in (None, Status.PARKED)]
    active = next((e.id for e in state.registry if e.status is Status.ACTIVE), None)
    workable = active is None or state.phase.value not in ("blocked", "needs-discussion", "pre-planning")
    assert active is None or not workable or active in {e.id for e in found.eligible}


@pytest.mark.spec(id="PR-044")
@each_tree
def test_the_report_has_the_documented_shape(name: str) -> None:
    _, found = analysed(name)
    text = render(found)
    item = r"- \*\*M\d+\S*\*\* — .+\n  .+\.\n"
    eligible = rf"(?:(?:{item})+|No milestones are currently eligible for parallel execution\.\n)"
    ineligible = rf"(?:(?:{item})+|All milestones are eligible\.\n)"
    pair = r"- \*\*M\S+\*\* <-> \*\*M\S+\*\* — \d+ shared file\(s\):\n(?:  - `[^`\n]+`\n)+"
    assert re.fullmatch(
        rf"# Parallel Eligibility Report\n\n## Eligible for Parallel Execution \(\d+\)\n\n{eligible}"
        rf"\n## Ineligible \(\d+\)\n\n{ineligible}(?:\n## File Overlap Warnings \(\d+\)\n\n(?:{pair})+)?",
        text,
    ), text


@pytest.mark.spec(id="PR-346")
@pytest.mark.spec(id="DV-28")
@each_tree
def test_what_is_touched_are_paths(name: str) -> None:
    tree = Snapshot(str(CORPUS / name))
    for mid in milestone_ids(tree):
        files = touched(tree, mid)
        assert not [path for path in files if re.search(r"[`\n]| \(|\s—\s|\A\.gsd", path)]
        assert set(shared(files, files)) <= set(files)
        exact = {path for path in files if "*" not in path}
        assert exact <= set(shared(files, files))


def test_the_corpus_names_files_at_all() -> None:
    snapshots = [Snapshot(str(CORPUS / name)) for name in trees()]
    found = {path for tree in snapshots for mid in milestone_ids(tree) for path in touched(tree, mid)}
    assert len(found) > 300
