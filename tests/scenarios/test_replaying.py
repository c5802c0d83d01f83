"""`gsd replay`: a recorded milestone again, apart from the project, and where it begins to differ."""

import json
from pathlib import Path

import pytest

from milepost.agents import cassette
from scenarios.fleet_stage import FleetStage
from scenarios.stage import BLOCKED, DONE, ERROR, Stage

DIFFERS = BLOCKED


@pytest.fixture
def recorded(stage: Stage, tmp_path: Path) -> tuple[Stage, str]:
    """A milestone of two tasks, worked through and landed, and its recording."""
    tape = str(tmp_path / "tape.jsonl")
    stage.make(tasks=2)
    stage.auto("--record", tape).require(DONE)
    return stage, tape


def difference(stage: Stage, tape: str, *argv: str) -> dict[str, object]:
    found: dict[str, object] = json.loads(stage.gsd("replay", tape, "--json", *argv).require(DIFFERS).out)
    return found["difference"]  # type: ignore[return-value]


def rewrite(tape: str, *pairs: tuple[str, str], name: str = "other.jsonl") -> str:
    text = Path(tape).read_text()
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new, 1)
    path = Path(tape).with_name(name)
    path.write_text(text)
    return str(path)


@pytest.mark.covers("command:replay")
def test_everything_agrees_and_nothing_is_touched(recorded: tuple[Stage, str]) -> None:
    stage, tape = recorded
    before = (stage.git("for-each-ref"), stage.git("status", "--porcelain", "--ignored"), len(stage.events()))
    ran = stage.gsd("replay", tape).require(DONE)
    assert f"{len(cassette.read(Path(tape)))} sessions were played" in ran.out
    assert "everything agrees" in ran.out
    assert (stage.git("for-each-ref"), stage.git("status", "--porcelain", "--ignored"), len(stage.events())) == before
    assert stage.gsd("replay", tape, "--milestone", "M001", "--outcomes").code == DONE


@pytest.mark.covers("command:replay")
def test_a_call_that_was_another_is_named(recorded: tuple[Stage, str]) -> None:
    stage, tape = recorded
    sessions = cassette.read(Path(tape))
    call = next(event for event in sessions[1].events if isinstance(event, cassette.ToolCall))
    result = next(event for event in sessions[1].events if isinstance(event, cassette.ToolResult))
    assert sessions[1].unit.id == "M001/S01/T02"
    failed = rewrite(tape, (_line(result), _line(result).replace('"ok":true', '"ok":false')))
    found = difference(stage, failed)
    assert (found["unit"], found["session"], found["step"]) == ("execute-task M001/S01/T02", 1, 1)
    assert (found["what"], found["recorded"]) == ("result", "failed")
    said = stage.gsd("replay", failed).require(DIFFERS).out
    assert "session 1 of execute-task M001/S01/T02, step 1: result" in said
    told = rewrite(tape, (_line(result), _line(result).replace('"text":"', '"text":"Otherwise: ')), name="told.jsonl")
    assert difference(stage, told)["step"] == 1
    assert stage.gsd("replay", told, "--outcomes").code == DONE
    assert call.name in str(_line(call))


def _line(event: object) -> str:
    import msgspec

    return msgspec.json.encode(event).decode()


@pytest.mark.covers("command:replay")
def test_another_prompt_and_another_unit_are_named(recorded: tuple[Stage, str]) -> None:
    stage, tape = recorded
    one = cassette.read(Path(tape))[0]
    assert one.prompt
    found = difference(stage, rewrite(tape, (one.prompt, "0" * 16)))
    assert (found["unit"], found["step"], found["what"], found["here"]) == (
        "execute-task M001/S01/T01",
        0,
        "prompt",
        f"digest {one.prompt}",
    )
    lines = Path(tape).read_text().splitlines(keepends=True)
    starts = [number for number, line in enumerate(lines) if '"event":"session"' in line]
    missing = Path(tape).with_name("missing.jsonl")
    missing.write_text("".join(lines[: starts[1]] + lines[starts[2] :]))
    found = difference(stage, str(missing))
    assert found["what"] == "unit"
    assert "M001/S01/T02" in str(found["here"])


@pytest.mark.covers("command:replay")
def test_a_commit_on_which_the_work_goes_another_way(recorded: tuple[Stage, str]) -> None:
    stage, tape = recorded
    base = cassette.read(Path(tape))[0].base
    assert stage.gsd("replay", tape, "--base", base).code == DONE
    found = difference(stage, tape, "--base", "main")
    assert (found["what"], found["here"]) == ("unit", "nothing more came")


@pytest.mark.covers("command:replay")
@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (("--milestone", "M009"), "has nothing of M009"),
        (("--base", "no-such-commit"), "is not in this repository"),
        (("--no-such",), "unrecognized arguments"),
    ],
)
def test_what_cannot_be_played(recorded: tuple[Stage, str], argv: tuple[str, ...], says: str) -> None:
    stage, tape = recorded
    assert says in stage.gsd("replay", tape, *argv).require(ERROR).err


def test_a_recording_that_does_not_know_where_it_began(recorded: tuple[Stage, str]) -> None:
    stage, tape = recorded
    old = Path(tape).with_name("old.jsonl")
    base = cassette.read(Path(tape))[0].base
    old.write_text(Path(tape).read_text().replace(base, ""))
    assert "--base COMMIT" in stage.gsd("replay", str(old)).require(ERROR).err
    assert stage.gsd("replay", str(old), "--base", base).code == DONE


@pytest.mark.covers("command:parallel start")
def test_workers_record_into_one_file(fleet: FleetStage, tmp_path: Path) -> None:
    fleet.plan(("M001", "M002"))
    tape = tmp_path / "fleet.jsonl"
    fleet.fleet("--record", str(tape)).require(DONE)
    sessions = cassette.read(tape)
    assert {one.unit.milestone for one in sessions} == {"M001", "M002"}
    assert all(one.base and one.prompt for one in sessions)
