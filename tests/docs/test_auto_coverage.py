"""Every setting, command, kind of unit, hook action, capture class and provider failure has a test that observes it.

`docs/reference/auto-coverage.md` is made from the same marks. Where the specification lies beside the checkout, the
list of broken promises is compared with it.
"""

import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def pages(page: Callable[[str], ModuleType]) -> ModuleType:
    """The module that makes the page."""
    return page("auto_coverage")


@pytest.fixture(scope="module")
def marks(pages: ModuleType) -> Mapping[str, tuple[str, ...]]:
    """Name to the tests that carry it; every test's file is read for it."""
    found: Mapping[str, tuple[str, ...]] = pages.marks()
    return found


@pytest.mark.parametrize("group", ["key", "command", "unit", "hook", "capture", "error", "promise"])
def test_everything_has_a_test(pages: ModuleType, marks: Mapping[str, tuple[str, ...]], group: str) -> None:
    names = {name for name in pages.wanted() if name.startswith(f"{group}:")}
    assert names
    assert sorted(names - marks.keys()) == []


def test_no_mark_names_what_is_not_there(pages: ModuleType, marks: Mapping[str, tuple[str, ...]]) -> None:
    assert sorted(marks.keys() - pages.wanted()) == []


def test_one_test_does_not_stand_for_everything(marks: Mapping[str, tuple[str, ...]]) -> None:
    carried: dict[str, int] = {}
    for tests in marks.values():
        for test in tests:
            carried[test] = carried.get(test, 0) + 1
    assert [test for test, count in carried.items() if count > 12] == []


def specification() -> Path | None:
    given = os.environ.get("MILEPOST_SPEC", "")
    candidates = (Path(given).parent if given else None, ROOT.parent / "shared" / "spec")
    return next((where / "auto.md" for where in candidates if where and (where / "auto.md").is_file()), None)


@pytest.mark.skipif(specification() is None, reason="no specification beside the checkout (set MILEPOST_SPEC)")
def test_each_row_of_the_list_of_promises_is_one(pages: ModuleType) -> None:
    path = specification()
    assert path is not None
    rows = path.read_text("utf-8").partition("## 10.1 ")[2].partition("## 10.2 ")[0]
    assert len(re.findall(r"^\| ", rows, re.MULTILINE)) - 1 == len(pages.PROMISES)
