"""Where a milestone is worked on: made, found again, proved."""

import json
from pathlib import Path

import pytest

from conftest import run_git
from milepost.formats.journal import CapReset, Landed
from milepost.git.branches import CheckoutDirty
from milepost.git.worktrees import WorktreeUnusable
from milepost.store.snapshot import Snapshot
from milepost.testing import projects
from milepost.unit import leftovers
from milepost.worker import places
from milepost.worker.places import NoPlace
from worker.conftest import ignore_runtime
from worker.shifts import prefer, said, shift_for

pytestmark = pytest.mark.anyio
META = ".gsd/milestones/M001/M001-META.json"
PLAN = ".gsd/milestones/M001/M001-ROADMAP.md"


@pytest.fixture
def unplanned(tmp_path: Path) -> Path:
    """A project whose plan is not committed yet."""
    root = tmp_path / "project"
    projects.tiny(root, milestones=("M001", "M002"), plan_committed=False)
    ignore_runtime(root)
    return root


def integration(state: Path) -> object:
    return json.loads((state / "milestones/M001/M001-META.json").read_text())["integrationBranch"]


async def test_a_worktree_is_made_and_found_again(project: Path) -> None:
    shift = shift_for(project)
    place = await places.enter("M001", shift)
    assert (place.cwd, place.branch, place.isolation) == (project / ".gsd/worktrees/M001", "milestone/M001", "worktree")
    assert place.state == place.cwd / ".gsd"
    assert place.root_state == project / ".gsd"
    assert integration(place.state) == "main"
    assert not (project / META).exists()
    assert "M001 is worked on in .gsd/worktrees/M001 for main" in said(shift)
    again = shift_for(project)
    assert await places.enter("M001", again) == place
    assert said(again) == ""


async def test_the_plan_is_committed_first_and_nothing_else(unplanned: Path) -> None:
    (unplanned / "README.md").write_text("mine\n")
    (unplanned / "staged.txt").write_text("staged\n")
    run_git(unplanned, "add", "staged.txt")
    place = await places.enter("M001", shift_for(unplanned))
    assert (place.cwd / PLAN).exists()
    names = run_git(unplanned, "show", "--name-only", "--format=", "HEAD").split()
    assert PLAN in names
    assert not [name for name in names if not name.startswith(".gsd/") or "M002" in name]
    assert run_git(unplanned, "status", "--porcelain").splitlines() == [
        " M README.md",
        "A  staged.txt",
        "?? .gsd/milestones/M002/",
    ]


async def test_a_plan_on_another_branch_than_the_target_is_left_to_the_person(unplanned: Path) -> None:
    run_git(unplanned, "switch", "-q", "-c", "topic")
    with pytest.raises(NoPlace, match="not committed, and you are on topic, not main"):
        await places.enter("M001", shift_for(unplanned, preferences=prefer(main_branch="main")))
    assert run_git(unplanned, "log", "--format=%s") == "first\n"


async def test_killed_before_the_last_step_all_are_done_again(project: Path) -> None:
    shift = shift_for(project)
    place = await places.enter("M001", shift)
    (project / ".gsd/runtime/places/M001.ready").unlink()
    (place.state / "milestones/M001/M001-META.json").unlink()
    await places.enter("M001", shift)
    assert integration(place.state) == "main"


async def test_a_worktree_that_was_taken_away_is_made_whole_again(tmp_path: Path) -> None:
    root = tmp_path / "project"
    projects.tiny(root, plan_committed=False)
    (root / ".gitignore").write_text(".gsd\n")
    run_git(root, "add", ".gitignore")
    run_git(root, "commit", "-qm", "ignore")
    place = await places.enter("M001", shift_for(root))
    assert (place.cwd / PLAN).exists()
    run_git(root, "worktree", "remove", "--force", str(place.cwd))
    await places.enter("M001", shift_for(root))
    assert (place.cwd / PLAN).exists()


@pytest.mark.parametrize(
    ("meta", "preferred", "target"), [("dev", None, "dev"), (None, "dev", "dev"), (None, None, "topic")]
)
async def test_what_it_is_merged_into(meta: str | None, preferred: str | None, target: str, project: Path) -> None:
    run_git(project, "branch", "dev")
    run_git(project, "switch", "-q", "-c", "topic")
    if meta:
        projects.write(project, {META: json.dumps({"integrationBranch": meta})})
    assert places.target_of("M001", shift_for(project, preferences=prefer(main_branch=preferred))) == target


async def test_a_hook_is_run_once_where_the_worktree_is(project: Path) -> None:
    hook = project / "setup.sh"
    hook.write_text('#!/bin/sh\necho "$SOURCE_DIR $WORKTREE_DIR $PWD" >> "$SOURCE_DIR/../hook.log"\n')
    hook.chmod(0o755)
    settings = prefer(worktree_post_create="setup.sh")
    for _ in range(2):
        await places.enter("M001", shift_for(project, preferences=settings))
    tree = project / ".gsd/worktrees/M001"
    assert (project.parent / "hook.log").read_text() == f"{project} {tree} {tree}\n"


@pytest.mark.parametrize(
    ("script", "says"),
    [("#!/bin/sh\necho no npm >&2; exit 3\n", "failed (3): no npm"), (None, "did not start")],
)
async def test_a_hook_that_fails_is_said_and_work_goes_on(script: str | None, says: str, project: Path) -> None:
    if script:
        (project / "setup.sh").write_text(script)
        (project / "setup.sh").chmod(0o755)
    shift = shift_for(project, preferences=prefer(worktree_post_create="setup.sh"))
    await places.enter("M001", shift)
    assert says in said(shift)


async def test_in_the_users_checkout_on_a_branch(project: Path) -> None:
    shift = shift_for(project, preferences=prefer(isolation="branch"))
    place = await places.enter("M001", shift)
    assert (place.cwd, place.branch, place.isolation) == (project, "milestone/M001", "branch")
    assert run_git(project, "branch", "--show-current") == "milestone/M001\n"
    assert integration(project / ".gsd") == "main"
    assert places.target_of("M001", shift) == "main"
    assert await places.enter("M001", shift) == place


async def test_a_checkout_with_changes_is_not_switched(project: Path) -> None:
    (project / "README.md").write_text("mine\n")
    with pytest.raises(CheckoutDirty, match=r"README\.md"):
        await places.enter("M001", shift_for(project, preferences=prefer(isolation="branch")))
    assert run_git(project, "branch", "--show-current") == "main\n"


async def test_without_isolation(project: Path) -> None:
    shift = shift_for(project, preferences=prefer(isolation="none"))
    place = await places.enter("M001", shift)
    assert (place.cwd, place.branch, place.isolation) == (project, "main", "none")
    (project / "README.md").write_text("mine\n")
    with pytest.raises(NoPlace, match=r"changes of yours: README\.md"):
        await places.enter("M001", shift)
    leftovers.note(project, ".gsd", "M001")  # Had an attempt left it so, it would be ours.
    assert await places.enter("M001", shift) == place


async def test_without_isolation_on_another_milestones_branch(project: Path) -> None:
    run_git(project, "switch", "-q", "-c", "milestone/M002")
    with pytest.raises(NoPlace, match="is on milestone/M002"):
        await places.enter("M001", shift_for(project, preferences=prefer(isolation="none")))


async def test_something_else_in_the_worktrees_place(project: Path) -> None:
    projects.write(project, {".gsd/worktrees/M001/notes.txt": "mine\n"})
    with pytest.raises(WorktreeUnusable, match="exists and is not a worktree"):
        await places.enter("M001", shift_for(project))
    assert (project / ".gsd/worktrees/M001/notes.txt").read_text() == "mine\n"


async def test_what_landed_elsewhere_is_not_paid_for_twice(project: Path) -> None:
    run_git(project, "switch", "-q", "-c", "topic")
    run_git(project, "switch", "-q", "main")
    run_git(project, "commit", "-q", "--allow-empty", "-m", "M001 landed")
    commit = run_git(project, "rev-parse", "HEAD").strip()
    run_git(project, "switch", "-q", "topic")
    shift = shift_for(project)
    shift.journal("M001").append(Landed(at_ms=1, run="r", milestone="M001", target="main", commit=commit, tip=commit))
    with pytest.raises(NoPlace, match=r"M001 is on main .* which topic does not have"):
        await places.enter("M001", shift)
    run_git(project, "merge", "-q", "main")
    with pytest.raises(NoPlace, match=r"M001 landed as .* taken back since"):
        await places.enter("M001", shift)
    shift.journal("project").append(CapReset(at_ms=2, run="r", unit="complete-milestone/M001"))
    assert (await places.enter("M001", shift)).isolation == "worktree"


async def test_a_milestone_in_a_directory_of_an_older_release(project: Path) -> None:
    run_git(project, "mv", ".gsd/milestones/M001", ".gsd/milestones/M001-SMALL")
    run_git(project, "commit", "-qm", "as older releases name it")
    place = await places.enter("M001", shift_for(project))
    assert sorted(p.name for p in (place.state / "milestones").iterdir()) == ["M001-SMALL"]
    assert "M001" in Snapshot(str(project)).homes
