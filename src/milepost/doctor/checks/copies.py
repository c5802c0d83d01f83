"""Copies of run-time files that a program for synchronising directories makes: `auto 2.lock`.

They say that two machines write the same project, or that such a program puts old files back; no lock holds between
them. The copies themselves mean nothing. Source: parallel FM-48; field-reports #12.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from milepost.doctor.finding import Check, Finding, Needs, NotFixed, Severity
from milepost.doctor.site import Site
from milepost.rules.staging import is_runtime

_COPY = re.compile(
    r"(?P<name>.+?)(?: \d+| \(\d+\)| \([^()]*conflict[^()]*\)|\.sync-conflict-[\w-]+)(?P<ending>(?:\.[A-Za-z]+)+)",
    re.IGNORECASE,
)
_PLACES = ("", "parallel", "journal", "runtime/places")
_EVENTS = ".jsonl"


def look(site: Site) -> Iterator[Finding]:
    """In the directories where locks, status files and journals lie."""
    for place in _PLACES:
        for path in _files(site.state_path / place):
            if original := _original(place, path.name):
                yield _finding(site, path, original)


def fix(site: Site, finding: Finding) -> str:
    """Remove a copy that holds nothing."""
    del site
    path = Path(finding.subject)
    if path.name.endswith(_EVENTS) or not path.is_file() or path.is_symlink():
        raise NotFixed(f"{path} is no copy of a lock")
    path.unlink()
    return "removed"


def _finding(site: Site, path: Path, original: str) -> Finding:
    events = path.name.endswith(_EVENTS)
    what = "its events are not read" if events else "it means nothing"
    why = "A program synchronises this directory, and no lock holds between machines: keep the project out of it."
    return Finding(
        code="sync_copy",
        severity=Severity.WARNING,
        path=site.shown(path),
        message=f"is a copy of {original} that another program made; {what}",
        hint=f"{why} {'Compare the two, then move it away.' if events else 'gsd doctor --fix removes the copy.'}",
        fixable=not events,
        subject=str(path),
    )


def _original(place: str, name: str) -> str:
    """The run-time file that this is a copy of; empty when it is none."""
    found = _COPY.fullmatch(name)
    if found is None:
        return ""
    original = f"{found['name']}{found['ending']}"
    return original if is_runtime(f"{place}/{original}" if place else original) else ""


def _files(directory: Path) -> list[Path]:
    try:
        return sorted(path for path in directory.iterdir() if path.is_file() and not path.is_symlink())
    except OSError:
        return []


CHECKS = (Check(name="copies", look=look, fix=fix, needs=Needs.NOTHING),)
