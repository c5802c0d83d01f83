"""Worktrees and branches: found, and never removed while they hold anything of value."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from conftest import run_git
from doctor.project import COMPLETE, codes, commit, fixed, head, land, look, milestone_worktree, of, told, write
from milepost.doctor.finding import Severity
from milepost.formats.journal import LandingStep
from milepost.git.publish import note_of
from milepost.store.journal import Journal
from milepost.store.lease import Holder, Lease


@pytest.fixture
def complete(sound: Path) -> Path:
    """The milestone's worktree with all of it done and committed, not merged."""
    work = milestone_worktree(sound)
    write(work, {**COMPLETE, "feeds.py": "KEPT = True\n"})
    commit(work, "all of it")
    return work


def branches(root: Path) -> set[str]:
    return set(run_git(root, "for-each-ref", "--format=%(refname:short)", "refs/heads").split())


def contents(where: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(where)): path.read_bytes()
        for path in sorted(where.rglob("*"))
        if path.is_file() and ".git" not in path.parts
    }


def test_a_complete_milestone_that_is_not_merged_is_kept(sound: Path, complete: Path) -> None:
    found = of(sound, "milestone_not_landed")
    assert (found.severity, found.fixable, found.hint) == (Severity.WARNING, False, "gsd auto lands it.")
    fixed(sound)
    fixed(sound)
    assert "feeds.py" in contents(complete)
    assert "milestone/M001" in branches(sound)


def test_a_complete_branch_without_worktree_names_the_log(sound: Path, complete: Path) -> None:
    run_git(sound, "worktree", "remove", str(complete))
    write(sound, dict(COMPLETE))
    assert "git log main..milestone/M001" in of(sound, "milestone_not_landed").hint


@pytest.mark.spec(id="FM-94")
def test_a_landed_milestone_is_removed(sound: Path, complete: Path) -> None:
    write(sound, {".gsd/runtime/places/M001.ready": ""})
    commit_ = land(sound)
    assert of(sound, "orphaned_auto_worktree").fixable
    assert commit_[:10] in told(fixed(sound), "orphaned_auto_worktree")
    assert not complete.exists()
    assert branches(sound) == {"main"}
    assert not (sound / ".gsd/runtime/places/M001.ready").exists()
    assert look(sound) == []


def test_a_landed_branch_without_worktree_is_removed(sound: Path, complete: Path) -> None:
    land(sound)
    run_git(sound, "worktree", "remove", str(complete))
    assert of(sound, "merged_branch_left").severity is Severity.INFO
    fixed(sound)
    assert branches(sound) == {"main"}


@pytest.mark.parametrize(
    ("files", "staged"),
    [
        ({"feeds.py": "changed after the merge\n"}, False),
        ({"notes.txt": "only here\n"}, False),
        ({"notes.txt": "only here\n"}, True),
        ({".gsd/milestones/M001/M001-CONTEXT.md": "rewritten\n"}, False),
    ],
)
def test_a_landed_but_dirty_worktree_is_kept(
    sound: Path, complete: Path, files: dict[str, str | bytes | None], staged: bool
) -> None:
    land(sound)
    write(complete, files)
    if staged:
        run_git(complete, "add", "-A")
    before, status = contents(complete), run_git(complete, "status", "--porcelain")
    assert told(fixed(sound), "orphaned_auto_worktree").startswith("REFUSED")
    assert contents(complete) == before
    assert run_git(complete, "status", "--porcelain") == status
    assert "milestone/M001" in branches(sound)


def test_a_commit_after_landing_is_kept(sound: Path, complete: Path) -> None:
    land(sound)
    write(complete, {"feeds.py": "MORE = True\n"})
    tip = commit(complete, "more")
    fixed(sound)
    assert head(sound, "milestone/M001") == tip
    assert complete.is_dir()
    assert "orphaned_auto_worktree" not in codes(sound)
    assert "milestone_not_landed" in codes(sound)


def test_a_landing_that_was_reverted_is_kept(sound: Path, complete: Path) -> None:
    run_git(sound, "revert", "--no-edit", land(sound))
    assert "took it back" in of(sound, "milestone_not_landed").message
    fixed(sound)
    assert complete.is_dir()


def test_dirty_and_unmerged_work_survives_everything(sound: Path, complete: Path) -> None:
    """The roadmap is all ticked, nothing is merged, and there is work that is on no branch (field-reports #2)."""
    write(complete, {"feeds.py": "UNSAVED = True\n", "draft/": "", "draft/plan.md": "mine\n"})
    run_git(complete, "add", "feeds.py")
    write(sound, {".gsd/worktrees/old-copy/only.txt": "the last copy\n", ".gsd/auto.lock": "{"})
    before, tip = contents(complete), head(sound, "milestone/M001")
    status = run_git(complete, "status", "--porcelain", "--untracked-files=all")
    for _ in range(2):
        fixed(sound)
    assert contents(complete) == before
    assert run_git(complete, "status", "--porcelain", "--untracked-files=all") == status
    assert head(sound, "milestone/M001") == tip
    (kept,) = (sound / ".gsd/runtime/quarantine").glob("*-old-copy/only.txt")
    assert kept.read_text() == "the last copy\n"


@pytest.mark.spec(id="FM-69")
def test_a_milestone_that_has_just_begun_is_not_merged(sound: Path) -> None:
    """Its branch has no commit of its own, so main contains it; that is no merge (parallel FM-69)."""
    work = milestone_worktree(sound)
    assert look(sound) == []
    fixed(sound)
    assert work.is_dir()


@pytest.mark.parametrize("told_by", ["note", "journal"])
def test_a_landing_that_was_interrupted_is_left_to_auto(sound: Path, complete: Path, told_by: str) -> None:
    """The checkout may not have followed the target yet; without worktree and branch nobody would know."""
    commit_ = land(sound)
    if told_by == "note":
        run_git(sound, "update-ref", note_of("M001"), commit_)
    else:
        step = LandingStep(at_ms=1, run="r", milestone="M001", step="publish:done")
        Journal(sound / ".gsd", "M001").append(step)
    assert "gsd auto" in of(sound, "landing_interrupted").hint
    fixed(sound)
    assert complete.is_dir()
    assert "milestone/M001" in branches(sound)


def test_a_worktree_that_is_worked_on_or_stood_in_is_kept(sound: Path, complete: Path) -> None:
    land(sound)
    with Lease(sound / ".gsd/parallel/M001.lease", "M001", Holder(pid=os.getpid(), run="r")):
        assert "orphaned_auto_worktree" not in [one.finding.code for one in fixed(sound).mended]
    worker = {"milestoneId": "M001", "pid": os.getpid(), "state": "running", "currentUnit": None, "completedUnits": 0}
    worker |= {"cost": 0, "lastHeartbeat": 1, "startedAt": 1, "worktreePath": str(complete)}
    write(sound, {".gsd/parallel/M001.status.json": json.dumps(worker)})
    assert "orphaned_auto_worktree" not in [one.finding.code for one in fixed(sound).mended]
    (sound / ".gsd/parallel/M001.status.json").unlink()
    assert "stand in" in told(fixed(sound, cwd=complete / ".gsd"), "orphaned_auto_worktree")
    assert complete.is_dir()


def test_planning_files_that_git_ignores_are_left_for_auto_to_bring_home(sound: Path) -> None:
    run_git(sound, "rm", "-rq", "--cached", ".gsd")
    write(sound, {".gitignore": ".gsd/\n"})
    commit(sound, "plan stays local")
    work = milestone_worktree(sound)
    shutil.copytree(sound / ".gsd/milestones", work / ".gsd/milestones")
    write(work, {**COMPLETE, "feeds.py": "KEPT = True\n"})
    commit(work, "code")
    land(sound)
    assert "gsd auto" in told(fixed(sound), "orphaned_auto_worktree")
    assert (work / ".gsd/milestones/M001/M001-SUMMARY.md").is_file()


@pytest.mark.spec(id="FM-102")
def test_an_unknown_directory_is_moved_aside_whole(sound: Path) -> None:
    write(sound, {".gsd/worktrees/M004/feeds.py": "only here", ".gsd/worktrees/M004/.hidden/x": "too"})
    before = contents(sound / ".gsd/worktrees/M004")
    found = of(sound, "worktree_unregistered")
    assert (found.path, found.fixable) == (".gsd/worktrees/M004", True)
    where = told(fixed(sound), "worktree_unregistered").removeprefix("moved to ")
    assert contents(sound / where) == before
    assert re.fullmatch(r"\.gsd/runtime/quarantine/\d{8}T\d{6}Z-M004", where)
    assert not (sound / ".gsd/worktrees/M004").exists()
    write(sound, {".gsd/worktrees/M004/feeds.py": "again"})
    fixed(sound)
    assert contents(sound / where) == before
    assert look(sound) == []


@pytest.mark.spec(id="FM-102")
def test_a_directory_that_lost_its_registration_keeps_every_file(sound: Path, complete: Path) -> None:
    write(complete, {"unsaved.py": "1\n"})
    before, tip = contents(complete), head(sound, "milestone/M001")
    shutil.rmtree(sound / ".git/worktrees/M001")
    fixed(sound)
    (kept,) = (sound / ".gsd/runtime/quarantine").iterdir()
    assert contents(kept) == before
    assert head(sound, "milestone/M001") == tip


def test_a_worktree_of_a_project_that_was_moved_is_to_be_repaired(sound: Path, complete: Path) -> None:
    moved = sound.with_name("moved")
    sound.rename(moved)
    found = of(moved, "worktree_unregistered")
    assert not found.fixable
    run_git(moved, *found.hint.split()[1:])
    assert "worktree_unregistered" not in codes(moved)
    assert (moved / ".gsd/worktrees/M001/feeds.py").is_file()


@pytest.mark.spec(id="FM-66")
@pytest.mark.parametrize("linked", [".gsd/worktrees", ".gsd"])
def test_nothing_behind_a_link_is_moved_or_removed(sound: Path, tmp_path: Path, linked: str) -> None:
    write(sound, {".gsd/worktrees/M004/feeds.py": "only here", ".gsd/worktrees/M005/": ""})
    (sound / linked).rename(tmp_path / "elsewhere")
    (sound / linked).symlink_to(tmp_path / "elsewhere")
    assert of(sound, "worktrees_behind_link").path == linked
    before = sorted(str(path) for path in (tmp_path / "elsewhere").rglob("M00*"))
    report = fixed(sound)
    refused = [one.refused for one in report.mended if one.finding.code == "worktree_unregistered"]
    assert len(refused) == 2
    assert all("symbolic link" in why for why in refused)
    assert sorted(str(path) for path in (tmp_path / "elsewhere").rglob("M00*")) == before


@pytest.mark.spec(id="FM-66")
def test_a_directory_that_is_itself_a_link_is_not_followed(sound: Path, tmp_path: Path) -> None:
    write(tmp_path, {"mine/feeds.py": "mine"})
    write(sound, {".gsd/worktrees/": ""})
    (sound / ".gsd/worktrees/M004").symlink_to(tmp_path / "mine")
    fixed(sound)
    assert (sound / ".gsd/worktrees/M004").is_symlink()
    assert (tmp_path / "mine/feeds.py").read_text() == "mine"


def test_a_directory_that_somebody_stands_in_is_kept(sound: Path) -> None:
    write(sound, {".gsd/worktrees/M004/feeds.py": "only here"})
    there = sound / ".gsd/worktrees/M004"
    assert "shell" in told(fixed(sound, cwd=there), "worktree_unregistered")
    process = subprocess.Popen(["sleep", "60"], cwd=there)
    try:
        assert f"pid {process.pid}" in told(fixed(sound), "worktree_unregistered")
    finally:
        process.kill()
        process.wait()
    assert (there / "feeds.py").is_file()


@pytest.mark.spec(id="FM-67")
@pytest.mark.parametrize("hidden", [False, True])
def test_a_repository_inside_a_landed_worktree_is_kept(sound: Path, complete: Path, hidden: bool) -> None:
    land(sound)
    place = complete / ("node_modules/tool" if hidden else "tool")
    place.mkdir(parents=True)
    run_git(place, "init", "-q")
    write(place, {"made.py": "only here\n"})
    commit(place, "work of somebody")
    assert told(fixed(sound), "orphaned_auto_worktree").startswith("REFUSED")
    assert run_git(place, "show", "HEAD:made.py") == "only here\n"


@pytest.mark.spec(id="FM-68")
def test_a_submodule_with_work_keeps_the_worktree(sound: Path, tmp_path: Path) -> None:
    library = tmp_path / "library"
    library.mkdir()
    run_git(library, "init", "-q", "-b", "main")
    write(library, {"lib.py": "1\n"})
    commit(library, "library")
    run_git(sound, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(library), "lib")
    commit(sound, "with a library")
    work = milestone_worktree(sound)
    run_git(work, "-c", "protocol.file.allow=always", "submodule", "update", "-q", "--init")
    write(work, {**COMPLETE, "lib/lib.py": "2\n"})
    run_git(work / "lib", "commit", "-qam", "in the library")
    only_here = head(work / "lib")
    commit(work, "all of it")
    land(sound)
    assert "lib" in told(fixed(sound), "orphaned_auto_worktree")
    assert head(work / "lib") == only_here


def test_an_empty_directory_goes(sound: Path) -> None:
    write(sound, {".gsd/worktrees/M004/": ""})
    assert told(fixed(sound), "worktree_unregistered") == "removed, it was empty"
    assert look(sound) == []


def test_a_worktree_that_is_gone_is_forgotten_and_its_work_kept(sound: Path, complete: Path) -> None:
    tip = head(complete)
    write(complete, {"staged.py": "STAGED = True\n"})
    run_git(complete, "add", "staged.py")
    shutil.rmtree(complete)
    write(sound, {".gsd/runtime/places/M001.ready": ""})
    assert of(sound, "worktree_missing").fixable
    done = told(fixed(sound), "worktree_missing")
    assert "refs/gsd/backup/M001/1-missing-staged" in done
    assert run_git(sound, "show", "refs/gsd/backup/M001/1-missing-staged:staged.py") == "STAGED = True\n"
    assert head(sound, "milestone/M001") == tip
    assert not (sound / ".gsd/runtime/places/M001.ready").exists()
    assert "worktree_missing" not in codes(sound)
    assert of(sound, "backups_kept").severity is Severity.INFO


def test_a_detached_head_that_is_gone_is_pinned(sound: Path, complete: Path) -> None:
    run_git(complete, "switch", "-q", "--detach")
    write(complete, {"more.py": "1\n"})
    tip = commit(complete, "on no branch")
    shutil.rmtree(complete)
    fixed(sound)
    assert head(sound, "refs/gsd/backup/M001/1-missing-head") == tip


def test_a_locked_worktree_that_is_gone_is_kept(sound: Path, complete: Path) -> None:
    run_git(sound, "worktree", "lock", str(complete))
    shutil.rmtree(complete)
    found = of(sound, "worktree_missing")
    assert not found.fixable
    assert "unlock" in found.hint


def test_worktrees_on_a_disk_that_is_not_there_are_kept(sound: Path, complete: Path) -> None:
    shutil.rmtree(complete.parent)
    assert "mounted" in told(fixed(sound), "worktree_missing")
    assert (sound / ".git/worktrees/M001").is_dir()


def test_scratch_is_removed_unless_something_was_changed_in_it(sound: Path) -> None:
    scratch = sound / ".gsd/worktrees/.check-M001"
    run_git(sound, "worktree", "add", "-q", "--detach", str(scratch))
    write(scratch, {"tried.py": "by hand"})
    assert "tried.py" in told(fixed(sound), "scratch_worktree_left")
    assert (scratch / "tried.py").is_file()
    (scratch / "tried.py").unlink()
    assert told(fixed(sound), "scratch_worktree_left") == "removed"
    assert look(sound) == []


@pytest.mark.parametrize(("switch", "words"), [(["--detach"], "no branch"), (["-c", "side"], "is on side")])
def test_a_worktree_on_another_branch(sound: Path, switch: list[str], words: str) -> None:
    run_git(milestone_worktree(sound), "switch", "-q", *switch)
    assert words in of(sound, "worktree_wrong").message


def test_a_milestone_branch_that_is_checked_out_elsewhere(sound: Path, tmp_path: Path) -> None:
    run_git(sound, "worktree", "add", "-q", "-b", "milestone/M001", str(tmp_path / "mine"))
    assert of(sound, "milestone_branch_elsewhere").path == str(tmp_path / "mine")


def test_a_branch_of_no_milestone_is_counted_and_kept(sound: Path) -> None:
    run_git(sound, "switch", "-qc", "milestone/M077")
    write(sound, {"x.py": "1"})
    commit(sound)
    run_git(sound, "switch", "-q", "main")
    assert "1 commits" in of(sound, "stale_milestone_branch").message
    fixed(sound)
    assert "milestone/M077" in branches(sound)


def test_branches_of_older_releases_are_listed(sound: Path) -> None:
    run_git(sound, "branch", "gsd/M001/S01")
    assert "gsd/M001/S01" in of(sound, "legacy_slice_branches").message


def test_a_worktree_whose_branch_is_gone(sound: Path, complete: Path) -> None:
    run_git(sound, "update-ref", "-d", "refs/heads/milestone/M001")
    assert of(sound, "worktree_without_branch").path == ".gsd/worktrees/M001"


def test_no_branch_to_merge_into(sound: Path) -> None:
    write(sound, {".gsd/preferences.md": "---\ngit: {main_branch: trunk}\n---\n"})
    run_git(sound, "branch", "milestone/M001")
    assert of(sound, "no_integration_branch").severity is Severity.ERROR
