import pytest

from milepost.rules.merging import Side, is_planning, side


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("src/app.py", Side.CODE),
        (".gsdx/STATE.md", Side.CODE),
        ("docs/.gsd/STATE.md", Side.CODE),
        (".gsd/STATE.md", Side.DERIVED),
        (".gsd/metrics.json", Side.DERIVED),
        (".gsd/activity/001-x.jsonl", Side.DERIVED),
        (".gsd/milestones/M001/slices/S01/S01-CONTINUE.md", Side.DERIVED),
        (".gsd/milestones/M001/M001-ROADMAP.md", Side.MILESTONE),
        (".gsd/milestones/M001-OLD-NAME/slices/S01/S01-PLAN.md", Side.MILESTONE),
        (".gsd/milestones/M001-ab12cd/M001-ab12cd-ROADMAP.md", Side.TARGET),
        (".gsd/milestones/M002/M002-SUMMARY.md", Side.TARGET),
        (".gsd/DECISIONS.md", Side.UNION),
        (".gsd/knowledge.md", Side.UNION),
        (".gsd/REQUIREMENTS.md", Side.UNION),
        (".gsd/PROJECT.md", Side.UNION),
        (".gsd/QUEUE.md", Side.UNION),
        (".gsd/QUEUE-ORDER.json", Side.TARGET),
        (".gsd/preferences.md", Side.TARGET),
        (".gsd/CAPTURES.md", Side.TARGET),
        (".gsd/quick/1-x/1-SUMMARY.md", Side.TARGET),
    ],
)
def test_side(path: str, expected: Side) -> None:
    assert side(path, mid="M001", state_dir=".gsd") is expected
    if path.startswith(".gsd/"):
        assert side(".sf" + path[4:], mid="M001", state_dir=".sf") is expected


def test_a_quick_task_brings_its_own_documents_and_no_others() -> None:
    assert side(".gsd/quick/1-x/1-SUMMARY.md", mid="quick-1-x", state_dir=".gsd") is Side.MILESTONE
    assert side(".gsd/quick/2-y/2-SUMMARY.md", mid="quick-1-x", state_dir=".gsd") is Side.TARGET
    assert side(".gsd/milestones/M001/M001-ROADMAP.md", mid="quick-1-x", state_dir=".gsd") is Side.TARGET


@pytest.mark.spec(id="FM-98")
def test_a_generated_file_is_the_milestones_and_a_planning_file_never_generated() -> None:
    patterns = ("*.map", "*.json", "*.md")
    assert side("dist/app.map", mid="M001", state_dir=".gsd", generated=patterns) is Side.GENERATED
    assert side("dist/app.js", mid="M001", state_dir=".gsd", generated=patterns) is Side.CODE
    assert side("dist/app.map", mid="M001", state_dir=".gsd") is Side.CODE
    assert side(".gsd/DECISIONS.md", mid="M001", state_dir=".gsd", generated=patterns) is Side.UNION
    assert side(".gsd/QUEUE-ORDER.json", mid="M001", state_dir=".gsd", generated=patterns) is Side.TARGET


def test_planning() -> None:
    assert is_planning(".gsd/DECISIONS.md", state_dir=".gsd")
    assert is_planning(".gsd", state_dir=".gsd")
    assert not is_planning(".gsdx", state_dir=".gsd")
