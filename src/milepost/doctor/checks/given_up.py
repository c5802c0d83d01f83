"""Notes with `status: blocked` in the place of an artifact. Source: spec auto 8.3; formats.placeholder."""

from collections.abc import Iterator

from milepost.doctor.checks.documents import paths
from milepost.doctor.finding import Check, Finding, Severity
from milepost.doctor.site import Site
from milepost.formats import placeholder
from milepost.formats.tree import read
from milepost.model.ids import milestone_of_directory
from milepost.model.state import Status

_OF_UNITS = ("SUMMARY", "PLAN", "ROADMAP", "RESEARCH", "VALIDATION", "REPLAN", "ASSESSMENT", "UAT-RESULT", "UAT")


def look(site: Site) -> Iterator[Finding]:
    """Every such note; one in a milestone that is complete or parked stops nobody."""
    at_rest = {e.id for e in site.state.registry if e.status in (Status.COMPLETE, Status.PARKED)}
    for path in paths(site):
        parts = path.split("/")
        if len(parts) < 3 or not path.removesuffix(".md").endswith(tuple(f"-{name}" for name in _OF_UNITS)):
            continue
        why = placeholder.reason(read(site.tree, path))
        if why is not None:
            yield Finding(
                code="placeholder_blocked",
                severity=Severity.INFO if milestone_of_directory(parts[1]) in at_rest else Severity.ERROR,
                path=site.tree.shown(path),
                message=f"says that the work was given up: {why}",
                hint="Do the work, or remove the note and run gsd auto --retry.",
            )


CHECKS = (Check(name="given-up", look=look),)
