"""`gsd cleanup`: what landed milestones leave is listed and, after a yes, removed; no commit is lost."""

import json
import os
from pathlib import Path

import pytest

from milepost.store.lease import Holder, Lease
from milepost.testing import projects
from scenarios.sitting import Sitting
from scenarios.stage import BLOCKED, DONE, Stage

DAY_S = 86_400


def aged(stage: Stage, days: float = 10) -> list[str]:
    """Make the transcripts old; their names in order."""
    files = sorted((stage.state / "activity").glob("*.jsonl"))
    for path in files:
        at = path.stat().st_mtime - days * DAY_S
        os.utime(path, (at, at))
    return [path.name for path in files]


def reachable(stage: Stage) -> set[str]:
    return set(stage.git("rev-list", "--all").split())


def refs(stage: Stage, below: str = "refs") -> set[str]:
    return set(stage.git("for-each-ref", "--format=%(refname)", below).split())


@pytest.fixture
def landed(stage: Stage) -> Stage:
    """One milestone, merged, with snapshots taken on the way; the next one has not begun."""
    stage.make(
        milestones=("M001", "M002"),
        tasks=2,
        preferences=projects.QUICK.replace("---\nphases", "---\ngit: {snapshots: true}\nphases"),
    )
    stage.auto("--until", "M001").require(DONE)
    return stage


@pytest.mark.covers("command:cleanup")
def test_what_is_kept_elsewhere_goes_and_nothing_else(landed: Stage) -> None:
    stage = landed
    stage.git("branch", "gsd/M000/S01", "main~1")
    stage.git("branch", "milestone/M009", "main")
    stage.git("branch", "milestone/M002", "main")
    stage.git("branch", "feature", "main")
    tree = stage.git("write-tree").strip()
    lone = stage.git("commit-tree", tree, "-p", "main", "-m", "only here").strip()
    stage.git("branch", "gsd/M000/S02", lone)
    stage.git(
        "update-ref", "refs/gsd/snapshots/gsd/gone/20260101-000000", stage.git("commit-tree", tree, "-m", "x").strip()
    )
    names = aged(stage)
    taken = {ref for ref in refs(stage, "refs/gsd/snapshots") if "milestone/M001" in ref}
    assert taken
    before, known = refs(stage), reachable(stage)

    told = stage.gsd("cleanup", "--dry-run").require(DONE).out
    assert "gsd/M000/S01 is of no milestone in the plan, and main has all of it" in told
    assert f"{len(taken)} snapshots of milestone/M001" in told
    assert f"{len(names) - 1} transcripts of M001" in told
    refused = stage.gsd("cleanup").require(BLOCKED)
    assert "Nothing was removed; add --yes" in refused.err
    assert refs(stage) == before

    stage.gsd("cleanup", "--yes").require(DONE)
    assert before - refs(stage) == {"refs/heads/gsd/M000/S01", "refs/heads/milestone/M009", *taken}
    assert reachable(stage) == known
    assert [path.name for path in sorted((stage.state / "activity").glob("*"))] == names[-1:]
    assert stage.gsd("cleanup").require(DONE).out == "There is nothing to clean up.\n"
    stage.gsd("why", "M001/S01/T01").require(DONE)
    stage.auto().require(DONE)


@pytest.mark.covers("command:cleanup")
def test_a_kind_alone_and_for_programs(landed: Stage) -> None:
    stage = landed
    stage.git("branch", "gsd/M000/S01", "main~1")
    names = aged(stage)
    found = json.loads(stage.gsd("cleanup", "branches", "--json", "--dry-run").require(DONE).out)
    assert [(row["kind"], row["what"], row["removed"]) for row in found] == [("branches", "gsd/M000/S01", False)]
    assert json.loads(stage.gsd("cleanup", "activity", "--days", "30", "--json").require(DONE).out) == []
    done = json.loads(stage.gsd("cleanup", "activity", "--days", "9", "--json", "--yes").require(DONE).out)
    assert [(row["what"], row["removed"]) for row in done] == [("M001", True)]
    assert len(list((stage.state / "activity").iterdir())) == 1 < len(names)
    assert "refs/heads/gsd/M000/S01" in refs(stage)
    assert stage.gsd("cleanup", "everything").code == 1
    assert stage.gsd("cleanup", "--days", "soon").code == 1


@pytest.mark.covers("command:cleanup")
def test_a_milestone_at_work_keeps_all_of_it(stage: Stage) -> None:
    """Its transcripts tell the next session what the last one did, however old they are."""
    stage.make(tasks=3)
    stage.auto("--max-units", "2").require(DONE)
    names = aged(stage, days=400)
    assert stage.gsd("cleanup", "--yes").require(DONE).out == "There is nothing to clean up.\n"
    assert [path.name for path in sorted((stage.state / "activity").glob("*"))] == names
    assert "milestone/M001" in stage.branches()


@pytest.mark.covers("command:cleanup")
def test_beside_a_run_branches_stay_and_it_is_said(landed: Stage) -> None:
    landed.git("branch", "gsd/M000/S01", "main~1")
    with Lease(landed.state / "parallel" / "auto.lease", "here", Holder(pid=os.getpid(), run="r1")):
        told = landed.gsd("cleanup", "branches", "--yes").require(BLOCKED)
    assert "gsd/M000/S01 stays: at work here" in told.out
    assert "refs/heads/gsd/M000/S01" in refs(landed)


@pytest.mark.covers("command:cleanup")
@pytest.mark.parametrize(("answer", "gone"), [("y", True), ("", False)], ids=["yes", "nothing"])
def test_at_a_terminal_it_is_asked(answer: str, gone: bool, landed: Stage) -> None:
    landed.git("branch", "gsd/M000/S01", "main~1")
    person = Sitting(landed, "cleanup", "branches")
    try:
        person.sees("Remove it? [y/N]")
        person.type(answer)
        assert person.end() == (DONE if gone else BLOCKED)
    finally:
        person.close()
    assert ("refs/heads/gsd/M000/S01" in refs(landed)) is not gone


@pytest.mark.covers("command:cleanup")
def test_the_branch_of_a_landed_milestone_goes_with_the_proof(landed: Stage) -> None:
    """As a run leaves it that was killed between the merge and what follows it."""
    tip = landed.git("rev-parse", landed.backups()[-1]).strip()
    landed.git("branch", "milestone/M001", tip)
    known = reachable(landed)
    assert "milestone/M001 is on main as" in landed.gsd("cleanup", "branches", "--dry-run").require(DONE).out
    landed.gsd("cleanup", "branches", "--yes").require(DONE)
    assert landed.branches() == ["main"]
    assert reachable(landed) == known


def test_a_branch_that_somebody_has_checked_out_stays(landed: Stage, tmp_path: Path) -> None:
    landed.git("worktree", "add", "-q", "-b", "gsd/M000/S01", str(tmp_path / "elsewhere"), "main~1")
    assert landed.gsd("cleanup", "branches").require(DONE).out == "There is nothing to clean up.\n"
