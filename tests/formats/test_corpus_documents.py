"""The parsers of registers, notes and records over every real file."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from milepost.formats import (
    assessment,
    captures,
    continue_,
    decisions,
    evidence,
    knowledge,
    lock,
    meta,
    metrics,
    preferences_yaml,
    project,
    replan,
    secrets_manifest,
    uat,
)


def _corpus() -> Path | None:
    for candidate in (os.environ.get("MILEPOST_CORPUS", ""), str(Path(__file__).parents[3] / "shared" / "corpus")):
        if candidate and Path(candidate).is_dir():
            return Path(candidate)
    return None


CORPUS = _corpus()
pytestmark = pytest.mark.skipif(CORPUS is None, reason="no corpus beside the checkout (set MILEPOST_CORPUS)")


def files(pattern: str) -> list[Path]:
    return sorted((CORPUS or Path()).glob(f"*/.gsd/**/{pattern}"))


def text(path: Path) -> str:
    return path.read_bytes().decode()


@pytest.mark.parametrize(
    ("pattern", "parse"),
    [
        ("DECISIONS.md", decisions.parse),
        ("KNOWLEDGE.md", knowledge.parse),
        ("PROJECT.md", project.sequence),
        ("*-ASSESSMENT.md", assessment.parse),
        ("*-UAT.md", uat.mode),
        ("*-REPLAN.md", replan.parse),
        ("*-CONTINUE.md", continue_.parse),
        ("PREFERENCES.md", lambda found: preferences_yaml.parse(found, "PREFERENCES.md")),
        ("*.md", captures.parse),
        ("*.md", secrets_manifest.parse),
        ("*.md", decisions.parse),
        ("*.md", project.sequence),
        ("*.md", knowledge.parse),
    ],
)
def test_every_file_parses(pattern: str, parse: Callable[[str], object]) -> None:
    found = files(pattern)
    assert found
    for path in found:
        parse(text(path))
        parse(text(path).replace("\n", "\r\n"))


def test_decision_rows_are_all_found_and_a_new_one_changes_nothing_else() -> None:
    total = 0
    for path in files("DECISIONS.md"):
        before = text(path)
        found = decisions.parse(before)
        total += len(found)
        identity = decisions.next_id(before)
        assert identity not in {decision.id for decision in found}
        after = decisions.append(before, decisions.Decision(id=identity, decision="what", choice="a|b"))
        added = decisions.parse(after)
        assert [decision.id for decision in added if decision.id == identity] == [identity], path
        assert len(added) == len(found) + 1
        assert all(line in after.split("\n") for line in before.split("\n"))
    assert total > 200


def test_the_sequence_ticks_one_character() -> None:
    ticked = 0
    for path in files("PROJECT.md"):
        before = text(path)
        for entry in project.sequence(before):
            after = project.tick(before, entry.id)
            changed = [(a, b) for a, b in zip(before, after, strict=True) if a != b]
            assert changed == ([] if entry.done else [(" ", "x")])
            ticked += not entry.done
    assert ticked > 5


def test_knowledge_grows_by_one_row() -> None:
    for path in files("KNOWLEDGE.md"):
        before = text(path)
        for kind in knowledge.Kind:
            after = knowledge.append(before, kind, "said", scope="global")
            assert len(knowledge.parse(after)) == len(knowledge.parse(before)) + 1


def test_evidence_comes_back_byte_for_byte() -> None:
    exact = 0
    found = [path for path in files("T*-VERIFY.json") if "PRE-EXEC" not in path.name]
    for path in found:
        read = evidence.decode(path.read_bytes(), path.name)
        exact += evidence.encode(read) == path.read_bytes()
    assert exact > 20


def test_ledgers_and_meta_come_back_byte_for_byte() -> None:
    for path in files("metrics.json"):
        assert metrics.encode(metrics.decode(path.read_bytes())).strip() == path.read_bytes().strip()
    for path in files("*-META.json"):
        branch = meta.integration_branch(text(path))
        assert branch
        assert meta.with_integration_branch(text(path), branch) == text(path)


def test_locks() -> None:
    found = [lock.decode(path.read_bytes()) for path in files("auto.lock")]
    assert [one.unit_id for one in found if one] == ["M001/S01/T03", "M001/S04"]
