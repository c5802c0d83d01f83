"""What the demo's milestones are to build: three, of which the third waits for the second.

    M001 Word counts ─────────────────────┐
                                          ├→ main
    M002 Export ──→ M003 Totals ──────────┘

M001 and M002 both write to the README, which the eligibility report warns of. The code is not here: the agent
writes it (`written.py`).
"""

from typing import Final, NamedTuple

VERIFY: Final = "python3 -m unittest discover -s tests"


class Task(NamedTuple):
    """One unit of work."""

    id: str
    title: str
    does: str
    files: tuple[str, ...]
    done: str
    """What its summary says in one line."""


class Slice(NamedTuple):
    """Tasks that make something a person can see."""

    id: str
    title: str
    risk: str
    depends: str
    goal: str
    demo: str
    tells: str
    """After this: …"""
    gives: str
    """What later slices and milestones can use."""
    tasks: tuple[Task, ...]


class Milestone(NamedTuple):
    """What lands on main as one commit."""

    id: str
    title: str
    vision: str
    description: str
    why: str
    scope: str
    criteria: tuple[str, ...]
    proofs: tuple[str, ...]
    """For each criterion, where it is shown."""
    depends_on: tuple[str, ...]
    research: str
    gives: str
    says: str
    """One line of its summary."""
    tries: str
    """A command that the validation runs."""
    slices: tuple[Slice, ...]


_COUNTS = Milestone(
    id="M001",
    title="Word counts",
    vision="`wordtally` counts words in text, and says which are the most frequent.",
    description="A library and command that counts words.",
    why="It is the first useful thing the package does.",
    scope="In: counting, reporting, a command line. Out: stemming, other encodings than UTF-8.",
    criteria=(
        "`python3 -m wordtally FILE` prints the most frequent words of a file",
        "All behaviour is covered by unit tests",
    ),
    proofs=("tests/test_main.py", "the run below"),
    depends_on=(),
    research="`re.finditer` splits words well enough.",
    gives="wordtally.count and the wordtally command",
    says="wordtally counts words and reports the most frequent",
    tries="python3 -m wordtally README.md --top 3",
    slices=(
        Slice(
            id="S01",
            title="Counting",
            risk="medium",
            depends="",
            goal="Text becomes counts.",
            demo="`count` returns a dict.",
            tells="`wordtally.count(text)` returns the words with their counts.",
            gives="count(text)",
            tasks=(
                Task(
                    id="T01",
                    title="Split text into words",
                    does="`words(text)` yields lower-case words; apostrophes inside a word stay",
                    files=("wordtally/words.py", "tests/test_words.py"),
                    done="Added words(), which yields lower-case words and keeps apostrophes",
                ),
                Task(
                    id="T02",
                    title="Count words",
                    does="`count(text)` returns a dict from word to number of times",
                    files=("wordtally/counting.py", "wordtally/__init__.py", "tests/test_counting.py"),
                    done="Added count() on top of words() and exported it",
                ),
            ),
        ),
        Slice(
            id="S02",
            title="Reporting",
            risk="low",
            depends="S01",
            goal="Counts become a table.",
            demo="The command prints.",
            tells="`python3 -m wordtally FILE --top 3` prints a table.",
            gives="the wordtally command",
            tasks=(
                Task(
                    id="T01",
                    title="Format a table",
                    does="`table(counts, top)` gives aligned lines, most frequent first, ties by alphabet",
                    files=("wordtally/report.py", "tests/test_report.py"),
                    done="Added table(), which ranks and aligns counts",
                ),
                Task(
                    id="T02",
                    title="Command line",
                    does="`python3 -m wordtally FILE [--top N]` prints the table, and the README says so",
                    files=("wordtally/__main__.py", "tests/test_main.py", "README.md"),
                    done="Added the wordtally command with --top",
                ),
            ),
        ),
    ),
)
_EXPORT = Milestone(
    id="M002",
    title="Export",
    vision="Counts can be written for other programs, as CSV and as JSON.",
    description="Counts as files that other programs read.",
    why="A table is for people; others want to go on with the numbers.",
    scope="In: CSV and JSON of any mapping from word to number. Out: other formats, compression.",
    criteria=("Counts can be written as CSV and as JSON", "All behaviour is covered by unit tests"),
    proofs=("tests/test_export.py", "the run below"),
    depends_on=(),
    research="`csv` and `json` of the standard library do it; a mapping is all they need to know of counting.",
    gives="wordtally.export.as_csv and as_json",
    says="Counts can be written as CSV and JSON",
    tries='python3 -c \'from wordtally.export import as_csv; print(as_csv({"a": 2, "b": 1}))\'',
    slices=(
        Slice(
            id="S01",
            title="Formats",
            risk="low",
            depends="",
            goal="Counts become text that other programs read.",
            demo="`as_csv` and `as_json` return text.",
            tells="`as_csv(counts)` and `as_json(counts)` return the counts as text.",
            gives="as_csv(counts) and as_json(counts)",
            tasks=(
                Task(
                    id="T01",
                    title="CSV",
                    does="`as_csv(counts)` gives a head and one line per word, most frequent first",
                    files=("wordtally/export.py", "tests/test_export.py"),
                    done="Added as_csv(), with the most frequent words first",
                ),
                Task(
                    id="T02",
                    title="JSON",
                    does="`as_json(counts)` gives one object with sorted keys, and the README names both formats",
                    files=("wordtally/export.py", "tests/test_export.py", "README.md"),
                    done="Added as_json() and described both formats in the README",
                ),
            ),
        ),
    ),
)
_TOTALS = Milestone(
    id="M003",
    title="Totals",
    vision="Counts of several texts, exported one by one, can be added up.",
    description="Exports are read back and added up.",
    why="Large collections are counted in parts.",
    scope="In: reading what M002 writes, adding. Out: other people's CSV.",
    criteria=("Exports of several texts can be added up", "All behaviour is covered by unit tests"),
    proofs=("tests/test_totals.py", "the run below"),
    depends_on=("M002",),
    research="`as_csv` writes a head `word,count`; `csv.DictReader` reads that back.",
    gives="wordtally.totals.total",
    says="Exports of several texts can be added up",
    tries='python3 -c \'from wordtally.totals import total; print(total(["word,count\\na,2\\n", "word,count\\na,1\\n"]))\'',
    slices=(
        Slice(
            id="S01",
            title="Adding up",
            risk="low",
            depends="",
            goal="Exports become one count.",
            demo="`total` returns a dict.",
            tells="`total(exports)` returns the sum of all counts.",
            gives="total(exports)",
            tasks=(
                Task(
                    id="T01",
                    title="Read exports back",
                    does="`read(text)` gives the counts that `as_csv` or `as_json` was given",
                    files=("wordtally/reading.py", "tests/test_reading.py"),
                    done="Added read(), the reverse of both exports",
                ),
                Task(
                    id="T02",
                    title="Add counts up",
                    does="`total(exports)` adds the counts of several exports up",
                    files=("wordtally/totals.py", "tests/test_totals.py"),
                    done="Added total(), which adds exports up",
                ),
            ),
        ),
    ),
)
MILESTONES: Final = (_COUNTS, _EXPORT, _TOTALS)
ALL: Final = tuple(milestone.id for milestone in MILESTONES)
ALONE: Final = ("M001",)


def chosen(ids: tuple[str, ...]) -> tuple[Milestone, ...]:
    """The milestones with these ids, in the order of the plan."""
    return tuple(milestone for milestone in MILESTONES if milestone.id in ids)
