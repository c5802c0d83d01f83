"""The journal on disk: torn lines, full disks, many writers, one lock."""

import fcntl
import json
import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from milepost.formats.journal import AnyEvent, BudgetReserved, CapReset, Corrected, LandingStep
from milepost.model.ids import BadId
from milepost.store import journal as journals
from milepost.store.journal import Journal
from store.children import fork, in_child, limit_files_to, wait


def step(number: int, text: str = "", *, at_ms: int | None = None) -> LandingStep:
    at = number if at_ms is None else at_ms
    return LandingStep(at_ms=at, run="r", milestone="M001", step=str(number), detail=text)


def steps(events: Sequence[AnyEvent]) -> list[int]:
    return [int(e.step) for e in events if isinstance(e, LandingStep)]


def path_of(state: Path, writer: str = "M001") -> Path:
    return state / "journal" / f"{writer}.jsonl"


def test_what_is_appended_is_read(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "M001")
    assert (journal.own(), journal.everything(), journal.torn()) == ((), (), 0)
    events = (step(1, "line\none"), CapReset(at_ms=2, run="r", unit="*"), BudgetReserved(at_ms=3, run="r", attempt="a", micro_usd=5))  # fmt: skip # noqa: E501
    for event in events:
        journal.append(event)
    assert Journal(tmp_path, "M001").own() == events
    first = json.loads(path_of(tmp_path).read_text().splitlines()[0])
    assert first.items() >= {"event": "landing-step", "atMs": 1, "run": "r", "milestone": "M001", "step": "1", "detail": "line\none"}.items()  # fmt: skip # noqa: E501


def test_all_writers_by_time(tmp_path: Path) -> None:
    one, other = Journal(tmp_path, "M001"), Journal(tmp_path, "project")
    one.append(step(1))
    other.append(step(2))
    one.append(step(3))
    other.append(step(4, at_ms=3))
    assert steps(one.everything()) == steps(other.everything()) == [1, 2, 3, 4]
    assert steps(other.own()) == [2, 4]


def test_a_clock_that_steps_back_does_not_turn_a_writers_lines_round(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "M001")
    for number, at_ms in enumerate((500, 900, 100, 950), start=1):
        journal.append(step(number, at_ms=at_ms))
    Journal(tmp_path, "M002").append(step(9, at_ms=600))
    assert steps(journal.everything()) == [1, 9, 2, 3, 4]


@pytest.mark.parametrize(
    "torn",
    [
        *(b'{"event":"landing-st', b"\x00\x00\x00", b"\xff\xfe", b'{"event":"from-the-future"}\n'),
        b'{"event":"landing-step","more":' + b"[" * 100_000 + b"]" * 100_000 + b"}\n",
    ],
    ids=["half", "zeroes", "no text", "newer", "deep"],
)
def test_a_torn_line_ends_where_it_ends(torn: bytes, tmp_path: Path) -> None:
    journal = Journal(tmp_path, "M001")
    journal.append(step(1))
    with path_of(tmp_path).open("ab") as file:
        file.write(torn)
    assert steps(journal.own()) == [1]
    assert journal.torn() == 1
    journal.append(step(2))
    assert steps(journal.own()) == [1, 2]
    assert journal.torn() == 1


def test_a_last_line_that_only_lacks_its_newline_counts(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "M001")
    journal.append(step(1))
    path = path_of(tmp_path)
    path.write_bytes(path.read_bytes().rstrip(b"\n"))
    journal.append(step(2))
    assert steps(journal.own()) == [1, 2]


def test_a_full_disk_is_said_and_the_next_append_is_whole(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "M001")
    journal.append(step(1))
    size = path_of(tmp_path).stat().st_size

    def work() -> None:
        limit_files_to(size + 30)
        # The first write of a line that does not fit is cut short without an error.
        with pytest.raises(OSError, match="too large"):
            journal.append(step(2, "x" * 500))
        with pytest.raises(OSError, match="too large"):
            journal.append(step(3))

    assert in_child(work) == 0
    assert steps(journal.own()) == [1]
    journal.append(step(4))
    assert steps(journal.own()) == [1, 4]
    assert journal.torn() == 1


def test_text_that_is_no_utf8_does_not_stop_the_books(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "M001")
    journal.append(Corrected(at_ms=1, run="r", attempt="a", what="wrote", paths=("caf\udce9.md",)))
    [event] = journal.own()
    assert isinstance(event, Corrected)
    assert event.paths == ("caf?.md",)


def test_many_processes_write_one_file(tmp_path: Path) -> None:
    def work(first: int) -> None:
        journal = Journal(tmp_path, "M001")
        for number in range(first, first + 20):
            journal.append(step(number, "x" * 300))

    children = [fork(lambda first=first: work(first)) for first in (0, 100, 200)]  # type: ignore[misc]
    assert [wait(pid) for pid in children] == [0, 0, 0]
    journal = Journal(tmp_path, "M001")
    assert sorted(steps(journal.everything())) == [*range(20), *range(100, 120), *range(200, 220)]
    assert journal.torn() == 0


def test_asking_and_appending_is_one_step_among_processes(tmp_path: Path) -> None:
    def refuse(events: tuple[AnyEvent, ...]) -> int | None:
        return len(events) if len(events) >= 10 else None

    def work(writer: str) -> None:
        journal = Journal(tmp_path, writer)
        while journal.append_unless(refuse, step(len(journal.everything()))) is None:
            pass

    children = [fork(lambda writer=writer: work(writer)) for writer in ("M001", "M002", "M003")]  # type: ignore[misc]
    assert [wait(pid) for pid in children] == [0, 0, 0]
    assert len(Journal(tmp_path, "project").everything()) == 10


def test_a_refusal_writes_nothing_and_is_handed_on(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "M001")
    assert journal.append_unless(lambda events: "no", step(1)) == "no"
    assert journal.everything() == ()
    assert journal.append_unless(lambda events: None, step(1)) is None
    assert steps(journal.own()) == [1]


def test_the_lock_is_free_after_an_error_in_the_question(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "M001")

    def broken(events: tuple[AnyEvent, ...]) -> str | None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        journal.append_unless(broken, step(1))
    assert in_child(lambda: journal.append_unless(lambda events: None, step(1))) == 0


@pytest.mark.spec(id="FM-35")
def test_the_lock_is_no_file_that_can_be_deleted(tmp_path: Path) -> None:
    def refuse(events: tuple[AnyEvent, ...]) -> int | None:
        for path in (tmp_path / "journal").glob(".*"):
            path.unlink()
        return len(events) if len(events) >= 10 else None

    def work(writer: str) -> None:
        journal = Journal(tmp_path, writer)
        while journal.append_unless(refuse, step(1)) is None:
            pass

    children = [fork(lambda writer=writer: work(writer)) for writer in ("M001", "M002", "M003")]  # type: ignore[misc]
    assert [wait(pid) for pid in children] == [0, 0, 0]
    assert len(Journal(tmp_path, "project").everything()) == 10


def test_a_directory_that_was_removed_and_made_again_is_locked_again(tmp_path: Path) -> None:
    asked, ask = os.pipe()
    go, told = os.pipe()

    def hold(events: tuple[AnyEvent, ...]) -> str:
        os.write(ask, b"!")
        os.read(go, 1)
        return "no"

    first = fork(lambda: Journal(tmp_path, "M001").append_unless(hold, step(1)))
    assert os.read(asked, 1) == b"!"
    second = fork(lambda: Journal(tmp_path, "M001").append_unless(lambda events: None, step(2)))
    (tmp_path / "journal").rename(tmp_path / "old")
    # Who begins after that waits for nobody; who waits for the old one goes on with the new one.
    assert Journal(tmp_path, "M002").append_unless(lambda events: None, step(3)) is None
    os.write(told, b"!")
    assert (wait(first), wait(second)) == (0, 0)
    assert steps(Journal(tmp_path, "project").everything()) == [2, 3]
    assert list((tmp_path / "old").iterdir()) == []


@pytest.mark.parametrize("fragment", [b'{"event":"landing-st', b'{"event":"cap-reset","atMs":1,"run":"r","unit":"*"}'])
def test_a_line_that_another_one_tore_meanwhile_is_written_again(
    fragment: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(tmp_path, "orders")
    journal.append(step(1))
    real = journals._ends_clean
    torn: list[bytes] = []

    def tears_after_the_first_look(descriptor: int, size: int) -> bool:
        clean = real(descriptor, size)
        if not torn:
            torn.append(fragment)
            with path_of(tmp_path, "orders").open("ab") as file:
                file.write(fragment)
        return clean

    monkeypatch.setattr(journals, "_ends_clean", tears_after_the_first_look)
    journal.append(step(2))
    assert steps(journal.own()) == [1, 2]
    assert journal.torn() == 1
    journal.append(step(3))
    assert steps(journal.own()) == [1, 2, 3]


def test_a_lock_on_the_file_itself_stops_nobody(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "M001")
    journal.append(step(1))
    # So the guard of a lease is held, for life, by the very process that writes.
    with path_of(tmp_path).open("rb") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        journal.append(step(2))
        assert journal.append_unless(lambda events: None, step(3)) is None
        assert in_child(lambda: journal.append(step(4))) == 0
    assert steps(journal.own()) == [1, 2, 3, 4]


@pytest.mark.spec(id="FM-48")
@pytest.mark.parametrize(
    "name", ["M001 2.jsonl", "M001 (1).jsonl", "M001-LAPTOP.jsonl", "M001.sync-conflict-1.jsonl", "Project.jsonl", ".M001.jsonl"]
)  # fmt: skip
def test_what_a_cloud_drive_copied_does_not_count_twice(name: str, tmp_path: Path) -> None:
    journal = Journal(tmp_path, "M001")
    journal.append(step(1))
    path_of(tmp_path).with_name(name).write_bytes(path_of(tmp_path).read_bytes() + b"torn")
    assert steps(journal.everything()) == [1]
    assert journal.torn() == 0


@pytest.mark.parametrize("writer", ["../M001", "M001 2", "", "M001/x", "M001-descriptor", "Project"])
def test_a_writer_nobody_would_read_is_refused(writer: str, tmp_path: Path) -> None:
    with pytest.raises(BadId):
        Journal(tmp_path, writer)


def test_a_pipe_instead_of_a_file_is_said_and_hangs_nobody(tmp_path: Path) -> None:
    (tmp_path / "journal").mkdir()
    os.mkfifo(path_of(tmp_path))
    with pytest.raises(OSError, match=r"not a regular file: .*M001\.jsonl"):
        Journal(tmp_path, "project").everything()


def test_a_link_in_its_place_is_not_written_through(tmp_path: Path) -> None:
    mine = tmp_path / "mine.jsonl"
    mine.write_text("precious\n")
    path = path_of(tmp_path)
    path.parent.mkdir()
    path.symlink_to(mine)
    with pytest.raises(OSError, match=str(path)):
        Journal(tmp_path, "M001").append(step(1))
    assert mine.read_text() == "precious\n"


def test_credentials_are_taken_out_of_texts_and_of_nothing_else(tmp_path: Path) -> None:
    known, shaped = 'qk9-ZZtop"1x22', "ghp_" + "a1B2" * 9
    journal = Journal(tmp_path, "M001", known_secrets=(known, "17637600"))
    told = Corrected(
        at_ms=1763760000000, run="r1763760000000", attempt="a17637600", what=f"say {known}", paths=(shaped, "x")
    )
    journal.append(told)
    [event] = journal.own()
    assert isinstance(event, Corrected)
    assert (event.at_ms, event.run, event.attempt) == (told.at_ms, told.run, told.attempt)
    assert event.what == "say [redacted: known value]"
    assert event.paths == ("[redacted: GitHub token]", "x")
    assert journal.torn() == 0
    raw = path_of(tmp_path).read_text()
    assert "qk9-ZZtop" not in raw
    assert "ghp_" not in raw
