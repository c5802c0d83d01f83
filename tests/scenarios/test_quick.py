"""`gsd quick`: one small piece of work outside the milestones, with everything that holds for a unit of the plan."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from milepost.testing.projects import QUICK, Step, hang, raw_shell, raw_write, say, session, tool, usage
from scenarios.fleet_stage import FleetStage, task
from scenarios.stage import BLOCKED, BUDGET, DONE, ERROR, INTERRUPTED, PAUSED, Ran, Stage, finish, picture, wait_until

WISH = "Fix the title in the README"
SLUG = "fix-the-title-in-the-readme"
KEY = f"quick-1-{SLUG}"
UNIT = f"quick/{KEY}"
BRANCH = f"gsd/quick/1-{SLUG}"
SUMMARY = f"quick/1-{SLUG}/1-SUMMARY.md"
GATE = "---\nverification_commands:\n  - grep -q Better README.md\n---\n"


def written(stage: Stage, *, key: str = KEY, says: str = "The title says what it is") -> Step:
    number, slug = key.split("-", 2)[1:]
    path = f"{stage.state_dir}/quick/{number}-{slug}/{number}-SUMMARY.md"
    return tool(
        "write", path=path, content=f"---\nid: {key}\n---\n# Title\n\n**{says}**\n\n## What Happened\n\nDone.\n"
    )


def edited(text: str = "# A Better project\n", path: str = "README.md") -> Step:
    return tool("write", path=path, content=text)


def play(stage: Stage, *plays: list[Step], key: str = KEY) -> None:
    """The sessions of a quick task, one after the other, each of one request."""
    stage.script = [one for one in stage.script if one["unit"] != f"quick/{key}"]
    stage.script += [session(f"quick/{key}", usage(micro_usd=1_000), *steps, say("Done.")) for steps in plays]


def honest(stage: Stage) -> list[Step]:
    return [edited(), written(stage)]


def quick(stage: Stage, *args: str, **env: str) -> Ran:
    return stage.gsd("quick", "--agent", stage.agent(), *args, **env)


def subject(stage: Stage, ref: str = "main") -> str:
    return stage.git("log", "-1", "--format=%s", ref).strip()


def require_clean(stage: Stage, *, before: int = 1, target: str = "main") -> None:
    """One commit on top of `before`, and nothing of the task left over but its backups."""
    assert len(stage.log(target)) == before + 1, stage.log(target)
    assert BRANCH not in stage.branches()
    assert not (stage.state / "worktrees" / KEY).exists()
    assert len(stage.git("worktree", "list").splitlines()) == 1
    assert stage.git("status", "--porcelain") == ""
    assert any(f"/{KEY}/" in ref for ref in stage.backups())


@pytest.fixture
def small(stage: Stage) -> Stage:
    """A project with a milestone to come, and an honest agent for one quick task."""
    stage.make()
    play(stage, honest(stage))
    return stage


@pytest.mark.covers("command:quick", "unit:quick")
def test_one_clean_commit_on_the_users_branch(small: Stage) -> None:
    ran = quick(small, WISH).require(DONE)
    assert "quick task 1 is on main" in ran.out
    require_clean(small)
    assert subject(small) == "fix(quick-1): Fix the title in the README"
    body = small.git("log", "-1", "--format=%B")
    assert "The title says what it is" in body
    assert f"GSD-Quick: {KEY}" in body
    assert (small.root / "README.md").read_text() == "# A Better project\n"
    assert (small.state / SUMMARY).read_text().startswith("---\nid: ")
    assert small.attempts(KEY) == 1
    assert sorted(small.git("show", "--name-only", "--format=").split()) == [
        f".gsd/{SUMMARY}", f".gsd/quick/1-{SLUG}/1-VERIFY.json", "README.md"
    ]  # fmt: skip


@pytest.mark.covers("unit:quick")
def test_the_session_is_told_what_is_wanted_and_what_it_owes(small: Stage) -> None:
    quick(small, WISH).require(DONE)
    prompt = small.prompts(f"quick-{KEY}")[0]
    assert WISH in prompt
    assert f"`.gsd/{SUMMARY}`" in prompt
    assert f"branch `{BRANCH}`" in prompt


def test_the_milestone_goes_on_as_if_nothing_had_been(small: Stage) -> None:
    quick(small, WISH).require(DONE)
    small.auto().require(DONE)
    assert [line.partition(":")[0] for line in small.log()] == ["feat(M001)", "fix(quick-1)", "first"]
    quick(small, "--list").require(DONE)
    assert small.attempts(KEY) == 1


def test_it_lands_where_the_user_stands(small: Stage) -> None:
    small.git("switch", "-qc", "feature/title")
    quick(small, WISH).require(DONE)
    require_clean(small, target="feature/title")
    assert subject(small) == "first"


def test_numbers_are_not_given_twice(small: Stage) -> None:
    quick(small, WISH).require(DONE)
    for path in (small.state / "journal").glob("*.jsonl"):
        path.unlink()  # Another clone knows the documents alone.
    again = f"quick-2-{SLUG}"
    play(small, [edited("# Better still\n"), written(small, key=again)], key=again)
    quick(small, WISH).require(DONE)
    assert (small.state / f"quick/2-{SLUG}/2-SUMMARY.md").is_file()
    assert len(small.log()) == 3


@pytest.mark.covers("unit:quick")
def test_a_gate_that_fails_is_told_to_the_next_attempt(stage: Stage) -> None:
    stage.make(preferences=GATE)
    play(stage, [edited("# Worse\n"), written(stage)], honest(stage))
    quick(stage, WISH).require(DONE)
    require_clean(stage)
    assert stage.attempts(KEY) == 2
    assert "grep -q Better README.md" in stage.prompts(f"quick-{KEY}")[1]
    evidence = json.loads((stage.state / f"quick/1-{SLUG}/1-VERIFY.json").read_text())
    assert (evidence["passed"], evidence["checks"][0]["command"]) == (True, "grep -q Better README.md")


def test_the_gate_judges_also_a_task_that_changed_nothing(stage: Stage) -> None:
    stage.make(preferences=GATE)
    play(stage, [written(stage)], honest(stage))
    quick(stage, WISH).require(DONE)
    require_clean(stage)
    assert [e["verdict"] for e in stage.events("verified")] == ["fail", "pass"]


def test_one_that_cannot_begin_does_not_wait(stage: Stage) -> None:
    stage.make(preferences="---\ngit:\n  isolation: branch\n---\n")
    play(stage, honest(stage))
    (stage.root / "README.md").write_text("# My own\n")
    before = picture(stage.root)
    assert "README.md" in quick(stage, WISH).require(BLOCKED).err
    assert picture(stage.root) == before
    assert stage.branches() == ["main"]
    assert "no quick task waits" in quick(stage).require(BLOCKED).err
    (listed,) = json.loads(stage.gsd("quick", "--list", "--json").out)
    assert (listed["standing"], "README.md" in listed["reason"]) == ("discarded", True)


def test_attempts_are_capped_and_a_person_may_count_afresh(stage: Stage) -> None:
    stage.make(preferences=GATE)
    play(stage, [edited("# Worse\n"), written(stage)])
    ran = quick(stage, WISH).require(PAUSED)
    tried = stage.attempts(KEY)
    assert tried == 3
    assert "gsd quick --resume 1 --retry" in ran.out
    assert not (stage.state / "worktrees" / KEY / ".gsd" / SUMMARY).exists()
    quick(stage).require(PAUSED)
    assert stage.attempts(KEY) == tried
    play(stage, *[[edited("# Worse\n"), written(stage)]] * tried, honest(stage))
    quick(stage, "--resume", "1", "--retry").require(DONE)
    require_clean(stage)
    assert stage.attempts(KEY) == tried + 1


def test_what_the_session_owes_is_missed(stage: Stage) -> None:
    stage.make()
    play(stage, [edited()], [written(stage)])
    quick(stage, WISH).require(DONE)
    assert stage.attempts(KEY) == 2
    assert f".gsd/{SUMMARY}`: was not written" in stage.prompts(f"quick-{KEY}")[1]
    assert (stage.root / "README.md").read_text() == "# A Better project\n"


def test_the_plan_and_the_state_are_not_the_agents(small: Stage) -> None:
    roadmap = small.path("M001-ROADMAP.md").read_text()
    play(
        small,
        [
            *honest(small),
            raw_write(".gsd/STATE.md", "# Mine\n"),
            raw_write(".gsd/milestones/M001/M001-ROADMAP.md", roadmap.replace("[ ]", "[x]")),
            raw_shell("git", "commit", "-qam", "by myself"),
        ],
    )
    quick(small, WISH).require(DONE)
    require_clean(small)
    assert small.path("M001-ROADMAP.md").read_text() == roadmap
    assert "M001" in (small.state / "STATE.md").read_text()
    assert subject(small).startswith("fix(quick-1)")


def test_what_the_user_has_open_is_not_touched(small: Stage) -> None:
    (small.root / "src/app.txt").write_text("mine\n")
    (small.root / "new.txt").write_text("mine too\n")
    small.git("add", "new.txt")
    quick(small, WISH).require(DONE)
    assert small.git("status", "--porcelain") == "A  new.txt\n M src/app.txt\n"
    assert (small.root / "README.md").read_text() == "# A Better project\n"


def test_a_change_of_the_users_in_the_way_waits(small: Stage) -> None:
    (small.root / "README.md").write_text("# My own\n")
    before = picture(small.root)
    ran = quick(small, WISH).require(BLOCKED)
    assert "gsd quick --resume 1" in ran.out
    assert "README.md" in ran.out
    assert picture(small.root) == before
    small.git("restore", "README.md")
    quick(small).require(DONE)
    require_clean(small)
    assert small.attempts(KEY) == 1


def test_killed_in_the_session_goes_on_without_being_paid_again(small: Stage) -> None:
    play(small, [*honest(small), hang()])
    process = small.begin("quick", "--agent", small.agent(), WISH)
    worktree = small.state / "worktrees" / KEY
    wait_until(lambda: (worktree / ".gsd" / SUMMARY).is_file())
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    listed = json.loads(quick(small, "--list", "--json").out)
    assert [(one["number"], one["standing"]) for one in listed] == [(1, "waiting")]
    quick(small).require(DONE)
    require_clean(small)
    assert small.attempts(KEY) == 1


def test_killed_with_nothing_done_is_done_again_with_a_briefing(small: Stage) -> None:
    play(small, [tool("read", path="README.md"), hang()], honest(small))
    process = small.begin("quick", "--agent", small.agent(), WISH)
    wait_until(lambda: "toolResult" in small.transcript(f"quick-{KEY}"))
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    play(small, honest(small))
    quick(small, "--resume").require(DONE)
    require_clean(small)
    assert small.attempts(KEY) == 2


def test_an_interrupt_keeps_it_and_says_how_to_go_on(small: Stage) -> None:
    play(small, [edited(), hang()], [written(small)])
    process = small.begin("quick", "--agent", small.agent(), WISH)
    worktree = small.state / "worktrees" / KEY
    wait_until(lambda: (worktree / "README.md").is_file() and "Better" in (worktree / "README.md").read_text())
    process.send_signal(signal.SIGINT)
    ran = finish(process)
    ran.require(INTERRUPTED)
    assert "gsd quick --resume 1" in ran.out
    play(small, [written(small)])
    quick(small, "--resume", "1").require(DONE)
    require_clean(small)
    assert (small.root / "README.md").read_text() == "# A Better project\n"


def conflicting(stage: Stage) -> Ran:
    """Main changes the same line while the session is at work."""
    mine = ["git", "-C", str(stage.root)]
    move = [raw_write(str(stage.root / "README.md"), "# Their project\n"), raw_shell(*mine, "commit", "-qam", "theirs")]
    play(stage, [*honest(stage), *move])
    return quick(stage, WISH)


def test_a_conflict_is_blocked_with_a_hint_that_works(small: Stage) -> None:
    ran = conflicting(small).require(BLOCKED)
    worktree = small.state / "worktrees" / KEY
    assert "README.md" in ran.out
    assert f"git -C {worktree} merge main" in ran.out
    assert "gsd quick --resume 1" in ran.out
    assert (small.root / "README.md").read_text() == "# Their project\n"
    quick(small).require(BLOCKED)
    small.git("merge", "-q", "main", where=worktree, ok=(1,))
    (worktree / "README.md").write_text("# Their Better project\n")
    small.git("commit", "-qam", "resolved", where=worktree)
    quick(small, "--resume").require(DONE)
    require_clean(small, before=2)
    assert (small.root / "README.md").read_text() == "# Their Better project\n"
    assert small.attempts(KEY) == 1


def test_what_waits_is_named_everywhere(small: Stage) -> None:
    conflicting(small).require(BLOCKED)
    (row,) = json.loads(small.gsd("inbox", "--json").require(DONE).out)
    assert (row["kind"], row["milestoneId"]) == ("quick", KEY)
    assert "done, not landed: conflicts with main" in str(row["reason"])
    assert "gsd quick --resume 1" in str(row["next"])
    assert "1 thing for you: gsd inbox" in small.gsd("status").require(DONE).out
    why = small.gsd("why", "quick/1").require(DONE).out
    assert f"{KEY} is done after 1 attempt" in why
    assert "gsd quick --resume 1" in why
    doctor = small.gsd("doctor")
    assert "quick_task_waits" in doctor.out
    assert "legacy_slice_branches" not in doctor.out
    assert "milestone_branch" not in doctor.out
    small.gsd("quick", "--discard", "1").require(DONE)
    assert small.gsd("inbox").out == "Nothing waits for you.\n"
    assert "quick_task" not in small.gsd("doctor").out
    assert "discarded" in small.gsd("quick", "--list").out


def test_an_auto_mode_goes_on_beside_one_that_waits(small: Stage) -> None:
    conflicting(small).require(BLOCKED)
    small.auto().require(DONE)
    assert len(small.log()) == 3
    assert BRANCH in small.branches()
    (row,) = json.loads(small.gsd("inbox", "--json").out)
    assert row["kind"] == "quick"


def test_an_auto_mode_settles_what_a_killed_one_left_without_paying(small: Stage) -> None:
    play(small, [*honest(small), hang()])
    process = small.begin("quick", "--agent", small.agent(), WISH)
    wait_until(lambda: (small.state / "worktrees" / KEY / ".gsd" / SUMMARY).is_file())
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    why = small.gsd("why", "quick-1").require(DONE).out
    assert "is not settled" in why
    assert "gsd quick --resume 1" in why
    small.auto().require(DONE)
    assert [line.partition(":")[0] for line in small.log()] == ["feat(M001)", "first"]
    assert json.loads(small.gsd("quick", "--list", "--json").out)[0]["standing"] == "done"
    quick(small).require(DONE)
    assert subject(small).startswith("fix(quick-1)")
    assert small.attempts(KEY) == 1


def test_money_is_booked_as_quick(small: Stage) -> None:
    quick(small, WISH).require(DONE)
    assert "quick" in small.gsd("why", "cost").require(DONE).out
    metrics = json.loads((small.state / "metrics.json").read_text())
    assert [(row["type"], row["id"], row["cost"]) for row in metrics["units"]] == [("quick", KEY, 0.001)]
    assert KEY in small.gsd("history").require(DONE).out
    status = json.loads(small.gsd("status", "--json").require(DONE).out)
    assert [(row["kind"], row["cost"]) for row in status["units"]] == [("quick", 0.001)]
    assert KEY in Path(small.gsd("export", "--json").require(DONE).out.strip()).read_text()


LANDING = ("commit", "pin", "merge", "publish", "checkout", "remove-worktree", "remove-branch")


@pytest.mark.parametrize("step", LANDING)
def test_killed_while_it_lands_goes_on_where_it_was(small: Stage, step: str) -> None:
    """The process is ended right after a step of the landing was announced, before its effect."""
    code = (
        "import os, signal; from milepost.ui.cli.main import gsd; from milepost.worker import landing\n"
        "note = landing._note\n"
        "def cut(shift, key, name, facts):\n"
        "    note(shift, key, name, facts)\n"
        f"    if name == {step!r} and facts['at'] == 'begin': os.kill(os.getpid(), signal.SIGKILL)\n"
        "landing._note = cut\n"
        "gsd()\n"
    )
    agent = small.agent()
    cut = subprocess.run(
        [sys.executable, "-c", code, "quick", "--agent", agent, WISH], cwd=small.root, env=small.environment({}),
        capture_output=True, timeout=60, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert cut.returncode == -signal.SIGKILL, cut.stderr.decode()
    quick(small, "--resume").require(DONE)
    require_clean(small)
    assert small.attempts(KEY) == 1
    assert (small.root / "README.md").read_text() == "# A Better project\n"


def test_what_a_landing_left_over_is_cleared_away_by_the_doctor(small: Stage) -> None:
    quick(small, WISH).require(DONE)
    (tip,) = {e["tip"] for e in small.events("landed")}
    small.git("branch", BRANCH, str(tip))
    assert "quick_task_left" in small.gsd("doctor").out
    small.gsd("doctor", "--fix")
    require_clean(small)


def test_a_conflict_that_was_resolved_and_not_committed_is_concluded(small: Stage) -> None:
    conflicting(small).require(BLOCKED)
    worktree = small.state / "worktrees" / KEY
    small.git("merge", "-q", "main", where=worktree, ok=(1,))
    ran = quick(small).require(BLOCKED)
    assert "gsd quick --resume 1" in ran.said
    (worktree / "README.md").write_text("# Their Better project\n")
    quick(small).require(DONE)
    require_clean(small, before=2)


def test_refused_beside_an_auto_mode_and_the_other_way_round(small: Stage) -> None:
    play(small, [hang()])
    small.replay("execute-task/M001/S01/T01", [hang()])
    auto = small.start()
    wait_until(lambda: small.attempts("M001/S01/T01") == 1)
    ran = quick(small, WISH).require(BLOCKED)
    assert "being worked on by another process" in ran.err
    assert not small.events("quick-asked")
    os.killpg(auto.pid, signal.SIGKILL)
    auto.communicate()
    task = small.begin("quick", "--agent", small.agent(), WISH)
    wait_until(lambda: small.attempts(KEY) == 1)
    small.auto().require(BLOCKED)
    quick(small, "another thing").require(BLOCKED)
    small.gsd("quick", "--discard", "1").require(BLOCKED)
    small.gsd("stop").require(DONE)
    finish(task).require(INTERRUPTED)


def test_refused_beside_a_fleet_and_the_other_way_round(fleet: FleetStage) -> None:
    fleet.plan()
    gate = fleet.hold(task("M001"))
    play(fleet, [hang()])
    alone = Stage.begin(fleet, "quick", "--agent", fleet.agent(), WISH)
    wait_until(lambda: fleet.attempts(KEY) == 1)
    assert "being worked on by another process" in fleet.fleet("--yes").require(BLOCKED).err
    alone.send_signal(signal.SIGTERM)
    finish(alone).require(INTERRUPTED)
    running = fleet.begin("--yes")
    gate.wait()
    assert "parallel workers are running" in quick(fleet, "another thing").require(BLOCKED).err
    assert len(fleet.events("quick-asked")) == 1
    gate.open()
    fleet.end(running).require(DONE)
    assert BRANCH in fleet.branches()


def test_a_conflict_on_a_branch_in_the_checkout_is_resolved_there(stage: Stage) -> None:
    stage.make(preferences="---\ngit:\n  isolation: branch\n---\n")
    theirs = [raw_shell("git", "branch", "-f", "main", "theirs")]
    stage.git("switch", "-qc", "theirs")
    (stage.root / "README.md").write_text("# Their project\n")
    stage.git("commit", "-qam", "theirs")
    stage.git("switch", "-q", "main")
    play(stage, [*honest(stage), *theirs])
    ran = quick(stage, WISH).require(BLOCKED)
    assert f"git switch {BRANCH}, git merge main, resolve and commit there, then: gsd quick --resume 1" in ran.out
    stage.git("switch", "-q", BRANCH)
    stage.git("merge", "-q", "main", ok=(1,))
    (stage.root / "README.md").write_text("# Their Better project\n")
    stage.git("commit", "-qam", "resolved")
    quick(stage).require(DONE)
    assert len(stage.log()) == 3
    assert sorted(stage.branches()) == ["main", "theirs"]
    assert (stage.root / "README.md").read_text() == "# Their Better project\n"
    assert stage.attempts(KEY) == 1


def test_a_provider_that_refuses_keeps_it(small: Stage) -> None:
    play(small, [{"error": "auth"}], honest(small))
    ran = quick(small, WISH).require(PAUSED)
    assert "auth" in ran.out
    quick(small).require(DONE)
    require_clean(small)


def test_a_limit_of_time_keeps_it(small: Stage) -> None:
    play(small, [hang()])
    ran = quick(small, WISH, "--timeout", "1500").require(ERROR)
    assert "gsd quick" in ran.out
    play(small, honest(small))
    quick(small).require(DONE)
    require_clean(small)


def test_paused_between_the_work_and_its_landing(small: Stage) -> None:
    play(small, [*honest(small), raw_shell(*small.argv("pause"))])
    ran = quick(small, WISH).require(PAUSED)
    assert "gsd quick --resume 1" in ran.out
    assert small.log() == ["first"]
    quick(small).require(DONE)
    require_clean(small)
    assert small.attempts(KEY) == 1


def test_a_place_that_somebody_threw_away_does_not_keep_it_from_landing(small: Stage) -> None:
    conflicting(small).require(BLOCKED)
    shutil.rmtree(small.state / "worktrees" / KEY)
    small.git("revert", "--no-edit", "HEAD")
    quick(small).require(DONE)
    assert len(small.log()) == 4
    assert BRANCH not in small.branches()
    assert (small.root / "README.md").read_text() == "# A Better project\n"


def test_discarded_with_its_work_on_a_backup_ref(small: Stage) -> None:
    conflicting(small).require(BLOCKED)
    worktree = small.state / "worktrees" / KEY
    (worktree / "more.txt").write_text("by hand\n")
    ran = small.gsd("quick", "--discard", "1").require(DONE)
    assert f"refs/gsd/backup/{KEY}/" in ran.out
    assert BRANCH not in small.branches()
    assert not worktree.exists()
    kept = [ref for ref in small.backups() if f"/{KEY}/" in ref]
    assert any("# A Better project" in small.git("show", f"{ref}:README.md") for ref in kept)
    assert any(small.git("ls-tree", "--name-only", ref, "more.txt") for ref in kept)
    assert (small.root / "README.md").read_text() == "# Their project\n"
    small.gsd("quick", "--discard", "1").require(BLOCKED)
    quick(small).require(BLOCKED)
    small.auto().require(DONE)


def test_discarded_after_a_kill_frees_the_reserved_money(stage: Stage) -> None:
    stage.make(preferences="---\nbudget_ceiling: 2.0\n---\n")
    play(stage, [edited(), hang()])
    process = stage.begin("quick", "--agent", stage.agent(), WISH)
    readme = stage.state / "worktrees" / KEY / "README.md"
    wait_until(lambda: readme.is_file() and "Better" in readme.read_text())
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    stage.gsd("quick", "--discard", "1").require(DONE)
    assert [e["result"] for e in stage.events("attempt-ended")] == ["interrupted"]


def test_over_the_ceiling_it_waits(stage: Stage) -> None:
    stage.make(preferences="---\nbudget_ceiling: 0.0005\nbudget_enforcement: halt\n---\n")
    play(stage, honest(stage))
    quick(stage, WISH).require(BUDGET)
    stage.prefer("---\nbudget_ceiling: 5.0\n---\n")
    quick(stage).require(DONE)
    require_clean(stage, before=2)


@pytest.mark.parametrize("isolation", ["branch", "none"])
def test_other_isolation_modes(stage: Stage, isolation: str) -> None:
    stage.make(preferences=f"---\ngit:\n  isolation: {isolation}\n---\n")
    play(stage, honest(stage))
    quick(stage, WISH).require(DONE)
    assert len(stage.log()) == 2
    assert subject(stage) == "fix(quick-1): Fix the title in the README"
    assert stage.branches() == ["main"]
    assert stage.git("status", "--porcelain") == ""
    assert not (stage.state / "worktrees").exists()
    assert stage.git("branch", "--show-current").strip() == "main"


def test_on_a_branch_in_the_checkout_it_is_resumed_and_holds_it_until_then(stage: Stage) -> None:
    stage.make(preferences=QUICK.replace("phases:", "git:\n  isolation: branch\nphases:"))
    play(stage, [edited(), hang()])
    process = stage.begin("quick", "--agent", stage.agent(), WISH)
    wait_until(lambda: "Better" in (stage.root / "README.md").read_text())
    process.send_signal(signal.SIGINT)
    finish(process).require(INTERRUPTED)
    assert stage.git("branch", "--show-current").strip() == BRANCH
    ran = stage.auto().require(BLOCKED)
    assert "gsd quick --resume 1" in ran.err
    play(stage, [written(stage)])
    quick(stage).require(DONE)
    require_clean(stage)
    stage.auto().require(DONE)


@pytest.mark.parametrize("isolation", ["branch", "none"])
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_discarded_in_the_checkout_what_it_left_is_taken_back(stage: Stage, isolation: str, how: int) -> None:
    stage.make(preferences=f"---\ngit:\n  isolation: {isolation}\n---\n")
    play(stage, [edited(), hang()])
    process = stage.begin("quick", "--agent", stage.agent(), WISH)
    wait_until(lambda: "Better" in (stage.root / "README.md").read_text())
    os.killpg(process.pid, how)
    process.communicate()
    ran = stage.gsd("quick", "--discard", "1").require(DONE)
    assert "What was not committed is kept as refs/gsd/backup/" in ran.out
    assert stage.branches() == ["main"]
    assert stage.git("status", "--porcelain") == ""
    assert (stage.root / "README.md").read_text() == "# A project\n"


def test_discarded_in_the_checkout_nothing_of_the_users_is_taken(stage: Stage) -> None:
    stage.make(preferences="---\ngit:\n  isolation: branch\n---\n")
    play(stage, [edited(), hang()])
    process = stage.begin("quick", "--agent", stage.agent(), WISH)
    wait_until(lambda: "Better" in (stage.root / "README.md").read_text())
    process.send_signal(signal.SIGINT)
    finish(process).require(INTERRUPTED)
    (stage.root / "src/app.txt").write_text("mine\n")
    before = picture(stage.root)
    ran = stage.gsd("quick", "--discard", "1").require(BLOCKED)
    assert "src/app.txt" in ran.err
    assert picture(stage.root) == before


def test_for_sf(tmp_path: Path) -> None:
    stage = Stage(root=tmp_path / "project", program="sf", state_dir=".sf").make()
    play(stage, honest(stage))
    quick(stage, WISH).require(DONE)
    require_clean(stage)
    assert (stage.state / SUMMARY).is_file()
    assert not (stage.root / ".gsd").exists()
    assert "sf quick --list" in stage.gsd("quick", "--resume", "1").require(BLOCKED).err


def test_planning_files_that_git_does_not_carry_come_home(stage: Stage) -> None:
    stage.make(plan_committed=False)
    (stage.root / ".gitignore").write_text(".gsd/\n")
    stage.git("add", ".gitignore")
    stage.git("commit", "-qm", "ignore")
    play(stage, honest(stage))
    quick(stage, WISH).require(DONE)
    require_clean(stage, before=2)
    assert "The title says what it is" in (stage.state / SUMMARY).read_text()
    assert "The title says what it is" in stage.git("log", "-1", "--format=%B")


def test_a_task_that_changed_nothing_is_over(stage: Stage) -> None:
    stage.make(plan_committed=False)
    (stage.root / ".gitignore").write_text(".gsd/\n")
    stage.git("add", ".gitignore")
    stage.git("commit", "-qm", "ignore")
    play(stage, [written(stage, says="Nothing had to change")])
    ran = quick(stage, WISH).require(DONE)
    assert "changed nothing" in ran.out
    assert stage.branches() == ["main"]


def test_a_plan_that_cannot_be_read_does_not_keep_it(small: Stage) -> None:
    small.path("M001-ROADMAP.md").write_bytes(b"\0\0")
    small.git("commit", "-qam", "broken")
    quick(small, WISH).require(DONE)
    require_clean(small, before=2)


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("--resume", "7"), "there is no quick task 7"),
        ((), "no quick task waits"),
        (("--discard", "7"), "there is no quick task 7"),
    ],
)
def test_what_is_not_there_is_said(small: Stage, args: tuple[str, ...], said: str) -> None:
    assert said in small.gsd("quick", *args).require(BLOCKED).err
    assert not (small.state / "journal").exists() or not small.events("quick-asked")


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("",), "nothing says what is to be done"),
        (("a", "--list"), "more than one thing is asked for"),
        (("a", "--retry"), "a new task has no attempts"),
        (("--discard", "x"), "must be the number of a quick task"),
    ],
)
def test_bad_use_is_said(small: Stage, args: tuple[str, ...], said: str) -> None:
    assert said in small.gsd("quick", *args).require(ERROR).err


def test_without_a_model_nothing_is_begun(small: Stage) -> None:
    small.gsd("quick", WISH, ANTHROPIC_API_KEY="", OPENAI_API_KEY="").require(ERROR)
    assert not (small.state / "journal").exists() or not small.events("quick-asked")


def test_events_as_json(small: Stage) -> None:
    lines = [
        json.loads(line) for line in quick(small, WISH, "--json").require(DONE).out.splitlines() if line[:1] == "{"
    ]
    begun = next(line for line in lines if line["type"] == "unit-started")
    assert (begun["unitType"], begun["unitId"]) == ("quick", KEY)
