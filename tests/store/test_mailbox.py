"""Orders are posted whole and claimed once."""

import os
from pathlib import Path

import pytest

from milepost.formats.signal import Order, Signal
from milepost.store import mailbox
from store.children import fork, wait


def order(what: Order = Order.PAUSE, run: str = "") -> Signal:
    return Signal(signal=what, sent_at=1_763_760_000_000, sender="person", run=run)


def test_an_order_is_claimed_once(tmp_path: Path) -> None:
    box = tmp_path / "parallel"
    assert mailbox.claim(box, "M001", run="r") is None
    mailbox.post(box, "M001", order())
    assert (box / "M001.signal.json").exists()
    assert mailbox.claim(box, "M002", run="r") is None
    assert mailbox.claim(box, "M001", run="r") == order()
    assert mailbox.claim(box, "M001", run="r") is None
    assert os.listdir(box) == []


def test_a_newer_order_replaces_an_older_one(tmp_path: Path) -> None:
    mailbox.post(tmp_path, "M001", order(Order.PAUSE))
    mailbox.post(tmp_path, "M001", order(Order.STOP))
    assert mailbox.claim(tmp_path, "M001", run="r") == order(Order.STOP)
    assert mailbox.claim(tmp_path, "M001", run="r") is None


def test_an_order_for_this_run_is_obeyed_and_one_for_another_put_aside(tmp_path: Path) -> None:
    mailbox.post(tmp_path, "M001", order(run="r-old"))
    assert mailbox.claim(tmp_path, "M001", run="r-new") is None
    assert os.listdir(tmp_path) == []
    mailbox.post(tmp_path, "M001", order(run="r-new"))
    assert mailbox.claim(tmp_path, "M001", run="r-new") == order(run="r-new")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"signal": "explode", "sentAt": 1, "from": "x"}', "[" * 100_000])
def test_what_cannot_be_read_is_no_order_and_does_not_stay(text: str, tmp_path: Path) -> None:
    (tmp_path / "M001.signal.json").write_text(text)
    assert mailbox.claim(tmp_path, "M001", run="r") is None
    assert os.listdir(tmp_path) == []


def test_gsds_own_order_is_understood(tmp_path: Path) -> None:
    text = '{\n  "signal": "stop",\n  "sentAt": 1763760000000,\n  "from": "coordinator"\n}'
    (tmp_path / "M001.signal.json").write_text(text)
    found = mailbox.claim(tmp_path, "M001", run="r")
    assert found is not None
    assert (found.signal, found.sender, found.run) == (Order.STOP, "coordinator", "")


def test_of_many_processes_one_gets_it(tmp_path: Path) -> None:
    box = tmp_path / "parallel"
    mailbox.post(box, "M001", order())

    def work(name: str) -> None:
        if mailbox.claim(box, "M001", run="r") is not None:
            (tmp_path / name).touch()

    children = [fork(lambda name=name: work(name)) for name in "abcd"]  # type: ignore[misc]
    assert [wait(pid) for pid in children] == [0] * 4
    assert len([name for name in os.listdir(tmp_path) if name in "abcd"]) == 1
