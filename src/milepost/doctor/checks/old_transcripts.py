"""Transcripts of milestones that are done and merged, older than somebody wants to look back.

The one with the highest number stays, since numbers go up. A transcript is the only record of what was said: it goes
only when a person asks for it. Source: spec auto 5.7 (retention), 7 (cleanup).
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from milepost.doctor.finding import Check, Finding, Needs, NotFixed, Severity
from milepost.doctor.site import Site
from milepost.formats.journal import AttemptEnded, AttemptStarted, Landed, Undone
from milepost.git.worktrees import branch_name
from milepost.model.state import Status
from milepost.model.words import counted

DAYS = 7
"""So long they are kept."""
_DAY_S = 86_400
_NAMED = re.compile(r"\d+-[a-z-]+-(M\d{3,}(?:-[a-z0-9]{6})?)(?:-S\d.*)?\.jsonl\Z")


def check(days: float = DAYS) -> Check:
    """days: how old they have to be."""

    def look(site: Site) -> Iterator[Finding]:
        for milestone, paths in _old(site, days).items():
            size = sum(path.stat().st_size for path in paths)
            yield Finding(
                code="old_transcripts",
                severity=Severity.INFO,
                path=f"{site.state_dir}/activity",
                message=f"{counted(len(paths), 'transcript')} of {milestone}, {_size(size)}, older than {days:g} days",
                hint="gsd cleanup activity removes them.",
                fixable=True,
                subject=milestone,
                milestone=milestone,
            )

    def fix(site: Site, finding: Finding) -> str:
        paths = _old(site, days).get(finding.subject, [])
        if not paths:
            raise NotFixed(f"{finding.subject} has no transcripts that could go any more")
        for path in paths:
            path.unlink(missing_ok=True)
        return f"{counted(len(paths), 'transcript')} removed"

    return Check(name="old-transcripts", look=look, fix=fix, needs=Needs.NOTHING)


def _old(site: Site, days: float) -> dict[str, list[Path]]:
    """By milestone; only of those whose work is on its target and that have no branch any more."""
    files = sorted((site.state_path / "activity").glob("*.jsonl"), key=_number)
    owners, done = _owners(site), _done(site)
    found = defaultdict[str, list[Path]](list)
    for path in files[:-1]:
        milestone = owners.get(path.name, "")
        if milestone in done and path.is_file() and site.place.now_s - path.stat().st_mtime > days * _DAY_S:
            found[milestone].append(path)
    return found


def _number(path: Path) -> int:
    head = path.name.split("-")[0]
    return int(head) if head.isdecimal() else 0


def _owners(site: Site) -> dict[str, str]:
    """File to milestone: as the journal has it, where the attempt ended; of another program's files by their name."""
    ended = {event.attempt for event in site.events if isinstance(event, AttemptEnded)}
    begun = [event for event in site.events if isinstance(event, AttemptStarted)]
    ours = {Path(e.transcript).name: e.unit.split("/")[0] if e.attempt in ended else "" for e in begun}
    named = ((path.name, _NAMED.match(path.name)) for path in (site.state_path / "activity").glob("*.jsonl"))
    return {name: found[1] for name, found in named if found} | ours


def _done(site: Site) -> set[str]:
    merged = {entry.id for entry in site.state.registry if entry.status is Status.COMPLETE}
    for event in site.events:
        if isinstance(event, Landed):
            merged.add(event.milestone)
        elif isinstance(event, Undone):
            merged.discard(event.milestone)
    branches = site.git.branches if site.git else {}
    return {milestone for milestone in merged if branch_name(milestone) not in branches}


def _size(count: int) -> str:
    return f"{count / 1_000_000:.1f} MB" if count >= 100_000 else f"{count / 1000:.1f} kB"
