"""Orders reach living workers, are taken by the right run, and are written down for those that do not live."""

import json
import os
import signal
import time
from pathlib import Path

import pytest

from fleet.stand import Fleet, wait_until
from milepost.errors import MilepostError
from milepost.fleet import orders
from milepost.fleet.look import look
from milepost.fleet.orders import Answer, Sent
from milepost.formats.journal import FleetStarted, Ordered
from milepost.formats.signal import Order
from milepost.rules import fleet as rules
from milepost.rules.fleet import Wanted
from milepost.store import beacons, mailbox
from milepost.store.journal import Journal


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def give(fleet: Fleet, order: Order, *milestones: str, wait_s: float = 30.0) -> dict[str, Sent]:
    seen = look(fleet.state, now_ms=now_ms())
    sent = orders.give(fleet.state, order, milestones, seen, sender="ada", run="o1", now_ms=now_ms)
    return {one.milestone: one for one in orders.await_answers(fleet.state, sent, wait_s=wait_s)}


def written(fleet: Fleet) -> list[tuple[str, str, str]]:
    found = Journal(fleet.state, orders.WRITER).own()
    return [(e.milestone, e.order, e.sender) for e in found if isinstance(e, Ordered)]


def state_of(fleet: Fleet, mid: str = "M001") -> str:
    return next(status.state for status in beacons.load(fleet.state / "parallel") if status.milestone_id == mid)


@pytest.mark.spec(id="PR-084")
@pytest.mark.spec(id="PR-100")
@pytest.mark.spec(id="DV-11")
@pytest.mark.spec(id="DV-12")
@pytest.mark.spec(id="FM-40")
def test_pause_is_taken_and_waits_for_the_unit(fleet: Fleet) -> None:
    fleet.start(unit_s=0.5)
    found = give(fleet, Order.PAUSE)["M001"]
    assert (found.answer, found.unit) == (Answer.LATER, "execute-task M001/S01/T01")
    wait_until(lambda: state_of(fleet) == "paused")
    assert written(fleet) == [("*", "pause", "ada")]


@pytest.mark.spec(id="PR-086")
@pytest.mark.spec(id="PR-101")
@pytest.mark.spec(id="DV-12")
def test_a_paused_worker_is_the_same_process_and_goes_on(fleet: Fleet) -> None:
    process = fleet.start(unit="")
    assert give(fleet, Order.PAUSE)["M001"].answer is Answer.DONE
    assert state_of(fleet) == "paused"
    assert process.poll() is None
    found = give(fleet, Order.RESUME)["M001"]
    assert (found.answer, state_of(fleet)) == (Answer.DONE, "running")
    assert found.after_ms >= 0


@pytest.mark.spec(id="PR-085")
@pytest.mark.spec(id="PR-087")
def test_one_is_meant_and_the_other_goes_on(fleet: Fleet) -> None:
    fleet.start(unit="")
    fleet.start(milestone="M002", run="r2", unit="")
    assert give(fleet, Order.PAUSE, "M001").keys() == {"M001"}
    assert (state_of(fleet, "M001"), state_of(fleet, "M002")) == ("paused", "running")
    give(fleet, Order.RESUME, "M001")
    assert state_of(fleet, "M001") == "running"
    assert written(fleet) == [("M001", "pause", "ada"), ("M001", "resume", "ada")]


def test_what_is_so_already_is_not_ordered_again(fleet: Fleet) -> None:
    fleet.start(unit="")
    assert give(fleet, Order.RESUME)["M001"].answer is Answer.ALREADY
    give(fleet, Order.PAUSE, "M001")
    before = written(fleet)
    assert give(fleet, Order.PAUSE, "M001")["M001"].answer is Answer.ALREADY
    assert written(fleet) == before
    assert not (fleet.state / "parallel/M001.signal.json").exists()


@pytest.mark.spec(id="FM-41")
@pytest.mark.spec(id="PR-303")
def test_the_order_is_for_this_run_and_says_what_the_format_says(fleet: Fleet) -> None:
    fleet.start(deaf=True)
    found = give(fleet, Order.PAUSE, wait_s=0.2)["M001"]
    text = json.loads((fleet.state / "parallel/M001.signal.json").read_text())
    assert found.answer is Answer.SILENT
    assert text == {"signal": "pause", "sentAt": found.sent_at_ms, "from": "coordinator", "run": "r1"}
    assert mailbox.claim(fleet.state / "parallel", "M001", run="r2") is None


@pytest.mark.spec(id="PR-304")
def test_a_newer_order_replaces_one_that_waits(fleet: Fleet) -> None:
    fleet.start(deaf=True)
    give(fleet, Order.PAUSE, wait_s=0.1)
    give(fleet, Order.RESUME, wait_s=0.1)
    order = mailbox.pending(fleet.state / "parallel", "M001")
    assert order is not None
    assert order.signal is Order.RESUME


def test_without_a_worker_it_is_written_down(fleet: Fleet) -> None:
    """And that is what keeps a coordinator from starting it."""
    found = give(fleet, Order.PAUSE, "M002")["M002"]
    assert found.answer is Answer.NOT_RUNNING
    assert rules.fold(Journal(fleet.state, "project").everything()).of("M002").wanted is Wanted.PAUSE
    assert not (fleet.state / "parallel/M002.signal.json").exists()
    assert give(fleet, Order.RESUME, "M002")["M002"].answer is Answer.NOT_RUNNING
    assert rules.fold(Journal(fleet.state, "project").everything()).of("M002").wanted is Wanted.RUN


def test_the_wish_is_written_before_the_order_is_posted(fleet: Fleet) -> None:
    """Where it cannot be written, nothing is sent."""
    fleet.start(unit="")
    journal = fleet.state / "journal" / f"{orders.WRITER}.jsonl"
    journal.mkdir()
    with pytest.raises(OSError):
        give(fleet, Order.PAUSE)
    assert state_of(fleet) == "running"


def test_a_worker_that_ends_meanwhile_is_said_to_be_gone(fleet: Fleet) -> None:
    process = fleet.start(deaf=True)
    seen = look(fleet.state, now_ms=now_ms())
    sent = orders.give(fleet.state, Order.PAUSE, (), seen, sender="ada", run="o1", now_ms=now_ms)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert [one.answer for one in orders.await_answers(fleet.state, sent, wait_s=30)] == [Answer.GONE]


def test_rebase_is_taken_and_comes_at_the_boundary(fleet: Fleet) -> None:
    fleet.start()
    found = give(fleet, Order.REBASE)["M001"]
    assert (found.answer, found.unit) == (Answer.LATER, "execute-task M001/S01/T01")
    assert give(fleet, Order.REBASE, "M002")["M002"].answer is Answer.NOT_RUNNING
    assert written(fleet) == [("*", "rebase", "ada")]


def test_a_coordinator_gets_no_order_of_a_worker(fleet: Fleet) -> None:
    fleet.start(role="coordinator", run="c1")
    assert give(fleet, Order.PAUSE) == {}
    assert list((fleet.state / "parallel").glob("*.signal.json")) == []


@pytest.mark.spec(id="FM-50")
@pytest.mark.parametrize("text", ["../../etc", "M1/../M001", "auto", "*", "", "M001\n", "m001"])
def test_what_is_no_id_never_becomes_a_path(text: str, fleet: Fleet) -> None:
    seen = look(fleet.state, now_ms=now_ms())
    with pytest.raises(MilepostError, match="is not a milestone id"):
        orders.require_known((text,), seen)


def test_a_milestone_that_is_not_there(fleet: Fleet) -> None:
    seen = look(fleet.state, now_ms=now_ms())
    with pytest.raises(orders.UnknownMilestone, match="M009 is not a milestone of this project") as raised:
        orders.require_known(("M001", "M009"), seen)
    assert raised.value.hint == "Milestones: M001, M002, M003"
    assert orders.require_known(("M002", "M001", "M002"), seen) == ("M002", "M001")


def test_a_new_start_takes_an_order_back(fleet: Fleet) -> None:
    """What a person last wanted counts, and that is to start."""
    give(fleet, Order.PAUSE, "M002")
    started = FleetStarted(at_ms=now_ms() + 1, run="c", session="f", pid=1, max_workers=2)
    Journal(fleet.state, "coordinator").append(started)
    assert rules.fold(Journal(fleet.state, "project").everything()).of("M002").wanted is Wanted.RUN


def test_a_project_path_with_spaces_and_letters_of_any_kind(tmp_path: Path) -> None:
    made = Fleet(tmp_path / "Übung 1 – ein Pfad")
    made.state.mkdir(parents=True)
    try:
        made.start(unit="")
        assert give(made, Order.PAUSE)["M001"].answer is Answer.DONE
    finally:
        made.end()
