"""The interactive session: commands are typed while others run."""

import os
import stat
from pathlib import Path

import pytest

from milepost.testing import projects
from scenarios import idea
from scenarios.sitting import CTRL_C, CTRL_D, ESCAPE, TAB, UP, sitting
from scenarios.stage import DONE, Stage, wait_until

TASK = "execute-task/M001/S01/T01"


def waiting(stage: Stage) -> projects.Step:
    """The agent waits until `open_gate`."""
    return projects.raw_shell("sh", "-c", f"while ! test -f '{gate(stage)}'; do sleep 0.05; done")


def gate(stage: Stage) -> Path:
    return stage.root.parent / "go"


def slow(stage: Stage, **shape: object) -> Stage:
    """A project whose first task waits for the gate before it does anything."""
    stage.make(**shape)
    stage.replay(TASK, [projects.usage(micro_usd=1_000), waiting(stage), *projects.steps(TASK)])
    return stage


def hanging(stage: Stage) -> Stage:
    """A project whose first task writes half of something and never ends."""
    stage.make()
    half = projects.tool("write", path="half.txt", content="half\n")
    stage.replay(TASK, [projects.usage(micro_usd=1_000), half, projects.hang()])
    return stage


def runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def ended(stage: Stage) -> list[object]:
    return [event["state"] for event in stage.events("run-ended")]


@pytest.mark.spec(id="PR-244")
@pytest.mark.covers("command:auto", "command:capture", "command:steer", "command:status")
def test_one_types_on_while_auto_works(stage: Stage) -> None:
    slow(stage)
    with sitting(stage) as person:
        person.type(f"/gsd auto --agent {stage.agent()}")
        person.sees("▸ execute-task M001/S01/T01")
        person.type("/status")
        person.sees("Running")
        person.type("capture don't forget the manual")
        person.sees("  don't forget the manual")
        person.type('/gsd steer "write in capitals"')
        person.sees("the session that runs is told now")
        person.sees("told the session: write in capitals")
        person.ready()
        person.press(CTRL_D)
        person.sees("[p/d/s]")
        person.type("s")
        assert person.end() == DONE
    assert stage.attempts("M001/S01/T01") == 1
    assert "don't forget the manual" in (stage.state / "CAPTURES.md").read_text()


@pytest.mark.spec(id="PR-244")
@pytest.mark.covers("command:auto")
def test_pause_is_for_the_end_of_the_unit_and_auto_goes_on_from_there(stage: Stage) -> None:
    slow(stage, tasks=2)
    with sitting(stage) as person:
        person.type(f"/auto --agent {stage.agent()}")
        person.sees("▸ execute-task M001/S01/T01")
        person.type("/pause")
        wait_until(lambda: (stage.state / "parallel" / "auto.signal.json").exists(), seconds=60)
        gate(stage).touch()
        person.sees("paused: paused by request")
        assert (stage.attempts(), len(stage.transcript("M001-S01-T01")) > 0) == (1, True)
        person.type(f"/auto --agent {stage.agent()}")
        person.sees("done: ")
        person.type("/exit")
        assert person.end() == DONE
    assert stage.attempts("M001/S01/T01") == 1
    stage.require_landed()


@pytest.mark.spec(id="PR-244")
def test_ctrl_c_twice_ends_the_unit_now_and_nothing_of_it_is_lost(stage: Stage) -> None:
    hanging(stage)
    with sitting(stage) as person:
        person.type(f"auto --agent {stage.agent()}")
        wait_until(lambda: (stage.worktree / "half.txt").exists(), seconds=60)
        person.press(CTRL_C)
        person.sees("Ctrl-C again stops auto")
        person.press(CTRL_C)
        person.sees("gsd auto goes on from here")
        stage.replay(TASK, projects.steps(TASK))
        person.type(f"auto --agent {stage.agent()}")
        person.sees("done: ")
        person.type("/exit")
        assert person.end() == DONE
    assert "half.txt" in stage.prompts("M001-S01-T01")[1]
    stage.require_landed()


def test_a_line_that_is_typed_takes_the_first_ctrl_c_back(stage: Stage) -> None:
    slow(stage)
    with sitting(stage) as person:
        person.type(f"auto --agent {stage.agent()}")
        person.sees("▸ execute-task M001/S01/T01")
        for _ in range(2):
            person.ready()
            person.press(CTRL_C)
            person.sees("Ctrl-C again stops auto")
            person.type("/queue")
            person.sees("M001")
        person.ready()
        person.press(f"half a line{CTRL_C}")
        gate(stage).touch()
        person.sees("done: ")
        person.type("/exit")
        person.end()
    stage.require_landed()


@pytest.mark.parametrize("way", ["p", "d"])
def test_who_leaves_says_what_becomes_of_the_run(way: str, stage: Stage) -> None:
    slow(stage, tasks=2)
    with sitting(stage) as person:
        person.type(f"auto --agent {stage.agent()}")
        person.sees("▸ execute-task M001/S01/T01")
        person.type("/exit")
        person.sees("[p/d/s]")
        person.type("")
        person.sees("You stay")
        person.type("/quit")
        person.sees("[p/d/s]")
        person.type(way)
        person.sees("gsd status shows it")
        assert person.end() == DONE
        gate(stage).touch()
        wait_until(lambda: ended(stage), seconds=60)
    assert ended(stage) == ["paused" if way == "p" else "done"]


def test_a_terminal_that_is_closed_pauses_what_runs(stage: Stage) -> None:
    slow(stage, tasks=2)
    with sitting(stage) as person:
        person.type(f"auto --agent {stage.agent()}")
        person.sees("▸ execute-task M001/S01/T01")
        person.hang_up()
        gate(stage).touch()
        wait_until(lambda: ended(stage), seconds=60)
    assert ended(stage) == ["paused"]


@pytest.mark.covers("command:next")
def test_step_mode_asks_after_each_unit(stage: Stage) -> None:
    stage.make(tasks=3)
    with sitting(stage) as person:
        person.type(f"/next --agent {stage.agent()}")
        person.sees("? Next is execute-task M001/S01/T02.")
        person.sees("4. Not yet")
        person.type("3")
        person.sees("Milestone")
        person.sees("? Next is execute-task M001/S01/T02.")
        person.type("1")
        person.sees("? Next is execute-task M001/S01/T03.")
        assert stage.attempts() == 2
        person.type("4")
        person.sees("/next or /auto goes on from here.")
        person.type(f"/gsd --agent {stage.agent()}")
        person.sees("? Next is complete-slice M001/S01.")
        person.type("2")
        person.sees("done: ")
        person.type("/exit")
        assert person.end() == DONE
    stage.require_landed()


@pytest.mark.covers("command:new-milestone", "command:discuss")
def test_questions_of_a_run_are_answered_at_the_prompt(stage: Stage) -> None:
    projects.tiny(stage.root, milestones=(), preferences="---\n---\n")
    questions = (idea.ask("Which database?", "SQLite", "PostgreSQL"), idea.ask("Whose feeds?"), idea.ask("A third?"))
    stage.script = [idea.talk(*questions)]
    with sitting(stage) as person:
        person.type(f"/new-milestone --agent {stage.agent()}")
        person.sees("What do you want?")
        person.type("A feed reader.")
        person.sees("? Which database?")
        person.sees("2. PostgreSQL")
        person.type("/queue")  # a command is no answer
        person.sees("M001")
        person.type("2")
        person.sees("? Whose feeds?")
        person.type("my own")
        person.sees("? A third?")
        person.type("")
        person.sees("done: ")
        person.type("/exit")
        assert person.end() == DONE
    said = [(event["text"], event["by"]) for event in stage.events("answered")]
    assert said == [("PostgreSQL", "supervisor"), ("my own", "supervisor"), ("", "")]


def test_a_sentence_is_said_to_the_session_at_work_after_a_yes(stage: Stage) -> None:
    slow(stage)
    with sitting(stage) as person:
        person.type("please use tabs everywhere")
        person.sees("Nothing is at work that could hear this")
        person.type(f"auto --agent {stage.agent()}")
        person.sees("▸ execute-task M001/S01/T01")
        person.type("please use spaces everywhere")
        person.sees("[Y/n]")
        person.type("n")
        person.type("please use tabs everywhere")
        person.sees("[Y/n]")
        person.type("y")
        person.sees("told the session: please use tabs everywhere")
        gate(stage).touch()
    assert "spaces" not in (stage.state / "OVERRIDES.md").read_text()


@pytest.mark.spec(id="PR-210")
@pytest.mark.spec(id="PR-212")
@pytest.mark.spec(id="PR-213")
@pytest.mark.spec(id="PR-214")
@pytest.mark.covers("command:parallel start", "command:parallel status")
def test_a_fleet_is_started_and_looked_at_as_the_documents_of_sf_say(tmp_path: Path) -> None:
    stage = Stage(root=tmp_path / "project", program="sf", state_dir=".sf")
    enabled = projects.QUICK.replace("---\n", "---\nparallel: {enabled: true, auto_merge: auto}\n", 1)
    stage.make(milestones=("M001", "M002"), preferences=enabled)
    with sitting(stage) as person:
        person.ready()
        person.type("/doctor")
        person.sees("No")
        person.type("/queue")
        person.sees("M002")
        person.type(f"/parallel start --agent {stage.agent()}")
        person.sees("Start? [Y/n]")
        person.type("n")
        person.type("/sf parallel status")
        person.ready()
        assert stage.attempts() == 0
        person.type(f"/parallel start --agent {stage.agent()}")
        person.sees("Start? [Y/n]")
        person.type("")
        person.sees("M001 started")
        person.type("/parallel status")
        person.sees("done: ")
        person.type("/exit")
        assert person.end() == DONE
    assert sorted(subject[:10] for subject in stage.log()[:2]) == ["feat(M001)", "feat(M002)"]


def test_what_is_no_command_says_what_was_meant(stage: Stage) -> None:
    stage.make()
    with sitting(stage) as person:
        for line, says in (
            ("/stauts", "Did you mean /status?"),
            ("stauts", "Did you mean /status?"),
            ("/nothing at all", "/help lists the commands"),
            ('/queue "M001', "A quote is not closed"),
            ("/status --wach", "Did you mean --watch?"),
            ("/status M009", "there is no milestone M009"),
            ("/rate --help", "a cheaper one would do"),
            ("/help", "Escape"),
        ):
            person.type(line)
            person.sees(says)
        person.ready()
        person.press(CTRL_C)
        person.sees("Nothing runs here")
        person.ready()
        person.press(CTRL_D)
        assert person.end() == DONE


def test_lines_are_kept_for_their_user_alone_and_words_completed(stage: Stage) -> None:
    stage.make()
    home = Path(os.environ["HOME"]) / ".gsd"
    with sitting(stage) as person:
        person.type("/queue")
        person.sees("M001")
        person.ready()
        person.press(CTRL_D)
        person.end()
    assert stat.S_IMODE((home / "session-history").stat().st_mode) == 0o600
    with sitting(stage) as person:
        person.ready()
        person.press(f"{UP}\r")
        person.sees("M001")
        person.press(f"/visu{TAB}")
        person.sees("alize")
        person.type("")
        person.sees("Small files")
        person.ready()
        person.press(f"/status --js{TAB}")
        person.sees("on")
        person.type("")
        person.sees('"activeMilestone')
        person.ready()
        person.press(CTRL_D)
        person.end()


@pytest.mark.covers("command:logs")
def test_looking_again_and_again_ends_with_escape_and_with_the_session(stage: Stage) -> None:
    stage.make()
    stage.auto().require(DONE)
    with sitting(stage, cpr=True) as person:
        for leave in (ESCAPE, CTRL_D):
            person.type("/logs -f -n 1000")
            person.sees("[Escape: end]")
            person.sees("ended: done")
            person.press(leave)
            if leave == ESCAPE:
                person.alone()
        assert person.end() == DONE


def test_a_session_that_is_killed_leaves_nobody_looking(stage: Stage) -> None:
    stage.make()
    stage.auto().require(DONE)
    with sitting(stage) as person:
        person.type("/logs -f")
        person.sees("ended: done")
        [watcher] = person.children()
        person.process.kill()
        wait_until(lambda: not runs(watcher), seconds=60)


def test_another_run_is_named_and_left_alone(stage: Stage) -> None:
    slow(stage)
    run = stage.start()
    wait_until(lambda: stage.attempts() == 1, seconds=60)
    with sitting(stage) as person:
        person.sees(f"pid {run.pid}")
        person.ready()
        person.press(ESCAPE)
        person.type(f"/auto --agent {stage.agent()}")
        person.sees("gsd stop")
        person.alone()
        person.press(CTRL_D)
        assert person.end() == DONE
        gate(stage).touch()
        run.communicate(timeout=60)
    assert run.returncode == DONE


def test_without_a_project_there_is_a_session_too(tmp_path: Path) -> None:
    stage = Stage(root=tmp_path / "nothing")
    stage.root.mkdir()
    with sitting(stage, cpr=True) as person:
        person.sees("no .gsd/ here")
        person.type("/status")
        person.sees('gsd new-project "…" begins one')
        person.ready()
        person.press(CTRL_D)
        assert person.end() == DONE


def test_without_a_terminal_the_commands_are_listed(stage: Stage) -> None:
    stage.make()
    assert stage.gsd().require(DONE).out == stage.gsd("help").out


def test_a_home_that_cannot_be_written_costs_only_the_history(stage: Stage, tmp_path: Path) -> None:
    stage.make()
    (tmp_path / "file").write_text("")
    with sitting(stage, GSD_HOME=str(tmp_path / "file")) as person:
        person.type("/queue")
        person.sees("M001")
        person.ready()
        person.press(CTRL_D)
        assert person.end() == DONE
