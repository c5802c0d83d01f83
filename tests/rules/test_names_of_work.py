"""What is named after a milestone or a quick task, and back again."""

import pytest

from milepost.model import work
from milepost.model.ids import BadId

FIX = "quick-12-fix-the-typo"


@pytest.mark.parametrize(
    ("text", "slug"),
    [
        ("Fix the typo in the README title", "fix-the-typo-in-the-readme-title"),
        ("  --fix: it's BROKEN!\n", "fix-it-s-broken"),
        ("Café ÉTÉ", "cafe-ete"),
        ("修正", "task"),
        ("", "task"),
        ("../../etc/passwd", "etc-passwd"),
        ("a" * 60, "a" * 40),
        ("one two three four five six seven eight nine", "one-two-three-four-five-six-seven-eight"),
        ("x" * 39 + " yy", "x" * 39),
        ("x" * 40 + " y", "x" * 40),
    ],
)
def test_slug(text: str, slug: str) -> None:
    assert work.slug(text) == slug
    assert len(slug) <= 40
    assert work.is_quick(work.quick_key(7, text))


@pytest.mark.parametrize(
    "key", ["quick-0-x", "quick-1-", "quick-1", "quick-01-x", "quick-1-X", "quick-1-a--b", "quick-1-a/b", "M001", ""]
)
def test_no_key_of_a_quick_task(key: str) -> None:
    assert not work.is_quick(key)
    with pytest.raises(BadId):
        work.number(key)


def test_a_slug_is_not_longer_than_it_may_be() -> None:
    assert not work.is_quick(f"quick-1-{'a' * 41}")


@pytest.mark.parametrize(
    ("key", "branch", "short"),
    [("M001", "milestone/M001", "M001"), (FIX, "gsd/quick/12-fix-the-typo", "quick-12")],
)
def test_names(key: str, branch: str, short: str) -> None:
    assert (work.require_key(key), work.branch_of(key), work.short(key)) == (key, branch, short)
    assert (work.key_of(branch), work.is_branch(branch), work.of_directory(key)) == (key, True, True)


@pytest.mark.parametrize("branch", ["main", "gsd/M001/S01", "gsd/quick/notes", "gsd/quick/1-X", "feature/quick-1-x"])
def test_other_branches_are_nobodys(branch: str) -> None:
    assert (work.key_of(branch), work.is_branch(branch)) == (branch, False)


def test_documents() -> None:
    assert work.home(FIX) == "quick/12-fix-the-typo"
    assert work.document(FIX, "SUMMARY.md") == "quick/12-fix-the-typo/12-SUMMARY.md"


@pytest.mark.parametrize(
    ("inside", "owner"),
    [
        ("milestones/M001/M001-ROADMAP.md", "M001"),
        ("milestones/notes.md", None),
        ("quick/12-fix-the-typo/12-SUMMARY.md", FIX),
        ("quick/notes.md", None),
        ("DECISIONS.md", None),
    ],
)
def test_owner(inside: str, owner: str | None) -> None:
    assert work.owner(inside) == owner


@pytest.mark.parametrize("name", ["notes", "quick-1", "M001-DESCRIPTION", ".check-1"])
def test_other_directories(name: str) -> None:
    assert not work.of_directory(name)
