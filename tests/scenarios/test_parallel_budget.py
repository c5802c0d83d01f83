"""Money when several workers spend it at once: real processes, one journal, a small ceiling."""

import random
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from milepost.formats.journal import (
    AnyEvent,
    AttemptEnded,
    AttemptStarted,
    BudgetAlerted,
    BudgetReserved,
    CapReset,
    Result,
    RunEnded,
    RunStarted,
    UsageReported,
)
from milepost.rules import budget
from milepost.store.journal import Journal
from scenarios.spender import Plan
from scenarios.stage import BUDGET, wait_until

SESSION = "f-1"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    made = tmp_path / "project"
    (made / ".gsd" / "journal").mkdir(parents=True)
    return made


class Spenders:
    """Processes at work; none survives the test."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self.gate = root / "gate"
        self.hold = root / "hold"

    def start(self, number: int, units: Sequence[Sequence[int]], **plan: object) -> None:
        """One more, for M00n."""
        run = str(plan.pop("run", f"r-{number}"))
        facts = {"root": str(self.root), "milestone": f"M{number:03}", "run": run, "gate": str(self.gate)}
        made = msgspec.convert({**facts, "units": [list(prices) for prices in units], **plan}, Plan)
        path = self.root / f"{run}.json"
        path.write_bytes(msgspec.json.encode(made))
        self.running[run] = subprocess.Popen(
            [sys.executable, "-m", "scenarios.spender", str(path)],
            cwd=Path(__file__).parent.parent, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def ends(self) -> dict[str, int]:
        """Wait for all; the exit codes."""
        codes = {}
        for run, process in self.running.items():
            out, _ = process.communicate(timeout=120)
            codes[run] = process.returncode
            assert b"Traceback" not in out, out.decode()
        return codes

    def release(self) -> None:
        """Let them begin, all at once."""
        wait_until(lambda: {e.run for e in self.events()} >= set(self.running), seconds=60)
        self.gate.touch()

    def told(self) -> str:
        """What the workers said."""
        return "".join(path.read_text() for path in sorted(self.root.glob("*.told")))

    def events(self) -> tuple[AnyEvent, ...]:
        return Journal(self.root / ".gsd", "project").everything()


@contextmanager
def spenders(root: Path) -> Iterator[Spenders]:
    them = Spenders(root)
    try:
        yield them
    finally:
        for process in them.running.values():
            process.kill()
            process.communicate()


def prices(events: Sequence[AnyEvent]) -> dict[str, list[int]]:
    """What each run's requests cost, in its order."""
    found: dict[str, list[int]] = {}
    for event in events:
        if isinstance(event, UsageReported):
            found.setdefault(event.run, []).append(event.micro_usd or 0)
    return found


def require_bound(events: Sequence[AnyEvent], ceiling: int) -> int:
    """What the documentation promises: without each worker's last request, the ceiling was never passed."""
    spent = prices(events)
    total = sum(map(sum, spent.values()))
    assert total - sum(of[-1] for of in spent.values()) <= ceiling
    assert total == budget.books(events).spent
    return total


@pytest.mark.covers("key:parallel.budget_ceiling")
@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.spec(id="DV-02")
@pytest.mark.spec(id="FM-35")
@pytest.mark.spec(id="PR-063")
@pytest.mark.spec(id="PR-141")
@pytest.mark.spec(id="PR-175")
def test_six_workers_race_for_a_small_ceiling(seed: int, root: Path) -> None:
    """Prices vary from nothing to a tenth of the ceiling; many units cost more than was thought."""
    chance = random.Random(seed)
    with spenders(root) as them:
        for number in range(1, 7):
            units = [
                [chance.choice((500, 3_000, 20_000, 90_000)) for _ in range(chance.randint(1, 6))] for _ in range(4)
            ]
            them.start(number, units, ceiling=1.0)
        them.release()
        assert set(them.ends().values()) == {BUDGET}
        events = them.events()
    spent = require_bound(events, 1_000_000)
    assert spent <= 1_000_000 + 6 * 90_000
    assert spent >= 500_000, "it was there to be spent"
    reasons = [e.reason for e in events if isinstance(e, RunEnded)]
    assert len(reasons) == 6
    assert all(reason.startswith("fleet: ") for reason in reasons)
    said = [e.percent for e in events if isinstance(e, BudgetAlerted)]
    assert len(said) == len(set(said)), "a level was announced twice"
    assert them.told().count("of $1.00 is spent (") == len(said)


@pytest.mark.spec(id="DV-02")
@pytest.mark.spec(id="FM-35")
@pytest.mark.spec(id="PR-141")
def test_six_workers_in_the_middle_of_long_units_stop_together(root: Path) -> None:
    """Each unit would cost four times the ceiling; every worker stops at the request that was on its way."""
    with spenders(root) as them:
        for number in range(1, 7):
            them.start(number, [[10_000] * 200], ceiling=0.5, hold=str(them.hold))
        them.release()
        wait_until(lambda: len([e for e in them.events() if isinstance(e, AttemptStarted)]) == 6, seconds=60)
        them.hold.touch()
        assert set(them.ends().values()) == {BUDGET}
        events = them.events()
    spent = require_bound(events, 500_000)
    assert 500_000 < spent <= 500_000 + 6 * 10_000
    assert len(prices(events)) == 6, "all of them were at work"
    assert {e.result for e in events if isinstance(e, AttemptEnded)} == {Result.OVER_BUDGET}


@pytest.mark.spec(id="FM-35")
@pytest.mark.spec(id="DV-02")
def test_two_workers_reserve_the_last_dollar_at_the_same_time(root: Path) -> None:
    """Six want the last dollar: one has it, five wait for what it will have cost, and end when it is spent."""
    before = Journal(root / ".gsd", "M000")
    for event in _history(4_000_000):
        before.append(event)
    # A long history: asking takes so long that all six ask at once.
    line = msgspec.json.encode(CapReset(at_ms=1, run="r-0", unit="*")) + b"\n"
    (root / ".gsd" / "journal" / "old.jsonl").write_bytes(line * 30_000)
    with spenders(root) as them:
        for number in range(1, 7):
            them.start(number, [[1_000_000]], ceiling=5.5, hold=str(them.hold))
        them.release()
        wait_until(lambda: them.told().count("waiting for money") == 5, seconds=60)
        claims = [e for e in them.events() if isinstance(e, BudgetReserved)]
        assert [claim.micro_usd for claim in claims] == [1_000_000]
        assert all(process.poll() is None for process in them.running.values())
        them.hold.touch()
        assert set(them.ends().values()) == {BUDGET}
        events = them.events()
    assert len([e for e in events if isinstance(e, BudgetReserved)]) == 1
    assert budget.books(events).spent == 5_000_000
    assert {e.reason for e in events if isinstance(e, RunEnded) and e.run != "r-0"} == {"fleet: 5000000 of 5500000"}


@pytest.mark.spec(id="FM-35")
def test_who_waits_for_a_worker_that_is_killed_goes_on(root: Path) -> None:
    for event in _history(4 * 95_000, fleet="f-0"):
        Journal(root / ".gsd", "M000").append(event)
    with spenders(root) as them:
        them.start(1, [[90_000]], ceiling=0.1, hold=str(them.hold))
        them.gate.touch()
        wait_until(lambda: any(isinstance(e, BudgetReserved) for e in them.events()), seconds=60)
        them.start(2, [[90_000]], ceiling=0.1, run="r-2")
        wait_until(lambda: "waiting for money" in them.told(), seconds=60)
        them.running["r-1"].kill()
        assert them.running["r-2"].wait(timeout=120) == BUDGET
        events = them.events()
    assert prices(events)["r-2"] == [90_000], "what the dead one had reserved was free"
    assert "r-1" not in prices(events)


@pytest.mark.spec(id="PR-142")
@pytest.mark.spec(id="FM-34")
@pytest.mark.spec(id="FM-36")
def test_each_worker_has_its_own_ceiling_too(root: Path) -> None:
    for event in _history(50_000_000, fleet="f-0", kind="plan-milestone"):
        Journal(root / ".gsd", "M000").append(event)
    with spenders(root) as them:
        them.start(1, [[30_000]], own=0.2, ceiling=10)
        them.start(2, [[1_000, 30_000]], own=0.2, ceiling=10)
        them.gate.touch()
        assert set(them.ends().values()) == {BUDGET}
        events = them.events()
    found = budget.standing(events, SESSION, budget.Limits(fleet=10_000_000, own=200_000))
    for name in ("M001", "M002"):
        line = found.workers[name]
        assert 200_000 - 60_000 <= line.books.spent <= 200_000 + 30_000
        assert [e.reason.split(":")[0] for e in events if isinstance(e, RunEnded) and e.milestone == name] == [name]
    assert found.fleet.books.spent == sum(line.books.spent for line in found.workers.values())
    assert found.fleet.books.reserved == 0


@pytest.mark.spec(id="PR-197")
def test_raising_the_ceiling_lets_every_worker_go_on(root: Path) -> None:
    with spenders(root) as them:
        them.gate.touch()
        for round_, ceiling in enumerate((0.3, 0.6), start=1):
            for number in (1, 2, 3):
                them.start(number, [[20_000]], ceiling=ceiling, run=f"r-{number}-{round_}")
            assert set(them.ends().values()) == {BUDGET}
            spent = require_bound(them.events(), round(ceiling * 1_000_000))
            assert round(ceiling * 1_000_000) - 20_000 < spent
        ends = [e for e in them.events() if isinstance(e, AttemptEnded)]
    assert len(ends) == 30


def _history(micro_usd: int, fleet: str = SESSION, kind: str = "execute-task") -> list[AnyEvent]:
    """Four units of the past: the next of that kind is expected to cost a quarter of the sum."""
    events: list[AnyEvent] = [
        RunStarted(at_ms=1, run="r-0", pid=1, version="", command="auto", milestone="M000", fleet=fleet)
    ]
    for number in range(4):
        attempt = f"old-{number}"
        events += [
            AttemptStarted(
                at_ms=1, run="r-0", attempt=attempt, kind=kind, unit=f"M000/S01/T{number}", base="",
                branch="", fingerprint="", number=1,
            ),
            UsageReported(
                at_ms=1, run="r-0", attempt=attempt, model="m", input=1, output=1, micro_usd=micro_usd // 4
            ),
            AttemptEnded(at_ms=1, run="r-0", attempt=attempt, result=Result.COMMITTED),
        ]  # fmt: skip
    return [*events, RunEnded(at_ms=1, run="r-0", state="done", reason="", milestone="M000")]
