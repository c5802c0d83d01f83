"""What runs leave behind: locks, leases, orders, open attempts, torn lines, transcripts, half-written files."""

import json
import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from doctor.project import codes, fixed, head, look, of, place, told, write
from milepost.doctor.checks import leftovers, machine
from milepost.doctor.finding import Severity
from milepost.doctor.run import examine
from milepost.formats import lock, state_md
from milepost.formats.journal import AttemptEnded, AttemptStarted, Result
from milepost.process import confine, identity
from milepost.rules.derive import derive
from milepost.store import ledger
from milepost.store.journal import Journal
from milepost.store.lease import Holder, Lease
from milepost.store.snapshot import Snapshot


@pytest.fixture
def dead() -> int:
    """The pid of a process that has ended."""
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return child.pid


def put_lock(root: Path, pid: int) -> None:
    said = lock.Lock(pid=pid, started_at="", unit_type="execute-task", unit_id="M001/S02/T01", unit_started_at="")
    ledger.write_lock(root / ".gsd", said)


def test_the_lock_of_a_dead_run_is_removed(sound: Path, dead: int) -> None:
    put_lock(sound, dead)
    assert str(dead) in of(sound, "stale_crash_lock").message
    assert told(fixed(sound), "stale_crash_lock") == "removed"
    assert look(sound) == []


def test_the_lock_of_a_living_program_stays(sound: Path) -> None:
    put_lock(sound, os.getpid())
    assert not of(sound, "foreign_lock").fixable
    fixed(sound)
    assert ledger.lock_file(sound / ".gsd").is_file()


def test_the_lock_of_another_host_stays(sound: Path, dead: int) -> None:
    text = {"pid": dead, "startedAt": "", "unitType": "t", "unitId": "u", "unitStartedAt": "", "host": "elsewhere"}
    write(sound, {".gsd/auto.lock": json.dumps(text)})
    assert "another host" in of(sound, "foreign_lock").message


def test_the_lock_of_the_run_at_work_is_no_finding(sound: Path, dead: int) -> None:
    put_lock(sound, dead)
    with Lease(sound / ".gsd/parallel/auto.lease", "project", Holder(pid=os.getpid(), run="r")):
        assert codes(sound) == ["lease_held"]


def test_a_lease_whose_holder_was_killed_is_a_note(sound: Path) -> None:
    write(sound, {".gsd/parallel/M002.lease": '{"pid": 1, "run": "r"}\n'})
    assert of(sound, "lease_left").severity is Severity.INFO


def begun(root: Path) -> AttemptStarted:
    return AttemptStarted(
        at_ms=1, run="r", attempt="a-1", kind="execute-task", unit="M001/S02/T01", base=head(root), branch="main",
        fingerprint="f", number=1,
    )  # fmt: skip


def test_an_open_attempt_is_open_only_while_nobody_runs(sound: Path) -> None:
    journal = Journal(sound / ".gsd", "M001")
    journal.append(begun(sound))
    found = of(sound, "open_attempt")
    assert "M001/S02/T01" in found.message
    assert not found.fixable
    with Lease(sound / ".gsd/parallel/auto.lease", "project", Holder(pid=os.getpid(), run="r")):
        assert codes(sound) == ["lease_held"]
    journal.append(AttemptEnded(at_ms=2, run="r", attempt="a-1", result=Result.CRASHED))
    assert look(sound) == []


def test_a_torn_line_is_named_and_lines_of_others_are_counted(sound: Path) -> None:
    good = msgspec.json.encode(begun(sound)).decode()
    ended = '{"event":"attempt-ended","atMs":2,"run":"r","attempt":"a-1","result":"crashed"}'
    write(sound, {".gsd/journal/M001.jsonl": f'{good}\n{good[:40]}\n{ended}\n{{"eventType":"unit-start"}}\n'})
    torn, foreign = of(sound, "journal_torn_line"), of(sound, "journal_foreign_lines")
    assert (torn.path, torn.line, torn.fixable) == (".gsd/journal/M001.jsonl", 2, False)
    assert "1 lines" in foreign.message
    assert len(look(sound)) == 2


def test_files_set_aside_are_mentioned_when_their_attempt_is_over(sound: Path) -> None:
    write(sound, {".gsd/runtime/set-aside/a-1/foreign/S09-SUMMARY.md": "fabricated"})
    assert look(sound) == []
    journal = Journal(sound / ".gsd", "M001")
    journal.append(begun(sound))
    journal.append(AttemptEnded(at_ms=2, run="r", attempt="a-1", result=Result.COMMITTED))
    assert of(sound, "set_aside_files").path == ".gsd/runtime/set-aside/a-1"


def test_half_written_files_of_the_dead_go_and_of_the_living_stay(sound: Path, dead: int) -> None:
    mine, theirs = f".gsd/.STATE.md.tmp.{os.getpid()}.0a0b0c0d", f".gsd/.STATE.md.tmp.{dead}.0a0b0c0d"
    young = f".gsd/.STATE.md.tmp.{dead}.0a0b0c0e"
    write(sound, {mine: "half", theirs: "half", young: "half", ".gsd/notes.tmp": "mine"})
    for name in (mine, theirs):
        os.utime(sound / name, (1, 1))
    assert of(sound, "temporary_file_left").path == theirs
    fixed(sound)
    assert (sound / mine).is_file()
    assert (sound / young).is_file()
    assert (sound / ".gsd/notes.tmp").is_file()
    assert not (sound / theirs).exists()


def test_many_transcripts(sound: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leftovers, "MOST_FILES", 2)
    write(sound, {f".gsd/activity/{n:03}-x.jsonl": "{}" for n in range(3)})
    assert "3 transcripts" in of(sound, "activity_log_bloat").message
    fixed(sound)
    assert len(list((sound / ".gsd/activity").iterdir())) == 3


def test_little_space(sound: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "LEAST_BYTES", 10**18)
    assert "disk_space_low" in [found.code for found in examine(place(sound)).findings]


@pytest.mark.parametrize(("by", "told_"), [("", True), ("landlock", False)])
def test_a_machine_without_a_sandbox(sound: Path, monkeypatch: pytest.MonkeyPatch, by: str, told_: bool) -> None:
    monkeypatch.setattr(confine, "available", lambda: by)
    assert ("no_sandbox" in [found.code for found in examine(place(sound)).findings]) is told_


def test_the_state_file_is_written_from_the_plan(sound: Path) -> None:
    write(sound, {".gsd/STATE.md": "**Active Milestone:** M009: Gone\n"})
    fixed(sound)
    assert (sound / ".gsd/STATE.md").read_text() == state_md.render(derive(Snapshot(str(sound))))


def test_the_state_file_is_not_written_from_what_cannot_be_read(sound: Path) -> None:
    write(sound, {".gsd/STATE.md": None, ".gsd/milestones/M001/M001-ROADMAP.md": b"\0"})
    assert "cannot be read" in told(fixed(sound), "state_file_missing")
    assert not (sound / ".gsd/STATE.md").exists()


def test_a_state_file_that_is_a_link_is_not_written_through(sound: Path, tmp_path: Path) -> None:
    (tmp_path / "theirs.md").write_text("mine\n")
    (sound / ".gsd/STATE.md").unlink()
    (sound / ".gsd/STATE.md").symlink_to(tmp_path / "theirs.md")
    fixed(sound)
    assert (tmp_path / "theirs.md").read_text() == "mine\n"


def test_own_identity_is_alive() -> None:
    """What the checks of locks rest on."""
    assert identity.alive(identity.own())


def test_codes_have_no_duplicates_on_a_quiet_project(sound: Path) -> None:
    assert codes(sound) == []
