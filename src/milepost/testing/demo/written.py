"""What the demo's agent writes: whole files, and edits of files that are there, by task."""

from typing import Final, NamedTuple


class Edit(NamedTuple):
    """A passage of a file that is replaced."""

    path: str
    old: str
    new: str


NO_COMMAND: Final = "There is no command yet."
NO_EXPORT: Final = "Nothing can be exported yet."

FILES: Final[dict[str, dict[str, str]]] = {
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
    "M002/S01/T01": {
        "wordtally/export.py": '''"""Counts for other programs."""

import csv
import io
from collections.abc import Mapping


def as_csv(counts: Mapping[str, int]) -> str:
    """A head and one line per word, the most frequent first, ties by alphabet."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\\n")
    writer.writerow(["word", "count"])
    writer.writerows(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))
    return out.getvalue()
''',
        "tests/test_export.py": """import unittest

from wordtally.export import as_csv


class TestCsv(unittest.TestCase):
    def test_most_frequent_first(self) -> None:
        self.assertEqual(as_csv({"fig": 1, "apple": 2}), "word,count\\napple,2\\nfig,1\\n")

    def test_nothing(self) -> None:
        self.assertEqual(as_csv({}), "word,count\\n")
""",
    },
    "M003/S01/T01": {
        "wordtally/reading.py": '''"""Reading exports back."""

import csv
import io
import json


def read(text: str) -> dict[str, int]:
    """The counts that `as_csv` or `as_json` was given."""
    if text.lstrip().startswith("{"):
        return {str(word): int(count) for word, count in json.loads(text).items()}
    return {row["word"]: int(row["count"]) for row in csv.DictReader(io.StringIO(text))}
''',
        "tests/test_reading.py": """import unittest

from wordtally.export import as_csv, as_json
from wordtally.reading import read


class TestRead(unittest.TestCase):
    def test_reverses_both_exports(self) -> None:
        counts = {"apple": 2, "fig, dried": 1}
        for text in (as_csv(counts), as_json(counts)):
            self.assertEqual(read(text), counts)
""",
    },
    "M003/S01/T02": {
        "wordtally/totals.py": '''"""Counts of several texts as one."""

from collections import Counter
from collections.abc import Iterable

from wordtally.reading import read


def total(exports: Iterable[str]) -> dict[str, int]:
    """The sum of all counts, word by word."""
    counts: Counter[str] = Counter()
    for text in exports:
        counts.update(read(text))
    return dict(counts)
''',
        "tests/test_totals.py": """import unittest

from wordtally.export import as_csv, as_json
from wordtally.totals import total


class TestTotal(unittest.TestCase):
    def test_adds_up(self) -> None:
        exports = [as_csv({"apple": 2, "fig": 1}), as_json({"apple": 1})]
        self.assertEqual(total(exports), {"apple": 3, "fig": 1})

    def test_nothing(self) -> None:
        self.assertEqual(total([]), {})
""",
    },
}
EDITS: Final[dict[str, tuple[Edit, ...]]] = {
    "M001/S02/T02": (
        Edit(
            "README.md",
            NO_COMMAND,
            "`python3 -m wordtally FILE [--top N]` prints the most frequent words of a file.",
        ),
    ),
    "M002/S01/T02": (
        Edit("wordtally/export.py", "import io\n", "import io\nimport json\n"),
        Edit(
            "wordtally/export.py",
            "    return out.getvalue()\n",
            '''    return out.getvalue()


def as_json(counts: Mapping[str, int]) -> str:
    """One object, its keys sorted."""
    return json.dumps(dict(counts), indent=2, sort_keys=True, ensure_ascii=False) + "\\n"
''',
        ),
        Edit("tests/test_export.py", "import as_csv\n", "import as_csv, as_json\n"),
        Edit(
            "tests/test_export.py",
            """        self.assertEqual(as_csv({}), "word,count\\n")
""",
            """        self.assertEqual(as_csv({}), "word,count\\n")


class TestJson(unittest.TestCase):
    def test_sorted_keys(self) -> None:
        self.assertEqual(as_json({"fig": 1, "apple": 2}), '{\\n  "apple": 2,\\n  "fig": 1\\n}\\n')
""",
        ),
        Edit(
            "README.md",
            NO_EXPORT,
            "`wordtally.export` writes counts as CSV (`as_csv`) and as JSON (`as_json`).",
        ),
    ),
}
