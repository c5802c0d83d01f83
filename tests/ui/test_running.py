"""From a command line to a run: options, refusals, resets."""

import argparse
import json
from pathlib import Path

import pytest

from conftest import run_git
from milepost.errors import MilepostError
from milepost.formats.journal import AttemptStarted, CapReset
from milepost.model.units import UnitKind
from milepost.testing import projects
from milepost.ui.cli import running
from ui.command import run
from worker.shifts import shift_for


def options(*argv: str) -> argparse.Namespace:
    return running.parser("gsd", "auto").parse_args(argv)


@pytest.mark.spec(id="DV-32")
def test_defaults() -> None:
    found = options()
    assert (found.agent, found.model, found.record, found.retry, found.max_units) == ("builtin", None, None, None, None)
    assert (found.no_sandbox, found.json, found.timeout, found.headless, found.pace) == (False, False, 0, False, 0.0)


@pytest.mark.parametrize(
    ("argv", "name", "value"),
    [
        (["--retry"], "retry", "*"),
        (["--retry", "M001/S01"], "retry", "M001/S01"),
        (["--max-units", "3"], "max_units", 3),
        (["--timeout", "0"], "timeout", 0),
        (["--timeout", "1500"], "timeout", 1500),
        (["--pace", "0.5"], "pace", 0.5),
    ],
)
def test_values(argv: list[str], name: str, value: object) -> None:
    assert getattr(options(*argv), name) == value


@pytest.mark.parametrize(
    "argv", [["--max-units", "0"], ["--max-units", "x"], ["--timeout", "-1"], ["--max", "3"], ["x"]]
)
def test_values_that_cannot_be(argv: list[str]) -> None:
    with pytest.raises(MilepostError):
        options(*argv)


@pytest.mark.parametrize(
    ("unit", "keys"),
    [
        (None, []),
        ("*", ["*"]),
        ("execute-task/M001/S01/T01", ["execute-task/M001/S01/T01"]),
        ("M001/S01", [f"{kind}/M001/S01" for kind in UnitKind]),
        ("M001", [f"{kind}/M001" for kind in UnitKind]),
    ],
)
def test_attempts_counted_afresh(unit: str | None, keys: list[str], tmp_path: Path) -> None:
    shift = shift_for(tmp_path)
    for kind, tried in (("execute-task", "M001/S01/T01"), ("plan-slice", "M001/S01"), ("plan-milestone", "M001")):
        shift.journal("M001").append(
            AttemptStarted(
                at_ms=1,
                run="r",
                attempt=f"{kind}-1",
                kind=kind,
                unit=tried,
                base="",
                branch="",
                fingerprint="",
                number=1,
            )
        )
    running._reset_caps(unit, shift)
    assert [e.unit for e in shift.journal("x").everything() if isinstance(e, CapReset)] == keys


@pytest.mark.parametrize("unit", ["M001/S01/T09", "M007", "execute-task/M001/S01/T01"])
def test_what_was_never_tried_has_no_attempts_to_forget(unit: str, tmp_path: Path) -> None:
    with pytest.raises(running.UnknownUnit, match="never tried"):
        running._reset_caps(unit, shift_for(tmp_path))


def auto(project: Path, *args: str, **env: str) -> tuple[int, str]:
    script = project.parent / "script.json"
    script.write_text(json.dumps(projects.sessions()))
    found = run("auto", "--agent", f"scripted:{script}", *args, cwd=project, **env)
    assert "Traceback" not in found.err
    return found.code, found.out + found.err


def test_bad_settings_start_nothing(project: Path) -> None:
    (project / ".gsd/PREFERENCES.md").write_text("---\ngit:\n  isolation: sideways\nbudget_ceiling: many\n---\n")
    code, said = auto(project)
    assert code == 1
    assert "isolation" in said
    assert "budget_ceiling" in said
    assert not (project / ".gsd/journal").exists()


def test_without_a_model_nothing_is_started(project: Path) -> None:
    found = run("auto", cwd=project)
    assert (found.code, "no model is configured" in found.err) == (1, True)
    assert not (project / ".gsd/worktrees").exists()


def test_without_an_identity_nothing_is_started(project: Path, private_machine: Path) -> None:
    (private_machine / ".gitconfig").write_text("[user]\n\tuseConfigOnly = true\n")
    code, said = auto(project)
    assert code != 0
    assert "user.name" in said or "user.email" in said
    assert not (project / ".gsd/worktrees").exists()


def test_a_run_says_how_it_is_confined_and_leaves_the_status_clean(project: Path) -> None:
    code, said = auto(project, "--no-sandbox")
    assert code == 0, said
    assert "Commands are not confined: --no-sandbox was given." in said
    assert said.splitlines()[-2].startswith("done: ") or "done: " in said
    assert run_git(project, "status", "--porcelain") == ""
    assert not (project / ".gsd/auto.lock").exists()


def test_the_wrong_place(project: Path) -> None:
    below = project / "sub"
    (below / ".gsd/milestones").mkdir(parents=True)
    found = run("auto", "--agent", "scripted:x", cwd=below)
    assert (found.code, "not at the root of its repository" in found.err) == (2, True)


def test_a_worker_of_one_milestone(project: Path) -> None:
    code, said = auto(project, GSD_PARALLEL_WORKER="1", GSD_MILESTONE_LOCK="M001")
    assert code == 0, said
    assert (project / ".gsd/worktrees/M001").exists()
    assert run_git(project, "log", "--format=%s", "main") == "first\n"
