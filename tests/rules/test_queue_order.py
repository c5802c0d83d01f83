"""What an order of milestones runs into. Source: spec auto 7 (queue)."""

import pytest

from milepost.rules.queue_order import check


@pytest.mark.parametrize(
    ("order", "needs", "complete", "found"),
    [
        ("M001 M002", {"M002": ["M001"]}, "", []),
        ("M002 M001", {"M002": ["M001"]}, "", ["would_block M002 M001"]),
        ("M002 M001", {"M002": ["M001"]}, "M001", []),
        ("M001", {"M001": ["M009"]}, "", ["missing_dep M001 M009"]),
        ("M001", {"M001": ["M009"]}, "M009", []),
        ("M001 M002", {"M001": ["M002"], "M002": ["M001"]}, "", ["would_block M001 M002", "circular M001 M001, M002"]),
        ("M001", {"M001": ["M001"]}, "", ["circular M001 M001"]),
        (
            "M001 M002 M003",
            {"M002": ["M001"], "M003": ["M002", "M001"]},
            "",
            ["redundant M003 M001"],
        ),
        ("M001 M002 M003", {"M001": ["M002"], "M002": ["M001"], "M003": ["M001"]}, "",
         ["would_block M001 M002", "circular M001 M001, M002"]),
    ],
)  # fmt: skip
def test_check(order: str, needs: dict[str, list[str]], complete: str, found: list[str]) -> None:
    problems = check(order.split(), needs, complete.split())
    assert [f"{each.kind} {each.milestone} {each.other}" for each in problems] == found
    assert all(each.milestone in str(each) for each in problems)
