"""What one session learns is told to the next one, whoever works; what it costs is in the books, and keys are not."""

import json

import pytest

from fakemodel.replies import Answer, Asked, Reply
from fakemodel.server import FakeModel
from milepost.testing import projects
from milepost.testing.projects import QUICK
from scenarios.honest_model import honest, unit_of
from scenarios.stage import DONE, ERROR, Stage

T1 = "execute-task/M001/S01/T01"
LEARN = "hook/memory"
TRAP = "The tests need port 5432 to be free."
WORDS = "I looked for a while why the tests hang. Port 5432 was taken. " * 20
KEY = "sk-ant-" + "a1B2" * 10


def prefer(memory: str) -> str:
    return QUICK.replace("---\nphases", f"---\nmemory: {memory}\nphases")


ON = prefer("{enabled: true}")


def made(content: str = TRAP) -> dict[str, object]:
    return {"action": "CREATE", "category": "gotcha", "content": content}


def learning(stage: Stage, *replies: object, said: str = WORDS) -> Stage:
    """Let the first task's agent say much, and the note-taker answer with `replies`, one after the other."""
    stage.replay(T1, [projects.say(said), *projects.steps(T1)])
    for reply in replies:
        text = reply if isinstance(reply, str) else json.dumps(reply)
        stage.script.append(projects.session(LEARN, projects.usage(micro_usd=700), projects.say(text)))
    return stage


def known(stage: Stage) -> list[dict[str, object]]:
    found = json.loads(stage.gsd("memory", "list", "--json").require(DONE).out)
    assert isinstance(found, list)
    return found


def looks(stage: Stage) -> list[dict[str, object]]:
    return [e for e in stage.events("usage-reported") if str(e["attempt"]).startswith("memory.")]


@pytest.mark.covers("key:memory.enabled", "command:memory")
def test_what_a_session_finds_out_is_kept_with_its_source(stage: Stage) -> None:
    ran = learning(stage.make(tasks=2, preferences=ON), [made()]).auto().require(DONE)
    [memory] = known(stage)
    assert (memory["id"], memory["content"], memory["unit"]) == ("MEM001", TRAP, T1)
    [begun] = [e for e in stage.events("attempt-started") if e["unit"] == "M001/S01/T01"]
    assert (memory["attempt"], memory["transcript"]) == (begun["attempt"], begun["transcript"])
    assert TRAP in stage.gsd("memory").require(DONE).out
    shown = stage.gsd("memory", "show", "mem001").require(DONE).out
    assert "execute-task M001/S01/T01" in shown
    assert str(begun["transcript"]) in shown
    # One look: the other sessions said too little to be worth the money.
    [look] = looks(stage)
    assert look["microUsd"] == 700
    # It is booked as what it is, everywhere, and is no unit.
    told = json.loads(stage.gsd("history", "--json").require(DONE).out)
    assert {"name": "memory", "cost": 0.0007} in [{k: row[k] for k in ("name", "cost")} for row in told["byPhase"]]
    assert "memory M001/S01/T01" in {row["name"] for row in told["byUnit"]}
    rows = json.loads((stage.state / "metrics.json").read_text())["units"]
    assert [(row["id"], row["cost"]) for row in rows if row["type"] == "memory"] == [("M001/S01/T01", 0.0007)]
    assert sum(row["apiRequests"] for row in rows) == len(stage.events("usage-reported"))
    kinds = {row["kind"]: row for row in json.loads(stage.gsd("status", "--json").require(DONE).out)["units"]}
    assert (kinds["memory"]["committed"], kinds["memory"]["cost"]) == (0, 0.0007)
    report = stage.gsd("export", "--markdown", "--output", "-").require(DONE).out
    assert "Besides: $0.0007, 110 tokens for memory." in report
    assert "unknown units" not in report
    assert f"{stage.attempts()} units done, " in ran.out.splitlines()[-1]
    assert "memories.jsonl" not in stage.git("ls-tree", "-r", "--name-only", "main")
    assert stage.git("status", "--porcelain") == ""


def test_a_person_adds_and_takes_out(stage: Stage) -> None:
    stage.make()
    said = stage.gsd("memory", "add", "--category", "convention", "Tabs,", "never", "spaces").require(DONE).out
    assert said == "MEM001 (convention, from a person): Tabs, never spaces\n"
    stage.gsd("memory", "forget", "MEM001").require(DONE)
    assert known(stage) == []
    assert "there is no memory" in stage.gsd("memory", "show", "MEM001").require(ERROR).err


@pytest.mark.parametrize("memory", ["{}", "{enabled: false}"], ids=["unset", "off"])
def test_nobody_is_asked_unless_it_is_wanted(stage: Stage, memory: str) -> None:
    """A script or a recording holds only what was once asked: nothing is asked of it by itself."""
    learning(stage.make(preferences=prefer(memory))).auto().require(DONE)
    assert looks(stage) == []
    assert not (stage.state / "memories.jsonl").exists()


def test_credentials_are_not_remembered(stage: Stage) -> None:
    said = f"{WORDS} The key is {KEY}, and the api_key: 'zzzzYYYYxxxxWWWWvvvvUUUU'."
    learning(stage.make(preferences=ON), [made(f"Use {KEY}; token=zzzzYYYYxxxxWWWWvvvvUUUU")], said=said)
    stage.auto().require(DONE)
    [memory] = known(stage)
    kept = (stage.state / "memories.jsonl").read_text()
    assert "[redacted" in str(memory["content"])
    assert KEY not in kept
    assert "zzzzYYYY" not in kept


@pytest.mark.parametrize(
    "steps",
    [
        [projects.say("I am afraid there is nothing.")],
        [projects.usage(micro_usd=5), projects.say("[{")],
        [{"error": "auth", "text": "no"}],
        [{"error": "rate-limit", "text": "slow down"}],
    ],
    ids=["words", "torn", "auth", "rate-limit"],
)
def test_a_look_that_fails_teaches_nothing_and_ends_no_run(stage: Stage, steps: list[projects.Step]) -> None:
    learning(stage.make(preferences=ON))
    stage.script.append(projects.session(LEARN, *steps))
    ran = stage.auto().require(DONE)
    assert "nothing learnt" in ran.out
    assert known(stage) == []
    stage.require_landed()


def test_a_look_that_does_not_fit_the_budget_is_left_out(stage: Stage) -> None:
    settings = ON.replace("---\nmemory", "---\nbudget_ceiling: 0.001\nmemory")
    learning(stage.make(preferences=settings), [made()]).auto()
    assert stage.attempts("M001/S01/T01") == 1
    assert looks(stage) == []


class Chatty:
    """An honest model behind HTTP that says much in each milestone's first task, and takes notes when asked to."""

    def __init__(self) -> None:
        self.systems: dict[str, str] = {}
        """Unit → system prompt of its first request."""

    def __call__(self, asked: Asked) -> Answer:
        if "You keep the notes" in asked.system:
            return Reply(text=json.dumps([made()]))
        self.systems.setdefault(unit_of(asked), asked.system)
        answer = honest(asked)
        if "/T01" in unit_of(asked) and not asked.turns and isinstance(answer, Reply):
            return Reply(text=WORDS, calls=answer.calls)
        return answer


@pytest.mark.covers("promise:memory", "key:memory.model")
@pytest.mark.parametrize(
    ("memory", "model"),
    [("{}", "claude-haiku-5-5"), ("{model: claude-sonnet-4-5}", "claude-sonnet-4-5"), ("{enabled: false}", "")],
    ids=["by-itself", "named", "off"],
)
def test_the_next_unit_and_the_next_milestone_are_told(stage: Stage, memory: str, model: str) -> None:
    stage.make(milestones=("M001", "M002"), tasks=2, preferences=prefer(memory))
    chatty = Chatty()
    with FakeModel(chatty) as server:
        stage.gsd("auto", **server.env("anthropic")).require(DONE)
        seen = [one for one in server.seen if "You keep the notes" in one.asked.system]
    assert [one.asked.model for one in seen[:1]] == ([model] if model else [])
    line = f"- MEM001 (gotcha, from execute-task M001/S01/T01): {TRAP}"
    told = [unit for unit, system in chatty.systems.items() if line in system]
    assert ("execute-task/M001/S01/T02" in told, "execute-task/M002/S01/T01" in told) == (bool(model), bool(model))
    assert T1 not in told
    if model:
        assert seen[0].body["max_tokens"] == 2_048
        assert WORDS.strip() in seen[0].asked.texts[0]
        assert len(seen) == len(looks(stage))


def test_the_model_of_the_command_line_is_for_every_unit_and_nothing_else(stage: Stage) -> None:
    stage.make(preferences=prefer("{}"))
    with FakeModel(Chatty()) as server:
        stage.gsd("auto", "--model", "claude-sonnet-4-5", **server.env("anthropic")).require(DONE)
        assert not [one for one in server.seen if "You keep the notes" in one.asked.system]
