"""What has to be true in the morning, whatever fell in the night."""

import json
import subprocess
import sys
from collections import Counter
from itertools import groupby, pairwise
from pathlib import Path
from typing import Final

from fakemodel.replies import Counted
from milepost.rules import retry, waits
from milepost.testing import projects
from night import shifted
from night.model import Entry
from night.night import SLEEP_MS, Night, product
from scenarios.stage import BLOCKED, BUDGET, DONE, PAUSED, Ran

Event = dict[str, object]
FREE: Final = {"interrupted", "over-budget", "provider-error", "inconclusive"}
STATES: Final = {DONE: "done", BLOCKED: "blocked", PAUSED: "paused", BUDGET: "budget"}
MICRO: Final = 1_000_000


def books_add_up(night: Night) -> None:
    """To the token, request by request; only what a killed process had no time for is missing, one for each kill.

    An answer that ended in order without a word on what it cost is in the books too, as one that nobody can price.
    """
    counted = Counter(
        (e.model, *(e.counted or Counted())) for e in night.model.log if e.counted is not None or _untold(e)
    )
    written = Counter(map(_request, night.stage.events("usage-reported")))
    assert not written - counted, f"written down and never sent: {written - counted}"
    missing = counted - written
    unseen = Counter((e.model, *(e.counted or Counted())) for e in night.model.log if e.number in night.lost)
    assert not missing - unseen, f"sent and never written down: {missing - unseen}"
    for place, name in enumerate(("input", "output", "cacheRead", "cacheWrite"), start=1):
        spoilt = sum(request[place] * times for request, times in missing.items())
        told = sum(int(str(e[name])) for e in night.stage.events("usage-reported"))
        assert told + spoilt == night.model.total[place - 1], name


def below_the_ceiling(night: Night) -> None:
    """All that was spent; and what is without a price is what the server did not count."""
    asked = night.stage.events("usage-reported")
    assert all((e["microUsd"] is None) == (e["input"] == 0) for e in asked)
    assert _micro(asked) <= night.ceiling * MICRO


def within_the_caps(night: Night) -> None:
    """No unit had more attempts than it may have; nobody asked a provider for ever."""
    begun = {str(e["attempt"]): e for e in night.stage.events("attempt-started")}
    ends = {str(e["attempt"]): str(e["result"]) for e in night.stage.events("attempt-ended")}
    assert "timed-out" not in ends.values(), "a sleep was taken for silence"
    charged: Counter[tuple[object, ...]] = Counter()
    alike: Counter[tuple[object, ...]] = Counter()
    for attempt, event in begun.items():
        if ends.get(attempt) in FREE:
            continue
        unit = (event["kind"], event["unit"])
        charged[unit] += 1
        alike[(*unit, event["fingerprint"])] += ends.get(attempt) != "verify-failed"
    assert max(charged.values()) <= retry.LIFETIME, charged.most_common(3)
    assert max(alike.values()) <= retry.ATTEMPTS, alike.most_common(3)
    waited = Counter((e["run"], e["unit"]) for e in night.stage.events("wait-began"))
    assert max(waited.values(), default=0) <= waits.MOST, waited.most_common(3)


def paid_once(night: Night) -> None:
    """What was committed is not begun again; and the server was never asked about a unit after another had begun."""
    keys = {str(e["attempt"]): f"{e['kind']}/{e['unit']}" for e in night.stage.events("attempt-started")}
    done: set[str] = set()
    for event in night.stage.events():
        attempt = str(event.get("attempt"))
        if event["event"] == "attempt-started":
            assert keys[attempt] not in done, f"{keys[attempt]} was done, and is begun again"
        elif event["event"] == "attempt-ended" and event["result"] == "committed":
            assert keys[attempt] not in done
            done.add(keys[attempt])
    asked = [unit for unit, _ in groupby(entry.unit for entry in night.model.log)]
    assert len(asked) == len(set(asked)), [unit for unit, times in Counter(asked).items() if times > 1]
    assert set(asked) <= set(keys.values())


def true_cause(night: Night, ran: Ran) -> Event:
    """The exit code, the summary, the journal and `status` say the same. Returns the end of the run."""
    assert ran.code in STATES, f"exit {ran.code}\n{night.tail()}"
    ended = night.stage.events("run-ended")[-1]
    summary = json.loads(ran.out.splitlines()[-1])
    told = _told(night, "why", "--json")
    assert (summary["exitCode"], ended["state"]) == (ran.code, STATES[ran.code])
    assert summary["reason"] == ended["reason"] != ""
    if ran.code != DONE:
        assert told["state"] == ended["state"]
        assert str(ended["reason"]) in str(told["cause"])
    return ended


def landed(night: Night) -> None:
    """Every milestone is one commit on main, with all files as they should be, and nothing is left over."""
    stage = night.stage
    subjects = [line.partition(":")[0] for line in stage.log()]
    assert subjects == [*(f"feat({mid})" for mid in reversed(night.milestones)), "first"]
    for key in projects.units(night.milestones, night.slices, night.tasks):
        if key.startswith("execute-task/"):
            assert product(stage.root, key) == f"made by {key.removeprefix('execute-task/')}\n"
    assert stage.branches() == ["main"]
    assert not list((stage.state / "worktrees").glob("*"))
    assert stage.git("status", "--porcelain") == ""
    committed = [e for e in stage.events("attempt-ended") if e["result"] == "committed"]
    assert len(committed) == night.units


def reports_agree(night: Night) -> None:
    """`status`, `history`, `export` and `metrics.json` with the journal, and that with the server."""
    status = _told(night, "status", "--json")
    history = _told(night, "history", "--json", "99999")
    export = _told(night, "export", "--json", "--output", "-")
    asked = night.stage.events("usage-reported")
    micro = _micro(asked)
    rows = json.loads((night.stage.state / "metrics.json").read_text())["units"]
    for total in (history["total"], export["totals"]):
        assert isinstance(total, dict)
        assert total["requests"] == len(asked)
        assert round(total["cost"] * MICRO) == micro
        _same_tokens(total["tokens"], asked)
    _same_tokens({name: sum(row["tokens"][name] for row in rows) for name in rows[0]["tokens"]}, asked)
    assert sum(row["apiRequests"] for row in rows) == len(asked)
    assert round(float(str(status["spent"])) * MICRO) == round(float(str(history["spent"])) * MICRO) == micro
    for name in ("byPhase", "bySlice", "byModel", "byTier", "byUnit", "byDay", "byAgent"):
        assert export[name] == history[name], name
        _adds_up(history[name], len(asked), micro)
    assert {row["name"]: row["requests"] for row in _rows(history["byModel"])} == Counter(
        str(e["model"]) for e in asked
    )
    begun = night.stage.events("attempt-started")
    assert len(_rows(history["attempts"])) == len(_rows(export["attempts"])) == len(begun)
    # The ledger has the attempts that got an answer.
    assert len(_rows(export["units"])) == len(rows) == len({str(e["attempt"]) for e in asked})
    assert export["state"] == night.stage.events("run-ended")[-1]["state"]
    waited = night.stage.events("wait-began")
    told = [fact["says"] for fact in _rows(export["waits"])]
    assert sum("waited for the provider" in str(says) for says in told) == len(waited)


def every_unit_is_explained(night: Night) -> None:
    """With every attempt of it, what each cost, and where its work is."""
    done = subprocess.run(
        [sys.executable, "-m", "night.whys"], cwd=night.stage.root, env=night.stage.environment({}),
        capture_output=True, check=False, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    begun = Counter(f"{e['kind']}/{e['unit']}" for e in night.stage.events("attempt-started"))
    assert set(told) == set(begun)
    merged = {str(e["milestone"]) for e in night.stage.events("landed")}
    for key, why in told.items():
        assert len(why["attempts"]) == begun[key]
        assert why["text"].strip()
        assert all(one["because"] and one["result"] != "running" for one in why["attempts"]), why
        if key.split("/")[1] in merged:
            assert why["state"] == "done", why
            assert why["attempts"][-1]["result"] == "committed"
            assert why["landed"].startswith("on main as ")
    cost = sum(why["cost"] for why in told.values())
    assert round(cost * MICRO) == _micro(night.stage.events("usage-reported"))


def slept(night: Night) -> None:
    """The journal has the hours in which the machine slept, and no run ended for them."""
    times = [int(str(e["atMs"])) for e in night.stage.events()]
    gaps = [after - before for before, after in pairwise(times)]
    assert sum(gap >= SLEEP_MS for gap in gaps) == 1
    assert len(night.stage.events("run-started")) == night.runs


def healthy(night: Night) -> None:
    """The doctor has nothing to mend, and nobody is at work any more."""
    export = _told(night, "export", "--json", "--output", "-")
    assert [row for row in _rows(export["health"]) if row["severity"] == "error"] == []
    mark = f"{shifted.FILE}={night.clock}".encode()
    left = [place for place in Path("/proc").glob("[0-9]*/environ") if mark in _bytes(place)]
    assert left == []


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _request(event: Event) -> tuple[object, ...]:
    model = str(event["model"]).removeprefix("openai/")
    return (model, *(int(str(event[name])) for name in ("input", "output", "cacheRead", "cacheWrite")))


def _untold(entry: Entry) -> bool:
    """Whether it was answered in full, and the answer did not say what it cost."""
    return entry.fell == "unfinished" and entry.closed and entry.counted is None


def _micro(asked: list[Event]) -> int:
    return sum(int(str(e["microUsd"])) for e in asked if e["microUsd"] is not None)


def _told(night: Night, *args: str) -> Event:
    found: Event = json.loads(night.gsd(*args).require(DONE).out)
    return found


def _same_tokens(told: dict[str, int], asked: list[Event]) -> None:
    for name in ("input", "output", "cacheRead", "cacheWrite"):
        assert told[name] == sum(int(str(e[name])) for e in asked), name


def _rows(table: object) -> list[dict[str, object]]:
    assert isinstance(table, list)
    return table


def _adds_up(table: object, requests: int, micro: int) -> None:
    rows = _rows(table)
    assert sum(int(str(row["requests"])) for row in rows) == requests
    assert round(sum(float(str(row["cost"])) for row in rows) * MICRO) == micro
