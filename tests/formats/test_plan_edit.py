"""A task added to a plan: where the parser sees it, and nothing else moves."""

import pytest

from milepost.formats import plan, plan_edit

PLAN = (
    "# S01: Slice\n\n## Tasks\n\n- [x] **T01: One** `est:5m`\n  - Verify: true\n\n## Files Likely Touched\n\n- `a.py`\n"
)


@pytest.mark.parametrize("newline", ["\n", "\r\n"], ids=["lf", "crlf"])
def test_it_goes_to_the_end_of_the_tasks(newline: str) -> None:
    before = PLAN.replace("\n", newline)
    after = plan_edit.add(before, "T02", "do *this*\nnow", why="CAP-1")
    tasks = plan.tasks(after)
    assert [(task.id, task.title, task.done) for task in tasks] == [("T01", "One", True), ("T02", "do this now", False)]
    assert tasks[0].verify == "true"
    added = [line for line in after.split("\n") if line not in before.split("\n")]
    assert "\n".join(line for line in after.split("\n") if line not in added) == before
    assert after.index("T02") < after.index("## Files Likely Touched")
    assert newline == "\n" or "\n" not in after.replace("\r\n", "")


def test_a_plan_without_the_section_gets_one() -> None:
    after = plan_edit.add("# S01: Slice\n\n- [ ] **T01: One**\n", "T02", "more", why="x")
    assert [task.id for task in plan.tasks(after)] == ["T02", "T01"]


@pytest.mark.parametrize(
    ("text", "others", "expected"),
    [("", (), "T01"), (PLAN, (), "T02"), (PLAN, ("T07",), "T08"), ("- [ ] **T99: x**\n", (), "T100")],
    ids=["empty", "next", "on disk", "three digits"],
)
def test_next_id(text: str, others: tuple[str, ...], expected: str) -> None:
    assert plan_edit.next_id(text, others) == expected


def test_a_long_wish_is_a_short_title() -> None:
    assert len(plan_edit.title("word " * 100)) <= 80
