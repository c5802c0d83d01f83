"""`memories.jsonl` on disk."""

import multiprocessing
from pathlib import Path

from milepost.formats.memory import Category, Created, Fact
from milepost.rules import memories as rules
from milepost.store import memories

CREATE = rules.Origin(at_ms=1)


def create(facts: tuple[Fact, ...], content: str) -> list[Fact]:
    return [rules.created(facts, content, Category.GOTCHA, CREATE, 0.8)]


def _write(state: Path, who: int) -> None:
    for number in range(20):
        memories.add(state, lambda facts: create(facts, f"{who} {number}"))  # noqa: B023 (called at once)


def test_nothing_is_remembered_at_first(tmp_path: Path) -> None:
    assert memories.read(tmp_path) == ()


def test_writers_at_once_lose_nothing_and_share_no_id(tmp_path: Path) -> None:
    crew = [multiprocessing.get_context("spawn").Process(target=_write, args=(tmp_path, n)) for n in range(3)]
    for one in crew:
        one.start()
    for one in crew:
        one.join()
    found = [fact.id for fact in memories.read(tmp_path) if isinstance(fact, Created)]
    assert sorted(found) == [f"MEM{n:03d}" for n in range(1, 61)]


def test_a_torn_line_costs_only_itself(tmp_path: Path) -> None:
    memories.add(tmp_path, lambda facts: create(facts, "first"))
    path = tmp_path / memories.NAME
    path.write_bytes(path.read_bytes() + b'{"fact":"created","id":"ME')
    memories.add(tmp_path, lambda facts: create(facts, "second"))
    assert [memory.content for memory in rules.fold(memories.read(tmp_path))] == ["first", "second"]


def test_only_one_has_the_turn(tmp_path: Path) -> None:
    with memories.turn(tmp_path) as first, memories.turn(tmp_path) as second:
        assert (first, second) == (True, False)
    with memories.turn(tmp_path) as again:
        assert again


def test_the_file_is_for_its_owner_only(tmp_path: Path) -> None:
    memories.add(tmp_path, lambda facts: create(facts, "x"))
    assert (tmp_path / memories.NAME).stat().st_mode & 0o077 == 0
