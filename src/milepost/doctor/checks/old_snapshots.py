"""Snapshots of branches beyond the last five, or of branches that are gone, whose commits something else keeps.

Source: spec auto 6.6, 7 (cleanup).
"""

from collections import defaultdict
from collections.abc import Iterator

from milepost.doctor.finding import Check, Finding, Needs, NotFixed, Severity
from milepost.doctor.site import Site
from milepost.git import refs, snapshot_refs
from milepost.model.words import counted


def look(site: Site) -> Iterator[Finding]:
    """One finding a branch."""
    found = defaultdict[str, list[str]](list)
    for ref, _ in snapshot_refs.spare(site.root) if site.git else ():
        found[snapshot_refs.label(ref)].append(ref)
    for label, named in found.items():
        yield Finding(
            code="old_snapshots",
            severity=Severity.INFO,
            message=f"{counted(len(named), 'snapshot')} of {label}, whose commits other names keep",
            hint="gsd cleanup snapshots removes them.",
            fixable=True,
            subject=label,
        )


def fix(site: Site, finding: Finding) -> str:
    """Delete those that are still spare. Raises NotFixed, RefMoved."""
    now = [
        (ref, commit) for ref, commit in snapshot_refs.spare(site.root) if snapshot_refs.label(ref) == finding.subject
    ]
    if not now:
        raise NotFixed(f"{finding.subject} has no snapshots that could go any more")
    for ref, commit in now:
        refs.delete(site.root, ref, commit)
    return f"{counted(len(now), 'snapshot')} removed"


CHECK = Check(name="old-snapshots", look=look, fix=fix, needs=Needs.NOTHING)
