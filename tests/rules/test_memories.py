"""What is remembered, as a fold over facts, and what a reply adds to it."""

import json

import pytest

from milepost.formats.memory import Category, Created, Examined, Fact, Forgotten, Reinforced, Superseded, Updated
from milepost.model.units import Unit, UnitKind
from milepost.rules import memories
from milepost.rules.memories import Origin, fold, learnt, may_look, told

ORIGIN = Origin(at_ms=5, unit="execute-task/M001/S01/T01", attempt="a1", transcript="activity/001.jsonl")


def made(number: int, content: str = "", *, confidence: float = 0.8, at_ms: int = 1, unit: str = "x/M001") -> Created:
    return Created(
        at_ms=at_ms,
        unit=unit,
        id=f"MEM{number:03d}",
        category=Category.GOTCHA,
        content=content or f"thing {number}",
        confidence=confidence,
    )


def after(facts: list[Fact], *actions: object) -> tuple[memories.Memory, ...]:
    return fold([*facts, *learnt(facts, json.dumps(actions), ORIGIN)])


def ids(found: tuple[memories.Memory, ...]) -> list[str]:
    return [memory.id for memory in found]


def test_the_score_is_confidence_times_hits() -> None:
    found = fold([made(1), made(2, confidence=0.85), Reinforced(at_ms=2, id="MEM001"), Reinforced(at_ms=3, id="MEM9")])
    assert [(m.id, m.hits, round(m.score, 3)) for m in found] == [("MEM001", 1, 0.88), ("MEM002", 0, 0.85)]


def test_what_is_not_heard_of_fades_down_to_a_tenth() -> None:
    looks: list[Fact] = [Examined(at_ms=n, attempt=f"a{n}") for n in range(20)]
    [fresh] = fold([made(1), *looks[:-1]])
    [faded] = fold([made(1), *looks])
    [gone] = fold([made(1), *looks * 20])
    assert (fresh.confidence, faded.confidence, gone.confidence) == (0.8, 0.7, 0.1)
    [again] = fold([made(1), *looks, Updated(at_ms=99, id="MEM001", content="new"), *looks[1:]])
    assert (again.confidence, again.content) == (0.7, "new")


def test_what_a_person_said_does_not_fade() -> None:
    [kept] = fold([made(1, unit=""), *(Examined(at_ms=n) for n in range(100))])
    assert kept.confidence == 0.8


def test_fifty_are_kept_and_the_weakest_go() -> None:
    found = fold([made(n, confidence=0.9 if n != 7 else 0.2) for n in range(1, 61)])
    assert len(found) == 50
    assert "MEM007" not in ids(found)


def test_thirty_are_told() -> None:
    assert len(told(fold([made(n) for n in range(1, 51)]))) == 30


def test_no_more_is_told_than_two_thousand_tokens() -> None:
    found = told(fold([made(n, "x" * 400) for n in range(1, 51)]))
    assert 15 < len(found) < 30
    assert sum(len(memories.line(m)) + 1 for m in found) <= 8_000


def test_a_superseded_or_forgotten_one_is_gone_and_its_id_is_not_given_again() -> None:
    facts: list[Fact] = [
        made(1),
        made(2),
        Superseded(at_ms=2, id="MEM001", superseded_by="MEM002"),
        Forgotten(at_ms=3, id="MEM002"),
    ]
    assert fold(facts) == ()
    assert ids(after(facts, {"action": "CREATE", "content": "c", "category": "gotcha"})) == ["MEM003"]


def test_a_reply_creates_with_provenance() -> None:
    [found] = after([], {"action": "CREATE", "category": "environment", "content": "Port 5432", "confidence": 0.9})
    assert found == memories.Memory(
        "MEM001", Category.ENVIRONMENT, "Port 5432", 0.9, 0, ORIGIN.unit, "a1", "activity/001.jsonl", 5, 5
    )
    assert memories.line(found) == "- MEM001 (environment, from execute-task M001/S01/T01): Port 5432"


@pytest.mark.parametrize(
    "action",
    [
        {"action": "SUPERSEDE", "id": "MEM001", "superseded_by": "MEM002"},
        {"type": "supersede", "id": "mem001", "supersededBy": "new"},
        {"action": "CREATE", "content": "the other way round", "supersedes": "MEM001"},
        {"action": "CREATE", "content": "the other way round", "supersedes": ["MEM001", "MEM999"]},
    ],
    ids=["by-id", "by-what-was-created", "in-one", "in-a-list"],
)
def test_what_contradicts_supersedes(action: dict[str, object]) -> None:
    found = after([made(1)], {"action": "CREATE", "content": "it is so"}, action)
    assert "MEM001" not in ids(found)
    assert found


def test_nothing_is_superseded_by_nothing() -> None:
    for other in ("MEM001", "MEM404", None):
        assert ids(after([made(1)], {"action": "SUPERSEDE", "id": "MEM001", "superseded_by": other})) == ["MEM001"]


def test_the_same_again_is_a_hit() -> None:
    [found] = after([made(1, "Use uv.")], {"action": "CREATE", "content": "use  uv"})
    assert (found.id, found.hits) == ("MEM001", 1)


def test_update_and_reinforce() -> None:
    [found] = after(
        [made(1)], {"action": "UPDATE", "id": "MEM001", "content": "better"}, {"action": "REINFORCE", "id": "MEM001"}
    )
    assert (found.content, found.hits) == ("better", 1)


@pytest.mark.parametrize(
    "reply",
    [
        "",
        "Nothing worth keeping.",
        "[",
        "[1, 2]",
        "{}",
        '[{"action": "CREATE"}]',
        '[{"action": "DROP TABLE", "id": "MEM001"}]',
        '[{"action": 3, "content": ["x"]}]',
        '[{"action": "UPDATE", "id": "MEM404", "content": "x"}]',
        "[" * 10_000,
    ],
    ids=["empty", "words", "torn", "numbers", "object", "no-content", "unknown", "types", "no-such-id", "deep"],
)
def test_garbage_teaches_nothing(reply: str) -> None:
    assert learnt([made(1)], reply, ORIGIN) == ()


def test_words_and_fences_around_the_list() -> None:
    reply = 'Here [as asked]:\n```json\n[{"action": "CREATE", "content": "x [y]"}]\n```\nDone.'
    [fact] = learnt([], reply, ORIGIN)
    assert isinstance(fact, Created)
    assert (fact.content, fact.category, fact.confidence) == ("x [y]", Category.PATTERN, 0.8)


def test_a_reply_is_bounded() -> None:
    found = after([], *({"action": "CREATE", "content": f"{n} " + "long\n# " * 200} for n in range(40)))
    assert len(found) == memories.MOST_ACTIONS
    assert all(len(m.content) <= memories.MOST_CHARS and "\n" not in m.content for m in found)


@pytest.mark.parametrize(("said", "kept"), [(7, 1.0), (-1, 0.1), (True, 0.8), ("high", 0.8), (float("nan"), 0.8)])
def test_confidence_is_between_a_tenth_and_one(said: object, kept: float) -> None:
    [found] = after([], {"action": "CREATE", "content": "x", "confidence": said})
    assert found.confidence == kept


def test_each_attempt_once_and_half_a_minute_apart() -> None:
    facts = [Examined(at_ms=100_000, attempt="a1")]
    assert may_look([], "a1", 0)
    assert not may_look(facts, "a1", 900_000)
    assert not may_look(facts, "a2", 129_999)
    assert may_look(facts, "a2", 130_000)
    assert may_look(facts, "a2", 50_000)


@pytest.mark.parametrize("kind", sorted(UnitKind))
def test_which_units_teach(kind: UnitKind) -> None:
    silent = {"complete-slice", "rewrite-docs", "triage-captures", "discuss-milestone", "discuss-slice"}
    assert memories.teaches(Unit(kind, "M001")) == (kind not in silent)
