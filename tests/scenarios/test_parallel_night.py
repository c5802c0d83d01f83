"""Three milestones over night, two workers, a user with work of their own in the checkout; looked at in the morning.

One run for all that is looked at here. Its workers are started through a program of the test's own, which notes how
it was called, says a great deal on both of its outputs, and becomes the real one.
"""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from milepost.testing.projects import raw_shell, write
from scenarios.fleet_stage import PATIENCE_S, TRIO, FleetStage, fleet_stage, task
from scenarios.stage import DONE, Picture, Ran, picture, wait_until

CHATTER = 1_000_000
"""Bytes on each output: more than any pipe holds."""
PREFERENCES = """\
---
parallel: {enabled: true, max_workers: 2, auto_merge: auto, worker_model: scripted-small, budget_ceiling: 25}
phases: {skip_research: true, skip_slice_research: true, skip_reassess: true, skip_milestone_validation: true}
---
"""
PROGRAM = """\
#!/bin/sh
if test "$1" = headless; then
    note="$NOTES/$GSD_MILESTONE_LOCK"
    printf '%s\\0' "$0" "$@" > "$note.argv"
    cat /proc/$$/environ > "$note.env"
    pwd -P > "$note.cwd"
    streams=$(for number in 0 1 2; do readlink "/proc/$$/fd/$number"; done)
    echo "$streams" > "$note.streams"
    cat "/proc/$$/stat" > "$note.stat"
    find . -name '*.db*' > "$note.databases"
    head -c CHATTER /dev/zero | tr '\\0' e >&2
    { head -c CHATTER /dev/zero | tr '\\0' o; echo; }
fi
exec PYTHON -P -m milepost "$@"
"""


@dataclass(slots=True, kw_only=True)
class Night:
    """What was there before, during and after."""

    stage: FleetStage
    notes: Path
    pid: int = 0
    ran: Ran = field(default_factory=lambda: Ran(code=-1, out="", err=""))
    before: Picture | None = None
    stashes: str = ""
    during: dict[str, str] = field(default_factory=dict)
    left: list[int] = field(default_factory=list)

    def note(self, mid: str, of: str) -> str:
        return (self.notes / f"{mid}.{of}").read_text()

    def words(self, mid: str, of: str) -> list[str]:
        return self.note(mid, of).rstrip("\0").split("\0")

    def env(self, mid: str) -> dict[str, str]:
        return dict(word.split("=", 1) for word in self.words(mid, "env"))

    def at(self, kind: str, mid: str) -> int:
        """When an event of a milestone was written down first."""
        events = [e for e in self.stage.events(kind) if mid in str(e.get("unit", e.get("milestone")))]
        return int(str(events[0]["atMs"]))


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Night]:
    place = tmp_path_factory.mktemp("night")
    with pytest.MonkeyPatch.context() as patch, fleet_stage(place / "project") as stage:
        (place / ".gitconfig").write_text("[user]\n\tname = Ada Tester\n\temail = ada@example.invalid\n")
        patch.setenv("HOME", str(place))
        patch.setenv("GIT_CONFIG_NOSYSTEM", "1")
        found = Night(stage=stage, notes=place / "notes")
        _prepare(found, place)
        _run(found, place / "program")
        yield found


def _prepare(night: Night, place: Path) -> None:
    stage = night.stage
    stage.plan(TRIO, depends={"M003": ["M001"]}, branch="trunk")
    stage.prefer(PREFERENCES)
    night.notes.mkdir()
    program = place / "program"
    program.write_text(PROGRAM.replace("CHATTER", str(CHATTER)).replace("PYTHON", sys.executable))
    program.chmod(0o755)
    for mine, other in (("M001", "M002"), ("M002", "M001")):
        # Each waits until the other one is at work too: nothing here passes unless both are at it at once.
        meet = f"touch '{place}/{mine}'; until test -f '{place}/{other}' -a -f '{place}/go'; do sleep 0.05; done"
        says = f"echo '| D1 | {mine} |' >> .gsd/DECISIONS.md; echo 'as {mine} sees it' > .gsd/NOTES.md"
        stage.also(task(mine), raw_shell("sh", "-c", meet), raw_shell("sh", "-c", says))
    write(stage.root, {"mine/staged.txt": "one\n", "mine/changed.txt": "one\n", "mine/gone.txt": "one\n"})
    stage.git("add", "mine")
    stage.git("commit", "-qm", "mine")
    (stage.root / "src/app.txt").write_text("kept for later\n")
    stage.git("stash", "push", "-q")
    write(stage.root, {"mine/staged.txt": "two\n", "mine/changed.txt": "two\n", "notes/todo.txt": "untracked\n"})
    stage.git("add", "mine/staged.txt")
    (stage.root / "mine/gone.txt").unlink()
    (stage.state / "gsd.db").write_bytes(b"a database of another program\0")
    night.before, night.stashes = picture(stage.root), stage.git("stash", "list")


def _run(night: Night, program: Path) -> None:
    stage = night.stage
    process = stage.begin(GSD_BIN_PATH=str(program), NOTES=str(night.notes), OF_THE_USER="kept")
    night.pid = process.pid
    place = program.parent
    both = [place / "M001", place / "M002"]
    wait_until(lambda: process.poll() is not None or all(begun.exists() for begun in both), seconds=PATIENCE_S)
    assert process.poll() is None, stage.end(process).said
    night.during["order"] = _ordered(stage)
    night.during["box"] = "\n".join(sorted(os.listdir(stage.state / "parallel")))
    night.during["checkout"] = "\n".join(sorted(os.listdir(stage.tree("M001"))))
    night.during["git"] = stage.git("ls-files", "--cached", "--others", "--exclude-standard")
    night.during["orchestrator"] = (stage.state / "orchestrator.json").read_text()
    night.during["status"] = stage.parallel("status").out
    (place / "go").touch()
    night.ran = stage.end(process)
    night.left = stage.pids()


def _ordered(stage: FleetStage) -> str:
    """An order as it lies there for a worker that is not quick to take it."""
    slow = int(str(stage.status("M001")["pid"]))
    order = stage.state / "parallel" / "M001.signal.json"
    os.kill(slow, signal.SIGSTOP)
    typed = subprocess.Popen(
        stage.argv("parallel", "pause", "M001"), cwd=stage.root, env=stage.environment({}),
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    wait_until(order.exists, seconds=PATIENCE_S)
    text = order.read_text()
    os.kill(slow, signal.SIGCONT)
    typed.wait(PATIENCE_S)
    stage.parallel("resume", "M001").require(DONE)
    return text


def said(night: Night, *sentences: str) -> list[int]:
    """Where each was said; it must have been, once."""
    assert [night.ran.out.count(sentence) for sentence in sentences] == [1] * len(sentences), night.ran.said
    return [night.ran.out.index(sentence) for sentence in sentences]


class TestStart:
    @pytest.mark.spec(id="PR-002")
    @pytest.mark.spec(id="PR-061")
    @pytest.mark.spec(id="PR-011")
    def test_the_settings_switch_it_on_and_it_ends_well(self, night: Night) -> None:
        night.ran.require(DONE)
        assert night.ran.out.endswith("done: all milestones are complete\n")
        assert sorted(night.stage.landed("trunk")) == list(TRIO)

    @pytest.mark.spec(id="PR-003")
    @pytest.mark.spec(id="PR-080")
    @pytest.mark.spec(id="PR-171")
    def test_the_report_comes_first_then_the_workers_of_those_that_may_run(self, night: Night) -> None:
        places = said(
            night, "# Parallel Eligibility Report\n", "## Eligible for Parallel Execution (2)\n",
            "  Blocked by incomplete dependencies: M001.\n", "Parallel orchestration started.\nWorkers: M001, M002\n",
        )  # fmt: skip
        assert places == sorted(places)
        started = said(night, "M001 started (pid ", "M002 started (pid ", "M003 started (pid ")
        assert places[-1] < min(started)
        assert night.ran.out.index("M001 is merged") < started[2]

    @pytest.mark.spec(id="PR-004")
    @pytest.mark.spec(id="DV-05")
    def test_where_nobody_can_be_asked_it_is_said_what_is_assumed(self, night: Night) -> None:
        asked, started = said(night, "No terminal to ask at: taken as agreed. Starting M001, M002.\n", "Workers: ")
        assert night.ran.out.index("## Ineligible") < asked < started

    @pytest.mark.spec(id="PR-010")
    def test_the_coordinator_is_the_command_that_was_typed_and_nothing_outlives_it(self, night: Night) -> None:
        [started] = night.stage.events("fleet-started")
        assert started["pid"] == night.pid
        assert night.left == []
        assert all(int(night.note(mid, "stat").rpartition(") ")[2].split()[1]) == night.pid for mid in TRIO)


class TestWorkers:
    @pytest.mark.spec(id="PR-236")
    @pytest.mark.spec(id="PR-020")
    @pytest.mark.spec(id="PR-321")
    def test_two_are_at_work_at_once_and_the_third_waits_for_what_it_depends_on(self, night: Night) -> None:
        stage = night.stage
        begun, ended = night.at("run-started", "M002"), night.at("run-ended", "M002")
        assert begun < night.at("run-ended", "M001")
        assert night.at("run-started", "M001") < ended
        assert night.at("landed", "M001") < night.at("run-started", "M003")
        assert len({int(str(e["pid"])) for e in stage.events("worker-spawned")}) == 3

    @pytest.mark.spec(id="PR-309")
    @pytest.mark.spec(id="PR-312")
    @pytest.mark.spec(id="DV-32")
    def test_what_a_worker_is_called_with(self, night: Night) -> None:
        for mid in TRIO:
            program, *words = night.words(mid, "argv")
            assert program == str(night.notes.parent / "program")
            assert words == ["headless", "auto", "--json", "--agent", night.stage.agent()]

    @pytest.mark.spec(id="PR-310")
    @pytest.mark.spec(id="PR-172")
    def test_where_it_is_and_what_it_is_told(self, night: Night) -> None:
        root = night.stage.root
        for mid in TRIO:
            assert night.note(mid, "cwd") == f"{root}/.gsd/worktrees/{mid}\n"
            env = night.env(mid)
            told = {name: env[f"GSD_{name}"] for name in ("MILESTONE_LOCK", "PARALLEL_WORKER", "PROJECT_ROOT")}
            assert told == {"MILESTONE_LOCK": mid, "PARALLEL_WORKER": "1", "PROJECT_ROOT": str(root)}
            assert env["GSD_WORKER_MODEL"] == "scripted-small"
            assert env["OF_THE_USER"] == "kept"

    @pytest.mark.spec(id="PR-311")
    @pytest.mark.spec(id="FM-13")
    @pytest.mark.spec(id="FM-15")
    def test_it_reads_nothing_writes_to_files_and_leads_a_session_of_its_own(self, night: Night) -> None:
        for mid in TRIO:
            logs = night.stage.state / "parallel" / "logs"
            null, out, err = night.note(mid, "streams").splitlines()
            assert null == "/dev/null"
            assert re.fullmatch(re.escape(str(logs)) + rf"/{mid}\.r[0-9a-f-]+\.out", out)
            assert err == out.removesuffix("out") + "err"
            pid, _, rest = night.note(mid, "stat").partition(" ")
            group, session = rest.rpartition(") ")[2].split()[2:4]
            assert (group, session) == (pid, pid)

    @pytest.mark.spec(id="DV-31")
    @pytest.mark.spec(id="FM-14")
    @pytest.mark.spec(id="PR-315")
    def test_how_much_it_says_holds_nobody_up_and_is_all_there(self, night: Night) -> None:
        for mid in TRIO:
            out, err = (Path(line).read_bytes() for line in night.note(mid, "streams").splitlines()[1:])
            assert err.startswith(b"e" * CHATTER)
            assert out.startswith(b"o" * CHATTER + b"\n")
            assert json.loads(out.splitlines()[-1])["type"] == "summary"

    @pytest.mark.spec(id="PR-024")
    @pytest.mark.spec(id="PR-233")
    @pytest.mark.spec(id="PR-172")
    def test_each_unit_of_each_worker_has_a_session_of_its_own(self, night: Night) -> None:
        stage = night.stage
        attempts = stage.events("attempt-started")
        assert len(attempts) == 9
        transcripts = [str(e["transcript"]) for e in attempts]
        assert len(set(transcripts)) == len(transcripts)
        for e in attempts:
            entries = [json.loads(line) for line in (stage.state / str(e["transcript"])).read_text().splitlines()]
            users = [n for n, entry in enumerate(entries) if entry.get("message", {}).get("role") == "user"]
            assert len(users) == 1
            assert not any(entry.get("message", {}).get("role") == "assistant" for entry in entries[: users[0]])
            others = [mid for mid in TRIO if mid != str(e["unit"])[:4]]
            assert not any(f"milestone/{mid}" in json.dumps(entries) for mid in others)


class TestFiles:
    @pytest.mark.spec(id="PR-180")
    @pytest.mark.spec(id="PR-030")
    @pytest.mark.spec(id="PR-031")
    @pytest.mark.spec(id="PR-303")
    def test_the_directory_for_coordination(self, night: Night) -> None:
        assert {"M001.status.json", "M002.status.json"} <= set(night.during["box"].split())
        order = json.loads(night.during["order"])
        assert (order["signal"], order["from"]) == ("pause", "coordinator")
        assert isinstance(order["sentAt"], int)
        assert not list((night.stage.state / "parallel").glob("*.signal.json"))

    @pytest.mark.spec(id="PR-182")
    def test_what_is_not_the_plan_is_neither_committed_nor_shown_as_new(self, night: Night) -> None:
        mine = [name for name in night.during["git"].splitlines() if name.startswith(".gsd/")]
        assert mine
        assert all(re.match(r"\.gsd/(milestones/|[A-Z]+\.md$)", name) for name in mine), mine
        for mid in TRIO:
            changed = night.stage.git(
                "log", "--format=", "--name-only", f"--grep=GSD-Milestone: {mid}", "trunk"
            ).split()
            assert all(
                name.startswith((f".gsd/milestones/{mid}/", f"work/{mid}-", ".gsd/DECISIONS.md", ".gsd/NOTES.md"))
                for name in changed
            )  # noqa: E501

    @pytest.mark.spec(id="PR-306")
    @pytest.mark.spec(id="FM-18")
    def test_the_picture_of_the_run_for_others(self, night: Night) -> None:
        during = json.loads(night.during["orchestrator"])
        assert (during["active"], during["totalCost"]) == (True, 0)
        assert during["configSnapshot"] == {"max_workers": 2, "budget_ceiling": 25}
        assert isinstance(during["startedAt"], int)
        keys = ["milestoneId", "title", "pid", "worktreePath", "startedAt", "state", "completedUnits", "cost"]
        told = [{key: worker[key] for key in keys} for worker in during["workers"]]
        spawned = {e["milestone"]: e["pid"] for e in night.stage.events("worker-spawned")}
        for worker, mid in zip(told, ("M001", "M002"), strict=True):
            assert isinstance(worker.pop("startedAt"), int)
            assert worker == {
                "milestoneId": mid, "title": "Small files", "pid": spawned[mid], "state": "running",
                "worktreePath": f"{night.stage.root}/.gsd/worktrees/{mid}", "completedUnits": 0, "cost": 0,
            }  # fmt: skip
        after = json.loads((night.stage.state / "orchestrator.json").read_text())
        assert (after["active"], round(after["totalCost"], 6)) == (False, 0.009)
        assert {(w["milestoneId"], w["state"], w["completedUnits"]) for w in after["workers"]} == {
            (mid, "stopped", 3) for mid in TRIO
        }

    @pytest.mark.spec(id="FM-73")
    @pytest.mark.spec(id="DV-33")
    def test_no_database_is_used_copied_or_touched(self, night: Night) -> None:
        state = night.stage.state
        assert [night.note(mid, "databases") for mid in TRIO] == ["", "", ""]
        assert [path.name for path in state.rglob("*.db*")] == ["gsd.db"]
        assert (state / "gsd.db").read_bytes() == b"a database of another program\0"

    @pytest.mark.spec(id="FM-72")
    @pytest.mark.spec(id="FM-23")
    def test_the_plan_in_the_checkout_is_what_was_merged_and_nothing_was_copied_beside_git(self, night: Night) -> None:
        stage = night.stage
        assert stage.git("status", "--porcelain", "--", ".gsd") == ""
        assert stage.git("diff", "--name-only", "trunk", "--", ".gsd") == ""
        for mid in TRIO:
            assert "- [x] **S01" in stage.path(f"{mid}-ROADMAP.md", mid).read_text()


class TestMerges:
    @pytest.mark.spec(id="PR-331")
    @pytest.mark.spec(id="DV-25")
    @pytest.mark.spec(id="FM-89")
    def test_one_commit_for_each_on_the_branch_that_is_there(self, night: Night) -> None:
        stage = night.stage
        assert stage.branches() == ["trunk"]
        assert len(stage.log("trunk")) == 6
        for mid in TRIO:
            [message] = stage.git("log", "--format=%B%x00", f"--grep=GSD-Milestone: {mid}", "trunk").split("\0")[:-1]
            subject, body = message.strip().split("\n", 1)
            assert subject == f"feat({mid}): Small files"
            assert body.startswith(
                f"\nCompleted slices:\n- S01: Slice S01\n\nBranch: milestone/{mid}\n\nGSD-Milestone: "
            )

    @pytest.mark.spec(id="PR-122")
    @pytest.mark.spec(id="PR-178")
    @pytest.mark.spec(id="FM-99")
    def test_conflicts_of_the_plan_settle_themselves_and_are_said(self, night: Night) -> None:
        first, second = (mid for mid in night.stage.landed("trunk") if mid != "M003")
        assert f"{second}: settled .gsd/NOTES.md: the milestone's version\n" in night.ran.out
        assert f"{second}: settled .gsd/DECISIONS.md: lines of both sides\n" in night.ran.out
        assert (night.stage.state / "NOTES.md").read_text() == f"as {second} sees it\n"
        lines = (night.stage.state / "DECISIONS.md").read_text().splitlines()
        assert lines == ["# Decisions Register", f"| D1 | {first} |", f"| D1 | {second} |"]

    @pytest.mark.spec(id="DV-24")
    @pytest.mark.spec(id="FM-81")
    @pytest.mark.spec(id="FM-90")
    @pytest.mark.spec(id="FM-91")
    def test_the_users_own_work_is_as_it_was(self, night: Night) -> None:
        stage, now, before = night.stage, picture(night.stage.root), night.before
        assert before is not None
        assert {name: data for name, data in now.files.items() if not name.startswith("work/")} == before.files
        assert now.staged == before.staged
        assert stage.git("stash", "list") == night.stashes != ""
        assert stage.git("symbolic-ref", "HEAD") == "refs/heads/trunk\n"
        assert stage.git("log", "--format=", "--name-only", "trunk", "--", "mine", "notes").split() == [
            "mine/changed.txt", "mine/gone.txt", "mine/staged.txt",
        ]  # fmt: skip

    @pytest.mark.spec(id="FM-94")
    @pytest.mark.spec(id="FM-71")
    def test_worktrees_and_branches_go_when_their_work_is_proved_to_be_there(self, night: Night) -> None:
        stage = night.stage
        assert list((stage.state / "worktrees").iterdir()) == []
        assert stage.git("worktree", "list", "--porcelain").count("worktree ") == 1
        for mid in TRIO:
            steps = [str(e["step"]) for e in stage.events("landing-step") if e["milestone"] == mid]
            assert steps.index("publish") < steps.index("remove-worktree") < steps.index("remove-branch")
            assert night.at("run-ended", mid) < night.at("landing-step", mid)
            assert [ref for ref in stage.backups() if f"/{mid}/" in ref and ref.endswith("-tip")]
