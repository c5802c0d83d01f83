"""A slice added to a roadmap in the form that it is written in; all else stays."""

import pytest

from milepost.errors import FormatError
from milepost.formats import roadmap
from milepost.formats.roadmap import Slice

NEW = Slice(id="S03", title="Mend it", risk="medium", depends=("S01",), done=False, demo="it works.")
LIST = (
    "# M001: T\n\n## Slices\n\n- [x] **S01: One** `risk:low` `depends:[]`\n  > After this: one.\n"
    "- [ ] **S02: Two** `risk:low` `depends:[S01]`\n\n## Boundary Map\n\n### S01 → S02\n"
)
TABLE = (
    "# M001: T\n\n## Slice Overview\n\n| ID | Slice | Risk | Depends | Done | After this |\n|---|---|---|---|---|---|\n"
    "| S01 | One | low | — | ✅ | one |\n| S02 | Two | high | S01 | ⬜ | two |\n\n## Notes\n"
)
HEADINGS = "# M001: T\n\n## S01: One ✅\n\nFirst.\n\n## S02: Two\n\nDepends on: S01\n"


@pytest.mark.parametrize(
    "text", [LIST, LIST.replace("\n", "\r\n"), TABLE, HEADINGS], ids=["list", "crlf", "table", "headings"]
)
def test_it_is_read_as_what_it_is_and_the_others_as_before(text: str) -> None:
    before, made = roadmap.slices(text), roadmap.add(text, NEW, after="S01")
    found = roadmap.slices(made)
    assert [entry.id for entry in found] == ["S01", "S03", "S02"]
    assert found[1] == NEW._replace(demo=found[1].demo, risk=found[1].risk)
    assert (found[0], found[2]) == before
    lines = made.split("\n")
    assert [line for line in text.split("\n") if line not in lines] == []


@pytest.mark.parametrize(("entry", "after"), [(NEW, "S09"), (NEW._replace(id="S02"), "S01")])
def test_what_cannot_be_added_is_refused(entry: Slice, after: str) -> None:
    with pytest.raises(FormatError):
        roadmap.add(LIST, entry, after=after)
