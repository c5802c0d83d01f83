"""Registers are narrowed by whole ids."""

import pytest

from milepost.prompts import narrow


@pytest.mark.parametrize(
    ("text", "mid", "sid", "wanted"),
    [
        ("owner: M001/S01", "M001", "S01", True),
        ("owner: M001/S01", "M001", "S02", False),
        ("owner: M001/S01", "M001", "", True),
        ("owner: M002/S01", "M001", "S01", False),
        ("owner: M001-ab12cd/S01", "M001", "S01", False),
        ("owner: M001-ab12cd/S01", "M001-ab12cd", "S01", True),
        ("owner: M001-ab12cd", "M001-zz12cd", "", False),
        ("owner: M0010", "M001", "", False),
        ("owner: M001", "M001", "S03", True),
        ("owner: S01", "M001", "S01", True),
        ("owner: S010", "M001", "S01", False),
        ("owner: S01", "M001", "S02", False),
        ("owner: M002/S01, M001/S02", "M001", "S02", True),
        ("no owner", "M001", "S01", True),
    ],
)
def test_concerns(text: str, mid: str, sid: str, wanted: bool) -> None:
    assert narrow.concerns(text, mid, sid) is wanted


def _requirements(count: int) -> str:
    entries = (
        f"### R{n:03} — Thing {n}\n- Owner: M{n % 3 + 1:03}/S0{n % 2 + 1}\n- Notes: {'n' * 60}\n" for n in range(count)
    )
    return "# Requirements\n\n## Active\n\n" + "\n".join(entries) + "\n## Traceability\n\n| a | b |\n"


def test_short_requirements_stay_whole() -> None:
    text = _requirements(12)
    assert narrow.requirements(text, "M001", "S01") == text


def test_long_requirements_keep_those_of_the_slice() -> None:
    told = narrow.requirements(_requirements(90), "M002", "S02")
    assert told.count("### R") == 15
    assert "M001/" not in told
    assert "## Active" in told
    assert "| a | b |" in told
    assert told.endswith("[… 75 requirements of other milestones or slices left out.]")


def test_long_decisions_keep_those_of_the_milestone_and_of_nobody() -> None:
    rows = [f"| D{n:03} | M00{n % 3 + 1}/S01 | area | {'q' * 80} | a | w | Yes |" for n in range(90)]
    text = "\n".join(
        ["# Decisions Register", "", "| # | When |", "|---|---|", *rows, "| D090 | start | x | y | z | w | No |"]
    )
    told = narrow.decisions(text, "M003")
    assert told.count("| M003/S01 |") == 30
    assert "| M001/" not in told
    assert "| D090 |" in told
    assert "| # | When |" in told
    assert told.endswith("[… 60 decisions of other milestones or slices left out.]")
