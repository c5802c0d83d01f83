"""Milestones that wait for others: for one that is not there, or for each other. Source: spec auto 2.10, 3.2."""

from collections.abc import Iterator

from milepost.doctor.circles import circle
from milepost.doctor.finding import Check, Finding, Severity
from milepost.doctor.places_in_text import line_of
from milepost.doctor.site import Site
from milepost.formats import context
from milepost.formats.tree import milestone_file, milestone_ids, read
from milepost.model.state import Status

_OPEN = (Status.ACTIVE, Status.PENDING)


def look(site: Site) -> Iterator[Finding]:
    """Only milestones that are still to be done wait for anything."""
    known = set(milestone_ids(site.tree))
    waiting = {entry.id for entry in site.state.registry if entry.status in _OPEN}
    needs = {mid: context.depends_on(read(site.tree, _brief(site, mid))) for mid in milestone_ids(site.tree)}
    for mid, others in needs.items():
        for other in others:
            if other not in known:
                yield _unknown(site, mid, other, waits=mid in waiting)
    if ring := circle({mid: others for mid, others in needs.items() if mid in waiting}):
        yield Finding(
            code="dependency_cycle",
            severity=Severity.ERROR,
            path=site.tree.shown(_brief(site, ring[0]) or "milestones"),
            line=line_of(read(site.tree, _brief(site, ring[0])), "depends_on"),
            message=f"milestones wait for each other: {', '.join(ring)}",
            hint="Take one dependency out of `depends_on`.",
        )


def _unknown(site: Site, mid: str, other: str, *, waits: bool) -> Finding:
    path = _brief(site, mid)
    return Finding(
        code="unresolvable_dependency",
        severity=Severity.ERROR if waits else Severity.INFO,
        path=site.tree.shown(path or ""),
        line=line_of(read(site.tree, path), other),
        message=f"{mid} depends on {other}, which is not there{'; it waits for ever' if waits else ''}",
        hint="Correct `depends_on` in its brief.",
    )


def _brief(site: Site, mid: str) -> str | None:
    return milestone_file(site.tree, mid, "CONTEXT") or milestone_file(site.tree, mid, "CONTEXT-DRAFT")


CHECKS = (Check(name="waiting", look=look),)
