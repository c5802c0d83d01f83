"""Where in a file two sides of a merge do not fit, in the line numbers of each side. Two git calls for all files."""

from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

from milepost.git.run import git, raw

_Ranges: TypeAlias = tuple[tuple[int, int], ...]
_Sections: TypeAlias = list[tuple[int, list[str], list[str]]]


def conflict_lines(
    where: Path, tree: str, both: Mapping[str, tuple[str, str]], *, env: Mapping[str, str] | None = None
) -> dict[str, tuple[_Ranges, _Ranges]]:
    """First and last line of each conflicting stretch, by path: in the target's and in the milestone's version.

    tree: a merge's result, with markers. both: by path the blobs of the two sides. A path that has no markers in it
    (a binary file, a submodule) is left out. env: as for `git`.
    """
    shown = _blobs(where, {path: f"{tree}:{path}" for path in both}, env)
    sections = {path: _sections(text.split("\n")) for path, text in shown.items() if "\n>>>>>>> " in text}
    blobs = sorted({blob for path in sections for blob in both[path]})
    texts = _blobs(where, dict(zip(blobs, blobs, strict=True)), env)
    return {
        path: (
            _place([(at, mine) for at, mine, _ in found], texts.get(both[path][0], "")),
            _place([(at, other) for at, _, other in found], texts.get(both[path][1], "")),
        )
        for path, found in sections.items()
    }


def _blobs(where: Path, wanted: Mapping[str, str], env: Mapping[str, str] | None) -> dict[str, str]:
    """The contents of several blobs by key, in one call; what is no blob is left out."""
    names = {key: name for key, name in wanted.items() if "\n" not in name}
    if not names:
        return {}
    asked = b"".join(raw(name) + b"\n" for name in names.values())
    out = raw(git(where, "cat-file", "--batch", stdin=asked, env=env).out)
    found, at = {}, 0
    for key in names:
        end = out.index(b"\n", at)
        facts = out[at:end].rsplit(b" ", 2)
        at = end + 1
        if len(facts) < 3 or not facts[2].isdigit():
            continue
        size = int(facts[2])
        if facts[1] == b"blob":
            found[key] = out[at : at + size].decode("utf-8", "surrogateescape")
        at += size + 1
    return found


def _sections(lines: list[str]) -> _Sections:
    """For each conflict: lines before it, the target's lines, the milestone's lines."""
    found: _Sections = []
    before, inside = 0, ""
    for line in lines:
        if not inside and line.startswith("<<<<<<< "):
            inside = "target"
            found.append((before, [], []))
        elif inside == "target" and line.rstrip("\r") == "=======":
            inside = "milestone"
        elif inside == "milestone" and line.startswith(">>>>>>> "):
            inside = ""
        elif inside:
            (found[-1][1] if inside == "target" else found[-1][2]).append(line)
        else:
            before += 1
    return found


def _place(sections: list[tuple[int, list[str]]], text: str) -> _Ranges:
    """Where each section stands in one side's version: its nearest occurrence after the one before."""
    lines, start, found = text.split("\n"), 0, []
    for before, section in sections:
        guess = max(before, start)
        ends = range(start, len(lines) - len(section) + 1)
        hits = [at for at in ends if lines[at : at + len(section)] == section] if section else []
        at = min(hits, key=lambda hit: abs(hit - guess)) if hits else min(guess, max(len(lines) - 1, 0))
        found.append((at + 1, at + max(len(section), 1)))
        start = at + len(section)
    return tuple(found)
