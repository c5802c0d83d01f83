"""`gsd headless auto --max-restarts`: a run that died of an error is begun again, a few times, later and later."""

import json
import signal

import pytest

from milepost.rules import limits
from scenarios.stage import BLOCKED, DONE, ERROR, INTERRUPTED, Ran, Stage, finish, wait_until

TORN = b"# M001\0\n"
PATIENCE_S = 60


@pytest.fixture
def broken(stage: Stage) -> Stage:
    """A project whose plan nobody can read: the run dies of it."""
    stage.make()
    stage.env[limits.SCALE] = "0.001"
    return stage


def lines(ran: Ran) -> list[dict[str, object]]:
    return [json.loads(line) for line in ran.out.splitlines() if line.startswith("{")]


def tear(stage: Stage) -> bytes:
    """Make the plan unreadable; returns what it was."""
    path = stage.path("M001-ROADMAP.md")
    whole = path.read_bytes()
    path.write_bytes(TORN)
    return whole


@pytest.mark.covers("promise:restart-backoff", "command:headless auto")
def test_a_run_that_dies_is_begun_again_later_and_later(broken: Stage) -> None:
    tear(broken)
    ran = broken.gsd("headless", "auto", "--agent", broken.agent(), "--max-restarts", "4").require(ERROR)
    found = lines(ran)
    again = [line for line in found if line["type"] == "restart"]
    assert [line["number"] for line in again] == [1, 2, 3, 4]
    assert [line["delayMs"] for line in again] == [5, 10, 30, 30]
    assert "M001-ROADMAP.md" in str(again[0]["reason"])
    assert [line["type"] for line in found].count("summary") == 1
    assert (found[-1]["type"], found[-1]["exitCode"], found[-1]["restarts"]) == ("summary", ERROR, 4)
    assert len({e["run"] for e in broken.events("run-started")}) == 5
    assert len({e["pid"] for e in broken.events("run-started")}) == 1, "nobody has to look for another process"


@pytest.mark.covers("promise:restart-backoff")
def test_three_times_when_nobody_says_how_often(broken: Stage) -> None:
    tear(broken)
    ran = broken.gsd("headless", "--json", "--agent", broken.agent()).require(ERROR)
    assert lines(ran)[-1]["restarts"] == 3


@pytest.mark.parametrize("bound", [("--max-restarts", "0"), ("--max-units", "5"), ("--max-time", "1h")])
def test_never_where_the_command_line_says_so(broken: Stage, bound: tuple[str, ...]) -> None:
    tear(broken)
    ran = broken.gsd("headless", "auto", "--agent", broken.agent(), *bound).require(ERROR)
    assert lines(ran)[-1]["restarts"] == 0
    assert len(broken.events("run-started")) == 1


@pytest.mark.covers("promise:restart-backoff")
def test_it_goes_on_when_the_cause_is_gone(broken: Stage) -> None:
    whole = tear(broken)
    process = broken.begin("headless", "auto", "--agent", broken.agent(), "--max-restarts", "100000", "--retry")
    wait_until(lambda: len(broken.events("run-started")) >= 3, seconds=PATIENCE_S)
    broken.path("M001-ROADMAP.md").write_bytes(whole)
    last = lines(finish(process, seconds=PATIENCE_S).require(DONE))[-1]
    assert int(str(last["restarts"])) >= 2
    assert len(broken.events("cap-reset")) == 1, "attempts are counted afresh once"
    broken.require_landed()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_person_calls_it_off_while_it_waits(broken: Stage, number: signal.Signals) -> None:
    tear(broken)
    broken.env[limits.SCALE] = "1"
    process = broken.begin("headless", "auto", "--agent", broken.agent())
    assert process.stdout is not None
    told = b""
    while b'"restart"' not in told:
        told += process.stdout.readline()
    process.send_signal(number)
    last = lines(finish(process, seconds=PATIENCE_S).require(INTERRUPTED))[-1]
    assert (last["type"], last["exitCode"], last["restarts"]) == ("summary", INTERRUPTED, 0)
    assert len(broken.events("run-started")) == 1


def test_what_needs_a_person_and_what_the_machine_lacks_is_not_tried_again(broken: Stage) -> None:
    broken.replay("execute-task/M001/S01/T01", [{"error": "infrastructure", "text": "ENOSPC"}])
    ran = broken.gsd("headless", "auto", "--agent", broken.agent()).require(ERROR)
    assert lines(ran)[-1]["restarts"] == 0
    broken.replay("execute-task/M001/S01/T01", [])
    ran = broken.gsd("headless", "auto", "--agent", broken.agent()).require(BLOCKED)
    assert lines(ran)[-1]["restarts"] == 0


def test_a_number_that_is_none_is_refused(broken: Stage) -> None:
    ran = broken.gsd("headless", "auto", "--max-restarts", "often")
    assert ran.code != DONE
    assert "0 for none" in ran.said


@pytest.mark.parametrize(("named", "kinds"), [("note", {"summary"}), ("restart", {"restart", "summary"})])
def test_a_restart_is_told_unless_other_events_are_asked_for(broken: Stage, named: str, kinds: set[str]) -> None:
    tear(broken)
    words = ("--agent", broken.agent(), "--max-restarts", "1", "--events", named)
    ran = broken.gsd("headless", "auto", *words).require(ERROR)
    assert {line["type"] for line in lines(ran)} - {"note"} == kinds
    assert lines(ran)[-1]["restarts"] == 1
