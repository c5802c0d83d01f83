"""Orders for a running auto mode, read between units, and for a parallel worker, taken as they come."""

from pathlib import Path

import pytest
from msgspec import UNSET

from milepost.errors import ExitCode
from milepost.formats.journal import OrderTaken
from milepost.formats.signal import Order
from milepost.formats.status import LastOrder
from milepost.rules.lifecycle import Worker
from milepost.worker import orders
from milepost.worker.heartbeat import Heartbeat
from worker.shifts import post, shift_for
from worker.test_heartbeat import first


def test_no_order(tmp_path: Path) -> None:
    assert orders.pending(shift_for(tmp_path)) is None


@pytest.mark.parametrize(
    ("order", "code"),
    [
        (Order.PAUSE, ExitCode.PAUSED),
        (Order.STOP, ExitCode.INTERRUPTED),
        (Order.RESUME, None),
        (Order.REBASE, None),
    ],
)
def test_what_an_order_means_and_that_it_is_taken_once(order: Order, code: ExitCode | None, tmp_path: Path) -> None:
    shift = shift_for(tmp_path)
    post(shift, order)
    found = orders.pending(shift)
    assert (found.code if found else None) == code
    assert orders.pending(shift) is None


def test_an_order_for_another_run_is_not_obeyed(tmp_path: Path) -> None:
    shift = shift_for(tmp_path)
    post(shift, Order.STOP, run="r-0")
    assert orders.pending(shift) is None


def test_which_mailbox_is_read(tmp_path: Path) -> None:
    shift = shift_for(tmp_path)
    for name in ("auto", "M002", "M003"):
        post(shift, Order.PAUSE, to=name)
    assert orders.pending(shift) is not None
    left = sorted(path.name for path in (tmp_path / ".gsd/parallel").iterdir())
    assert left == ["M002.signal.json", "M003.signal.json"]


@pytest.fixture
def desk(tmp_path: Path) -> orders.Desk:
    """A worker's desk, its heart not beating: the test looks instead of it."""
    shift = shift_for(tmp_path, lock="M001")
    heart = Heartbeat(shift.box, first(), now_ms=shift.now_ms, onward=shift.watcher)
    return orders.Desk(shift, "M001", heart)


def give(desk: orders.Desk, order: Order, *, run: str = "r-1") -> Worker:
    post(desk.shift, order, run=run, to="M001")
    desk.look()
    return desk.state


def doing(desk: orders.Desk) -> tuple[str, object, object]:
    found = desk.heart._status
    return str(found.state), found.doing, found.reason


@pytest.mark.spec(id="PR-100")
@pytest.mark.spec(id="PR-308")
def test_a_pause_takes_effect_at_the_boundary(desk: orders.Desk) -> None:
    desk.begin("working")
    assert not desk.waiting()
    assert give(desk, Order.PAUSE) is Worker.PAUSING
    assert desk.waiting()
    assert doing(desk) == ("running", "pausing", UNSET)
    desk.unit_ended()
    assert doing(desk) == ("paused", "paused", "paused by request")
    assert give(desk, Order.PAUSE) is Worker.PAUSED
    assert give(desk, Order.RESUME) is Worker.RUNNING
    assert doing(desk) == ("running", "working", UNSET)
    assert not desk.waiting()


@pytest.mark.spec(id="PR-086")
def test_resume_before_the_pause_began_and_without_one(desk: orders.Desk) -> None:
    assert give(desk, Order.RESUME) is Worker.RUNNING
    give(desk, Order.PAUSE)
    assert give(desk, Order.RESUME) is Worker.RUNNING
    desk.unit_ended()
    assert desk.state is Worker.RUNNING


@pytest.mark.spec(id="PR-102")
@pytest.mark.parametrize(("before", "after"), [(None, Worker.STOPPING), (Order.PAUSE, Worker.STOPPED)])
def test_a_stop(before: Order | None, after: Worker, desk: orders.Desk) -> None:
    if before:
        give(desk, before)
        desk.unit_ended()
    assert desk.stopped_by == ""
    assert give(desk, Order.STOP) is after
    assert desk.stopped_by == "stopped by request"
    # What comes after changes nothing any more.
    for order in (Order.RESUME, Order.PAUSE, Order.STOP):
        assert give(desk, order) is after
    assert doing(desk)[1] == "stopping"


@pytest.mark.spec(id="PR-303")
def test_rebase_is_wanted_once_however_often_it_is_ordered(desk: orders.Desk) -> None:
    assert desk.take_rebase() is False
    give(desk, Order.REBASE)
    assert give(desk, Order.REBASE) is Worker.RUNNING
    assert desk.waiting()
    assert desk.take_rebase() is True
    assert desk.take_rebase() is False
    assert not desk.waiting()


@pytest.mark.spec(id="PR-101")
@pytest.mark.spec(id="PR-305")
def test_each_order_is_taken_once_acknowledged_and_written_down(desk: orders.Desk) -> None:
    post(desk.shift, Order.PAUSE, run="", to="M001")
    desk.look()
    desk.look()
    [taken] = [e for e in desk.shift.journal("M001").own() if isinstance(e, OrderTaken)]
    assert (taken.milestone, taken.order, taken.sent_at_ms, taken.run) == ("M001", "pause", 1, "r-1")
    last = desk.heart._status.last_order
    assert isinstance(last, LastOrder)
    assert (last.signal, last.sent_at, last.taken_at) == ("pause", 1, taken.at_ms)


@pytest.mark.spec(id="FM-41")
def test_a_worker_leaves_orders_for_others_alone(desk: orders.Desk) -> None:
    assert give(desk, Order.STOP, run="r-0") is Worker.RUNNING
    post(desk.shift, Order.STOP, to="M002")
    desk.look()
    assert desk.state is Worker.RUNNING
    assert (desk.shift.box / "M002.signal.json").exists()


def test_an_order_is_obeyed_also_where_it_cannot_be_written_down(desk: orders.Desk) -> None:
    desk.shift.state.mkdir(exist_ok=True)
    (desk.shift.state / "journal").write_text("in the way")
    assert give(desk, Order.STOP) is Worker.STOPPING


def test_another_reason_to_end_at_once(desk: orders.Desk) -> None:
    desk.end_at_once("the lease is somebody else's")
    give(desk, Order.STOP)
    assert desk.stopped_by == "the lease is somebody else's"
