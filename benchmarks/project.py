"""Make a `.gsd/` tree of any size, byte for byte the same for the same measures.

    python benchmarks/project.py DIRECTORY --milestones 50 --slices 10 --tasks 8 --complete 25

The first `complete` milestones are done with all their papers. The next is in the middle of its work: half of its
slices are done, and one task of the slice after them. The rest is planned down to the tasks. No git repository is
made.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_NOUNS = ("ledger", "router", "cache", "parser", "timer", "badge", "filter", "report", "export", "session", "index")
_DOES = ("keeps", "sorts", "checks", "returns", "splits", "merges", "counts", "names", "reads")


class Measures(NamedTuple):
    """How large a project is."""

    milestones: int
    slices: int
    tasks: int
    complete: int
    """Milestones that are done, from the first."""
    words: int = 90
    """Of prose in each summary."""


TINY = Measures(milestones=1, slices=2, tasks=2, complete=0)
BROAD = Measures(milestones=50, slices=10, tasks=8, complete=25)
LONG = Measures(milestones=500, slices=4, tasks=3, complete=495)


def write(root: Path, measures: Measures) -> int:
    """Write the tree below `root`; how many files it has."""
    made = set[Path]()
    number = 0
    for name, text in documents(measures):
        path = root / ".gsd" / name
        if path.parent not in made:
            path.parent.mkdir(parents=True, exist_ok=True)
            made.add(path.parent)
        path.write_text(text, encoding="utf-8")
        number += 1
    return number


def documents(m: Measures) -> Iterator[tuple[str, str]]:
    """Every document: path below the state directory, text."""
    yield from _project(m)
    for number in range(1, m.milestones + 1):
        yield from _milestone(number, m)


def _project(m: Measures) -> Iterator[tuple[str, str]]:
    rows = [f"- [{'x' if n <= m.complete else ' '}] M{n:03d}: {_title(n)}" for n in range(1, m.milestones + 1)]
    yield "PROJECT.md", f"# Project\n\n## What This Is\n\n{_prose(40, 1)}\n\n## Milestone Sequence\n\n" + _lines(rows)
    decisions = [f"| D{n:03d} | M{n:03d} | pattern | {_title(n)} | one module | small | Yes |" for n in range(1, 9)]
    head = ["# Decisions Register", "", "| # | When | Scope | Decision | Choice | Rationale | Revisable? |"]
    yield "DECISIONS.md", _lines([*head, "|---|---|---|---|---|---|---|", *decisions])
    wants = [
        f"### R{n:03d} — {_title(n)}\n\n- Class: core-capability\n- Status: active\n- Description: {_prose(9, n)}\n"
        f"- Primary owning slice: M{n:03d}/S01\n"
        for n in range(1, min(m.milestones, 40) + 1)
    ]
    yield "REQUIREMENTS.md", "# Requirements\n\n## Active\n\n" + _lines(wants)


def _milestone(number: int, m: Measures) -> Iterator[tuple[str, str]]:
    mid = f"M{number:03d}"
    base = f"milestones/{mid}"
    done = m.slices if number <= m.complete else m.slices // 2 if number == m.complete + 1 else 0
    needs = f"---\ndepends_on: [M{number - 1:03d}]\n---\n\n" if number > 1 else ""
    yield f"{base}/{mid}-CONTEXT.md", f"{needs}# {mid}: {_title(number)} — Context\n\n{_prose(60, number)}\n"
    yield f"{base}/{mid}-ROADMAP.md", _roadmap(number, done, m)
    for sub in range(1, m.slices + 1):
        begun = number == m.complete + 1 and sub == done + 1
        yield from _slice(number, sub, m, ticked=m.tasks if sub <= done else int(begun), closed=sub <= done)
    if number <= m.complete:
        said = f"# {mid}: {_title(number)}\n\n**The {_noun(number)} is there**\n\n## What Happened\n\n"
        yield f"{base}/{mid}-VALIDATION.md", f"---\nverdict: pass\nremediation_round: 0\n---\n# Validation: {mid}\n"
        yield f"{base}/{mid}-SUMMARY.md", _front(mid, number) + said + _prose(m.words, number) + "\n"


def _roadmap(number: int, done: int, m: Measures) -> str:
    lines = [
        f"# M{number:03d}: {_title(number)}",
        "",
        f"**Vision:** {_prose(12, number)}",
        "",
        "## Success Criteria",
        "",
    ]
    lines += [f"- The {_noun(number, sub)} {_does(sub)} what it is given" for sub in range(1, m.slices + 1)]
    lines += ["", "## Slices", ""]
    for sub in range(1, m.slices + 1):
        mark, needs = "x" if sub <= done else " ", f"S{sub - 1:02d}" if sub > 1 else ""
        lines.append(f"- [{mark}] **S{sub:02d}: {_title(number, sub)}** `risk:low` `depends:[{needs}]`")
        lines.append(f"  > After this: {_prose(8, number, sub)}")
    lines += ["", "## Boundary Map", ""]
    for sub in range(1, m.slices):
        lines += [f"### S{sub:02d} → S{sub + 1:02d}", "", "Produces:", f"- `lib/{_noun(number, sub)}.py`", ""]
    return _lines(lines)


def _slice(number: int, sub: int, m: Measures, *, ticked: int, closed: bool) -> Iterator[tuple[str, str]]:
    sid = f"S{sub:02d}"
    base = f"milestones/M{number:03d}/slices/{sid}"
    lines = [f"# {sid}: {_title(number, sub)}", "", f"**Goal:** {_prose(8, number, sub)}", "**Demo:** The tests pass."]
    lines += ["", "## Must-Haves", "", f"- {_prose(8, sub)}", "", "## Verification", "", "- `python3 -m unittest`"]
    lines += ["", "## Tasks", ""]
    for task in range(1, m.tasks + 1):
        mark, file = "x" if task <= ticked else " ", f"lib/m{number:03d}/{sid.lower()}_{task:02d}.py"
        lines += [f"- [{mark}] **T{task:02d}: {_title(number, sub, task)}** `est:30m`", f"  - Why: {_prose(7, task)}"]
        lines += [f"  - Files: `{file}`", "  - Do: write it and its test", "  - Verify: `python3 -m unittest`"]
    yield f"{base}/{sid}-PLAN.md", _lines(lines)
    for task in range(1, m.tasks + 1):
        tid = f"T{task:02d}"
        yield (
            f"{base}/tasks/{tid}-PLAN.md",
            f"# {tid}: {_title(number, sub, task)}\n\n{_prose(50, number, sub, task)}\n",
        )
        if task <= ticked:
            yield f"{base}/tasks/{tid}-SUMMARY.md", _summary(tid, m, number, sub, task)
    if closed:
        yield f"{base}/{sid}-SUMMARY.md", _summary(sid, m, number, sub)
        yield f"{base}/{sid}-UAT.md", f"# {sid}: {_title(number, sub)} — UAT\n\n- UAT mode: artifact-driven\n"
        yield f"{base}/{sid}-ASSESSMENT.md", f"# {sid} Assessment\n\n{_prose(14, number, sub)}\n"


def _summary(id_: str, m: Measures, *numbers: int) -> str:
    head = f"# {id_}: {_title(*numbers)}\n\n**The {_noun(*numbers)} works**\n\n## What Happened\n\n"
    return _front(id_, *numbers) + head + _prose(m.words, *numbers) + "\n\n## Verification\n\nThe tests pass.\n"


def _front(id_: str, *numbers: int) -> str:
    return (
        f"---\nid: {id_}\nprovides:\n  - the {_noun(*numbers)}\nkey_files:\n  - lib/{_noun(*numbers)}.py\n"
        "key_decisions: []\npatterns_established: []\nverification_result: passed\nblocker_discovered: false\n---\n\n"
    )


def _title(*numbers: int) -> str:
    return f"The {_noun(*numbers)} {_does(*numbers)} {'.'.join(map(str, numbers))}"


def _noun(*numbers: int) -> str:
    return _NOUNS[sum(n * (7, 5, 3)[at % 3] for at, n in enumerate(numbers)) % len(_NOUNS)]


def _does(*numbers: int) -> str:
    return _DOES[sum(numbers) % len(_DOES)]


def _prose(words: int, *numbers: int) -> str:
    """About so many words, a sentence of seven a line."""
    seed = sum(numbers)
    lines = (f"The {_noun(seed, n)} {_does(seed + n)} what the {_noun(n, seed)} gave." for n in range(-(-words // 7)))
    return "\n".join(lines)


def _lines(lines: list[str]) -> str:
    return "\n".join(lines) + "\n"


def main() -> int:
    """Write one tree, from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path)
    for name, default in BROAD._asdict().items():
        parser.add_argument(f"--{name}", type=int, default=default)
    options = vars(parser.parse_args())
    root = options.pop("directory")
    print(write(root, Measures(**options)), "files")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
