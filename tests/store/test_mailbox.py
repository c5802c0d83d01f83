"""Orders are posted whole and claimed once; none is lost, none reaches a run it was not for."""

import fcntl
import json
import os
import signal as signals
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from milepost.formats.signal import Order, Signal, encode
from milepost.model.ids import BadId
from milepost.store import flock, mailbox
from store.children import fork, wait


def order(what: Order = Order.PAUSE, run: str = "", sent_at: int = 1_763_760_000_000) -> Signal:
    return Signal(signal=what, sent_at=sent_at, sender="coordinator", run=run)


def killed_while_reading(box: Path, run: str = "r") -> None:
    """A claimer that dies when it has renamed the order and not yet read it."""

    def work() -> None:
        mailbox._read = lambda *args: os.kill(os.getpid(), signals.SIGKILL)  # type: ignore[assignment, return-value]
        mailbox.claim(box, "M001", run=run)

    assert wait(fork(work)) == signals.SIGKILL


@pytest.mark.spec(id="PR-305")
def test_an_order_is_claimed_once(tmp_path: Path) -> None:
    box = tmp_path / "parallel"
    assert mailbox.claim(box, "M001", run="r") is None
    mailbox.post(box, "M001", order())
    assert (box / "M001.signal.json").exists()
    assert mailbox.claim(box, "M002", run="r") is None
    assert mailbox.claim(box, "M001", run="r") == order()
    assert mailbox.claim(box, "M001", run="r") is None
    assert os.listdir(box) == []


@pytest.mark.spec(id="PR-031")
@pytest.mark.spec(id="PR-303")
@pytest.mark.parametrize("what", list(Order))
def test_the_file_is_gsds(what: Order, tmp_path: Path) -> None:
    mailbox.post(tmp_path, "M001", order(what))
    said = json.loads((tmp_path / "M001.signal.json").read_text())
    assert said == {"signal": str(what), "sentAt": 1_763_760_000_000, "from": "coordinator"}
    assert mailbox.claim(tmp_path, "M001", run="r") == order(what)


@pytest.mark.spec(id="PR-303")
def test_gsds_own_order_is_understood(tmp_path: Path) -> None:
    text = '{\n  "signal": "stop",\n  "sentAt": 1763760000000,\n  "from": "coordinator"\n}'
    (tmp_path / "M001.signal.json").write_text(text)
    assert mailbox.claim(tmp_path, "M001", run="r") == order(Order.STOP)


@pytest.mark.spec(id="PR-304")
def test_a_newer_order_replaces_an_older_one(tmp_path: Path) -> None:
    mailbox.post(tmp_path, "M001", order(Order.PAUSE))
    mailbox.post(tmp_path, "M001", order(Order.STOP))
    assert mailbox.claim(tmp_path, "M001", run="r") == order(Order.STOP)
    assert mailbox.claim(tmp_path, "M001", run="r") is None


def test_a_look_leaves_it_there(tmp_path: Path) -> None:
    assert mailbox.pending(tmp_path / "none", "M001") is None
    mailbox.post(tmp_path, "M001", order(run="r"))
    assert mailbox.pending(tmp_path, "M001") == mailbox.pending(tmp_path, "M001") == order(run="r")
    (tmp_path / "M001.signal.json").write_text("{")
    assert mailbox.pending(tmp_path, "M001") is None
    assert os.listdir(tmp_path) == ["M001.signal.json"]


@pytest.mark.spec(id="FM-41")
@pytest.mark.spec(id="DV-29")
def test_an_order_for_another_run_is_put_aside_and_stands_in_nobodys_way(tmp_path: Path) -> None:
    mailbox.post(tmp_path, "M001", order(Order.STOP, run="r-old"))
    found = mailbox.claim_all(tmp_path, "M001", run="r-new")
    assert (found.order, found.bad, found.stale) == (None, (), (order(Order.STOP, run="r-old"),))
    assert os.listdir(tmp_path) == ["M001.signal.json.stale"]
    assert mailbox.claim(tmp_path, "M001", run="r-old") is None
    mailbox.post(tmp_path, "M001", order(run="r-new"))
    assert mailbox.claim(tmp_path, "M001", run="r-new") == order(run="r-new")


@pytest.mark.spec(id="FM-41")
@pytest.mark.spec(id="DV-29")
@pytest.mark.parametrize("run", ["", "r-old"])
def test_what_is_cleared_reaches_nobody(run: str, tmp_path: Path) -> None:
    mailbox.post(tmp_path, "M001", order(Order.STOP, run=run))
    killed_while_reading(tmp_path)
    mailbox.post(tmp_path, "M001", order(Order.PAUSE, run=run))
    mailbox.post(tmp_path, "M002", order())
    mailbox.clear(tmp_path, "M001")
    mailbox.clear(tmp_path / "none", "M001")
    assert mailbox.claim(tmp_path, "M001", run=run) is None
    assert os.listdir(tmp_path) == ["M002.signal.json"]


@pytest.mark.spec(id="FM-41")
def test_an_order_for_the_run_that_clears_stays(tmp_path: Path) -> None:
    mailbox.post(tmp_path, "M001", order(Order.STOP, run="r-new"))
    mailbox.clear(tmp_path, "M001", but="r-new")
    assert mailbox.claim(tmp_path, "M001", run="r-new") == order(Order.STOP, run="r-new")
    for run in ("", "r-old"):
        mailbox.post(tmp_path, "M001", order(Order.STOP, run=run))
        mailbox.clear(tmp_path, "M001", but="r-new")
        assert mailbox.claim_all(tmp_path, "M001", run="r-new") == mailbox.Claimed()
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("name", ["M1/../M001", "../M001", "", "notes", "M001 2"])
def test_a_name_that_is_no_milestone_is_refused(name: str, tmp_path: Path) -> None:
    for use in (mailbox.pending, mailbox.clear, lambda b, m: mailbox.post(b, m, order()), lambda b, m: mailbox.claim(b, m, run="")):  # fmt: skip
        with pytest.raises(BadId):
            use(tmp_path, name)  # type: ignore[operator]
    assert os.listdir(tmp_path) == []


def test_an_auto_mode_has_a_box_too(tmp_path: Path) -> None:
    mailbox.post(tmp_path, mailbox.SOLO, order())
    assert mailbox.claim(tmp_path, mailbox.SOLO, run="r") == order()


@pytest.mark.spec(id="FM-48")
def test_a_numbered_copy_is_no_order(tmp_path: Path) -> None:
    for name in ("M001.signal 2.json", "M001 2.signal.json", "M001.signal (1).json"):
        (tmp_path / name).write_bytes(encode(order(Order.STOP)))
    assert mailbox.claim_all(tmp_path, "M001", run="r") == mailbox.Claimed()
    assert len(os.listdir(tmp_path)) == 3


@pytest.mark.spec(id="FM-43")
@pytest.mark.spec(id="DV-26")
@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"signal": "explode", "sentAt": 1, "from": "x"}', "[" * 100_000, " " * 70_000 + "{}"]
)
def test_what_cannot_be_read_is_kept_and_said_and_does_not_stand_in_the_way(text: str, tmp_path: Path) -> None:
    (tmp_path / "M001.signal.json").write_text(text)
    assert mailbox.claim_all(tmp_path, "M001", run="r").bad == (tmp_path / "M001.signal.json.bad",)
    assert (tmp_path / "M001.signal.json.bad").read_text() == text
    assert mailbox.claim_all(tmp_path, "M001", run="r") == mailbox.Claimed()
    mailbox.post(tmp_path, "M001", order())
    assert mailbox.claim(tmp_path, "M001", run="r") == order()


def directory(path: Path) -> None:
    path.mkdir()
    (path / "x").touch()


def link(path: Path) -> None:
    path.with_name("elsewhere").write_bytes(encode(order()))
    path.symlink_to("elsewhere")


@pytest.mark.spec(id="FM-43")
@pytest.mark.parametrize("make", [directory, os.mkfifo, link])
def test_what_is_no_file_is_kept_and_hangs_nobody(make: Callable[[Path], None], tmp_path: Path) -> None:
    make(tmp_path / "M001.signal.json")
    for _ in range(2):
        found = mailbox.claim_all(tmp_path, "M001", run="r")
        assert (found.order, len(found.bad)) == (None, 1)
        assert os.path.lexists(found.bad[0])
        assert not os.path.lexists(tmp_path / "M001.signal.json")
        directory(tmp_path / "M001.signal.json")


def test_a_link_out_of_the_box_is_not_written_through(tmp_path: Path) -> None:
    box = tmp_path / "parallel"
    box.mkdir()
    (tmp_path / "mine").write_text("mine")
    (box / "M001.signal.json").symlink_to(tmp_path / "mine")
    mailbox.post(box, "M001", order())
    assert (tmp_path / "mine").read_text() == "mine"
    assert mailbox.claim(box, "M001", run="r") == order()


@pytest.mark.spec(id="FM-42")
@pytest.mark.spec(id="DV-26")
def test_what_a_killed_claimer_took_is_found_again(tmp_path: Path) -> None:
    mailbox.post(tmp_path, "M001", order(Order.STOP))
    killed_while_reading(tmp_path)
    assert not (tmp_path / "M001.signal.json").exists()
    assert mailbox.claim(tmp_path, "M001", run="r") == order(Order.STOP)
    assert os.listdir(tmp_path) == []


@pytest.mark.spec(id="PR-304")
def test_a_newer_order_overtakes_what_a_killed_claimer_took(tmp_path: Path) -> None:
    mailbox.post(tmp_path, "M001", order(Order.PAUSE))
    killed_while_reading(tmp_path)
    [left] = tmp_path.iterdir()
    os.utime(left, (1, 1))
    mailbox.post(tmp_path, "M001", order(Order.RESUME))
    found = mailbox.claim_all(tmp_path, "M001", run="r")
    assert (found.order, found.stale) == (order(Order.RESUME), (order(Order.PAUSE),))
    assert mailbox.claim(tmp_path, "M001", run="r") is None


@pytest.mark.spec(id="FM-42")
def test_of_many_processes_one_gets_it(tmp_path: Path) -> None:
    box = tmp_path / "parallel"
    mailbox.post(box, "M001", order())
    killed_while_reading(box)

    def work(name: str) -> None:
        if mailbox.claim(box, "M001", run="r") is not None:
            (tmp_path / name).touch()

    children = [fork(lambda name=name: work(name)) for name in "abcdefgh"]  # type: ignore[misc]
    assert [wait(pid) for pid in children] == [0] * 8
    assert len([name for name in os.listdir(tmp_path) if name in "abcdefgh"]) == 1


@pytest.mark.spec(id="FM-42")
@pytest.mark.spec(id="FM-44")
@pytest.mark.spec(id="PR-032")
@pytest.mark.spec(id="PR-307")
@pytest.mark.spec(id="DV-26")
def test_while_several_post_each_is_whole_and_the_last_is_not_lost(tmp_path: Path) -> None:
    def work(first: int) -> None:
        for number in range(first, first + 40):
            mailbox.post(tmp_path, "M001", order(sent_at=number))

    children = [fork(lambda first=first: work(first)) for first in (1_000, 2_000, 3_000)]  # type: ignore[misc]
    got: list[int] = []
    bad: list[Path] = []

    def take() -> None:
        found = mailbox.claim_all(tmp_path, "M001", run="r")
        got.extend([found.order.sent_at] if found.order else [])
        bad.extend(found.bad)

    running = set(children)
    while running:
        take()
        for pid in tuple(running):
            done, status = os.waitpid(pid, os.WNOHANG)
            if done:
                assert status == 0
                running.remove(pid)
        time.sleep(0.001)
    take()
    assert bad == []
    assert len(got) == len(set(got))
    # Whoever posted last, its order was the last that came.
    assert got[-1] in (1_039, 2_039, 3_039)
    assert os.listdir(tmp_path) == []


@pytest.mark.spec(id="FM-42")
def test_what_another_claimer_is_reading_is_left_to_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mailbox.post(tmp_path, "M001", order(Order.STOP))
    killed_while_reading(tmp_path)
    [left] = tmp_path.iterdir()
    with left.open("rb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        assert mailbox.claim_all(tmp_path, "M001", run="r") == mailbox.Claimed()
    real = flock.try_alone

    def read_by_another_meanwhile(descriptor: int) -> bool:
        left.unlink()
        return real(descriptor)

    monkeypatch.setattr(flock, "try_alone", read_by_another_meanwhile)
    assert mailbox.claim_all(tmp_path, "M001", run="r") == mailbox.Claimed()
