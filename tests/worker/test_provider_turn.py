"""Who asks the provider first after a limit: one at a time, passed on by the kernel, and never kept for ever."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from milepost.worker.provider_turn import Turn

HOLDS = """
import sys, time
from pathlib import Path
from milepost.worker.provider_turn import Turn
print(Turn(Path(sys.argv[1]), "holder").take(), flush=True)
time.sleep(600)
"""
Holder = subprocess.Popen[bytes]


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "runtime" / "provider.turn"


@pytest.fixture
def holder(place: Path) -> Iterator[Holder]:
    """A process that has the turn, and does nothing with it."""
    process = subprocess.Popen([sys.executable, "-c", HOLDS, str(place)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"True\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def waiter(place: Path, clock: Clock, run: str = "r-1") -> Turn:
    return Turn(place, run, longest_s=120, now_s=clock)


@pytest.mark.spec(id="PR-238")
def test_one_that_is_suspended_does_not_keep_the_others_for_ever(place: Path, holder: Holder) -> None:
    os.kill(holder.pid, signal.SIGSTOP)
    clock = Clock()
    first, second = waiter(place, clock), waiter(place, clock, "r-2")
    assert (first.take(), second.take()) == (False, False)
    clock.now = 119
    assert (first.take(), second.take()) == (False, False)
    clock.now = 120
    assert not first.take(), "it takes the file away"
    assert first.take()
    assert not second.take(), "they follow one by one: this is another holder, who has its own time"
    clock.now = 239
    assert not second.take()
    first.release()
    assert second.take()
    os.kill(holder.pid, signal.SIGCONT)
    assert not waiter(place, clock).take(), "who wakes late has nothing that anybody asks for"


def test_one_that_dies_passes_it_on(place: Path, holder: Holder) -> None:
    clock = Clock()
    turn = waiter(place, clock)
    assert not turn.take()
    holder.kill()
    holder.wait()
    assert turn.take()


def test_several_that_take_their_time_one_after_the_other_hang_nowhere(place: Path) -> None:
    clock = Clock()
    last = waiter(place, clock, "last")
    for number in range(5):
        before = waiter(place, clock, f"r-{number}")
        assert before.take()
        assert not last.take()
        clock.now += 100
        assert not last.take()
        before.release()
    assert last.take()
    assert place.read_text().startswith("last ")


def test_where_it_cannot_be_had_nobody_waits(tmp_path: Path) -> None:
    (tmp_path / "runtime").write_text("no directory\n")
    assert Turn(tmp_path / "runtime" / "provider.turn", "r-1").take()
