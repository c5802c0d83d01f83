"""What fleets leave beside their work: output of workers that piles up, records of worktrees that are gone.

Source: parallel FM-14, FM-16; issue "Health".
"""

from collections.abc import Iterator
from pathlib import Path

from milepost.doctor.finding import Check, Finding, Needs, NotFixed, Severity
from milepost.doctor.site import Site
from milepost.git.worktrees import worktree_path
from milepost.model.ids import milestone_of_directory

MOST_FILES = 500
MOST_BYTES = 100_000_000
"""Above either, the output of past runs is worth a look."""
_RECORDS = (".ready", ".setup.json")


def look_logs(site: Site) -> Iterator[Finding]:
    """How much there is; what of it is of use only a person knows."""
    directory = site.box / "logs"
    sizes = [path.stat().st_size for path in directory.glob("*") if path.is_file()] if directory.is_dir() else []
    if len(sizes) > MOST_FILES or sum(sizes) > MOST_BYTES:
        yield Finding(
            code="parallel_logs_large",
            severity=Severity.WARNING,
            path=site.shown(directory),
            message=f"holds {len(sizes)} files of workers' output, {sum(sizes) // 1_000_000} MB",
            hint="Move away what is older than you want to look back.",
        )


def look_records(site: Site) -> Iterator[Finding]:
    """What was noted of a worktree that is not there any more."""
    directory = site.state_path / "runtime" / "places"
    for path in sorted(directory.glob("*")) if directory.is_dir() else ():
        milestone, dot, ending = path.name.partition(".")
        ours = milestone_of_directory(milestone) == milestone and dot + ending in _RECORDS
        if ours and path.is_file() and not _there(site, milestone) and not site.crew.on(milestone):
            yield Finding(
                code="worktree_record_left",
                severity=Severity.INFO,
                path=site.shown(path),
                message=f"is of the worktree of {milestone}, which is gone",
                hint="gsd doctor --fix removes it; a new worktree is set up anew in any case.",
                fixable=True,
                subject=str(path),
                milestone=milestone,
            )


def fix_record(site: Site, finding: Finding) -> str:
    """Remove the record, while the worktree is still gone."""
    if _there(site, finding.milestone):
        raise NotFixed("the worktree is there again")
    Path(finding.subject).unlink(missing_ok=True)
    return "removed"


def _there(site: Site, milestone: str) -> bool:
    return worktree_path(site.root, milestone, state_dir=site.state_dir).exists()


CHECKS = (
    Check(name="logs", look=look_logs),
    Check(name="places", look=look_records, fix=fix_record, needs=Needs.NO_COORDINATOR),
)
