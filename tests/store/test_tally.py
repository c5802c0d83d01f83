"""All journals, followed: the same events as a full reading gives, and only what is new is read."""

import os
import random
import time
from pathlib import Path

import pytest

from milepost.formats.journal import AnyEvent, LandingStep
from milepost.store import journal as journals
from milepost.store.journal import Journal
from milepost.store.tally import Tally
from store.children import fork, wait


def step(number: int, text: str = "", *, at_ms: int | None = None) -> LandingStep:
    at = number if at_ms is None else at_ms
    return LandingStep(at_ms=at, run="r", milestone="M001", step=str(number), detail=text)


def append(state: Path, writer: str, *events: AnyEvent) -> None:
    for event in events:
        Journal(state, writer).append(event)


def agree(tally: Tally, state: Path) -> tuple[AnyEvent, ...]:
    assert tally.events() == Journal(state, "project").everything()
    return tally.events()


def test_what_comes_in_is_seen(tmp_path: Path) -> None:
    tally = Tally(tmp_path)
    assert tally.events() == ()
    append(tmp_path, "M001", step(1), step(5))
    assert len(agree(tally, tmp_path)) == 2
    append(tmp_path, "M002", step(3), step(6))
    append(tmp_path, "orders", step(4))
    assert len(agree(tally, tmp_path)) == 5
    assert tally.events() is tally.events()


def test_any_order_of_appending_gives_what_a_full_reading_gives(tmp_path: Path) -> None:
    chance = random.Random(7)
    tally = Tally(tmp_path)
    for number in range(300):
        writer = chance.choice(("M001", "M001-ab12cd", "M002", "project"))
        append(tmp_path, writer, step(number, at_ms=chance.randrange(100)))
        if chance.random() < 0.3:
            agree(tally, tmp_path)
    assert len(agree(tally, tmp_path)) == 300


def test_only_what_was_appended_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tally = Tally(tmp_path)
    append(tmp_path, "M001", *(step(number) for number in range(50)))
    append(tmp_path, "M002", *(step(number) for number in range(50)))
    assert len(tally.events()) == 100
    read: list[bytes] = []
    monkeypatch.setattr(journals, "read", lambda line, real=journals.read: (read.append(line), real(line))[1])
    assert len(tally.events()) == 100
    assert read == []
    append(tmp_path, "M002", step(60), step(61))
    assert len(tally.events()) == 102
    assert len(read) == 2


def test_a_torn_last_line_is_read_when_it_is_complete(tmp_path: Path) -> None:
    tally = Tally(tmp_path)
    append(tmp_path, "M001", step(1), step(2))
    path = tmp_path / "journal" / "M001.jsonl"
    whole = path.read_bytes()
    path.write_bytes(b"")
    append(tmp_path, "M002", step(3))
    for size in range(len(whole) + 1):
        with path.open("ab") as file:
            file.write(whole[size : size + 1])
        agree(tally, tmp_path)
    assert len(tally.events()) == 3


def test_a_torn_line_that_stays_torn_hides_nothing(tmp_path: Path) -> None:
    tally = Tally(tmp_path)
    append(tmp_path, "M001", step(1))
    with (tmp_path / "journal" / "M001.jsonl").open("ab") as file:
        file.write(b'{"event":"landing-st')
    agree(tally, tmp_path)
    append(tmp_path, "M001", step(2))
    assert len(agree(tally, tmp_path)) == 2


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def shortened(path: Path) -> None:
    os.truncate(path, len(path.read_bytes().splitlines(keepends=True)[0]))


def replaced(path: Path) -> None:
    other = path.with_name("other")
    other.write_bytes(path.read_bytes().replace(b'"r"', b'"s"') * 2)
    other.replace(path)


def rewritten(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b'"r"', b'"s"') * 2)


def deleted(path: Path) -> None:
    path.unlink()


@pytest.mark.parametrize("change", [emptied, shortened, replaced, rewritten, deleted])
def test_a_file_that_is_not_what_it_was_is_read_anew(change: object, tmp_path: Path) -> None:
    assert callable(change)
    tally = Tally(tmp_path)
    append(tmp_path, "M001", step(1), step(4))
    append(tmp_path, "M002", step(2), step(3))
    agree(tally, tmp_path)
    change(tmp_path / "journal" / "M001.jsonl")
    agree(tally, tmp_path)
    append(tmp_path, "M001", step(5))
    agree(tally, tmp_path)
    append(tmp_path, "M002", step(6))
    agree(tally, tmp_path)


def test_a_directory_that_went_away_is_empty(tmp_path: Path) -> None:
    tally = Tally(tmp_path)
    append(tmp_path, "M001", step(1))
    agree(tally, tmp_path)
    (tmp_path / "journal").rename(tmp_path / "old")
    assert agree(tally, tmp_path) == ()
    (tmp_path / "old").rename(tmp_path / "journal")
    assert len(agree(tally, tmp_path)) == 1


def test_an_error_loses_nothing(tmp_path: Path) -> None:
    tally = Tally(tmp_path)
    append(tmp_path, "M001", step(1))
    agree(tally, tmp_path)
    append(tmp_path, "M001", step(2))
    broken = tmp_path / "journal" / "M002.jsonl"
    broken.mkdir()
    with pytest.raises(OSError, match=r"M002\.jsonl"):
        tally.events()
    broken.rmdir()
    assert len(agree(tally, tmp_path)) == 2


def test_while_others_write_nothing_is_seen_twice(tmp_path: Path) -> None:
    def work(writer: str) -> None:
        append(tmp_path, writer, *(step(number, "x" * (number % 900)) for number in range(100)))

    tally = Tally(tmp_path)
    children = [fork(lambda writer=writer: work(writer)) for writer in ("M001", "M002", "orders", "orders")]  # type: ignore[misc]
    seen = 0
    deadline = time.monotonic() + 60
    while seen < 400 and time.monotonic() < deadline:
        now = len(tally.events())
        assert now >= seen
        seen = now
    assert [wait(pid) for pid in children] == [0] * 4
    assert len(agree(tally, tmp_path)) == 400
