"""All journals, followed: the same events as a full reading gives, and only what is new is read."""

import os
import random
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from milepost.formats.journal import AnyEvent, LandingStep
from milepost.store import journal_files
from milepost.store.journal import Journal
from milepost.store.tally import Tally, of_project
from store.children import fork, wait


def step(number: int, text: str = "", *, at_ms: int | None = None) -> LandingStep:
    at = number if at_ms is None else at_ms
    return LandingStep(at_ms=at, run="r", milestone="M001", step=str(number), detail=text)


def append(state: Path, writer: str, *events: AnyEvent) -> None:
    for event in events:
        Journal(state, writer).append(event)


def afresh(state: Path, name: str) -> list[AnyEvent]:
    """What one file says, read whole."""
    try:
        lines = (state / "journal" / name).read_bytes().splitlines()
    except FileNotFoundError:
        return []
    return [event for line in lines if (event := journal_files.read(line))]


def all_afresh(state: Path) -> tuple[AnyEvent, ...]:
    """What all files say, read whole: by time, but those of one file in theirs."""
    timed: list[tuple[int, AnyEvent]] = []
    for name in journal_files.names(state / "journal"):
        latest = -(10**18)
        for event in afresh(state, name):
            latest = max(latest, event.at_ms)
            timed.append((latest, event))
    return tuple(event for _, event in sorted(timed, key=lambda pair: pair[0]))


def agree(tally: Tally, state: Path) -> tuple[AnyEvent, ...]:
    found = tally.events()
    assert found == all_afresh(state)
    assert tally.events() is found
    return found


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
    monkeypatch.setattr(journal_files, "read", lambda line, real=journal_files.read: (read.append(line), real(line))[1])
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


class Meddler:
    """Does to the files of a journal what programs, people, disks and cloud drives do; nothing of it is a guess."""

    def __init__(self, state: Path, seed: int) -> None:
        self.state = state
        self.chance = random.Random(seed)
        self.number = 0

    def act(self) -> str:
        """One deed; its name."""
        deed = self.chance.choice([self.append] * 8 + [self.tear, self.go_on, self.cut, self.replace, self.rewrite,
                                   self.delete, self.swap, self.put_away])  # fmt: skip
        path = self.state / "journal" / f"{self.chance.choice(WRITERS)}.jsonl"
        path.parent.mkdir(exist_ok=True)
        deed(path)
        return deed.__name__

    def line(self) -> bytes:
        self.number += 1
        return msgspec.json.encode(step(self.number, at_ms=self.chance.randrange(-50, 50))) + b"\n"

    def append(self, path: Path) -> None:
        self.number += 1
        append(
            self.state,
            path.stem,
            step(self.number, "x" * self.chance.randrange(400), at_ms=self.chance.randrange(-50, 50)),
        )

    def tear(self, path: Path) -> None:
        with path.open("ab") as file:
            file.write(self.line()[: self.chance.randrange(200)])

    def go_on(self, path: Path) -> None:
        with path.open("ab") as file:
            file.write(self.chance.choice((b"}", b"\n", b"\r\n", b"\r", b"\x00" * 9)))

    def cut(self, path: Path) -> None:
        if path.exists():
            os.truncate(path, self.chance.randrange(path.stat().st_size + 1))

    def replace(self, path: Path) -> None:
        other = path.with_name("other")
        other.write_bytes(b"".join(self.line() for _ in range(self.chance.randrange(4))))
        other.replace(path)

    def rewrite(self, path: Path) -> None:
        path.write_bytes(b"".join(self.line() for _ in range(self.chance.randrange(9))))

    def alter(self) -> None:
        """In place, and as long as before."""
        path = self.state / "journal" / f"{self.chance.choice(WRITERS)}.jsonl"
        if path.exists():
            before = path.stat().st_mtime_ns
            path.write_bytes(path.read_bytes().replace(b'"run":"r"', b'"run":"s"', 1))
            os.utime(path, ns=(before + 1, before + 1))  # As it would be a moment later.

    def delete(self, path: Path) -> None:
        path.unlink(missing_ok=True)

    def swap(self, path: Path) -> None:
        """One takes the place of another, with all its times."""
        other = path.with_name(f"{self.chance.choice(WRITERS)}.jsonl")
        if path.exists() and other != path:
            path.replace(other)

    def put_away(self, path: Path) -> None:
        path.parent.rename(self.state / f"old-{self.number}-{self.chance.random()}")


WRITERS = ("M001", "M002", "M001-ab12cd", "project")
FILES = tuple(f"{writer}.jsonl" for writer in WRITERS)


@pytest.mark.parametrize("seed", range(12))
def test_whatever_is_done_to_the_files_it_says_what_a_whole_reading_says(seed: int, tmp_path: Path) -> None:
    meddler, tally = Meddler(tmp_path, seed), Tally(tmp_path)
    look = random.Random(seed + 1000)
    for _ in range(120):
        done = meddler.act()
        # What is altered in place and also grows between two looks is not noticed: the one thing that is not.
        if look.random() < 0.1:
            agree(tally, tmp_path)
            meddler.alter()
            done = "alter"
        if done == "alter" or look.random() < 0.5:
            assert tally.events() == all_afresh(tmp_path), done
        if look.random() < 0.2:
            assert {n: list(tally.of(n)) for n in FILES} == {n: afresh(tmp_path, n) for n in FILES}, done
    agree(tally, tmp_path)


def test_one_file_and_all_of_them_are_asked_in_any_order(tmp_path: Path) -> None:
    tally = Tally(tmp_path)
    append(tmp_path, "M001", step(1), step(3))
    append(tmp_path, "M002", step(2))
    assert tally.of("M001.jsonl") == (step(1), step(3))
    assert tally.of("M003.jsonl") == ()
    append(tmp_path, "M001", step(4))
    assert tally.of("M001.jsonl") is not tally.of("M002.jsonl")
    assert tally.events() == (step(1), step(2), step(3), step(4))
    assert tally.of("M001.jsonl") is tally.of("M001.jsonl")


def within(part: tuple[AnyEvent, ...], whole: tuple[AnyEvent, ...]) -> bool:
    """Whether one is the other with some left out."""
    rest = iter(whole)
    return all(event in rest for event in part)


def test_in_the_middle_of_what_others_write_it_lies_between_two_whole_readings(tmp_path: Path) -> None:
    def work(seed: int) -> None:
        chance = random.Random(seed)
        for number in range(60):
            writer = chance.choice(("M001", "M002", "orders"))
            if chance.random() < 0.2:
                with (tmp_path / "journal" / f"{writer}.jsonl").open("ab") as file:
                    file.write(b'{"event":"landing-step","atMs":')
            append(
                tmp_path, writer, step(seed * 1000 + number, "x" * chance.randrange(900), at_ms=chance.randrange(90))
            )

    append(tmp_path, "M001", step(0))
    tally, shared = Tally(tmp_path), Journal(tmp_path, "project")
    children = [fork(lambda seed=seed: work(seed)) for seed in (1, 2, 3)]  # type: ignore[misc]
    looks = 0
    while len(tally.events()) < 181 and looks < 20_000:
        before = all_afresh(tmp_path)
        found, mine = tally.events(), shared.everything()
        after = all_afresh(tmp_path)
        assert within(before, found) and within(found, mine) and within(mine, after)  # noqa: PT018
        looks += 1
    assert [wait(pid) for pid in children] == [0] * 3
    assert len(agree(tally, tmp_path)) == 181
    assert shared.everything() == tally.events()


def test_threads_of_one_process_share_it(tmp_path: Path) -> None:
    def work(writer: str) -> None:
        journal = Journal(tmp_path, writer)
        for number in range(40):
            journal.append(step(number))
            assert len(journal.own()) == number + 1
            assert {e.step for e in journal.everything() if isinstance(e, LandingStep)} >= {str(number)}

    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(work, writer) for writer in ("M001", "M002", "M003", "M004")]:
            done.result()
    assert len(agree(of_project(tmp_path), tmp_path)) == 160


def test_all_journals_of_a_project_read_a_line_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    append(tmp_path, "M001", *(step(number) for number in range(50)))
    read: list[bytes] = []
    monkeypatch.setattr(journal_files, "read", lambda line, real=journal_files.read: (read.append(line), real(line))[1])
    for writer in ("M001", "M002", "project"):
        journal = Journal(tmp_path, writer)
        assert journal.append_unless(lambda events: None, step(99)) is None
        assert len(journal.everything()) > 50
        assert journal.own()
    assert len(read) == 53
