"""`metrics.json` and `auto.lock`, made from the journal."""

import json
import os
from pathlib import Path

import pytest

from milepost.errors import FormatError
from milepost.formats.journal import AnyEvent, AttemptEnded, AttemptStarted, Result, SessionEnded, UsageReported
from milepost.formats.lock import Lock
from milepost.store import ledger


def attempt(name: str, at_ms: int, *prices: int | None, result: Result | None = Result.COMMITTED) -> list[AnyEvent]:
    started = AttemptStarted(
        at_ms=at_ms, run="r", attempt=name, kind="execute-task", unit="M001/S01/T01", base="", branch="",
        fingerprint="", number=1, prompt_chars=77,
    )  # fmt: skip
    uses = [
        UsageReported(
            at_ms=at_ms + n, run="r", attempt=name, model=f"m{n}", input=10, output=2, cache_read=3, cache_write=1,
            micro_usd=price,
        )
        for n, price in enumerate(prices, start=1)
    ]  # fmt: skip
    said = SessionEnded(at_ms=at_ms + 50, run="r", attempt=name, stop="end", requests=len(prices), tool_calls=4)
    ended = [AttemptEnded(at_ms=at_ms + 90, run="r", attempt=name, result=result)] if result else []
    return [started, *uses, said, *ended]


def read(state: Path) -> dict[str, object]:
    found = json.loads((state / "metrics.json").read_bytes())
    assert isinstance(found, dict)
    return found


def test_one_row_per_attempt_that_made_a_request(tmp_path: Path) -> None:
    ledger.publish(tmp_path, [*attempt("a", 1_000, 500, 1_500), *attempt("b", 2_000), *attempt("c", 3_000, 7)])
    found = read(tmp_path)
    assert found["projectStartedAt"] == 1_000
    assert isinstance(found["units"], list)
    assert [row["attempt"] for row in found["units"]] == ["a", "c"]
    assert found["units"][0] == {
        "type": "execute-task", "id": "M001/S01/T01", "model": "m2", "startedAt": 1_000, "finishedAt": 1_090,
        "tokens": {"input": 20, "output": 4, "cacheRead": 6, "cacheWrite": 2, "total": 32}, "cost": 0.002,
        "toolCalls": 4, "assistantMessages": 2, "userMessages": 1, "apiRequests": 2, "promptCharCount": 77,
        "attempt": "a", "result": "committed",
    }  # fmt: skip


def test_a_price_nobody_knows_is_null(tmp_path: Path) -> None:
    [row] = ledger.rows(attempt("a", 0, 500, None))
    assert row.cost is None


def test_an_open_attempt_is_a_row_without_a_result() -> None:
    [row] = ledger.rows(attempt("a", 100, 500, result=None))
    assert (row.finished_at, row.assistant_messages) == (101, 1)
    assert not isinstance(row.result, str)


THEIRS = {"type": "plan-slice", "id": "M000/S01", "cost": 1.5, "tier": "heavy", "made": {"up": [1, None]}}


def test_rows_of_others_stay_and_publishing_twice_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "metrics.json").write_text(json.dumps({"version": 1, "projectStartedAt": 5, "units": [THEIRS], "x": 1}))
    ledger.publish(tmp_path, attempt("a", 1_000, 500))
    once = (tmp_path / "metrics.json").read_bytes()
    ledger.publish(tmp_path, attempt("a", 1_000, 500))
    assert (tmp_path / "metrics.json").read_bytes() == once
    found = read(tmp_path)
    assert isinstance(found["units"], list)
    assert (found["units"][0], len(found["units"]), found["projectStartedAt"], found["x"]) == (THEIRS, 2, 5, 1)
    assert ledger.carried(tmp_path) == 1_500_000


@pytest.mark.parametrize(
    ("costs", "micro_usd"),
    [
        ([], 0),
        ([0.000001, 2], 2_000_001),
        ([None, "3", True, [1]], 0),
        ([-0.5, 1], 1_000_000),
        ([1e308, 1], 1_000_000),
    ],
)
def test_what_others_spent(costs: list[object], micro_usd: int, tmp_path: Path) -> None:
    units = [{"type": "t", "id": "i", "cost": cost} for cost in costs] + [
        {"cost": 9.0, "attempt": "ours"},
        {"type": "t"},
    ]
    (tmp_path / "metrics.json").write_text(json.dumps({"version": 1, "projectStartedAt": 5, "units": units}))
    assert ledger.carried(tmp_path) == micro_usd


def test_nothing_was_carried_where_there_is_no_ledger(tmp_path: Path) -> None:
    assert ledger.carried(tmp_path) == 0


@pytest.mark.parametrize("text", ["", "{", "[]", '{"units": 3}', '{"units": [4]}', "[" * 100_000])
def test_a_ledger_that_cannot_be_read_is_not_replaced(text: str, tmp_path: Path) -> None:
    path = tmp_path / "metrics.json"
    path.write_text(text)
    with pytest.raises(FormatError, match=r"metrics\.json"):
        ledger.publish(tmp_path, attempt("a", 0, 1))
    with pytest.raises(FormatError):
        ledger.carried(tmp_path)
    assert path.read_text() == text


def test_the_lock(tmp_path: Path) -> None:
    record = Lock(pid=7, started_at="t", unit_type="execute-task", unit_id="M001/S01/T01", unit_started_at="t")
    assert ledger.read_lock(tmp_path) is None
    ledger.write_lock(tmp_path, record)
    assert ledger.read_lock(tmp_path) == record
    assert json.loads((tmp_path / "auto.lock").read_text())["unitId"] == "M001/S01/T01"
    ledger.unlock(tmp_path)
    ledger.unlock(tmp_path)
    assert ledger.read_lock(tmp_path) is None


@pytest.mark.parametrize("text", ["", "{", '{"pid": 0}', "12", "[" * 100_000])
def test_a_lock_that_cannot_be_read_is_none(text: str, tmp_path: Path) -> None:
    (tmp_path / "auto.lock").write_text(text)
    assert ledger.read_lock(tmp_path) is None


def test_pipes_in_the_place_of_our_files_hang_nobody(tmp_path: Path) -> None:
    for name in ("metrics.json", "auto.lock"):
        os.mkfifo(tmp_path / name)
    assert ledger.read_lock(tmp_path) is None
    with pytest.raises(OSError, match="not a regular file"):
        ledger.carried(tmp_path)


def test_what_was_asked_beside_the_work_has_its_own_row() -> None:
    def asked(name: str, at_ms: int) -> UsageReported:
        return UsageReported(at_ms=at_ms, run="r", attempt=name, model="small", input=10, output=2, micro_usd=7)

    made = ledger.rows(
        [*attempt("a", 1_000, 500), asked("memory.a", 1_200), asked("memory.a", 1_300), asked("forensics.f1", 9_000)]
    )
    assert [(row.type, row.id, row.attempt) for row in made[1:]] == [
        ("memory", "M001/S01/T01", "memory.a"),
        ("forensics", "", "forensics.f1"),
    ]  # fmt: skip
    memory = made[1]
    assert (memory.cost, memory.tokens.total, memory.api_requests) == (0.000014, 24, 2)
    assert (memory.started_at, memory.finished_at, memory.model) == (1_200, 1_300, "small")
