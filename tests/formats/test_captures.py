"""Thoughts thrown in while work goes on."""

import pytest

from milepost.errors import FormatError
from milepost.formats.captures import Capture, append, has_pending, mark_executed, parse, resolve

TEXT = """# Captures

### CAP-1a2b3c4d
**Text:** add retry to the fetcher
**Captured:** 2026-03-17T10:00:00.000Z
**Status:** pending

### CAP-99aa00bb
**Text:** rename the config flag
**Captured:** 2026-03-17T10:05:00.000Z
**Status:** Resolved
**Classification:** quick-task
**Resolution:** do it right away
**Rationale:** one-line change
**Resolved:** 2026-03-17T10:09:00.000Z
**Executed:** 2026-03-17T10:11:00.000Z
"""


def test_entries() -> None:
    first, second = parse(TEXT)
    assert first == Capture(
        id="CAP-1a2b3c4d", text="add retry to the fetcher", captured="2026-03-17T10:00:00.000Z", status="pending"
    )
    assert (second.status, second.classification, second.executed) == ("resolved", "quick-task", True)
    assert parse(TEXT.replace("\n", "\r\n")) == parse(TEXT)


@pytest.mark.parametrize("missing", ["Text", "Captured"])
def test_an_entry_needs_both(missing: str) -> None:
    text = "".join(line for line in TEXT.splitlines(keepends=True) if not line.startswith(f"**{missing}:**"))
    assert parse(text) == ()


@pytest.mark.parametrize(("written", "read"), [("inject", "inject"), ("Stop", "stop"), ("maybe", ""), ("", "")])
def test_classification(written: str, read: str) -> None:
    assert parse(TEXT.replace("quick-task", written))[1].classification == read


def test_pending() -> None:
    assert has_pending(TEXT)
    assert has_pending(TEXT.replace("pending", "PENDING"))
    assert not has_pending(TEXT.replace("pending", "triaged"))
    assert parse(TEXT.replace("pending", "whatever"))[0].status == "pending"


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_append(newline: str) -> None:
    text = TEXT.replace("\n", newline)
    after = append(text, id="CAP-00000000", said="two\nlines", at="T")
    assert after.startswith(text)
    assert "\n" not in after.replace(newline, "")
    assert parse(after)[2] == Capture(id="CAP-00000000", text="two lines", captured="T", status="pending")
    assert [capture.id for capture in parse(append("", id="CAP-1", said="x", at="T"))] == ["CAP-1"]


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_resolve_touches_one_entry(newline: str) -> None:
    text = TEXT.replace("\n", newline)
    after = resolve(text, "CAP-1a2b3c4d", classification="inject", resolution="a task", rationale="why", at="T")
    assert "\n" not in after.replace(newline, "")
    assert parse(after)[0] == Capture(
        id="CAP-1a2b3c4d", text="add retry to the fetcher", captured="2026-03-17T10:00:00.000Z", status="resolved",
        classification="inject", resolution="a task", rationale="why", resolved="T",
    )  # fmt: skip
    cut = text.index("### CAP-99")
    assert after.endswith(text[cut:])
    assert mark_executed(after, "CAP-1a2b3c4d", at="U").count("**Executed:** U") == 1


def test_resolving_twice_replaces() -> None:
    after = resolve(TEXT, "CAP-99aa00bb", classification="note", resolution="r", rationale="w", at="T")
    assert after.count("**Resolution:**") == 1
    assert parse(after)[1].classification == "note"


def test_an_unknown_id_is_an_error() -> None:
    with pytest.raises(FormatError):
        mark_executed(TEXT, "CAP-none", at="T")
