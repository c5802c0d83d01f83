"""A worker, a coordinator or a merge in miniature, as its own process: the lease, the status file, the orders.

    python -m fleet.standin STATE '{"role": "worker", "milestone": "M001", "run": "r1", …}'

For what only looks at a fleet, or orders it about; the real ones are tested where they live. `unit_s`: how long the
unit in flight goes on after an order. `deaf`: takes no orders and ignores SIGTERM. `brood`: starts a child in a
session of its own and one in the group. `silent`: never beats. Prints `ready` and the pids of its children.
"""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from milepost.formats.journal import OrderTaken, RunEnded, RunStarted
from milepost.formats.signal import Order
from milepost.formats.status import CurrentUnit, LastOrder, Status, WorkerState
from milepost.process import identity, kin
from milepost.store import beacons, mailbox
from milepost.store.journal import Journal
from milepost.store.lease import Holder, Lease

NAP_S = 0.02
FORKER = """
import os, time
while True:
    if os.fork():
        os._exit(0)
    time.sleep(0.001)
"""


@dataclass
class Spec:
    """What is played."""

    role: str = "worker"
    milestone: str = "M001"
    run: str = "r1"
    fleet: str = ""
    unit: str = "execute-task M001/S01/T01"
    unit_s: float = 0.0
    deaf: bool = False
    silent: bool = False
    brood: bool = False
    hires: list[dict[str, object]] = field(default_factory=list)
    """Starts these as its children, each in a session of its own."""
    careless: bool = False
    """Leaves its children behind."""
    forker: bool = False
    """Has a process in its group that forks and ends without pause."""
    lasts_s: float = 0.0
    """Ends by itself after so long; with exit code 3 when it was signalled before."""
    doing: str = "working"
    heartbeat_ms_ago: int = 0
    unlocked: bool = False
    """Holds no lease, as a worker of another program."""
    title: str = "A title"
    cost: float = 0.25
    units: int = 2
    command: str = ""
    said: dict[str, object] = field(default_factory=dict)


def now_ms() -> int:
    return time.time_ns() // 1_000_000


class Player:
    """One process."""

    def __init__(self, state: Path, spec: Spec) -> None:
        self.state, self.spec = state, spec
        self.box = state / "parallel"
        self.terminated = False
        self.children: list[subprocess.Popen[bytes]] = []
        self.began = time.monotonic()
        unit = None
        if spec.unit:
            kind, id_ = spec.unit.split(" ")
            unit = CurrentUnit(type=kind, id=id_, started_at=now_ms())
        own = identity.own()
        self.status = Status(
            milestone_id=spec.milestone, pid=os.getpid(), state=WorkerState.RUNNING, current_unit=unit,
            completed_units=spec.units, cost=spec.cost, last_heartbeat=now_ms(), started_at=now_ms(),
            worktree_path=str(state / "worktrees" / spec.milestone), run=spec.run, host=own.host, boot_id=own.boot_id,
            start_ticks=own.start_ticks, title=spec.title, doing=spec.doing, fleet=spec.fleet, last_progress=now_ms(),
        )  # fmt: skip

    def play(self) -> int:
        signal.signal(signal.SIGTERM, self._hear)
        with ExitStack() as held:
            for name in self._leases():
                held.enter_context(self._lease(name))
            if self.spec.brood:
                self._breed()
            for spec in self.spec.hires:
                self._hire(spec)
            if self.spec.forker:
                subprocess.Popen([sys.executable, "-c", FORKER], stdout=subprocess.DEVNULL).wait()
            if self.spec.role == "worker":
                self._journal(RunStarted, pid=os.getpid(), version="0", command="auto", fleet=self.spec.fleet)
                self.say()
            sys.stdout.write("ready " + " ".join(str(child.pid) for child in self.children) + "\n")
            sys.stdout.flush()
            while not self._over():
                time.sleep(NAP_S)
            if self.spec.role == "worker":
                self._journal(RunEnded, state="interrupted", reason="stopped by request")
                self.say(state=WorkerState.STOPPED, doing="ended", current_unit=None)
            for child in self.children if not self.spec.careless else ():
                child.kill()
        return 3 if self.terminated and self.spec.lasts_s else 0

    def say(self, **changes: object) -> None:
        """Publish, unless silent."""
        beat = now_ms() - self.spec.heartbeat_ms_ago
        self.status = msgspec.structs.replace(self.status, last_heartbeat=beat, **changes)
        if not self.spec.silent:
            beacons.publish(self.box, self.status)

    def _leases(self) -> list[str]:
        if self.spec.unlocked:
            return []
        named = {"worker": [self.spec.milestone], "coordinator": ["coordinator"]}
        return named.get(self.spec.role, ["merge", self.spec.milestone])

    def _lease(self, name: str) -> Lease:
        own = identity.own()
        command = self.spec.command or {"merge": f"merge {self.spec.milestone}"}.get(self.spec.role, "auto")
        holder = Holder(
            pid=own.pid, run=self.spec.run, host=own.host, boot_id=own.boot_id, start_ticks=own.start_ticks,
            command=command,
        )  # fmt: skip
        guard = {"merge": "landing"}.get(name, name)
        return Lease(self.box / f"{name}.lease", name, holder, guard=self.state / "journal" / f"{guard}.jsonl")

    def _journal(self, kind: type, **fields: object) -> None:
        event = kind(at_ms=now_ms(), run=self.spec.run, milestone=self.spec.milestone, **fields)
        Journal(self.state, self.spec.milestone).append(event)

    def _breed(self) -> None:
        _, env = kin.marked(os.environ)
        for apart in (False, True):
            self.children.append(
                subprocess.Popen(["sleep", "300"], env=env, start_new_session=apart, stdout=subprocess.DEVNULL)
            )

    def _hire(self, spec: dict[str, object]) -> None:
        child = subprocess.Popen(
            [sys.executable, "-m", "fleet.standin", str(self.state), json.dumps(spec)], start_new_session=True,
            stdout=subprocess.PIPE,
        )  # fmt: skip
        assert child.stdout is not None
        child.stdout.readline()
        self.children.append(child)

    def _hear(self, number: int, frame: object) -> None:
        self.terminated = not self.spec.deaf

    def _over(self) -> bool:
        if self.terminated or (self.spec.lasts_s and time.monotonic() - self.began > self.spec.lasts_s):
            return True
        if self.spec.role != "worker" or self.spec.deaf:
            return False
        order = mailbox.claim(self.box, self.spec.milestone, run=self.spec.run)
        if order is None:
            return False
        taken = LastOrder(signal=str(order.signal), sent_at=order.sent_at, taken_at=now_ms())
        self._journal(OrderTaken, order=str(order.signal), sent_at_ms=order.sent_at)
        match order.signal:
            case Order.STOP:
                self.say(last_order=taken, doing="stopping")
                return True
            case Order.PAUSE:
                self.say(last_order=taken, doing="pausing")
                time.sleep(self.spec.unit_s)
                self.say(state=WorkerState.PAUSED, doing="paused", current_unit=None)
            case Order.RESUME:
                self.say(last_order=taken, state=WorkerState.RUNNING, doing="working")
            case Order.REBASE:
                self.say(last_order=taken)
        return False


def _leave(code: int) -> None:
    """End at once: a late SIGTERM would kill an interpreter that is being taken apart, and the code would be its."""
    sys.stdout.flush()
    os._exit(code)


if __name__ == "__main__":
    _leave(Player(Path(sys.argv[1]), Spec(**json.loads(sys.argv[2]))).play())
