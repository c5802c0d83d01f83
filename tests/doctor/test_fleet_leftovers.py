"""What fleets leave in git and on disk: loose commits, notes, half-done merges, records, output, copies."""

import shutil
import subprocess
from pathlib import Path

import pytest

from conftest import run_git
from doctor.project import COMPLETE, codes, commit, fixed, head, look, milestone_worktree, of, told, write
from milepost.doctor.checks import file_systems, fleet_files
from milepost.doctor.finding import Severity
from milepost.formats.journal import AttemptEnded, AttemptStarted, Landed, Result
from milepost.git import bring_in
from milepost.git.slices import ref_of
from milepost.store.filesystem import Mount
from milepost.store.journal import Journal
from scenarios.stage import picture


def made(root: Path, attempt: str, commit_: str) -> None:
    """The journal says that an attempt ended in this commit."""
    journal = Journal(root / ".gsd", "M001")
    journal.append(
        AttemptStarted(
            at_ms=1, run="r", attempt=attempt, kind="execute-task", unit="M001/S02/T01", base=commit_, branch="b",
            fingerprint="f", number=1,
        )
    )  # fmt: skip
    journal.append(AttemptEnded(at_ms=2, run="r", attempt=attempt, result=Result.COMMITTED, commit=commit_))


def reachable(root: Path, commit_: str) -> bool:
    return bool(run_git(root, "for-each-ref", f"--contains={commit_}"))


def test_a_commit_that_nothing_reaches_is_kept(sound: Path) -> None:
    work = milestone_worktree(sound)
    start = head(work)
    first, second = (commit(work, name) for name in ("one", "two"))
    made(sound, "a1", first)
    made(sound, "a2", second)
    assert look(sound) == []
    run_git(work, "reset", "-q", "--hard", start)
    run_git(work, "reflog", "expire", "--expire=now", "--all")
    found = of(sound, "unpinned_commit")
    assert second[:10] in found.message
    assert "refs/gsd/backup/M001/1-unpinned" in told(fixed(sound), "unpinned_commit")
    run_git(sound, "gc", "-q", "--prune=now")
    assert reachable(sound, first)
    assert head(sound, "refs/gsd/backup/M001/1-unpinned") == second
    assert codes(sound) == ["backups_kept"]


def test_what_was_merged_may_be_forgotten(sound: Path) -> None:
    """Somebody deleted the backups of a milestone that landed; that is theirs to do."""
    work = milestone_worktree(sound)
    start = head(work)
    made(sound, "a1", commit(work, "one"))
    run_git(work, "reset", "-q", "--hard", start)
    assert "unpinned_commit" in codes(sound)
    landed = Landed(at_ms=3, run="r", milestone="M001", target="main", commit=start, tip=start)
    Journal(sound / ".gsd", "M001").append(landed)
    assert "unpinned_commit" not in codes(sound)


def test_a_worktree_on_no_branch_keeps_its_commits(sound: Path) -> None:
    work = milestone_worktree(sound)
    run_git(work, "switch", "-q", "--detach")
    loose = commit(work, "on no branch")
    fixed(sound)
    assert reachable(sound, loose)


def test_commits_of_another_clone_are_a_note(sound: Path) -> None:
    made(sound, "a1", "1234567890" * 4)
    found = of(sound, "commit_missing")
    assert found.severity is Severity.INFO
    assert "1234567890" in found.message


@pytest.mark.spec(id="FM-94")
@pytest.mark.parametrize("name", [ref_of("M001", "S01"), "refs/gsd/bring-in/M001/left", "refs/gsd/removing/M001"])
def test_a_note_of_a_branch_that_is_gone_goes_and_its_commit_stays(sound: Path, name: str) -> None:
    work = milestone_worktree(sound)
    tip = commit(work, "of a slice")
    run_git(sound, "update-ref", name, tip)
    assert "note_left" not in codes(sound)
    run_git(sound, "worktree", "remove", str(work))
    run_git(sound, "branch", "-qD", "milestone/M001")
    assert of(sound, "note_left").subject == name
    assert "refs/gsd/backup/M001" in told(fixed(sound), "note_left")
    assert name not in run_git(sound, "for-each-ref", "--format=%(refname)")
    assert reachable(sound, tip)
    assert codes(sound) == ["backups_kept"]


@pytest.fixture
def conflict(sound: Path) -> Path:
    """A worktree with a merge in it that a person has to resolve."""
    write(sound, {"app.txt": "one\ntwo\nthree\n"})
    commit(sound, "app")
    work = milestone_worktree(sound)
    for where, text in ((sound, "one\nours\nthree\n"), (work, "one\ntheirs\nthree\n")):
        write(where, {"app.txt": text})
        commit(where, text.split()[1])
    bring_in.begin(sound, work, "milestone/M001", head(sound), mid="M001", leave=True)
    return work


@pytest.mark.spec(id="DV-16")
@pytest.mark.spec(id="FM-101")
def test_a_merge_in_a_worktree_is_shown_with_its_places_and_not_touched(sound: Path, conflict: Path) -> None:
    found = of(sound, "worktree_half_done")
    assert found.path == ".gsd/worktrees/M001"
    assert "app.txt:2" in found.message
    assert "gsd parallel merge M001" in found.hint
    before = run_git(conflict, "status", "--porcelain=v2"), (conflict / "app.txt").read_text()
    fixed(sound)
    assert (run_git(conflict, "status", "--porcelain=v2"), (conflict / "app.txt").read_text()) == before
    write(conflict, {"app.txt": "one\nboth\nthree\n"})
    assert "all of it is resolved" in of(sound, "worktree_half_done").message


def test_a_rebase_in_a_worktree_is_shown(sound: Path, conflict: Path) -> None:
    run_git(conflict, "merge", "--abort")
    with pytest.raises(subprocess.CalledProcessError):
        run_git(conflict, "rebase", "main")
    found = of(sound, "worktree_half_done")
    assert "a rebase is half done there" in found.message
    run_git(sound, *found.hint.split("or: git ")[1].split())
    assert "worktree_half_done" not in codes(sound)


@pytest.mark.spec(id="FM-101")
@pytest.mark.spec(id="FM-85")
def test_a_merge_in_the_checkout_of_the_user_is_never_reset(sound: Path) -> None:
    """What GSD's doctor did: abort, `reset --hard`, and a day's work is gone."""
    write(sound, {"app.txt": "one\n"})
    commit(sound, "app")
    run_git(sound, "switch", "-qc", "side")
    write(sound, {"app.txt": "side\n"})
    commit(sound, "side")
    run_git(sound, "switch", "-q", "main")
    write(sound, {"app.txt": "main\n"})
    commit(sound, "main")
    with pytest.raises(subprocess.CalledProcessError):
        run_git(sound, "merge", "-q", "side")
    write(sound, {"unsaved.py": "a day of work\n", "README.md": "# Changed\n"})
    before, merge_head = picture(sound), (sound / ".git/MERGE_HEAD").read_bytes()
    assert of(sound, "corrupt_merge_state").severity is Severity.ERROR
    for _ in range(2):
        fixed(sound)
    assert picture(sound) == before
    assert (sound / ".git/MERGE_HEAD").read_bytes() == merge_head


@pytest.mark.spec(id="FM-85")
def test_a_squash_message_is_the_users_too(sound: Path) -> None:
    write(sound, {".git/SQUASH_MSG": "Squashed\n"})
    assert of(sound, "squash_message_left").severity is Severity.INFO
    fixed(sound)
    assert (sound / ".git/SQUASH_MSG").is_file()


def test_records_of_a_worktree_that_is_gone(sound: Path) -> None:
    work = milestone_worktree(sound)
    records = {".gsd/runtime/places/M001.ready": "", ".gsd/runtime/places/M001.setup.json": "{}"}
    write(sound, dict(records))
    assert look(sound) == []
    run_git(sound, "worktree", "remove", str(work))
    assert codes(sound).count("worktree_record_left") == 2
    fixed(sound)
    assert look(sound) == []
    assert not any((sound / name).exists() for name in records)


@pytest.mark.spec(id="FM-14")
def test_much_output_of_workers(sound: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fleet_files, "MOST_FILES", 2)
    write(sound, {f".gsd/parallel/logs/M001.r{n}.out": "x" for n in range(3)})
    assert "3 files" in of(sound, "parallel_logs_large").message
    fixed(sound)
    assert len(list((sound / ".gsd/parallel/logs").iterdir())) == 3


@pytest.mark.spec(id="FM-48")
@pytest.mark.parametrize(
    "name",
    [
        "auto 2.lock", "auto (1).lock", "parallel/M001 2.lease", "parallel/M001.status 3.json", "orchestrator 2.json",
        "auto (Ada's conflicted copy 2025-11-21).lock", "parallel/M001.sync-conflict-20251121-210320-ABC.lease",
    ],
)  # fmt: skip
def test_copies_that_a_synchronising_program_made_of_locks(sound: Path, name: str) -> None:
    write(sound, {f".gsd/{name}": "{}"})
    found = of(sound, "sync_copy")
    assert found.path == f".gsd/{name}"
    assert "keep the project out of it" in found.hint
    assert told(fixed(sound), "sync_copy") == "removed"
    assert look(sound) == []


@pytest.mark.spec(id="FM-48")
def test_a_copy_of_a_journal_is_not_read_and_not_removed(sound: Path) -> None:
    write(
        sound,
        {".gsd/journal/M001 2.jsonl": '{"event":"run-started"}\n', ".gsd/PROJECT 2.md": "mine", ".gsd/a 2.txt": ""},
    )
    found = of(sound, "sync_copy")
    assert (found.path, found.fixable) == (".gsd/journal/M001 2.jsonl", False)
    fixed(sound)
    assert (sound / ".gsd/journal/M001 2.jsonl").is_file()
    assert (sound / ".gsd/PROJECT 2.md").is_file()


@pytest.mark.spec(id="FM-49")
def test_a_project_on_a_network_is_told(sound: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_systems, "mount_of", lambda _: Mount(type="nfs4", point="/mnt", source="nas:/x"))
    found = of(sound, "network_file_system")
    assert "nfs4 (nas:/x at /mnt)" in found.message


@pytest.mark.spec(id="FM-48")
def test_a_project_in_a_synchronised_directory_is_told(sound: Path) -> None:
    place = sound.parent / "Dropbox" / "project"
    place.parent.mkdir()
    shutil.move(sound, place)
    assert str(place.parent) in of(place, "synced_directory").message


def test_a_complete_worktree_needs_none_of_it(sound: Path) -> None:
    work = milestone_worktree(sound)
    write(work, dict(COMPLETE))
    commit(work, "all")
    assert codes(sound) == ["milestone_not_landed", "state_file_stale"]
