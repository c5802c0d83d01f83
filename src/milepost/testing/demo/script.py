"""What the demo's agent does, unit by unit: the source that the shipped cassette was recorded from.

    python -m milepost.testing.demo.script > script.json

The sessions look, write, run the tests and sum up, as a model's do. Tokens and costs are round figures of this
script, not a bill.
"""

import json
import sys
from collections.abc import Iterator

from milepost.testing.demo.project import VERIFY

_BASE = ".gsd/milestones/M001"
_MODEL = "recorded"

_CODE: dict[str, dict[str, str]] = {
    "M001/S01/T01": {
        "wordtally/words.py": '''"""Splitting text into words."""

import re
from collections.abc import Iterator

_WORD = re.compile(r"[^\\W\\d_]+(?:'[^\\W\\d_]+)*")


def words(text: str) -> Iterator[str]:
    """The words of a text in lower case; apostrophes inside a word stay."""
    return (found[0].lower() for found in _WORD.finditer(text))
''',
        "tests/test_words.py": """import unittest

from wordtally.words import words


class TestWords(unittest.TestCase):
    def test_lower_case(self) -> None:
        self.assertEqual(list(words("One two, ONE!")), ["one", "two", "one"])

    def test_apostrophe_stays_inside(self) -> None:
        self.assertEqual(list(words("don't 'quote'")), ["don't", "quote"])

    def test_digits_are_no_words(self) -> None:
        self.assertEqual(list(words("4 times x2")), ["times", "x"])
""",
    },
    "M001/S01/T02": {
        "wordtally/counting.py": '''"""Counting words."""

from collections import Counter

from wordtally.words import words


def count(text: str) -> dict[str, int]:
    """How often each word occurs."""
    return dict(Counter(words(text)))
''',
        "wordtally/__init__.py": '''"""Counts words."""

from wordtally.counting import count

__all__ = ["count"]
''',
        "tests/test_counting.py": """import unittest

from wordtally import count


class TestCount(unittest.TestCase):
    def test_counts(self) -> None:
        self.assertEqual(count("a b a"), {"a": 2, "b": 1})

    def test_nothing(self) -> None:
        self.assertEqual(count(""), {})
""",
    },
    "M001/S02/T01": {
        "wordtally/report.py": '''"""Counts as a table."""

from collections.abc import Mapping


def table(counts: Mapping[str, int], top: int) -> list[str]:
    """Aligned lines, the most frequent first, ties by alphabet."""
    ranked = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))[:top]
    width = max((len(word) for word, _ in ranked), default=0)
    return [f"{word.ljust(width)}  {number}" for word, number in ranked]
''',
        "tests/test_report.py": """import unittest

from wordtally.report import table


class TestTable(unittest.TestCase):
    def test_most_frequent_first_then_alphabet(self) -> None:
        self.assertEqual(table({"pear": 1, "fig": 2, "apple": 1}, 3), ["fig    2", "apple  1", "pear   1"])

    def test_top(self) -> None:
        self.assertEqual(table({"a": 1, "b": 2}, 1), ["b  2"])

    def test_empty(self) -> None:
        self.assertEqual(table({}, 5), [])
""",
    },
    "M001/S02/T02": {
        "wordtally/__main__.py": '''"""`python3 -m wordtally FILE [--top N]`."""

import argparse
from pathlib import Path

from wordtally import count
from wordtally.report import table


def main(argv: list[str] | None = None) -> int:
    """Print the most frequent words of a file."""
    parser = argparse.ArgumentParser(prog="wordtally")
    parser.add_argument("file", type=Path)
    parser.add_argument("--top", type=int, default=10)
    options = parser.parse_args(argv)
    print("\\n".join(table(count(options.file.read_text(encoding="utf-8")), options.top)))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
''',
        "tests/test_main.py": """import contextlib
import io
import tempfile
import unittest
from pathlib import Path

from wordtally.__main__ import main


class TestMain(unittest.TestCase):
    def test_prints_the_table(self) -> None:
        with tempfile.TemporaryDirectory() as directory:
            file = Path(directory) / "text.txt"
            file.write_text("to be or not to be", encoding="utf-8")
            out = io.StringIO()
            with contextlib.redirect_stdout(out):
                self.assertEqual(main([str(file), "--top", "2"]), 0)
        self.assertEqual(out.getvalue(), "be  2\\nto  2\\n")
""",
    },
}
_ONE_LINERS = {
    "M001/S01/T01": ("Split text into words", "Added words(), which yields lower-case words and keeps apostrophes"),
    "M001/S01/T02": ("Count words", "Added count() on top of words() and exported it"),
    "M001/S02/T01": ("Format a table", "Added table(), which ranks and aligns counts"),
    "M001/S02/T02": ("Command line", "Added the wordtally command with --top"),
}


def sessions() -> list[dict[str, object]]:
    """Every session of the milestone, in the order of the plan."""
    return [
        _execute("M001/S01/T01"),
        _execute("M001/S01/T02"),
        _complete_slice("S01", "Counting", "count(text)"),
        _reassess("S01"),
        _execute("M001/S02/T01"),
        _execute("M001/S02/T02"),
        _complete_slice("S02", "Reporting", "the wordtally command"),
        _validate(),
        _complete_milestone(),
    ]


def _session(unit: str, *steps: dict[str, object]) -> dict[str, object]:
    return {"unit": unit, "steps": list(_with_usage(steps))}


def _with_usage(steps: tuple[dict[str, object], ...]) -> Iterator[dict[str, object]]:
    """One request per tool call, each a little longer than the one before, most of it cached."""
    for number, step in enumerate(steps):
        fresh, cached = (6_000, 0) if number == 0 else (400, 6_000 + 400 * number)
        tokens = {"input": fresh, "output": 250, "cache_read": cached, "cache_write": 0}
        cost = {"micro_usd": fresh * 3 + 250 * 15 + cached * 3 // 10, "model": _MODEL}
        yield {"usage": {**tokens, **cost}}
        yield step


def _write(path: str, content: str) -> dict[str, object]:
    return {"tool": "write", "args": {"path": path, "content": content}}


def _execute(unit: str) -> dict[str, object]:
    _, slice_id, task_id = unit.split("/")
    title, one_liner = _ONE_LINERS[unit]
    files = _CODE[unit]
    summary = (
        f"---\nid: {task_id}\nparent: {slice_id}\nmilestone: M001\nprovides:\n  - {one_liner}\nkey_files:\n"
        + "".join(f"  - {path}\n" for path in files)
        + "key_decisions: []\npatterns_established: []\nduration: 5m\nverification_result: passed\n"
        f"completed_at: 2026-11-01T12:00:00Z\nblocker_discovered: false\n---\n# {task_id}: {title}\n\n**{one_liner}**\n\n"
        f"## What Happened\n\n{one_liner}, with tests.\n\n## Verification\n\n`{VERIFY}` passed.\n\n"
        "## Deviations\n\nNone.\n\n## Known Issues\n\nNone.\n"
    )
    return _session(
        f"execute-task/{unit}",
        {"tool": "list", "args": {"path": "wordtally"}},
        *(_write(path, content) for path, content in files.items()),
        {"tool": "shell", "args": {"command": VERIFY}},
        _write(f"{_BASE}/slices/{slice_id}/tasks/{task_id}-SUMMARY.md", summary),
        {"text": f"{title}: done, and the tests pass."},
    )


def _complete_slice(slice_id: str, title: str, gives: str) -> dict[str, object]:
    summary = (
        f"---\nid: {slice_id}\nparent: M001\nmilestone: M001\nprovides:\n  - {gives}\nrequires: []\naffects: []\n"
        "key_files: []\nkey_decisions: []\npatterns_established:\n  - one module, one test file\n"
        f"verification_result: passed\ncompleted_at: 2026-11-01T12:00:00Z\n---\n# {slice_id}: {title}\n\n**{title} works**\n\n"
        f"## What Happened\n\nBoth tasks are done; {gives} is there.\n\n## Verification\n\n`{VERIFY}` passed.\n"
    )
    uat = (
        f"# {slice_id}: {title} — UAT\n\n## UAT Type\n\n- UAT mode: artifact-driven\n\n## Test Cases\n\n"
        f"### 1. Tests\n\n1. Run `{VERIFY}`\n2. **Expected:** OK\n"
    )
    return _session(
        f"complete-slice/M001/{slice_id}",
        {"tool": "shell", "args": {"command": VERIFY}},
        _write(f"{_BASE}/slices/{slice_id}/{slice_id}-SUMMARY.md", summary),
        _write(f"{_BASE}/slices/{slice_id}/{slice_id}-UAT.md", uat),
        {"text": f"{slice_id} is summed up."},
    )


def _reassess(slice_id: str) -> dict[str, object]:
    text = (
        f"---\ndate: 2026-11-01\ntriggering_slice: {slice_id}\nverdict: no-change\n---\n# {slice_id} Assessment\n\n"
        "The roadmap still covers every success criterion; S02 builds on count() as planned.\n"
    )
    return _session(
        f"reassess-roadmap/M001/{slice_id}",
        _write(f"{_BASE}/slices/{slice_id}/{slice_id}-ASSESSMENT.md", text),
        {"text": "The roadmap stands."},
    )


def _validate() -> dict[str, object]:
    text = (
        "---\nverdict: pass\nremediation_round: 0\n---\n# Milestone Validation: M001\n\n## Success Criteria Checklist\n\n"
        "- [x] The command prints the most frequent words — evidence: tests/test_main.py\n"
        "- [x] Covered by unit tests — evidence: the run below\n\n## Verdict Rationale\n\n"
        f"`{VERIFY}` passes and the command works.\n"
    )
    return _session(
        "validate-milestone/M001",
        {"tool": "shell", "args": {"command": VERIFY}},
        {"tool": "shell", "args": {"command": "python3 -m wordtally README.md --top 3"}},
        _write(f"{_BASE}/M001-VALIDATION.md", text),
        {"text": "All criteria hold."},
    )


def _complete_milestone() -> dict[str, object]:
    summary = (
        "---\nid: M001\nprovides:\n  - wordtally.count and the wordtally command\nkey_decisions: []\n"
        "patterns_established: []\nverification_result: passed\ncompleted_at: 2026-11-01T12:00:00Z\n---\n"
        "# M001: Word counts\n\n**wordtally counts words and reports the most frequent**\n\n## What Happened\n\n"
        f"Two slices, four tasks.\n\n## Cross-Slice Verification\n\n`{VERIFY}` passed.\n"
    )
    project = (
        "# Project\n\n## What This Is\n\nA package that counts words.\n\n## Current State\n\nM001 is done.\n\n"
        "## Milestone Sequence\n\n- [x] M001: Word counts — count and report\n"
    )
    return _session(
        "complete-milestone/M001",
        {"tool": "shell", "args": {"command": VERIFY}},
        _write(f"{_BASE}/M001-SUMMARY.md", summary),
        _write(".gsd/PROJECT.md", project),
        {"text": "The milestone is complete."},
    )


if __name__ == "__main__":
    json.dump(sessions(), sys.stdout, indent=1)
