"""An agent that does what is not its to do: caught, put right or refused, and said so."""

import json

import pytest

from milepost.process import confine
from milepost.testing import projects
from milepost.testing.projects import Step, raw_shell, raw_write, say, steps, tool
from scenarios.stage import BLOCKED, DONE, PAUSED, Stage, picture

TASK = "execute-task/M001/S01/T01"
PLAN = ".gsd/milestones/M001/slices/S01/S01-PLAN.md"
ROADMAP = ".gsd/milestones/M001/M001-ROADMAP.md"
SUMMARY = ".gsd/milestones/M001/slices/S01/tasks/T01-SUMMARY.md"

needs_sandbox = pytest.mark.skipif(not confine.available(), reason="this machine has no sandbox for commands")


def ticked(path: str, id_: str, title: str) -> Step:
    return tool("edit", path=path, old=f"- [ ] **{id_}: {title}**", new=f"- [x] **{id_}: {title}**")


def test_boxes_are_ticked_by_nobody_but_us(stage: Stage) -> None:
    stage.make(tasks=2)
    stage.replay(
        TASK,
        [
            ticked(PLAN, "T01", "Write T01"),
            ticked(PLAN, "T02", "Write T02"),
            ticked(ROADMAP, "S01", "Slice S01"),
            *steps(TASK),
        ],
    )
    ran = stage.auto().require(DONE)
    assert "put right: the agent ticked or unticked boxes" in ran.out
    [corrected] = stage.events("corrected")
    assert set(corrected["paths"]) == {"S01", "S01/T01", "S01/T02"}  # type: ignore[call-overload]
    assert stage.attempts("M001/S01/T02") == 1
    assert (stage.root / "work/M001-S01-T02.txt").exists()
    first = stage.git("log", "--format=%H", "--reverse", f"main..{stage.backups()[0]}").split()[0]
    plan = stage.git("show", f"{first}:{PLAN}")
    assert "- [x] **T01" in plan
    assert "- [ ] **T02" in plan


def test_a_box_that_is_unticked_is_ticked_again(stage: Stage) -> None:
    stage.make(tasks=2)
    second = "execute-task/M001/S01/T02"
    untick = tool("edit", path=PLAN, old="- [x] **T01", new="- [ ] **T01")
    stage.replay(second, [untick, *steps(second)])
    ran = stage.auto().require(DONE)
    assert "put right" in ran.out
    assert stage.attempts("M001/S01/T01") == 1


GIT_DEEDS: dict[str, str] = {
    "commits": "git add -A && git commit -qm 'I did it' && echo more > work-more.txt",
    "commits twice": "git commit -qm a --allow-empty && echo x > x.txt && git add x.txt && git commit -qm b",
    "amends": "git commit -q --amend -m 'rewritten'",
    "resets": "git commit -qm a --allow-empty && git reset -q --hard HEAD~1",
    "switches branch": "git switch -qc feature/mine && git commit -qm a --allow-empty",
    "detaches": "git checkout -q --detach && git commit -qm a --allow-empty",
    "renames the branch": "git branch -m milestone/M001 mine",
    "deletes the branch": "git checkout -q --detach && git branch -D milestone/M001 -q",
    "orphans": "git checkout -q --orphan fresh && git commit -qm a --allow-empty",
    "leaves an empty line of history": "git switch -q --orphan fresh && git commit -qm a --allow-empty",
    "stashes": "echo y > y.txt && git stash -q -u",
    "stages": "echo z > z.txt && git add z.txt && rm z.txt",
    "leaves a merge half done": "git switch -qc side && echo a > README.md && git commit -qam a && "
    "git switch -q milestone/M001 && echo b > README.md && git commit -qam b && git merge side || true",
}


@pytest.mark.parametrize("deed", GIT_DEEDS)
def test_git_is_put_right(stage: Stage, deed: str) -> None:
    stage.make(tasks=2)
    stage.replay(TASK, [raw_shell("sh", "-c", GIT_DEEDS[deed]), *steps(TASK)])
    before = picture(stage.root)

    ran = stage.auto()

    if deed == "leaves a merge half done":
        assert ran.code in (DONE, BLOCKED), ran.said
    else:
        ran.require(DONE)
        tip = next(ref for ref in stage.backups() if ref.endswith("-tip"))
        told = stage.git("log", "--format=%s", f"main~1..{tip}").splitlines()
        assert [line.partition(":")[0] for line in told] == [
            "chore(M001)",
            "chore(M001/S01)",
            "feat(S01/T02)",
            "feat(S01/T01)",
        ]
        stage.require_landed()
        assert (stage.root / "work/M001-S01-T01.txt").exists()
    if deed not in ("stashes", "stages", "resets"):
        assert "put right: the agent moved the branch by itself" in ran.out
        assert [ref for ref in stage.backups() if "agent-" in ref]
    if deed == "leaves an empty line of history":
        return  # Such a switch deletes files, and what a task deletes of the code is its own affair.
    kept = {path: data for path, data in picture(stage.root).files.items() if path in before.files}
    assert kept == before.files or deed == "leaves a merge half done"


def test_what_it_committed_is_in_our_commit(stage: Stage) -> None:
    stage.make()
    stage.replay(TASK, [*steps(TASK), raw_shell("sh", "-c", "git add -A && git commit -qm 'I did it'")])
    stage.auto().require(DONE)
    assert (stage.root / "work/M001-S01-T01.txt").read_text() == "made by M001/S01/T01\n"
    assert "I did it" not in stage.git("log", "--format=%s", "main")
    assert [ref for ref in stage.backups() if stage.git("log", "-1", "--format=%s", ref) == "I did it\n"]


@needs_sandbox
def test_the_shell_tool_cannot_commit(stage: Stage) -> None:
    stage.make()
    stage.replay(TASK, [tool("shell", command="git commit --allow-empty -m mine"), *steps(TASK)])
    stage.auto().require(DONE)
    assert stage.refusals("M001-S01-T01")
    assert "mine" not in stage.git("log", "--all", "--format=%s").splitlines()


def test_another_milestones_directory_is_refused_to_the_tools(stage: Stage) -> None:
    stage.make(milestones=("M001", "M002"))
    other = ".gsd/milestones/M002/M002-ROADMAP.md"
    stage.replay(TASK, [tool("write", path=other, content="# mine\n"), *steps(TASK)])
    stage.auto("--max-units", "3").require(DONE)
    assert any("M002" in text for text in stage.refusals("M001-S01-T01"))
    assert "mine" not in stage.path("M002-ROADMAP.md", "M002").read_text()


def test_another_milestones_files_are_taken_back_from_the_shell(stage: Stage) -> None:
    stage.make(milestones=("M001", "M002"))
    base = ".gsd/milestones/M002"
    deed = f"echo mine > {base}/M002-ROADMAP.md; echo new > {base}/M002-NEW.md; rm {base}/M002-CONTEXT.md"
    stage.replay(TASK, [raw_shell("sh", "-c", deed), *steps(TASK)])
    ran = stage.auto("--max-units", "3").require(DONE)
    assert "put right: the agent wrote files of another milestone" in ran.out
    assert "M002-NEW.md" in ran.out
    assert "Slice S01" in stage.path("M002-ROADMAP.md", "M002").read_text()
    assert stage.path("M002-CONTEXT.md", "M002").exists()
    assert not stage.path("M002-NEW.md", "M002").exists()
    kept = next(ref for ref in stage.backups() if "foreign" in ref)
    assert stage.git("show", f"{kept}:{base}/M002-NEW.md") == "new\n"


@pytest.mark.parametrize("path", ["../../../README.md", "/etc/milepost-test", "{root}/README.md", ".git/config"])
def test_the_tools_stay_in_the_worktree(stage: Stage, path: str) -> None:
    stage.make()
    where = path.format(root=stage.root)
    stage.replay(TASK, [tool("write", path=where, content="out\n"), *steps(TASK)])
    stage.auto().require(DONE)
    assert len(stage.refusals("M001-S01-T01")) == 1
    assert (stage.root / "README.md").read_text() == "# A project\n"


def test_a_link_out_of_the_worktree_is_not_followed(stage: Stage) -> None:
    stage.make()
    deeds = [raw_shell("ln", "-s", str(stage.root), "out"), tool("write", path="out/README.md", content="out\n")]
    stage.replay(TASK, [*deeds, raw_shell("rm", "out"), *steps(TASK)])
    stage.auto().require(DONE)
    assert len(stage.refusals("M001-S01-T01")) == 1
    assert (stage.root / "README.md").read_text() == "# A project\n"


@needs_sandbox
@pytest.mark.parametrize("what", ["README.md", ".gsd/metrics.json", ".gsd/journal/M001.jsonl", ".git/config"])
def test_the_shell_stays_in_the_worktree(stage: Stage, what: str) -> None:
    stage.make()
    stage.replay(TASK, [tool("shell", command=f"echo out >> '{stage.root}/{what}'"), *steps(TASK)])
    stage.auto().require(DONE)
    assert len(stage.refusals("M001-S01-T01")) == 1
    assert "out\n" not in (stage.root / what).read_text()


RUNTIME = ["metrics.json", "journal/M001.jsonl", "auto.lock", "PREFERENCES.md", "STATE.md", "parallel/auto.signal.json"]


@pytest.mark.parametrize("name", RUNTIME)
def test_the_programs_own_files_are_refused_to_the_tools(stage: Stage, name: str) -> None:
    stage.make()
    stage.replay(TASK, [tool("write", path=f".gsd/{name}", content="{}\n"), *steps(TASK)])
    stage.auto().require(DONE)
    assert len(stage.refusals("M001-S01-T01")) == 1
    assert not (stage.state / name).exists() or (stage.state / name).read_text() != "{}\n"


def test_the_order_of_the_milestones_is_the_persons(stage: Stage) -> None:
    stage.make()
    stage.replay(TASK, [raw_write(".gsd/QUEUE-ORDER.json", '{"order": ["M009", "M001"]}\n'), *steps(TASK)])
    assert "(.gsd/QUEUE-ORDER.json)" in stage.auto().require(DONE).out
    stage.require_landed()
    assert ".gsd/QUEUE-ORDER.json" not in stage.git("ls-tree", "-r", "--name-only", "main").split()


def test_runtime_files_in_the_worktree_are_not_committed(stage: Stage) -> None:
    stage.make()
    deeds = [raw_write(f".gsd/{name}", "mine\n") for name in ("metrics.json", "auto.lock", "activity/1.jsonl")]
    stage.replay(TASK, [*deeds, *steps(TASK)])
    stage.auto().require(DONE)
    stage.require_landed()
    names = stage.git("ls-tree", "-r", "--name-only", "main").split()
    assert not [name for name in names if "metrics" in name or "lock" in name or "activity" in name]
    assert json.loads((stage.state / "metrics.json").read_text())["version"] == 1


def test_another_units_summary_is_set_aside(stage: Stage) -> None:
    stage.make(tasks=2)
    base = ".gsd/milestones/M001/slices/S01"
    claims = [f"{base}/tasks/T02-SUMMARY.md", f"{base}/S01-SUMMARY.md", ".gsd/milestones/M001/M001-SUMMARY.md"]
    stage.replay(TASK, [*(tool("write", path=path, content="# All done\n") for path in claims), *steps(TASK)])
    ran = stage.auto().require(DONE)
    assert "put right: the agent wrote what completes another unit" in ran.out
    assert stage.attempts() == 4
    assert "All done" not in stage.path("slices/S01/tasks/T02-SUMMARY.md").read_text()
    kept = stage.state / "runtime" / "set-aside"
    assert len(list(kept.rglob("*-SUMMARY.md"))) == 3


@pytest.mark.spec(id="PR-239")
def test_words_are_not_work(stage: Stage) -> None:
    stage.make()
    stage.replay(TASK, [say("All done, tests pass!")])
    ran = stage.auto().require(BLOCKED)
    assert SUMMARY.removeprefix(".gsd/") in ran.out
    assert "was not written" in ran.out
    assert "the agent called no tool" in ran.out
    assert "gsd auto --retry M001/S01/T01" in ran.out
    assert stage.attempts() == 3
    prompts = stage.prompts("M001-S01-T01")
    assert SUMMARY not in prompts[0] or "was not written" not in prompts[0]
    assert SUMMARY in prompts[1]
    assert "was not written" in prompts[1]
    assert "- [ ] **T01" in (stage.worktree / PLAN).read_text()

    stage.auto().require(BLOCKED)
    assert stage.attempts() == 3

    stage.replay(TASK, steps(TASK))
    stage.auto("--retry", "M001/S01/T01").require(DONE)
    assert stage.attempts("M001/S01/T01") == 4


def test_attempts_are_counted_over_restarts(stage: Stage) -> None:
    stage.make()
    stage.replay(TASK, [tool("write", path="half.txt", content="half\n"), say("Done.")])
    for _ in range(3):
        stage.gsd("next", "--agent", stage.agent()).require(PAUSED)
    ran = stage.auto().require(BLOCKED)
    assert SUMMARY.removeprefix(".gsd/") in ran.out
    assert stage.attempts() == 3


def test_an_empty_summary_is_not_one(stage: Stage) -> None:
    stage.make()
    stage.replay(TASK, [tool("write", path=SUMMARY, content=" \n"), say("Done.")], steps(TASK))
    ran = stage.auto().require(DONE)
    assert "is empty" in ran.out
    assert stage.attempts("M001/S01/T01") == 2


def test_work_without_a_summary_is_kept_for_the_next_attempt(stage: Stage) -> None:
    stage.make()
    stage.replay(TASK, [tool("write", path="half.txt", content="half\n"), say("Done.")], steps(TASK))
    stage.auto().require(DONE)
    assert (stage.root / "half.txt").read_text() == "half\n"


def test_deleted_tests_are_reported(stage: Stage) -> None:
    stage.make()
    projects.write(stage.root, {"tests/test_app.py": "def test_it():\n    assert True\n"})
    stage.git("add", "-A")
    stage.git("commit", "-qm", "tests")
    stage.replay(TASK, [tool("shell", command="rm tests/test_app.py"), *steps(TASK)])
    ran = stage.auto().require(DONE)
    assert "look at this: " in ran.out
    assert "tests/test_app.py" in ran.out
    [evidence] = (stage.root / ".gsd/milestones/M001").rglob("T01-VERIFY.json")
    assert "tests/test_app.py" in str(json.loads(evidence.read_text())["flags"])


def test_evidence_it_wrote_itself_is_replaced_by_ours(stage: Stage) -> None:
    stage.make(verify="grep -q never src/app.txt")
    path = ".gsd/milestones/M001/slices/S01/tasks/T01-VERIFY.json"
    stage.replay(TASK, [*steps(TASK), raw_write(path, '{"passed": true}'), tool("write", path=path, content="{}")])
    ran = stage.auto()
    assert ran.code == 3, ran.said
    assert json.loads((stage.worktree / path).read_text())["passed"] is False
    assert any("written by the program" in text for text in stage.refusals("M001-S01-T01"))


def test_it_does_not_choose_its_own_gate(stage: Stage) -> None:
    stage.make(verify="grep -q never src/app.txt")
    easier = tool("edit", path=PLAN, old="grep -q never src/app.txt", new="grep -q one src/app.txt")
    stage.replay(TASK, [easier, *steps(TASK)])
    ran = stage.auto().require(PAUSED)
    assert "grep -q never src/app.txt: exit code 1" in ran.out
    assert (
        "put right: the agent deleted planning files, struck out parts or changed a gate; they are as planned"
        in ran.out
    )


def test_a_plan_it_deletes_is_back(stage: Stage) -> None:
    stage.make(tasks=2)
    stage.replay(TASK, [tool("shell", command="rm -r .gsd/milestones/M001"), *steps(TASK)])
    ran = stage.auto().require(DONE)
    assert (
        "put right: the agent deleted planning files, struck out parts or changed a gate; they are as planned"
        in ran.out
    )
    assert "M001-ROADMAP.md" in ran.out
    assert ran.out.count("pass, 1 command") == 2
    assert stage.attempts() == 4


def test_a_key_it_leaves_behind_is_not_committed(stage: Stage) -> None:
    stage.make()
    stage.replay(TASK, [tool("write", path=".env", content="TOKEN=abc\n"), *steps(TASK)])
    ran = stage.auto().require(BLOCKED)
    assert "M001 is merged, but something was kept" in ran.out
    assert ".env" in ran.out
    assert ".env" not in stage.git("log", "--all", "--name-only", "--format=").split()
    assert (stage.worktree / ".env").exists()


def test_a_repository_inside_the_worktree_ends_in_a_sentence(stage: Stage) -> None:
    stage.make()
    stage.replay(TASK, [raw_shell("sh", "-c", "mkdir sub && git init -q sub && echo x > sub/x.txt"), *steps(TASK)])
    ran = stage.auto()
    assert ran.code in (DONE, BLOCKED), ran.said
    assert "sub" in ran.said
    assert (stage.worktree / "sub/x.txt").exists()


def test_a_hook_that_refuses_the_commit_is_said_and_the_work_stays(stage: Stage) -> None:
    stage.make()
    hook = stage.root / ".git/hooks/pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho 'style: two spaces' >&2\nexit 1\n")
    hook.chmod(0o755)
    ran = stage.auto().require(BLOCKED)
    assert "style: two spaces" in ran.said
    assert (stage.worktree / "work/M001-S01-T01.txt").exists()
    hook.unlink()
    stage.auto().require(DONE)
    assert stage.attempts("M001/S01/T01") == 1
