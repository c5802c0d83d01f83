"""The register of decisions."""

import pytest

from milepost.formats.decisions import Decision, append, next_id, parse, supersede

SEVEN = """# Decisions Register

<!-- | # | When | Scope | Decision | Choice | Rationale | Revisable? | -->

| # | When | Scope | Decision | Choice | Rationale | Revisable? |
|---|------|-------|----------|--------|-----------|------------|
| D001 | M001/S01 | storage | Where do feeds live | SQLite | `a \\| b` is one cell | Yes |
| D002 | M002 | storage | WAL mode (amends D001) | WAL | readers never block | No |

Notes below | with a pipe.
"""
EIGHT = SEVEN.replace("Revisable? |\n", "Revisable? | Made By |\n").replace(
    "|------------|", "|------------|---------|"
)
NEW = Decision(
    id="D003",
    when="M003",
    scope="api",
    decision="a|b",
    choice="two\nlines",
    rationale="r",
    revisable="No",
    made_by="agent",
)


def test_rows() -> None:
    first, second = parse(SEVEN)
    assert first.rationale == "`a | b` is one cell"
    assert (first.superseded_by, second.amends, second.superseded_by) == ("D002", "D001", None)
    assert (second.revisable, second.made_by) == ("No", "")


@pytest.mark.parametrize(
    ("text", "identity"), [(SEVEN, "D003"), ("", "D001"), ("# Words\n", "D001"), (SEVEN.replace("D00", ""), "3")]
)
def test_next_id(text: str, identity: str) -> None:
    assert next_id(text) == identity


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize(("text", "row"), [
    (SEVEN, "| D003 | M003 | api | a\\|b | two lines | r | No |"),
    (EIGHT, "| D003 | M003 | api | a\\|b | two lines | r | No | agent |"),
])  # fmt: skip
def test_append_goes_below_the_last_row(newline: str, text: str, row: str) -> None:
    last = "| D002 | M002 | storage | WAL mode (amends D001) | WAL | readers never block | No |\n"
    expected = text.replace(last, f"{last}{row}\n").replace("\n", newline)
    after = append(text.replace("\n", newline), NEW)
    assert after == expected
    assert parse(after)[-1][:5] == ("D003", "M003", "api", "a|b", "two lines")


@pytest.mark.parametrize("text", ["", "\n", "# Decisions\n\nProse only", "# Decisions\n"])
def test_append_makes_the_table(text: str) -> None:
    after = append(text, NEW)
    assert after.startswith(text.strip())
    assert [(decision.id, decision.made_by) for decision in parse(after)] == [("D003", "agent")]
    assert [decision.id for decision in parse(append(after, NEW._replace(id="D004")))] == ["D003", "D004"]


def test_an_empty_table_and_no_final_newline() -> None:
    text = SEVEN.split("| D001")[0].rstrip("\n")
    assert [decision.id for decision in parse(append(text, NEW))] == ["D003"]


def test_supersede_leaves_the_old_row() -> None:
    after = supersede(SEVEN, "D002", NEW)
    assert SEVEN.split("\nNotes")[0] in after
    assert [(decision.id, decision.superseded_by) for decision in parse(after)] == [
        ("D001", "D002"), ("D002", "D003"), ("D003", None),
    ]  # fmt: skip


def test_headings_of_older_registers() -> None:
    text = "# Decisions\n\n## D001 — Use m4\n\n- **Slice:** S04\n- **Decision:** GNU m4\n\n## D-002: Prefix\n\nwords\n"
    assert [(decision.id, decision.when, decision.decision, decision.choice) for decision in parse(text)] == [
        ("D001", "S04", "Use m4", "GNU m4"), ("D-002", "", "Prefix", ""),
    ]  # fmt: skip


@pytest.mark.parametrize("line", ["| D001 | too | few |", "|---|---|", "D001 | a | b", "| x | a | b | c | d | e | f |"])
def test_other_lines_are_no_decisions(line: str) -> None:
    assert parse(line) == ()
