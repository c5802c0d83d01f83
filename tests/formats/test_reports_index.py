"""`reports.json`: GSD's fields, foreign entries kept, and a file that is none of it."""

import json

import pytest

from milepost.errors import FormatError
from milepost.formats import reports
from milepost.formats.reports import Entry, Index

ENTRY = Entry(filename="M001-a.html", generated_at="2026-03-17T10:00:00.000Z", milestone_id="M001", kind="milestone")
FIELDS = (
    "filename generatedAt milestoneId milestoneTitle label kind totalCost totalTokens totalDuration doneSlices "
    "totalSlices doneMilestones totalMilestones phase"
).split()


def test_what_gsd_reads() -> None:
    index = reports.add(Index(project_name="feeds", project_path="/p", version="1"), ENTRY)
    content = json.loads(reports.encode(index))
    assert list(content) == ["version", "projectName", "projectPath", "gsdVersion", "entries"]
    assert content["version"] == 1
    assert set(FIELDS) <= set(content["entries"][0])
    assert content["entries"][0]["totalCost"] is None
    assert reports.decode(reports.encode(index)) == index


def test_entries_of_others_stay() -> None:
    theirs = {"filename": "M000-x.html", "generatedAt": "2026-01-01T00:00:00.000Z", "totalCost": 1.5, "mood": "good"}
    data = json.dumps({"version": 1, "projectName": "p", "entries": [theirs, {"odd": True}]}).encode()
    index = reports.add(reports.add(reports.decode(data), ENTRY), ENTRY)
    assert index.entries[:2] == (theirs, {"odd": True})
    assert [entry.filename for entry in index.known()] == ["M000-x.html", "M001-a.html"]
    assert index.known()[0].total_cost == 1.5


@pytest.mark.parametrize("data", [b"", b"[]", b"{ half", b'{"entries": 3}', b'{"entries": ["x"]}', b"\xff\xfe"])
def test_a_file_that_is_none(data: bytes) -> None:
    with pytest.raises(FormatError, match=r"reports\.json"):
        reports.decode(data)
