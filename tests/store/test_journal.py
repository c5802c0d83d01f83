"""The journal on disk: torn lines, full disks, many writers, one lock."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from milepost.formats.journal import AnyEvent, BudgetReserved, CapReset, Corrected, LandingStep
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
    assert first == {"event": "landing-step", "atMs": 1, "run": "r", "milestone": "M001", "step": "1", "detail": "line\none"}  # fmt: skip # noqa: E501


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
    "torn", [b'{"event":"landing-st', b"\x00\x00\x00", b"\xff\xfe", b'{"event":"from-the-future"}\n']
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
