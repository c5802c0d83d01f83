"""A worker's own word on itself, from a thread of its own."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from milepost.agents.session import Text, Usage
from milepost.formats.journal import AnyEvent, AttemptEnded, Result, UsageReported
from milepost.formats.status import LastOrder, Status, WorkerState
from milepost.model.units import Unit, UnitKind
from milepost.worker.heartbeat import BEAT_S, LOOK_S, Heartbeat
from unit.workbench import Notes

UNIT = Unit(UnitKind.EXECUTE_TASK, "M001/S01/T01")


def first(**changes: object) -> Status:
    facts: dict[str, object] = {
        "milestone_id": "M001", "pid": 4711, "state": WorkerState.RUNNING, "current_unit": None, "completed_units": 0,
        "cost": 0.0, "last_heartbeat": 1, "started_at": 1, "worktree_path": "/p/.gsd/worktrees/M001",
    }  # fmt: skip
    return Status(**(facts | changes))  # type: ignore[arg-type]


@pytest.fixture
def heart(tmp_path: Path) -> Iterator[Heartbeat]:
    clock = count(1_000)
    made = Heartbeat(tmp_path, first(), now_ms=lambda: next(clock), onward=Notes())
    yield made
    made.end(WorkerState.STOPPED, "the test is over")


def said(box: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads((box / "M001.status.json").read_text())
    return found


def wait_until(seen: Callable[[], bool], *, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not seen():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.01)


def usage(micro_usd: int | None) -> Usage:
    return Usage(model="m", input=1, output=1, cache_read=0, cache_write=0, micro_usd=micro_usd)


def spent(micro_usd: int | None) -> UsageReported:
    return UsageReported(at_ms=1, run="r", attempt="a", model="m", input=1, output=1, micro_usd=micro_usd)


def ended(result: Result) -> AttemptEnded:
    return AttemptEnded(at_ms=1, run="r", attempt="a", result=result)


def test_often_enough() -> None:
    assert LOOK_S <= 0.2
    assert BEAT_S <= 5


@pytest.mark.spec(id="FM-08")
def test_nothing_is_said_before_the_start(heart: Heartbeat, tmp_path: Path) -> None:
    heart.say(doing="working")
    assert list(tmp_path.iterdir()) == []
    heart.start()
    assert said(tmp_path)["doing"] == "working"


@pytest.mark.spec(id="FM-05")
def test_it_beats_while_the_thread_that_made_it_does_nothing(heart: Heartbeat, tmp_path: Path) -> None:
    heart.start()
    beat = said(tmp_path)["lastHeartbeat"]
    wait_until(lambda: said(tmp_path)["lastHeartbeat"] != beat)
    assert "lastProgress" not in said(tmp_path)


@pytest.mark.spec(id="FM-06")
def test_a_unit_its_progress_and_its_cost(heart: Heartbeat, tmp_path: Path) -> None:
    heart.count([spent(250_000), ended(Result.COMMITTED), ended(Result.UNFINISHED)])
    heart.start()
    heart.unit_started(UNIT, "a-1", 1)
    wait_until(lambda: said(tmp_path)["currentUnit"] is not None)
    now = said(tmp_path)
    unit = now["currentUnit"]
    assert isinstance(unit, dict)
    assert (unit["type"], unit["id"]) == ("execute-task", "M001/S01/T01")
    assert now["lastProgress"] == unit["startedAt"]
    assert (now["cost"], now["costKnown"], now["completedUnits"]) == (0.25, True, 1)
    heart.session_event(usage(500_000))
    wait_until(lambda: said(tmp_path)["cost"] == 0.75)
    assert said(tmp_path)["lastProgress"] > now["lastProgress"]  # type: ignore[operator]
    heart.session_event(usage(None))
    wait_until(lambda: said(tmp_path)["costKnown"] is False)
    assert said(tmp_path)["cost"] == 0.75


@pytest.mark.spec(id="PR-317")
def test_cost_is_counted_afresh_from_the_journal_and_never_twice(heart: Heartbeat, tmp_path: Path) -> None:
    books: list[AnyEvent] = []
    heart.start()
    for _ in range(3):
        heart.session_event(usage(100_000))
        books += [spent(100_000), ended(Result.COMMITTED)]
        heart.unit_ended(books)
        heart.unit_ended(books)
    wait_until(lambda: said(tmp_path)["completedUnits"] == 3)
    assert said(tmp_path)["cost"] == 0.3


def test_words_of_the_agent_are_progress_and_go_on_to_the_next_watcher(heart: Heartbeat, tmp_path: Path) -> None:
    heart.start()
    heart.session_event(Text(text="x"))
    heart.note("a sentence")
    wait_until(lambda: "lastProgress" in said(tmp_path))
    onward = heart._onward
    assert isinstance(onward, Notes)
    assert (len(onward.events), onward.said) == (1, ["a sentence"])


def test_the_last_word_stays(heart: Heartbeat, tmp_path: Path) -> None:
    heart.start()
    heart.unit_started(UNIT, "a-1", 1)
    heart.end(WorkerState.ERROR, "it broke")
    now = said(tmp_path)
    assert (now["state"], now["doing"], now["reason"], now["currentUnit"]) == ("error", "ended", "it broke", None)
    assert not [thread for thread in threading.enumerate() if thread.name == "heartbeat"]


def test_chores_are_done_in_the_thread_and_a_full_disk_does_not_end_them(heart: Heartbeat) -> None:
    looks: list[str] = []

    def chore() -> None:
        looks.append(threading.current_thread().name)
        raise OSError(28, "No space left on device")

    heart.start(chore)
    wait_until(lambda: len(looks) >= 3)
    assert set(looks) == {"heartbeat"}


def test_a_directory_that_goes_away_comes_back(heart: Heartbeat, tmp_path: Path) -> None:
    heart.start()
    (tmp_path / "M001.status.json").unlink()
    wait_until((tmp_path / "M001.status.json").exists)


def test_a_worker_that_was_replaced_writes_no_more(heart: Heartbeat, tmp_path: Path) -> None:
    heart.start()
    heart.silence()
    theirs = json.dumps({"milestoneId": "M001"})
    (tmp_path / "M001.status.json").write_text(theirs)
    heart.say(doing="working")
    heart.end(WorkerState.STOPPED, "over")
    assert (tmp_path / "M001.status.json").read_text() == theirs


@pytest.mark.spec(id="PR-030")
@pytest.mark.spec(id="PR-032")
def test_a_reader_never_sees_half_a_file(heart: Heartbeat, tmp_path: Path) -> None:
    heart.start()
    for number in range(300):
        heart.say(last_order=LastOrder(signal="pause", sent_at=number, taken_at=number))
        assert said(tmp_path)["milestoneId"] == "M001"
    assert [path.name for path in tmp_path.iterdir() if not path.name.startswith(".")] == ["M001.status.json"]
