"""Finished milestones come to their branch, whenever one is seen."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from conftest import run_git
from milepost.errors import ExitCode
from milepost.formats.journal import Landed, LandingStep
from milepost.rules.derive import derive
from milepost.store.snapshot import Snapshot
from milepost.testing import projects
from milepost.worker import landing, merge_check, places
from milepost.worker.shift import Shift
from worker.conftest import ignore_runtime
from worker.shifts import prefer, said, shift_for

pytestmark = pytest.mark.anyio
HOME = ".gsd/milestones/M001"


def finish(where: Path, mid: str = "M001") -> None:
    """Do in a checkout what all units of a milestone would have done, and commit it."""
    for path in where.glob(f".gsd/milestones/{mid}/**/*.md"):
        path.write_text(path.read_text().replace("- [ ] **", "- [x] **"))
    base = f".gsd/milestones/{mid}"
    files = {f"{base}/{mid}-SUMMARY.md", f"{base}/slices/S01/S01-SUMMARY.md", f"{base}/slices/S01/tasks/T01-SUMMARY.md"}
    projects.write(where, {**dict.fromkeys(files, "# Done\n"), f"work/{mid}.txt": "work\n"})
    run_git(where, "add", "-A")
    run_git(where, "commit", "-qm", f"work on {mid}")


async def finished(root: Path, shift: Shift) -> Path:
    place = await places.enter("M001", shift)
    finish(place.cwd)
    return place.cwd


def due(shift: Shift) -> str | None:
    home = Snapshot(str(shift.root))
    return landing.due(derive(home), home, shift)


def events(shift: Shift, kind: type) -> Sequence[object]:
    return [e for e in shift.journal("project").everything() if isinstance(e, kind)]


async def test_what_is_not_finished_is_not_due(project: Path) -> None:
    shift = shift_for(project)
    assert due(shift) is None
    await places.enter("M001", shift)
    assert due(shift) is None


async def test_a_finished_milestone_lands_once(project: Path) -> None:
    shift = shift_for(project)
    tree = await finished(project, shift)
    assert due(shift) == "M001"
    assert await landing.land("M001", Snapshot(str(project)), shift) is None
    assert (project / "work/M001.txt").read_text() == "work\n"
    [event] = events(shift, Landed)
    assert isinstance(event, Landed)
    assert (event.target, event.commit) == ("main", run_git(project, "rev-parse", "main").strip())
    assert not tree.exists()
    assert due(shift) is None
    assert f"M001 is on main as {event.commit[:10]}" in said(shift)
    assert not (project / ".gsd/runtime/places/M001.ready").exists()
    assert len(events(shift, LandingStep)) >= 2


async def test_the_first_in_order_is_due_first(tmp_path: Path) -> None:
    root = tmp_path / "project"
    projects.tiny(root, milestones=("M001", "M002"))
    ignore_runtime(root)
    shift = shift_for(root)
    for mid in ("M002", "M001"):
        finish((await places.enter(mid, shift)).cwd, mid)
    assert due(shift) == "M001"
    assert await landing.land("M001", Snapshot(str(root)), shift) is None
    assert due(shift) == "M002"


async def test_a_landing_that_was_begun_is_due_although_its_worktree_is_gone(project: Path) -> None:
    shift = shift_for(project)
    tree = await finished(project, shift)
    run_git(project, "worktree", "remove", "--force", str(tree))
    finish(project)
    assert due(shift) is None
    shift.journal("M001").append(LandingStep(at_ms=1, run="r", milestone="M001", step="merged"))
    assert due(shift) == "M001"
    tip = run_git(project, "rev-parse", "milestone/M001").strip()
    shift.journal("M001").append(Landed(at_ms=2, run="r", milestone="M001", target="main", commit=tip, tip=tip))
    assert due(shift) is None


async def test_a_conflict_is_for_a_person_and_loses_nothing(project: Path) -> None:
    shift = shift_for(project)
    tree = await finished(project, shift)
    (tree / "src/app.txt").write_text("theirs\n")
    run_git(tree, "commit", "-qam", "theirs")
    (project / "src/app.txt").write_text("mine\n")
    run_git(project, "commit", "-qam", "mine")
    ending = await landing.land("M001", Snapshot(str(project)), shift)
    assert ending is not None
    assert ending.code is ExitCode.BLOCKED
    assert "src/app.txt" in ending.reason
    assert ending.hint
    assert (project / "src/app.txt").read_text() == "mine\n"
    assert tree.exists()
    assert events(shift, Landed) == []


async def test_files_of_the_user_in_the_way(project: Path) -> None:
    shift = shift_for(project)
    await finished(project, shift)
    projects.write(project, {"work/M001.txt": "my own\n"})
    ending = await landing.land("M001", Snapshot(str(project)), shift)
    assert ending is not None
    assert (ending.code, "work/M001.txt" in ending.reason) == (ExitCode.BLOCKED, True)
    assert (project / "work/M001.txt").read_text() == "my own\n"


@pytest.mark.parametrize(
    ("command", "code", "says"),
    [
        ("grep -q work work/M001.txt", None, "check before merging M001: pass"),
        ("grep -q never work/M001.txt", ExitCode.PAUSED, "check before merging M001: fail"),
        ("no-such-runner --all", ExitCode.PAUSED, "check before merging M001: inconclusive"),
        ("", None, ""),
        (False, None, ""),
    ],
)
async def test_the_check_on_the_merged_tree(
    command: str | bool, code: ExitCode | None, says: str, project: Path
) -> None:
    shift = shift_for(project, preferences=prefer(pre_merge_check=command))
    tree = await finished(project, shift)
    ending = await landing.land("M001", Snapshot(str(project)), shift)
    assert (ending.code if ending else None) == code
    assert says in said(shift)
    assert tree.exists() is (code is not None)
    assert (project / "work/M001.txt").exists() is (code is None)
    if ending:
        assert ("could not be judged" in ending.reason) is ("inconclusive" in says)


async def test_the_projects_own_commands_are_the_check(project: Path) -> None:
    settings = prefer(pre_merge_check=True)._replace(
        verification_commands=("test -e work/M001.txt", "test -e README.md")
    )
    shift = shift_for(project, preferences=settings)
    await finished(project, shift)
    assert await landing.land("M001", Snapshot(str(project)), shift) is None
    assert "check before merging M001: pass" in said(shift)


async def test_a_check_without_commands_is_said(project: Path, tmp_path: Path) -> None:
    shift = shift_for(project, preferences=prefer(pre_merge_check=True))
    run = merge_check.check("M001", shift)
    assert run is not None
    found = await run(tmp_path)
    assert (found.passed, found.detail) == (True, "nothing to run was found")
    assert "merged unchecked" in said(shift)


async def test_ignored_planning_files_come_home(tmp_path: Path) -> None:
    root = tmp_path / "project"
    projects.tiny(root, plan_committed=False)
    (root / ".gitignore").write_text(".gsd\n")
    run_git(root, "add", ".gitignore")
    run_git(root, "commit", "-qm", "ignore")
    shift = shift_for(root)
    place = await places.enter("M001", shift)
    finish(place.cwd)
    assert due(shift) == "M001"
    assert await landing.land("M001", Snapshot(str(root)), shift) is None
    assert (root / HOME / "M001-SUMMARY.md").exists()
    assert derive(Snapshot(str(root))).last_completed_milestone is not None
    assert due(shift) is None


async def test_in_branch_mode_the_checkout_is_given_back(project: Path) -> None:
    shift = shift_for(project, preferences=prefer(isolation="branch"))
    await finished(project, shift)
    assert due(shift) == "M001"
    assert await landing.land("M001", Snapshot(str(project)), shift) is None
    assert run_git(project, "branch", "--show-current") == "main\n"
    assert (project / "work/M001.txt").exists()
    assert due(shift) is None


async def test_a_push_that_fails_is_said_and_the_merge_stands(project: Path) -> None:
    run_git(project, "remote", "add", "origin", str(project.parent / "nowhere.git"))
    shift = shift_for(project, preferences=prefer(auto_push=True))
    await finished(project, shift)
    assert await landing.land("M001", Snapshot(str(project)), shift) is None
    [event] = events(shift, Landed)
    assert isinstance(event, Landed)
    assert event.push_error
    assert not event.pushed
    assert "NOT pushed" in said(shift)
    assert (project / "work/M001.txt").exists()
