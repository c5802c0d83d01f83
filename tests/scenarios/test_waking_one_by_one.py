"""Three workers meet the same limit: they wait, the first of them asks again, and the others follow one by one."""

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from fakemodel.replies import Answer, Asked, Failing
from fakemodel.server import FakeModel
from scenarios.fleet_stage import TRIO
from scenarios.honest_model import Moody
from scenarios.stage import DONE, Stage, finish, wait_until

PATIENCE_S = 120
HOLD_S = 1.0
"""How long the first answer is held back, so that whoever does not wait for it is seen."""
LIMIT = Failing(429, "5-hour limit reached")
"""No time is named, so the delays are ours: two and a half seconds here."""


class Shut:
    """A model that meets everybody with a limit until it is opened; its first answer takes a while."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.answering: list[tuple[float, float]] = []
        """When the first good answer was asked for, and given."""
        self.model = Moody(self._mood)

    def _mood(self, number: int, asked: Asked) -> Answer | None:
        del number, asked
        if not self.open.is_set():
            return LIMIT
        if not self.answering:
            began = time.monotonic()
            time.sleep(HOLD_S)
            self.answering.append((began, time.monotonic()))
        return None


class Noting(FakeModel):
    """Notes when requests arrive, also while another is being answered."""

    def __init__(self, script: Moody) -> None:
        super().__init__(script)
        self.arrived: list[float] = []

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        self.arrived.append(time.monotonic())
        super().answer(handler)


@pytest.fixture
def workers(stage: Stage) -> Iterator[list[subprocess.Popen[bytes]]]:
    started: list[subprocess.Popen[bytes]] = []
    yield started
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()


def start(stage: Stage, mid: str, server: FakeModel) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        stage.argv("headless", "--json", "auto", "--model", "openai/gpt-5.5"),
        cwd=stage.root,
        env=stage.environment({"GSD_MILESTONE_LOCK": mid, "GSD_PARALLEL_WORKER": "1", **server.env("openai")}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    )


def status(stage: Stage, mid: str) -> dict[str, object]:
    path: Path = stage.state / "parallel" / f"{mid}.status.json"
    found: dict[str, object] = json.loads(path.read_text()) if path.exists() else {}
    return found


@pytest.mark.covers("promise:transient-resume")
@pytest.mark.spec(id="PR-238")
def test_three_workers_wake_without_a_storm(stage: Stage, workers: list[subprocess.Popen[bytes]]) -> None:
    """teamclaude#84: all of them woke up at the same moment, met the limit again, and so on."""
    stage.make(milestones=TRIO)
    shut = Shut()
    with Noting(shut.model) as server:
        workers += [start(stage, mid, server) for mid in TRIO]
        wait_until(lambda: {status(stage, mid).get("doing") for mid in TRIO} == {"waiting"}, seconds=PATIENCE_S)
        for mid in TRIO:
            seen = status(stage, mid)
            assert seen["state"] == "running"
            assert isinstance(seen["wakesAt"], int)
        look = json.loads(stage.gsd("parallel", "status", "--json").require(DONE).out)
        told = [row for row in look["workers"] if row["doing"] == "waiting"]
        assert told
        assert {row["state"] for row in told} == {"running"}
        assert "asked again in" in told[0]["cause"]["what"]
        # Whoever asked again in vain has told the others, and they wait with it.
        wait_until(lambda: len(stage.events("wait-began")) >= 4, seconds=PATIENCE_S)
        shut.open.set()
        ran = [finish(process, seconds=PATIENCE_S) for process in workers]
        arrived = list(server.arrived)
    for one in ran:
        one.require(DONE)
    [(began, given)] = shut.answering
    between = [at for at in arrived if began < at < given]
    assert not between, "somebody did not wait for the first answer"
    assert {e["result"] for e in stage.events("attempt-ended")} == {"provider-error", "committed"}
    for begun in stage.events("wait-began"):
        mine = [e for e in stage.events("attempt-started") if e["run"] == begun["run"]]
        later = [int(str(e["atMs"])) for e in mine if int(str(e["atMs"])) > int(str(begun["atMs"]))]
        assert min(later) >= int(str(begun["resumeAtMs"])), "it asked before its time"


@pytest.mark.covers("promise:transient-resume")
def test_a_worker_that_waits_hears_orders_and_the_next_takes_the_turn_of_one_that_died(
    stage: Stage, workers: list[subprocess.Popen[bytes]]
) -> None:
    stage.make(milestones=TRIO[:2])
    shut = Shut()
    with Noting(shut.model) as server:
        workers += [start(stage, mid, server) for mid in TRIO[:2]]
        wait_until(lambda: all(status(stage, mid).get("doing") == "waiting" for mid in TRIO[:2]), seconds=PATIENCE_S)
        order = json.dumps({"signal": "pause", "sentAt": time.time_ns() // 1_000_000, "from": "coordinator"})
        path = stage.state / "parallel" / "M001.signal.json"
        path.with_suffix(".tmp").write_text(order)
        path.with_suffix(".tmp").rename(path)
        wait_until(lambda: status(stage, "M001").get("state") == "paused", seconds=PATIENCE_S)
        os.killpg(workers[0].pid, signal.SIGKILL)
        workers[0].communicate()
        shut.open.set()
        finish(workers[1], seconds=PATIENCE_S).require(DONE)
