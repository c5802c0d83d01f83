"""What the environment assigns to a run."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from milepost.errors import MilepostError
from milepost.formats.assignment import Assignment
from milepost.formats.journal import RunEnded, RunStarted, WorkerSpawned
from milepost.formats.preferences import Git, Parallel, Preferences
from milepost.process import identity
from milepost.rules import fleet
from milepost.store import lease
from milepost.store.journal import Journal
from milepost.store.lease import Holder, LeaseHeld, LeaseLost
from milepost.ui.cli import assigned, context

MINE = Assignment(milestone="M001", run="r-1")


def who(run: str = "r-1") -> Holder:
    return Holder(pid=identity.own().pid, run=run)


def spawned(run: str) -> WorkerSpawned:
    return WorkerSpawned(
        at_ms=9, run="r-0", milestone="M001", session="f-1", worker_run=run, pid=1, host="", boot_id="", start_ticks=1
    )


@pytest.mark.parametrize(
    ("asked", "given", "preferred", "model"),
    [
        (None, "", None, None),
        (None, "", "cheap", "cheap"),
        (None, "given", "cheap", "given"),
        ("asked", "given", "cheap", "asked"),
    ],
)
def test_the_model_of_a_worker(asked: str | None, given: str, preferred: str | None, model: str | None) -> None:
    settings = Preferences()._replace(parallel=Parallel(worker_model=preferred))
    assert assigned.model(MINE._replace(model=given), asked, settings) == model
    assert assigned.model(None, asked, settings) == asked


def test_a_worker_has_a_worktree_and_an_auto_mode_what_the_settings_say() -> None:
    settings = Preferences()._replace(git=Git(isolation="branch"))
    assert assigned.settings(MINE, settings).git.isolation == "worktree"
    assert assigned.settings(None, settings) is settings


@pytest.mark.spec(id="FM-53")
@pytest.mark.parametrize(
    ("env", "said"),
    [
        ({}, ""),
        ({"GSD_MILESTONE_LOCK": "M001"}, "GSD_MILESTONE_LOCK=M001 is ignored"),
        ({"SF_MILESTONE_LOCK": "M002"}, "SF_MILESTONE_LOCK=M002 is ignored"),
        ({"GSD_MILESTONE_LOCK": "M001", "GSD_PARALLEL_WORKER": "1"}, ""),
    ],
)
def test_a_lock_that_means_nothing(env: dict[str, str], said: str) -> None:
    assert assigned.ignored(env).startswith(said)
    assert bool(assigned.ignored(env)) is bool(said)


@pytest.mark.spec(id="FM-02")
def test_workers_share_the_project_and_an_auto_mode_has_it_alone(tmp_path: Path) -> None:
    other = Assignment(milestone="M002", run="r-2")
    with assigned.held(MINE, tmp_path, who()) as mine, assigned.held(other, tmp_path, who("r-2")) as theirs:
        assert (len(mine), len(theirs)) == (2, 2)
        with pytest.raises(LeaseHeld), assigned.held(None, tmp_path, who("r-3")):
            pass
        with pytest.raises(LeaseHeld, match="M001"), assigned.held(MINE, tmp_path, who("r-4")):
            pass
    with assigned.held(None, tmp_path, who("r-3")):
        with pytest.raises(LeaseHeld), assigned.held(MINE, tmp_path, who()):
            pass
        # What it could not have whole it has not at all.
        assert lease.holder(tmp_path / "parallel/M001.lease") is None


@pytest.mark.spec(id="FM-19")
def test_a_descriptor_that_is_no_lease(tmp_path: Path) -> None:
    with (tmp_path / "x").open("w") as file:
        given = MINE._replace(lease_fd=os.dup(file.fileno()))
        with pytest.raises(LeaseLost), assigned.held(given, tmp_path, who()):
            pass


def test_why_a_worker_could_not_begin_is_written_down_once(tmp_path: Path) -> None:
    where = context.Where(root=str(tmp_path), state_dir=".gsd", home=str(tmp_path))
    for _ in range(2):
        with pytest.raises(MilepostError), assigned.ending_noted(MINE, where):
            raise MilepostError("no", hint="do this")
    # Begun, too: a coordinator that notes the start after that must not take the run for one without an end.
    started, ended = Journal(tmp_path / ".gsd", "M001").own()
    assert isinstance(started, RunStarted)
    assert isinstance(ended, RunEnded)
    assert fleet.fold([started, ended, spawned("r-1")]).of("M001").ended == ended
    assert (ended.run, ended.milestone, ended.state, ended.reason, ended.hint) == (
        "r-1",
        "M001",
        "error",
        "no",
        "do this",
    )


@pytest.mark.parametrize("given", [None, Assignment(milestone="M001")])
def test_where_nobody_waits_for_it_nothing_is_written(given: Assignment | None, tmp_path: Path) -> None:
    where = context.Where(root=str(tmp_path), state_dir=".gsd", home=str(tmp_path))
    with pytest.raises(OSError, match="full"), assigned.ending_noted(given, where):
        raise OSError(28, "full")
    assert not (tmp_path / ".gsd").exists()


def test_a_milestone_that_is_somebody_elses_is_not_written_to(tmp_path: Path) -> None:
    where = context.Where(root=str(tmp_path), state_dir=".gsd", home=str(tmp_path))
    with pytest.raises(LeaseHeld), assigned.ending_noted(MINE, where):
        raise LeaseHeld("M001", None)
    assert not (tmp_path / ".gsd").exists()


def test_with_a_lease_that_was_handed_over_it_is_written_down_what_else_is_held(tmp_path: Path) -> None:
    where = context.Where(root=str(tmp_path), state_dir=".gsd", home=str(tmp_path))
    with pytest.raises(LeaseHeld), assigned.ending_noted(MINE._replace(lease_fd=9), where):
        raise LeaseHeld("the worktree", None)
    assert [type(event) for event in Journal(tmp_path / ".gsd", "M001").own()] == [RunStarted, RunEnded]


def test_only_a_worker_has_ports_of_its_own(tmp_path: Path) -> None:
    where = context.Where(root=str(tmp_path), state_dir=".gsd", home=str(tmp_path))
    with assigned.ports(None, where, Preferences()) as none, assigned.ports(MINE, where, Preferences()) as block:
        assert none is None
        assert block is not None
        assert block.count == 10


EARLY = """
import os, signal
from milepost.ui.cli import signals

signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
os.kill(os.getpid(), signal.SIGTERM)
caught = signals.held_back()
os.kill(os.getpid(), signal.SIGTERM)
print([int(number) for number in caught])
"""


def test_signals_that_come_early_are_kept() -> None:
    done = subprocess.run([sys.executable, "-c", EARLY], capture_output=True, text=True, check=True)
    assert done.stdout == f"[{int(signal.SIGTERM)}, {int(signal.SIGTERM)}]\n"
