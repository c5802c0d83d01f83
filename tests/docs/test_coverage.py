"""Every numbered statement of the specification of parallel milestones has a test that carries its number.

The numbers are listed here, so that this holds in a clone without the specification; where that lies beside the
checkout, the list is compared with it.
"""

import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType

import pytest

from milepost.rules.dispatch import RULES

ROOT = Path(__file__).parents[2]
_PR = (
    *((1, 5), (10, 12), (20, 26), (30, 32), (40, 46), (60, 65), (80, 89), (100, 104), (120, 125), (140, 142)),
    *((150, 153), (170, 178), (180, 182), (190, 197), (210, 214), (300, 328), (330, 331), (340, 340), (345, 347)),
    (350, 352),
)
_AUTO = ((220, 224), (230, 247))
"""Auto mode, in which a worker runs."""
_DV = ((1, 33),)
_FM = ((1, 36), (40, 54), (60, 74), (80, 102))


def numbers(kind: str, ranges: tuple[tuple[int, int], ...], width: int) -> set[str]:
    return {f"{kind}-{number:0{width}d}" for first, last in ranges for number in range(first, last + 1)}


STATED = numbers("PR", (*_PR, *_AUTO), 3) | numbers("DV", _DV, 2) | numbers("FM", _FM, 2)


@pytest.fixture(scope="module")
def marked(page: Callable[[str], ModuleType]) -> Mapping[str, tuple[str, ...]]:
    """Number to its tests, as the page in the reference has them."""
    found: Mapping[str, tuple[str, ...]] = page("coverage").marks()
    return found


@pytest.mark.parametrize("kind", ["PR", "DV", "FM"])
def test_every_number_has_a_test(kind: str, marked: Mapping[str, tuple[str, ...]]) -> None:
    wanted = {number for number in STATED if number.startswith(kind)}
    assert sorted(wanted - marked.keys()) == []


def test_no_test_carries_a_number_that_is_not_stated(marked: Mapping[str, tuple[str, ...]]) -> None:
    assert sorted(number for number in marked if re.match(r"(PR|DV|FM)-", number) and number not in STATED) == []


def test_one_test_does_not_stand_for_everything(marked: Mapping[str, tuple[str, ...]]) -> None:
    carried: dict[str, int] = {}
    for tests in marked.values():
        for test in tests:
            carried[test] = carried.get(test, 0) + 1
    assert [test for test, count in carried.items() if count > 15] == []


@pytest.mark.spec(id="PR-220")
def test_the_front_page_leads_to_parallel_milestones_and_the_loop_has_a_validation() -> None:
    page = "docs/how-to/parallel-milestones.md"
    assert f"]({page})" in (ROOT / "README.md").read_text("utf-8")
    assert "gsd parallel start" in (ROOT / page).read_text("utf-8")
    rows = re.findall(r"^\| \d+ \| `([a-z-]+)` \|", (ROOT / "docs/reference/units.md").read_text("utf-8"), re.MULTILINE)
    assert rows == [rule.name for rule in RULES]
    assert rows.index("task-is-executed") < rows.index("milestone-is-validated") < rows.index("milestone-is-completed")


def specification() -> Path | None:
    given = os.environ.get("MILEPOST_SPEC", "")
    candidates = (Path(given) if given else None, ROOT.parent / "shared" / "spec" / "parallel.md")
    return next((path for path in candidates if path is not None and path.is_file()), None)


@pytest.mark.skipif(specification() is None, reason="no specification beside the checkout (set MILEPOST_SPEC)")
def test_the_list_is_that_of_the_specification() -> None:
    path = specification()
    assert path is not None
    text = path.read_text("utf-8")
    named = {f"PR-{number}" for number in re.findall(r"\bPR-(\d{3})\b", text)}
    named |= {f"DV-{number}" for number in re.findall(r"^\| DV-(\d\d) \|", text, re.MULTILINE)}
    named |= {f"FM-{number}" for number in re.findall(r"^- FM-(\d+)", text, re.MULTILINE)}
    assert named == STATED
