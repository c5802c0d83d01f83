"""Orders for a running auto mode, read between units."""

from pathlib import Path

import pytest

from milepost.errors import ExitCode
from milepost.formats.signal import Order
from milepost.worker import orders
from worker.shifts import post, shift_for


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
