"""The project's notebooks, changed by several at once."""

import multiprocessing
import threading
from pathlib import Path

import pytest

from milepost.errors import FormatError
from milepost.formats import captures, knowledge, overrides
from milepost.model.moments import iso
from milepost.store import notebook

AT = 1_763_760_000_123


def _many(state: Path, worker: int) -> None:
    for number in range(10):
        notebook.capture(state, f"thought {worker}-{number}", at_ms=AT)


def test_captures_of_several_processes_are_all_there(tmp_path: Path) -> None:
    state = tmp_path / ".gsd"
    state.mkdir()
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=_many, args=(state, number)) for number in range(3)]
    for worker in workers:
        worker.start()
    threads = [threading.Thread(target=_many, args=(state, number)) for number in (7, 8)]
    for thread in threads:
        thread.start()
    for one in (*workers, *threads):
        one.join()
    found = captures.parse((state / "CAPTURES.md").read_text())
    assert {entry.text for entry in found} == {f"thought {w}-{n}" for w in (0, 1, 2, 7, 8) for n in range(10)}
    assert len({entry.id for entry in found}) == 50
    assert all(entry.captured == "2025-11-21T21:20:00.123Z" and entry.status == "pending" for entry in found)


def test_a_lower_case_notebook_is_gone_on_with(tmp_path: Path) -> None:
    state = tmp_path / ".gsd"
    state.mkdir()
    (state / "captures.md").write_text("# Captures\n")
    notebook.capture(state, "here", at_ms=AT)
    assert [path.name for path in state.glob("*.md")] == ["captures.md"]


def test_orders_are_appended_and_old_ones_stay_word_for_word(tmp_path: Path) -> None:
    state = tmp_path / ".gsd"
    state.mkdir()
    first = "# GSD Overrides\r\n\r\n## Override: x\r\n\r\n**Change:** one\r\n**Scope:** resolved\r\n\r\n---"
    (state / "OVERRIDES.md").write_bytes(first.encode())
    notebook.steer(state, overrides.Override(iso(AT), "use a queue", "active", "M001/S01/T02"))
    text = (state / "OVERRIDES.md").read_bytes().decode()
    assert text.startswith(first)
    assert overrides.active(text) == (
        overrides.Override("2025-11-21T21:20:00.123Z", "use a queue", "active", "M001/S01/T02"),
    )


def test_rows_of_knowledge_get_the_next_id(tmp_path: Path) -> None:
    state = tmp_path / ".gsd"
    state.mkdir()
    ids = [notebook.learn(state, knowledge.Kind.RULE, said, scope="M001/S02") for said in ("one", "two | three")]
    assert ids == ["K001", "K002"]
    text = (state / "KNOWLEDGE.md").read_text()
    assert "| K001 | M001/S02 | one | — | manual |" in text
    assert "| K002 | M001/S02 | two \\| three | — | manual |" in text


def test_a_change_that_fails_leaves_the_file(tmp_path: Path) -> None:
    state = tmp_path / ".gsd"
    state.mkdir()
    notebook.capture(state, "kept", at_ms=AT)
    before = (state / "CAPTURES.md").read_bytes()
    with pytest.raises(FormatError, match="CAP-nobody"):
        notebook.change(state, notebook.CAPTURES, lambda text: captures.mark_executed(text, "CAP-nobody", at="x"))
    assert (state / "CAPTURES.md").read_bytes() == before
    assert notebook.change(state, notebook.CAPTURES, lambda text: text) is False
