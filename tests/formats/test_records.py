"""JSON records: bytes as GSD writes them, unknown fields passed over, corrupt files named."""

import json
from collections.abc import Callable
from typing import ClassVar

import msgspec
import pytest

from milepost.errors import FormatError
from milepost.formats import evidence, lock, meta, metrics, orchestrator, signal, status, unit_record
from milepost.model.units import Unit, UnitKind


def dump(value: object) -> bytes:
    return json.dumps(value, indent=2, ensure_ascii=False).encode()


VERIFY = {
    "schemaVersion": 1,
    "taskId": "T01",
    "unitId": "M001/S01/T01",
    "timestamp": 1780398388341,
    "passed": True,
    "discoverySource": "task-plan",
    "checks": [{"command": "cargo test ✓", "exitCode": 0, "durationMs": 118, "verdict": "pass"}],
}
STATUS = {
    "milestoneId": "M001",
    "pid": 4711,
    "state": "running",
    "currentUnit": {"type": "execute-task", "id": "M001/S01/T01", "startedAt": 1},
    "completedUnits": 3,
    "cost": 0.42,
    "lastHeartbeat": 2,
    "startedAt": 1,
    "worktreePath": "/p",
}
LOCK = {
    "pid": 51139,
    "startedAt": "2026-03-12T09:08:56.164Z",
    "unitType": "complete-slice",
    "unitId": "M001/S04",
    "unitStartedAt": "2026-03-12T09:08:56.164Z",
    "completedUnits": 0,
    "sessionFile": "/x.jsonl",
}
SIGNAL = {"signal": "pause", "sentAt": 3, "from": "coordinator"}
ORCHESTRATOR = {
    "active": True,
    "workers": [
        {
            "milestoneId": "M001",
            "title": "T",
            "pid": 1,
            "worktreePath": "/p",
            "startedAt": 1,
            "state": "error",
            "completedUnits": 0,
            "cost": 0.5,
        }
    ],
    "totalCost": 0.5,
    "startedAt": 1,
    "configSnapshot": {"max_workers": 2, "budget_ceiling": 10.5},
}


@pytest.mark.parametrize(
    ("content", "newline", "through"),
    [
        (VERIFY, b"\n", lambda data: evidence.encode(evidence.decode(data, "p"))),
        (STATUS, b"", lambda data: status.encode(status.decode(data))),  # type: ignore[arg-type]
        ({**STATUS, "currentUnit": None}, b"", lambda data: status.encode(status.decode(data))),  # type: ignore[arg-type]
        (LOCK, b"", lambda data: lock.encode(lock.decode(data))),  # type: ignore[arg-type]
        (SIGNAL, b"", lambda data: signal.encode(signal.decode(data))),
        ({**SIGNAL, "run": "r-1"}, b"", lambda data: signal.encode(signal.decode(data))),
        (ORCHESTRATOR, b"", lambda data: orchestrator.encode(orchestrator.decode(data))),  # type: ignore[arg-type]
    ],
)
def test_bytes_come_back_and_unknown_fields_do_no_harm(
    content: dict[str, object], newline: bytes, through: Callable[[bytes], bytes]
) -> None:
    assert through(dump(content) + newline) == dump(content) + newline
    assert through(dump({**content, "later": {"x": 1}})) == dump(content) + newline


CORRUPT = [b"", b"{", b"[]", b"null", b'{"pid": "x"}', b"\xff\xfe", b"[" * 100_000]


@pytest.mark.parametrize("data", CORRUPT)
def test_corrupt_files_that_count_as_none(data: bytes) -> None:
    assert [decode(data) for decode in (lock.decode, status.decode, orchestrator.decode, unit_record.decode)] == [
        None
    ] * 4


@pytest.mark.parametrize("data", CORRUPT)
@pytest.mark.parametrize("decode", [signal.decode, evidence.decode])
def test_corrupt_files_that_are_reported(data: bytes, decode: Callable[[bytes, str], object]) -> None:
    with pytest.raises(FormatError, match="p/x"):
        decode(data, "p/x")


@pytest.mark.parametrize("data", [data for data in CORRUPT if not data.startswith(b'{"')])
def test_a_corrupt_ledger_is_reported(data: bytes) -> None:
    with pytest.raises(FormatError, match="p/x"):
        metrics.decode(data, "p/x")


def test_a_lock_needs_a_pid() -> None:
    assert lock.decode(dump({**LOCK, "pid": 0})) is None
    assert lock.decode(dump({**LOCK, "pid": -1})) is None


def test_an_order_that_nobody_knows_is_refused() -> None:
    with pytest.raises(FormatError):
        signal.decode(dump({**SIGNAL, "signal": "dance"}))


class TestEvidence:
    def test_what_only_says_passed(self) -> None:
        assert evidence.decode(dump(VERIFY), "p").outcome is evidence.Verdict.PASS
        assert evidence.decode(dump({**VERIFY, "passed": False}), "p").outcome is evidence.Verdict.FAIL

    def test_ours(self) -> None:
        check = evidence.Check(command="x", exit_code=1, duration_ms=2, verdict=evidence.Verdict.FAIL, stdout="o")
        ours = evidence.Evidence(
            task_id="T01", unit_id="M001/S01/T01", timestamp=1, passed=False, discovery_source="preference",
            checks=(check,), retry_attempt=1, max_retries=2, verdict=evidence.Verdict.INCONCLUSIVE, tree_id="abc",
        )  # fmt: skip
        data = evidence.encode(ours)
        assert evidence.decode(data, "p") == ours
        assert ours.outcome is evidence.Verdict.INCONCLUSIVE
        assert list(json.loads(data))[:7] == list(VERIFY)
        assert "stderr" not in json.loads(data)["checks"][0]


class TestMetrics:
    ROW = metrics.Row(
        type="execute-task", id="M001/S01/T01", model="m", started_at=1, finished_at=2,
        tokens=metrics.Tokens(input=1, output=2, total=3), cost=None, attempt="a-1",
    )  # fmt: skip
    THEIRS: ClassVar = {"type": "plan-slice", "id": "M001/S01", "cost": 0, "cacheHitRate": 90, "odd": [1]}

    def ledger(self, *rows: object) -> bytes:
        return dump({"version": 1, "projectStartedAt": 5, "units": list(rows), "note": "kept"}) + b"\n"

    def test_rows_of_others_stay_as_they_are(self) -> None:
        data = self.ledger(self.THEIRS)
        assert metrics.encode(metrics.decode(data)) == data
        after = json.loads(metrics.encode(metrics.project(metrics.decode(data), [self.ROW])))
        assert after["units"][0] == self.THEIRS
        assert after["note"] == "kept"
        assert after["units"][1]["cost"] is None
        assert list(after["units"][1]) == [
            "type", "id", "model", "startedAt", "finishedAt", "tokens", "cost", "toolCalls", "assistantMessages",
            "userMessages", "attempt",
        ]  # fmt: skip

    def test_twice_is_once_and_places_are_kept(self) -> None:
        once = metrics.project(metrics.decode(self.ledger(self.THEIRS)), [self.ROW])
        later = msgspec.structs.replace(self.ROW, attempt="a-2")
        assert metrics.project(once, [self.ROW]) == once
        twice = metrics.project(once, [later, self.ROW])
        assert [unit.get("attempt") for unit in twice.units] == [None, "a-1", "a-2"]

    def test_what_the_journal_forgot_stays(self) -> None:
        once = metrics.project(metrics.decode(self.ledger()), [self.ROW])
        assert metrics.project(once, []) == once

    @pytest.mark.parametrize("content", [{"units": {}}, {"units": [1]}, {"projectStartedAt": "x"}])
    def test_wrong_shapes(self, content: object) -> None:
        with pytest.raises(FormatError):
            metrics.decode(dump(content))


class TestMeta:
    def test_other_keys_stay(self) -> None:
        text = meta.with_integration_branch('{"a": [1], "integrationBranch": "x"}', "main")
        assert text == '{\n  "a": [\n    1\n  ],\n  "integrationBranch": "main"\n}\n'
        assert meta.integration_branch(text) == "main"

    @pytest.mark.parametrize("text", [None, "", "{", "[]", '{"integrationBranch": ""}', '{"integrationBranch": 1}'])
    def test_no_branch(self, text: str | None) -> None:
        assert meta.integration_branch(text) is None

    def test_a_new_file(self) -> None:
        assert meta.with_integration_branch(None, "main") == '{\n  "integrationBranch": "main"\n}\n'

    @pytest.mark.parametrize("text", ["{", "[]", "nonsense"])
    def test_what_is_not_understood_is_not_replaced(self, text: str) -> None:
        with pytest.raises(FormatError):
            meta.with_integration_branch(text, "main")


def test_unit_record() -> None:
    unit = Unit(kind=UnitKind.EXECUTE_TASK, id="M001/S01/T02")
    assert unit_record.file_name(unit) == "execute-task-M001-S01-T02.json"
    record = unit_record.UnitRecord(
        unit_type=unit.kind, unit_id=unit.id, started_at=1, updated_at=2, phase=unit_record.RecordPhase.DISPATCHED,
        last_progress_at=1, attempt="a-1",
    )  # fmt: skip
    data = unit_record.encode(record)
    assert unit_record.decode(data) == record
    assert "recovery" not in json.loads(data)
    assert json.loads(data)["timeoutAt"] is None
