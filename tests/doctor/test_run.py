"""Looking changes nothing, mending twice changes nothing more, and every real tree can be looked at."""

import os
import shutil
import stat
from pathlib import Path

import pytest

from conftest import run_git
from doctor.project import COMPLETE, M1, MACHINE, S1, codes, commit, fixed, land, look, milestone_worktree, place, write
from milepost.doctor import run
from milepost.doctor.finding import Check, Finding, Severity
from milepost.doctor.run import CHECKS, examine
from milepost.doctor.site import Site
from milepost.errors import MilepostError
from milepost.process import identity
from milepost.store.lease import Holder, Lease

CORPUS = Path(os.environ.get("MILEPOST_CORPUS") or Path(__file__).parents[3] / "shared" / "corpus")
TREES = sorted(path.name for path in CORPUS.iterdir() if (path / ".gsd").is_dir()) if CORPUS.is_dir() else []


def everything(root: Path) -> dict[str, tuple[int, int, int]]:
    """Every entry below `root`, `.git` included, with mode, size and time of change."""
    found = {}
    for parent, _, names in os.walk(root):
        for path in (parent, *(os.path.join(parent, name) for name in names)):
            status = os.lstat(path)
            found[path] = (status.st_mode, 0 if stat.S_ISDIR(status.st_mode) else status.st_size, status.st_mtime_ns)
    return found


def damaged(root: Path) -> None:
    """Something for every fix to do."""
    milestone_worktree(root)
    run_git(root, "worktree", "add", "-q", "--detach", ".gsd/worktrees/.check-M001")
    run_git(root, "worktree", "add", "-q", "-b", "milestone/M002", ".gsd/worktrees/M002")
    shutil.rmtree(root / ".gsd/worktrees/M002")
    write(root, {".gsd/worktrees/M003/": "", ".gsd/auto.lock": "{", ".gsd/STATE.md": None, ".gitignore": "*.log\n"})
    write(root, {".gsd/parallel/M001.signal.json": '{"signal": "stop", "sentAt": 1, "from": "coordinator"}'})
    write(root, {".gsd/parallel/M001.status.json": "{", ".gsd/.STATE.md.tmp.999999999.0a0b0c0d": "half"})
    os.utime(root / ".gsd/.STATE.md.tmp.999999999.0a0b0c0d", (1, 1))
    run_git(root, "add", "-f", ".gsd/auto.lock")


MENDED = {
    "gitignore_missing_patterns",
    "scratch_worktree_left",
    "stale_crash_lock",
    "stale_parallel_session",
    "stale_signal",
    "state_file_missing",
    "temporary_file_left",
    "tracked_runtime_files",
    "worktree_missing",
    "worktree_unregistered",
}


def test_looking_changes_nothing(sound: Path) -> None:
    damaged(sound)
    run_git(sound, "status")
    before = everything(sound)
    found = {finding.code for finding in look(sound)}
    assert found >= MENDED
    assert everything(sound) == before


def test_mending_mends_and_is_idempotent(sound: Path) -> None:
    damaged(sound)
    first = fixed(sound)
    assert {one.finding.code for one in first.mended if one.done} == MENDED, first.mended
    assert not any(found.fixable for found in first.findings)
    before = everything(sound)
    second = fixed(sound)
    assert second.mended == ()
    assert everything(sound) == before
    assert [f.code for f in second.findings] == [f.code for f in first.findings]


def test_nothing_is_mended_while_a_run_is_at_work(sound: Path) -> None:
    damaged(sound)
    (sound / ".gsd/auto.lock").unlink()
    lease = sound / ".gsd/parallel/auto.lease"
    with Lease(lease, "project", Holder(pid=os.getpid(), run="r-1")):
        before = everything(sound)
        report = fixed(sound)
        assert everything(sound) == before
    assert report.mended
    assert all("at work here: auto mode" in one.refused for one in report.mended)


def test_nothing_is_mended_while_another_program_is_at_work(sound: Path) -> None:
    damaged(sound)
    unit = '"unitType": "execute-task", "unitId": "M001/S02/T01", "unitStartedAt": ""'
    write(sound, {".gsd/auto.lock": f'{{"pid": {os.getpid()}, "startedAt": "", {unit}}}'})
    before = everything(sound)
    report = fixed(sound)
    assert everything(sound) == before
    assert report.mended
    assert all("auto.lock" in one.refused for one in report.mended)


def test_a_fix_never_writes_a_document_of_the_plan(sound: Path) -> None:
    """A tick without a summary and a summary without a tick are both reported and left (spec auto 8.3, #1650)."""
    write(sound, {f"{S1}/S01-SUMMARY.md": None, f"{S1}/tasks/T01-SUMMARY.md": None})
    write(sound, {f"{M1}/slices/S02/tasks/T01-SUMMARY.md": "# T01\n"})
    before = everything(sound / ".gsd/milestones")
    fixed(sound)
    assert everything(sound / ".gsd/milestones") == before
    assert {"slice_checked_missing_summary", "task_summary_without_done_checkbox"} <= set(codes(sound))


def test_a_check_that_fails_does_not_hide_the_others(sound: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(site: Site) -> list[Finding]:
        raise MilepostError("the disk hums", hint="listen")

    monkeypatch.setattr(run, "CHECKS", (Check(name="humming", look=broken), *CHECKS))
    write(sound, {".gsd/STATE.md": None})
    assert codes(sound) == ["check_failed", "state_file_missing"]


def test_a_disk_that_refuses_is_said_and_not_hidden(sound: Path) -> None:
    write(sound, {".gsd/STATE.md": None, ".gsd/parallel": "a file in the way of the lease"})
    report = fixed(sound)
    assert [one.done for one in report.mended] == [""]
    assert report.mended[0].refused
    assert [found.code for found in report.findings if found.code not in MACHINE] == ["state_file_missing"]


@pytest.mark.skipif(os.getuid() == 0, reason="root may write everywhere")
def test_a_read_only_project_is_looked_at(sound: Path) -> None:
    write(sound, {".gsd/STATE.md": None})
    (sound / ".gsd").chmod(0o555)
    try:
        assert codes(sound) == ["state_dir_read_only", "state_file_missing"]
        assert fixed(sound).mended[0].refused
    finally:
        (sound / ".gsd").chmod(0o755)


def test_the_lease_is_free_after_mending(sound: Path) -> None:
    write(sound, {".gsd/STATE.md": None})
    fixed(sound)
    with Lease(sound / ".gsd/parallel/auto.lease", "project", Holder(pid=1, run="r")):
        pass
    assert look(sound) == []


def test_names_of_checks_are_unique() -> None:
    names = [check.name for check in CHECKS]
    assert len(names) == len(set(names))


@pytest.mark.skipif(not TREES, reason=f"no corpus of real trees at {CORPUS} (set MILEPOST_CORPUS)")
@pytest.mark.parametrize("name", TREES)
@pytest.mark.parametrize("with_git", [True, False])
def test_every_real_tree(name: str, with_git: bool, tmp_path: Path) -> None:
    root = tmp_path / "project"
    shutil.copytree(CORPUS / name, root)
    if with_git:
        run_git(root, "init", "-q", "-b", "main")
        commit(root, "tree")
    before = everything(root)
    report = examine(place(root))
    assert everything(root) == before
    errors = {found.code for found in report.findings if found.severity is Severity.ERROR}
    assert errors == {*(() if with_git else ("not_a_repository",)), *(("phases_layout",) if _successor(root) else ())}
    assert "check_failed" not in {found.code for found in report.findings}
    for found in report.findings:
        assert not found.line or (root / found.path).is_file()


def _successor(root: Path) -> bool:
    return (root / ".gsd/phases").is_dir() and not (root / ".gsd/milestones").is_dir()


def test_identity_of_a_lock_is_more_than_a_pid(sound: Path) -> None:
    """A lock with our own pid and another start is of a process that is gone."""
    own = identity.own()
    told = (
        f'"pid": {own.pid}, "startedAt": "", "unitType": "execute-task", "unitId": "M001/S02/T01", "unitStartedAt": ""'
    )
    exact = f'"host": "{own.host}", "bootId": "{own.boot_id}", "startTicks"'
    write(sound, {".gsd/auto.lock": f"{{{told}, {exact}: {own.start_ticks}}}"})
    assert "foreign_lock" in codes(sound)
    write(sound, {".gsd/auto.lock": f"{{{told}, {exact}: {own.start_ticks + 1}}}"})
    assert "stale_crash_lock" in codes(sound)


def test_landing_and_mending_together_leave_a_sound_project(sound: Path) -> None:
    work = milestone_worktree(sound)
    write(work, dict(COMPLETE))
    commit(work, "all of it")
    land(sound)
    assert {"orphaned_auto_worktree", "state_file_stale"} <= set(codes(sound))
    fixed(sound)
    assert look(sound) == []
    assert not work.exists()
