"""What `gsd export` tells of a real run, and that its numbers are those of status, history and the journal."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from milepost.testing.projects import steps, usage
from scenarios.stage import DONE, ERROR, Stage

TASK = "execute-task/M001/S01/T01"


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Two milestones, one unit that needed a second attempt, one request of unknown price."""
    place = tmp_path_factory.mktemp("export")
    with pytest.MonkeyPatch.context() as patch:
        (place / ".gitconfig").write_text("[user]\n\tname = Ada Tester\n\temail = ada@example.invalid\n")
        patch.setenv("HOME", str(place))
        patch.setenv("GIT_CONFIG_NOSYSTEM", "1")
        stage = Stage(root=place / "project").make(milestones=("M001", "M002"), slices=2, depends={"M002": ["M001"]})
        stage.replay(TASK, [usage(micro_usd=1_500_000), *steps(TASK)[:1]], [usage(micro_usd=None), *steps(TASK)])
        stage.auto().require(DONE)
        yield stage


def told(stage: Stage, *args: str) -> dict[str, object]:
    found: dict[str, object] = json.loads(stage.gsd(*args).require(DONE).out)
    return found


@pytest.mark.covers("command:export")
def test_the_numbers_are_those_of_status_history_and_the_journal(ran: Stage) -> None:
    made = told(ran, "export", "--json", "--output", "-")
    history, status = told(ran, "history", "--json", "999"), told(ran, "status", "--json")
    for name in ("byPhase", "bySlice", "byModel", "byTier", "byUnit", "byDay", "byAgent", "attempts", "spent"):
        assert made[name] == history[name], name
    totals = made["totals"]
    assert isinstance(totals, dict)
    asked = ran.events("usage-reported")
    assert totals["requests"] == len(asked)
    assert totals["unpricedRequests"] == 1 == status["unpricedRequests"]
    known = sum(int(str(e["microUsd"])) for e in asked if e["microUsd"] is not None)
    assert round(totals["cost"] * 1_000_000) == known
    assert totals["cost"] == status["spent"]
    assert totals["tokens"]["total"] == sum(int(str(e["input"])) + int(str(e["output"])) for e in asked)
    assert totals["attempts"] == ran.attempts() == len(made["units"])  # type: ignore[arg-type]
    assert made["state"] == "done"
    assert [c["subject"] for c in made["changelog"]] == list(reversed(ran.log()))[1:]  # type: ignore[attr-defined]
    first = next(w for w in made["work"] if w["id"] == "M001/S01/T01")  # type: ignore[attr-defined]
    assert [one["because"][:18] for one in first["attempts"]] == ["it was due, for th", "the attempt before"]
    assert (first["state"], first["cost"], first["unpricedRequests"]) == ("done", 1.502, 1)


@pytest.mark.covers("command:export")
def test_one_milestone_alone(ran: Stage) -> None:
    made = told(ran, "export", "--json", "--milestone", "M002", "--output", "-")
    history = told(ran, "history", "--json", "--milestone", "M002", "999")
    assert made["byUnit"] == history["byUnit"]
    assert made["totals"]["requests"] == history["total"]["requests"]  # type: ignore[index]
    assert {unit["id"][:4] for unit in made["units"]} == {"M002"}  # type: ignore[attr-defined]
    assert (made["state"], made["milestone"]) == ("merged", "M002")
    assert "there is no milestone M009" in ran.gsd("export", "--milestone", "M009").require(ERROR).err


@pytest.mark.covers("command:export")
def test_files_where_gsd_puts_them(ran: Stage) -> None:
    """Nothing of it is in git's way, and a name that is asked for is used."""
    path = Path(ran.gsd("export").require(DONE).out.strip())
    assert path.parent == ran.state
    assert re.fullmatch(r"export-\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.md", path.name)
    said = path.read_text()
    assert "# project\n" in said
    assert "| M001/S01 | 3 | " in said
    assert "$1.50 and 1 request of unknown price" in said
    assert "## Changelog" in said
    assert Path(ran.gsd("/gsd export --json").require(DONE).out.strip()).suffix == ".json"
    mine = ran.root.parent / "mine.md"
    ran.gsd("export", "--markdown", "--output", str(mine)).require(DONE)
    assert mine.read_text().startswith("# project\n")
    assert ran.git("status", "--porcelain") == ""


@pytest.mark.covers("command:export")
def test_a_project_that_never_ran(stage: Stage) -> None:
    stage.make()
    made = told(stage, "export", "--json", "--output", "-")
    assert (made["state"], made["units"], made["changelog"]) == ("idle", [], [])
    assert "1 milestone, 0 of 1 slice" in stage.gsd("export", "--output", "-").require(DONE).out
    assert "not allowed with" in stage.gsd("export", "--json", "--markdown").require(ERROR).err
