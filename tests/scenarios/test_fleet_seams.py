"""What happens between the units of a fleet's workers, though several of them come past: once, and in the right place."""

import json
import textwrap
from pathlib import Path

import pytest

from fakemodel.replies import Answer, Asked, Call, Reply
from fakemodel.server import FakeModel
from milepost.formats import captures
from milepost.testing import projects
from milepost.testing.projects import say, tool, usage
from scenarios.fleet_stage import PAIR, PATIENCE_S, FleetStage, task
from scenarios.honest_model import honest, unit_of
from scenarios.stage import DONE, wait_until

SLICES = ".gsd/milestones/{mid}/slices/S01/tasks"
WORDS = "I looked for a while why the tests hang. Port 5432 was taken. " * 20
TRAP = "The tests need port 5432 to be free."
KEY = "sk-ant-" + "a1B2" * 10


def units(fleet: FleetStage, kind: str = "") -> list[str]:
    """Keys of all that was begun, by time."""
    found = [f"{e['kind']}/{e['unit']}" for e in fleet.events("attempt-started")]
    return [key for key in found if key.startswith(kind)]


def note(fleet: FleetStage, text: str) -> str:
    return fleet.gsd("capture", text).require(DONE).out.split()[0]


def entry(fleet: FleetStage, capture: str) -> captures.Capture:
    return next(e for e in captures.parse((fleet.state / "CAPTURES.md").read_text()) if e.id == capture)


def play(fleet: FleetStage, unit: str, *steps: projects.Step) -> None:
    fleet.script.append(projects.session(unit, usage(micro_usd=1_000), *steps))


def sorts(fleet: FleetStage, mid: str, classification: str, *, unit: str = "", until: str = "", **more: str) -> None:
    """Let the milestone's triage say of what waits what it is (its id is not known before).

    until: another milestone, which is to have begun a later unit of its plan first.
    """
    answer = json.dumps(
        [{"captureId": "@", "classification": classification, "resolution": "who made it", "rationale": "asked"} | more]
    )
    waits = (
        f"until grep -q complete-slice '{fleet.state}/journal/{until}.jsonl'; do sleep 0.05; done\n" if until else ""
    )
    says = 'sed "s/@/$(grep -o "CAP-[0-9a-f]*" "$0" | tail -1)/" > "$1" <<< "$2"'
    path = f".gsd/milestones/{mid}/{mid}-TRIAGE.json"
    shell = projects.raw_shell("bash", "-c", waits + says, str(fleet.state / "CAPTURES.md"), path, answer)
    play(fleet, unit or f"triage-captures/{mid}/S01/triage", shell, say("Done."))


def added(fleet: FleetStage, mid: str, tid: str = "T02") -> str:
    """Script the task that a capture becomes; its key."""
    made = [(f"work/{mid}-{tid}.txt", "me\n"), (f"{SLICES.format(mid=mid)}/{tid}-SUMMARY.md", f"---\nid: {tid}\n---\n# {tid}: Said\n\n**Said it**\n")]  # fmt: skip # noqa: E501
    key = f"execute-task/{mid}/S01/{tid}"
    play(fleet, key, *(tool("write", path=path, content=text) for path, text in made), say("Done."))
    return key


def require_done(fleet: FleetStage) -> None:
    """Both are on main, and of the person's checkout nothing is touched but the notebook, which is theirs to commit."""
    assert sorted(fleet.landed()) == sorted(PAIR)
    assert fleet.git("status", "--porcelain") in ("", "?? .gsd/CAPTURES.md\n")
    assert not any(fleet.tree(mid).exists() for mid in PAIR)


@pytest.mark.covers("capture:inject", "command:capture")
@pytest.mark.spec(id="PR-244")
def test_a_capture_made_while_two_work_is_sorted_by_one_of_them_once(fleet: FleetStage) -> None:
    fleet.plan(PAIR, more="verification_commands: ['true']\n")
    gates = [fleet.hold(task(mid)) for mid in PAIR]
    for mid, other in (PAIR, PAIR[::-1]):
        sorts(fleet, mid, "inject", until=other)
        added(fleet, mid)
    process = fleet.begin()
    for gate in gates:
        gate.wait()
    capture = note(fleet, "say who made it")
    for gate in gates:
        gate.open()
    fleet.end(process).require(DONE)
    [triage] = units(fleet, "triage-captures/")
    mid = triage.split("/")[1]
    assert [key for key in units(fleet) if key.endswith("/T02")] == [f"execute-task/{mid}/S01/T02"]
    [sorted_] = fleet.events("capture-triaged")
    assert (sorted_["milestone"], sorted_["capture"]) == (mid, capture)
    assert entry(fleet, capture).executed
    assert capture in fleet.git("show", f"main:.gsd/milestones/{mid}/slices/S01/S01-PLAN.md")
    other = next(one for one in PAIR if one != mid)
    assert capture not in fleet.git("show", f"main:.gsd/milestones/{other}/slices/S01/S01-PLAN.md")
    assert fleet.git("show", f"main:work/{mid}-T02.txt") == "me\n"
    require_done(fleet)


@pytest.mark.covers("capture:inject")
def test_what_belongs_to_the_other_milestone_is_handed_to_its_worker(fleet: FleetStage) -> None:
    """M001 sorts it while M002 is at work, and M002 has the task."""
    fleet.plan(PAIR, more="verification_commands: ['true']\n")
    gates = {mid: fleet.hold(task(mid)) for mid in PAIR}
    sorts(fleet, "M001", "inject", milestone="M002")
    added(fleet, "M002")
    process = fleet.begin()
    for gate in gates.values():
        gate.wait()
    capture = note(fleet, "say who made it, in M002")
    gates["M001"].open()
    wait_until(lambda: fleet.landed() == ["M001"], seconds=PATIENCE_S)
    assert not entry(fleet, capture).executed, "M001 left it alone"
    gates["M002"].open()
    fleet.end(process).require(DONE)
    assert units(fleet, "triage-captures/") == ["triage-captures/M001/S01/triage"]
    assert "Open besides M001: M002 (Small files)." in fleet.prompts("M001-S01-triage")[0]
    assert [key for key in units(fleet) if key.endswith("/T02")] == ["execute-task/M002/S01/T02"]
    assert entry(fleet, capture).executed
    assert capture in fleet.git("show", "main:.gsd/milestones/M002/slices/S01/S01-PLAN.md")
    assert capture not in fleet.git("show", "main:.gsd/milestones/M001/slices/S01/S01-PLAN.md")
    require_done(fleet)


@pytest.mark.covers("capture:inject", "unit:quick-task")
def test_a_task_that_comes_too_late_for_a_plan_is_done_by_a_session_of_its_own(fleet: FleetStage) -> None:
    fleet.plan(("M001",))
    gate = fleet.hold("complete-slice/M001/S01")
    sorts(fleet, "M001", "inject", unit="triage-captures/M001/triage")
    play(fleet, "quick-task", tool("write", path="work/who.txt", content="me\n"), say("Done."))
    process = fleet.begin()
    gate.wait()
    capture = note(fleet, "say who made it")
    gate.open()
    fleet.end(process).require(DONE)
    assert units(fleet)[-3:] == ["triage-captures/M001/triage", f"quick-task/M001/{capture}", "complete-milestone/M001"]
    assert entry(fleet, capture).executed
    assert fleet.git("show", "main:work/who.txt") == "me\n"


def hooks(key: str, *entries: str) -> str:
    """A list of hooks, each given as the YAML of its fields."""
    return f"{key}:\n" + "".join("  - " + textwrap.indent(textwrap.dedent(one).strip(), "    ")[4:] + "\n" for one in entries)  # fmt: skip # noqa: E501


@pytest.mark.covers("hook:post", "hook:max_cycles", "hook:retry_on", "unit:hook", "key:post_unit_hooks[].retry_on")
def test_hooks_after_a_unit_run_in_the_workers_own_worktree(fleet: FleetStage) -> None:
    """Several workers run: each hook still runs once for each trigger, and as often as its cycles allow."""
    review = (
        "name: review\nafter: [execute-task]\nprompt: Look at {milestoneId}/{taskId}\nretry_on: REDO.md\nmax_cycles: 2"
    )
    polish = "name: polish\nafter: [complete-slice]\nprompt: Polish {sliceId}"
    fleet.plan(PAIR, more=hooks("post_unit_hooks", review, polish))
    gates = [fleet.hold(task(mid)) for mid in PAIR]
    where = fleet.root.parent / "where"
    for mid in PAIR:
        says = projects.raw_shell("sh", "-c", 'echo "$0 $PWD" >> "$1"', mid, str(where))
        redo = tool("write", path=f"{SLICES.format(mid=mid)}/T01-REDO.md", content="again\n")
        play(fleet, f"hook/review/{mid}/S01/T01", says, redo, say("Once more."))
        play(fleet, f"hook/polish/{mid}/S01", says, say("Fine."))
    process = fleet.begin()
    for gate in gates:
        gate.wait()
    for gate in gates:
        gate.open()
    fleet.end(process).require(DONE)
    for mid in PAIR:
        review_, polish_ = f"hook/review/{mid}/S01/T01", f"hook/polish/{mid}/S01"
        rest = [f"complete-slice/{mid}/S01", polish_, f"complete-milestone/{mid}"]
        mine = [key for key in units(fleet) if f"/{mid}" in key]
        assert mine == [task(mid), review_, task(mid), review_, *rest]
        assert f"Look at {mid}/T01" in fleet.prompts(f"{mid}-S01-T01")[1]
        assert len([e for e in fleet.events("redone") if str(e["unit"]) == task(mid)]) == 1
    told = [line.split(maxsplit=1) for line in where.read_text().splitlines()]
    assert sorted(told) == sorted([mid, str(fleet.tree(mid))] for mid in PAIR for _ in range(3))
    require_done(fleet)


@pytest.mark.covers("hook:modify", "hook:skip", "hook:replace")
def test_hooks_before_a_unit_hold_in_each_worker_once(fleet: FleetStage) -> None:
    modify = "name: mind\nbefore: [execute-task]\naction: modify\nprepend: Mind {milestoneId}."
    look = "name: look\nbefore: [complete-slice]\naction: replace\nunit_type: research-slice\nprompt: Look at {milestoneId}"
    lazy = "name: lazy\nbefore: [complete-milestone]\naction: skip"
    fleet.plan(PAIR, more=hooks("pre_dispatch_hooks", modify, look, lazy))
    gates = [fleet.hold(task(mid)) for mid in PAIR]
    for mid in PAIR:
        research = f".gsd/milestones/{mid}/slices/S01/S01-RESEARCH.md"
        play(fleet, f"research-slice/{mid}/S01", tool("write", path=research, content="# Research\n\nSeen.\n"), say("Done."))  # fmt: skip # noqa: E501
    process = fleet.begin()
    for gate in gates:
        gate.wait()
    for gate in gates:
        gate.open()
    fleet.end(process).require(DONE)
    for mid in PAIR:
        mine = [key for key in units(fleet) if f"/{mid}" in key]
        assert mine == [task(mid), f"research-slice/{mid}/S01", f"complete-slice/{mid}/S01"]
        [prompt] = fleet.prompts(f"{mid}-S01-T01")
        assert f"Mind {mid}." in prompt
        assert f"Look at {mid}" in fleet.prompts(f"{mid}-S01")[0]
        fired = [e["hook"] for e in fleet.events("hook-fired") if f"/{mid}" in str(e["unit"])]
        assert fired == ["look", "lazy"]
        assert "# Research" in fleet.git("show", f"main:.gsd/milestones/{mid}/slices/S01/S01-RESEARCH.md")
    require_done(fleet)


class Teller:
    """An honest model behind HTTP: M001's task says much, and M002's waits for `go` before it does anything."""

    def __init__(self, go: Path) -> None:
        self.go = go
        self.systems: dict[str, str] = {}
        """Unit → system prompt of its first request."""

    def __call__(self, asked: Asked) -> Answer:
        if "You keep the notes" in asked.system:
            fact = {"action": "CREATE", "category": "gotcha", "content": f"{TRAP} Use {KEY}."}
            return Reply(text=json.dumps([fact]))
        unit = unit_of(asked)
        self.systems.setdefault(unit, asked.system)
        if unit == task("M002") and not asked.turns:
            wait = Call("shell", {"command": f"until test -f '{self.go}'; do sleep 0.05; done"})
            return Reply(text="Let me wait.", calls=[wait])
        answer = honest(asked._replace(turns=asked.turns - (unit == task("M002"))))
        if unit == task("M001") and not asked.turns and isinstance(answer, Reply):
            return Reply(text=f"{WORDS} The key is {KEY}.", calls=answer.calls)
        return answer


@pytest.mark.covers("promise:memory")
def test_what_one_worker_finds_out_the_other_is_told_at_its_next_unit(fleet: FleetStage) -> None:
    fleet.plan(PAIR, more="memory: {model: claude-haiku-5-5}\n")
    teller = Teller(fleet.root.parent / "go")
    with FakeModel(teller) as server:
        process = fleet.begin("--agent", "builtin", **server.env("anthropic"))
        wait_until(lambda: task("M002") in teller.systems and known(fleet), seconds=PATIENCE_S)
        teller.go.touch()
        fleet.end(process).require(DONE)
    [memory] = known(fleet)
    assert memory["unit"] == task("M001")
    assert TRAP not in teller.systems[task("M002")], "it had begun before anybody knew"
    line = f"- MEM001 (gotcha, from {task('M001').replace('/', ' ', 1)}): {TRAP}"
    assert line in teller.systems["complete-slice/M002/S01"]
    assert line in teller.systems["complete-slice/M001/S01"]
    assert not [unit for unit, system in teller.systems.items() if KEY in system]
    assert KEY not in (fleet.state / "memories.jsonl").read_text()
    require_done(fleet)


def known(fleet: FleetStage) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(fleet.gsd("memory", "list", "--json").require(DONE).out)
    return found
