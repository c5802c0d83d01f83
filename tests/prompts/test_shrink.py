"""Documents are cut at borders, say what is missing, and never outgrow their share."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from milepost.prompts.shrink import budgets, sections, share, shrink

LINES = st.lists(
    st.sampled_from(
        ["# T", "## A", "### B", "#### c", "---", "-----", "--- x", "```", "text", "", "- [ ] item", "x" * 90]
    ),
    max_size=60,
).map("\n".join)


@settings(deadline=None, database=None)
@given(LINES)
def test_sections_add_up_to_the_document(text: str) -> None:
    assert "".join(section.text for section in sections(text)) == text


@settings(deadline=None, database=None)
@given(LINES, st.integers(min_value=0, max_value=2_000))
def test_never_longer_than_its_share_and_a_note(text: str, limit: int) -> None:
    cut = shrink(text, limit, "p.md")
    assert cut.kept <= limit
    assert len(cut.text) <= max(limit, 60) + 60
    assert (cut.left_out == ()) == (len(text) <= limit)
    if cut.left_out:
        assert cut.text.endswith("Read `p.md` for the rest.]")


@settings(deadline=None, database=None)
@given(LINES, st.integers(min_value=200, max_value=2_000))
def test_what_is_kept_is_how_the_document_begins(text: str, limit: int) -> None:
    cut = shrink(text, limit, "p.md")
    kept = cut.text.partition("\n\n[… ")[0].removesuffix("\n```")
    assert text.lstrip().startswith(kept.strip())


def test_whole_sections_stay_while_they_fit() -> None:
    text = "# T\nhead\n## A\n" + "a" * 500 + "\n### B\n" + "b" * 500 + "\n---\nafter\n## C\nc"
    cut = shrink(text, 900, "")
    assert cut.text == "# T\nhead\n## A\n" + "a" * 500 + "\n\n[… 3 sections left out: B; after; C.]"
    assert cut.left_out == ("B", "after", "C")


def test_rules_of_dashes_are_not_told() -> None:
    cut = shrink("# T\n" + "a" * 400 + "\n---\n\n---\n## B\nb\n" + "c" * 600, 900, "")
    assert cut.left_out == ("B",)


def test_a_single_section_is_cut_hard() -> None:
    cut = shrink("# T\n" + "a" * 5_000, 900, "")
    assert 500 < cut.kept < 900
    assert cut.text.startswith("# T\naaa")
    assert cut.left_out == ("T",)


def test_frontmatter_stays_with_the_title() -> None:
    text = "---\nid: T01\n---\n# T01: Title\n## A\ntext"
    assert [section.name for section in sections(text)] == ["id: T01", "A"]


def test_headings_in_code_are_no_borders() -> None:
    text = "# T\n```\n## not\n---\n```\n## A\n"
    assert [section.name for section in sections(text)] == ["T", "A"]


def test_a_fence_that_the_cut_left_open_is_closed() -> None:
    cut = shrink("# T\n```\n" + "code\n" * 1_000 + "```\n", 900, "")
    assert cut.text.count("```") == 2


def test_many_names_are_not_all_told() -> None:
    text = "# T\n" + "".join(f"## Part {n}\n{'x' * 200}\n" for n in range(50))
    cut = shrink(text, 2_000, "p.md")
    assert "sections left out: Part " in cut.text
    assert "; …. Read `p.md` for the rest.]" in cut.text


def test_a_huge_document_is_cut_without_reading_all_of_it() -> None:
    cut = shrink("## A\n" + "x" * 10_000_000 + "\n## Z\n", 1_000, "p.md")
    assert len(cut.text) <= 1_000
    assert cut.left_out == ("A", "the rest of the file")


@pytest.mark.parametrize(
    ("window", "inlined", "summaries", "verification", "tasks"),
    [
        (0, 30_000, 30_000, 80_000, 6),
        (-5, 30_000, 30_000, 80_000, 6),
        (8_000, 12_800, 4_800, 3_200, 3),
        (128_000, 30_000, 30_000, 51_200, 5),
        (200_000, 30_000, 30_000, 80_000, 6),
        (1_000_000, 30_000, 30_000, 400_000, 8),
    ],
)
def test_budgets(window: int, inlined: int, summaries: int, verification: int, tasks: int) -> None:
    told = budgets(window)
    assert (told.inlined, told.summaries, told.verification, told.max_tasks) == (
        inlined,
        summaries,
        verification,
        tasks,
    )


@settings(deadline=None, database=None)
@given(st.lists(st.integers(min_value=0, max_value=5_000), max_size=20), st.integers(min_value=0, max_value=20_000))
def test_share_gives_no_more_than_there_is(sizes: list[int], limit: int) -> None:
    granted = share(sizes, limit)
    assert sum(granted) <= limit
    assert all(got <= size for got, size in zip(granted, sizes, strict=True))
    assert sum(granted) == sum(sizes) or sum(granted) > limit - max(len(sizes), 1)


def test_small_ones_get_all_they_need() -> None:
    assert share([10, 1_000, 500], 600) == (10, 295, 295)
