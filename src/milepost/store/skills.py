"""The skills that a project and its user have: directories with a `SKILL.md`.

`.gsd/skills`, `.claude/skills` and `.agents/skills` of the project, then those of the home directory; of two with one
name the project's is taken. Source: spec auto 1.2.
"""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from milepost.formats import skill
from milepost.store import regular

FILE = "SKILL.md"
_LARGEST = 200_000
_MOST = 500
"""Directories of one place that are looked at."""


class Found(NamedTuple):
    """A skill and where it lies."""

    skill: skill.Skill
    path: Path
    """Of its `SKILL.md`."""
    changed_s: float
    """When the file was last changed, epoch seconds."""


def find(projects: Iterable[Path], home: Path | None, settings: Path | None, *, state_dir: str) -> tuple[Found, ...]:
    """All skills by name, the first of each. projects: directories of the project, the nearest first; home: the
    user's; settings: the directory of global settings, None or home's where there is none. Raises nothing.
    """
    names = (f"{state_dir}/skills", ".claude/skills", ".agents/skills")
    places = [root / name for root in projects for name in names]
    places += [settings / "skills"] if settings else []
    places += [home / name for name in names] if home else []
    found: dict[str, Found] = {}
    for one in (one for place in places for one in _in(place)):
        found.setdefault(one.skill.name, one)
    return tuple(found[name] for name in sorted(found))


def _in(place: Path) -> Iterator[Found]:
    try:
        names = sorted(os.listdir(place))[:_MOST]
    except OSError:
        return
    for name in names:
        path = place / name / FILE
        try:
            data = regular.read(path, most=_LARGEST)
            changed_s = path.stat().st_mtime
        except OSError:
            continue
        yield Found(skill.parse(data.decode("utf-8", "replace"), name), path, changed_s)
