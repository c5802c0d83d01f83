"""`gsd rate`: a person's word on a unit's model, and what becomes of it."""

import json
from pathlib import Path

import pytest

from milepost.formats.journal import AttemptEnded, AttemptStarted, Result
from milepost.store.journal import Journal
from milepost.testing import projects
from milepost.ui.cli.main import main
from scenarios.stage import DONE, Stage

Out = pytest.CaptureFixture[str]


def done(project: Path, unit: str, *, kind: str = "execute-task", at_ms: int = 1) -> None:
    journal = Journal(project / ".gsd", "M001")
    journal.append(
        AttemptStarted(
            at_ms=at_ms, run="r", attempt=f"a-{kind}-{unit}", kind=kind, unit=unit, base="", branch="", fingerprint="",
            number=1, model="m", tier="light", tags=("docs",),
        )
    )  # fmt: skip
    journal.append(AttemptEnded(at_ms=at_ms, run="r", attempt=f"a-{kind}-{unit}", result=Result.COMMITTED))


def written(project: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads((project / ".gsd/routing-history.json").read_text())
    return found


@pytest.mark.covers("command:rate")
def test_the_last_unit_is_rated(project: Path, capsys: Out) -> None:
    done(project, "M001/S01/T01")
    done(project, "M001/S01", kind="complete-slice", at_ms=2)
    assert main(["rate", "under"], "gsd") == DONE
    out = capsys.readouterr().out
    assert out.startswith("complete-slice M001/S01, done as light work by m, is rated under.")
    assert "dynamic_routing.enabled" in out
    (said,) = written(project)["feedback"]  # type: ignore[misc]
    assert (said["unitType"], said["unitId"], said["tier"], said["rating"]) == ("complete-slice", "M001/S01", "light", "under")  # fmt: skip


@pytest.mark.covers("command:rate")
@pytest.mark.parametrize("named", ["M001/S01/T01", "execute-task/M001/S01/T01"])
def test_a_unit_that_is_named(project: Path, named: str, capsys: Out) -> None:
    done(project, "M001/S01/T01")
    done(project, "M001/S01", kind="complete-slice", at_ms=2)
    for _ in range(2):
        assert main(["/gsd rate", "under", named], "gsd") == DONE
    assert "The next light execute-task is done as standard work." in capsys.readouterr().out
    counts = written(project)["patterns"]["execute-task:docs"]  # type: ignore[index]
    assert counts == {"light": {"success": 0, "fail": 4}, "standard": {"success": 0, "fail": 0}, "heavy": {"success": 0, "fail": 0}}  # fmt: skip


def test_nothing_was_done(project: Path, capsys: Out) -> None:
    assert main(["rate", "ok"], "gsd") == 1
    assert "no unit has ended yet" in capsys.readouterr().err
    done(project, "M001/S01/T01")
    assert main(["rate", "ok", "M009"], "gsd") == 1
    assert "M009 has not been worked on" in capsys.readouterr().err


def test_what_another_program_had_learnt_is_kept(project: Path) -> None:
    done(project, "M001/S01/T01")
    (project / ".gsd/routing-history.json").write_text('{"version": 1, "patterns": {}}')
    assert main(["rate", "ok"], "gsd") == DONE
    assert main(["rate", "ok"], "gsd") == DONE
    assert (project / ".gsd/routing-history.before.json").read_text() == '{"version": 1, "patterns": {}}'
    assert len(written(project)["feedback"]) == 2  # type: ignore[arg-type]


ROUTED = """\
dynamic_routing:
  enabled: true
  tier_models: {light: small, standard: middle}
models: {execution: best, completion: best}
---
"""


@pytest.mark.covers("command:rate", "key:dynamic_routing.enabled")
def test_what_was_rated_too_low_is_done_with_more(tmp_path: Path) -> None:
    stage = Stage(root=tmp_path / "project").make(tasks=3)
    stage.prefer(projects.QUICK.removesuffix("---\n") + ROUTED)
    stage.gsd("next", "--agent", stage.agent()).require(DONE)
    for _ in range(2):
        stage.gsd("rate", "under").require(DONE)
    stage.gsd("next", "--agent", stage.agent()).require(DONE)
    first, second = stage.events("attempt-started")
    assert (first["model"], first["tier"]) == ("small", "light")
    assert (second["model"], second["tier"]) == ("middle", "standard")
    assert "fail too often" in str(second["routed"])
    rows = json.loads((stage.state / "metrics.json").read_text())["units"]
    assert [(row["tier"], row["modelDowngraded"]) for row in rows] == [("light", True), ("standard", True)]
    counted = json.loads((stage.state / "routing-history.json").read_text())["patterns"]["execute-task"]
    assert counted == {"light": {"success": 1, "fail": 4}, "standard": {"success": 1, "fail": 0}, "heavy": {"success": 0, "fail": 0}}  # fmt: skip
