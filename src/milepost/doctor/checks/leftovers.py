"""What grows or was left behind by runs: transcripts, files set aside, half-written files. Source: spec auto 5.7."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from milepost.doctor.finding import Check, Finding, NotFixed, Severity
from milepost.doctor.site import Site
from milepost.formats.journal import AttemptEnded
from milepost.process import table

MOST_FILES = 500
MOST_BYTES = 100_000_000
"""Above either, old transcripts are worth a look (spec auto 5.7)."""
_YOUNG_S = 600.0
_TEMPORARY = re.compile(r"\..+\.tmp\.(\d+)\.[0-9a-f]{8}\Z")


def look(site: Site) -> Iterator[Finding]:
    """Transcripts, shelves, half-written files."""
    yield from _transcripts(site)
    yield from _shelves(site)
    yield from _half_written(site)


def fix(site: Site, finding: Finding) -> str:
    """Remove a half-written file of a process that is gone."""
    path = Path(finding.subject)
    if not _given_up(site, path):
        raise NotFixed(f"{path} may still be written")
    path.unlink(missing_ok=True)
    return "removed"


def _transcripts(site: Site) -> Iterator[Finding]:
    sizes = [_size(path) for path in _files(site.state_path / "activity")]
    if len(sizes) > MOST_FILES or sum(sizes) > MOST_BYTES:
        yield Finding(
            code="activity_log_bloat",
            severity=Severity.WARNING,
            path=f"{site.state_dir}/activity",
            message=f"holds {len(sizes)} transcripts, {sum(sizes) // 1_000_000} MB",
            hint="gsd cleanup activity removes old ones of milestones that are merged.",
        )


def _shelves(site: Site) -> Iterator[Finding]:
    """Files that were taken out of an agent's work; those of an attempt that still runs are not left behind."""
    ended = {event.attempt for event in site.events if isinstance(event, AttemptEnded)}
    shelf = site.state_path / "runtime" / "set-aside"
    for place in _listed(shelf):
        count = sum(1 for _ in _files(place))
        if count and place.name in ended:
            yield Finding(
                code="set_aside_files",
                severity=Severity.INFO,
                path=site.shown(place),
                message=f"holds {count} files taken out of an agent's work: not its to write, or of a failed attempt",
                hint="Take what is of use, then remove the directory.",
            )


def _half_written(site: Site) -> Iterator[Finding]:
    for path in _files(site.state_path):
        if _given_up(site, path):
            yield Finding(
                code="temporary_file_left",
                severity=Severity.INFO,
                path=site.shown(path),
                message="was being written when its process was killed; the file itself is whole",
                hint="gsd doctor --fix removes it.",
                fixable=True,
                subject=str(path),
            )


def _given_up(site: Site, path: Path) -> bool:
    """Whether its writer is gone. The pid may be of another host, so a young file is left alone."""
    found = _TEMPORARY.match(path.name)
    if found is None or table.row(int(found[1])) is not None:
        return False
    return path.is_file() and site.place.now_s - path.stat().st_mtime > _YOUNG_S


def _files(directory: Path) -> Iterator[Path]:
    """Every file below; checkouts of milestones are looked into only where their state directory is."""
    for parent, names, files in os.walk(directory):
        if os.path.basename(parent) == "worktrees":
            names.clear()
        yield from (Path(parent, name) for name in files)


def _listed(directory: Path) -> list[Path]:
    try:
        return sorted(path for path in directory.iterdir() if path.is_dir())
    except OSError:
        return []


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


CHECKS = (Check(name="leftovers", look=look, fix=fix),)
