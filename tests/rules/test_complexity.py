"""How hard a unit looks: a table of plans and their tiers."""

import pytest

from milepost.model.units import Unit, UnitKind
from milepost.rules.complexity import HIGH, LOW, RESEARCH_LINES, Measures, Tier, classify, weigh
from milepost.testing.trees import DictTree

TASK = Unit(UnitKind.EXECUTE_TASK, "M001/S01/T01")
HOME = "milestones/M001/slices/S01"


def tree(entry: str = "", own: str = "", **files: str) -> DictTree:
    """A slice whose plan has one task; `own` is the task's own plan."""
    found = {f"{HOME}/S01-PLAN.md": f"# S01: Slice\n\n## Tasks\n\n{entry}\n"} if entry else {}
    if own:
        found[f"{HOME}/tasks/T01-PLAN.md"] = own
    return DictTree({**found, **files})


def entry(title: str = "Show the list", *details: str) -> str:
    return "\n".join((f"- [ ] **T01: {title}** `est:30m`", *(f"  - {detail}" for detail in details)))


def own(*, steps: int = 1, described: str = "Print it.", front: str = "", more: str = "") -> str:
    numbered = "\n".join(f"{n}. do {n}" for n in range(1, steps + 1))
    return f"{front}# T01: Show the list\n\n## Description\n\n{described}\n\n## Steps\n\n{numbered}\n\n{more}\n"


FENCE = "```\nx = 1\n```\n"
PLANS = [
    ("small", entry("Show the list", "Do: print it", "Files: `a.py`"), "", Tier.LIGHT),
    ("own plan", entry(), own(), Tier.LIGHT),
    ("3 steps", entry(), own(steps=3), Tier.LIGHT),
    ("4 steps", entry(), own(steps=4), Tier.STANDARD),
    ("7 steps", entry(), own(steps=7), Tier.STANDARD),
    ("8 steps", entry(), own(steps=8), Tier.HEAVY),
    ("steps estimated", entry(), own(front="---\nestimated_steps: 9\n---\n"), Tier.HEAVY),
    ("3 files", entry("Show", "Files: a.py, b.py; c.py", "Do: it"), "", Tier.LIGHT),
    ("4 files", entry("Show", "Files: a.py, b.py, c.py, d.py", "Do: it"), "", Tier.STANDARD),
    ("8 files", entry("Show", "Files: " + ", ".join(f"{n}.py" for n in range(8)), "Do: it"), "", Tier.HEAVY),
    ("files estimated", entry(), own(front="---\nestimated_files: 8\n---\n"), Tier.HEAVY),
    ("files it makes", entry(), own(more="## Expected Output\n\n" + "".join(f"- `s/{n}.py` — x\n" for n in range(8))), Tier.HEAVY),
    ("499 characters", entry(), own(described="x" * 499), Tier.LIGHT),
    ("500 characters", entry(), own(described="x" * 500), Tier.STANDARD),
    ("2000 characters", entry(), own(described="x" * 2000), Tier.STANDARD),
    ("2001 characters", entry(), own(described="x" * 2001), Tier.HEAVY),
    ("4 blocks", entry(), own(more=FENCE * 4), Tier.LIGHT),
    ("5 blocks", entry(), own(more=FENCE * 5), Tier.HEAVY),
    ("3 dependencies", entry(), own(more="Depends: T02, T03, T04\n"), Tier.HEAVY),
    ("500 lines", entry(), own(described="It will be ~500 lines."), Tier.HEAVY),
    ("one family", entry("Encrypt the file", "Do: it"), "", Tier.STANDARD),
    ("two families", entry("Migrate the authentication", "Do: it"), "", Tier.HEAVY),
    ("a word", entry("Refactor the list", "Do: it"), "", Tier.STANDARD),
    ("two words", entry("Investigate and refactor", "Do: it"), "", Tier.STANDARD),
    ("words of a check", entry(), own(more="## Verification\n\n- performance, security\n"), Tier.LIGHT),
    ("docs", entry("Update the README", "Do: it", "Files: a, b, c, d, e"), "", Tier.LIGHT),
    ("many docs", entry("Update the docs", "Do: it"), own(steps=8), Tier.HEAVY),
    ("nothing", "", "", Tier.STANDARD),
    ("a title alone", entry("Show the list"), "", Tier.STANDARD),
    ("crlf", entry(), own(steps=8).replace("\n", "\r\n"), Tier.HEAVY),
]  # fmt: skip


@pytest.mark.parametrize(
    ("listed", "plan", "tier"), [p[1:] for p in PLANS], ids=[p[0].replace(" ", "-") for p in PLANS]
)
@pytest.mark.covers("promise:classifier")
def test_tasks(listed: str, plan: str, tier: Tier) -> None:
    found = classify(TASK, tree(listed, plan))
    assert found.tier is tier, found
    assert found.reasons


@pytest.mark.parametrize(
    ("kind", "id_", "tier"),
    [
        (UnitKind.COMPLETE_SLICE, "M001/S01", Tier.LIGHT),
        (UnitKind.RUN_UAT, "M001/S01", Tier.LIGHT),
        (UnitKind.RESEARCH_MILESTONE, "M001", Tier.STANDARD),
        (UnitKind.RESEARCH_SLICE, "M001/S01", Tier.STANDARD),
        (UnitKind.PLAN_MILESTONE, "M001", Tier.STANDARD),
        (UnitKind.PLAN_SLICE, "M001/S01", Tier.STANDARD),
        (UnitKind.VALIDATE_MILESTONE, "M001", Tier.STANDARD),
        (UnitKind.COMPLETE_MILESTONE, "M001", Tier.STANDARD),
        (UnitKind.REPLAN_SLICE, "M001/S01", Tier.HEAVY),
        (UnitKind.REASSESS_ROADMAP, "M001/S01", Tier.HEAVY),
    ],
    ids=str,
)
@pytest.mark.spec(id="auto 5.14")
def test_kinds(kind: UnitKind, id_: str, tier: Tier) -> None:
    assert classify(Unit(kind, id_), tree()).tier is tier


@pytest.mark.parametrize(("lines", "tier"), [(RESEARCH_LINES, Tier.STANDARD), (RESEARCH_LINES + 1, Tier.HEAVY)])
def test_planning_after_long_research(lines: int, tier: Tier) -> None:
    found = tree(**{f"{HOME}/S01-RESEARCH.md": "word\n" * lines})
    assert classify(Unit(UnitKind.PLAN_SLICE, "M001/S01"), found).tier is tier


@pytest.mark.parametrize("measure", ["steps", "files", "length", "blocks", "depends", "lines"])
def test_one_measure_is_enough_to_be_heavy(measure: str) -> None:
    low = LOW._replace(**{measure: getattr(HIGH, measure)})
    assert weigh(low)[0] is Tier.HEAVY
    assert weigh(low._replace(**{measure: getattr(HIGH, measure) - 1}))[0] is not Tier.HEAVY


def test_what_a_title_names() -> None:
    assert classify(TASK, tree(entry("Rename the settings"))).tags == ("config", "rename")
    assert classify(TASK, tree(entry("Show the list"))).tags == ()


def test_up_and_down() -> None:
    assert [tier.up for tier in Tier] == [Tier.STANDARD, Tier.HEAVY, Tier.HEAVY]
    assert [tier.down for tier in Tier] == [Tier.LIGHT, Tier.LIGHT, Tier.STANDARD]
    assert weigh(Measures()) == (Tier.STANDARD, ("nothing is written about it",))
