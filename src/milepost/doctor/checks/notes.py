"""Refs by which an interrupted step is ended later, of milestones whose branch is gone: nobody will end them.

A commit that only such a ref keeps is pinned before the ref goes. Source: parallel FM-85, FM-94; DESIGN rules 6, 7.
"""

from collections.abc import Iterator

from milepost.doctor.finding import Check, Finding, NotFixed, Severity
from milepost.doctor.site import Site
from milepost.git import refs, removal, slices
from milepost.git.bringing import NOTES as BRINGING
from milepost.git.run import git
from milepost.git.worktrees import branch_name, worktree_path

_KINDS = {
    slices.LINKS: "joins a slice that landed with a branch",
    BRINGING: "says how far a merge into a branch had come",
    removal.note_of("").rstrip("/"): "says that a worktree is being removed",
}


def look(site: Site) -> Iterator[Finding]:
    """Ref by ref."""
    for ref in site.git.notes if site.git else ():
        kind = next((kind for kind in _KINDS if ref.startswith(f"{kind}/")), None)
        if kind is not None and _is_over(site, milestone := ref.removeprefix(f"{kind}/").split("/")[0]):
            yield Finding(
                code="note_left",
                severity=Severity.INFO,
                message=f"{ref} {_KINDS[kind]}, and {branch_name(milestone)} is gone",
                hint="gsd doctor --fix removes it; what only it keeps is pinned before.",
                fixable=True,
                subject=ref,
                milestone=milestone,
            )


def fix(site: Site, finding: Finding) -> str:
    """Remove the ref, with its commit kept."""
    if not any(found.subject == finding.subject for found in look(site)):
        raise NotFixed("it is of use now")
    commit = refs.resolve(site.root, finding.subject)
    if commit is None:
        return "gone already"
    pinned = _pinned(site, finding, commit)
    refs.delete(site.root, finding.subject, commit)
    return f"removed; its commits are kept as {pinned}" if pinned else "removed"


def _is_over(site: Site, milestone: str) -> bool:
    branch = branch_name(milestone)
    there = worktree_path(site.root, milestone, state_dir=site.state_dir).exists()
    return not there and not site.crew.on(milestone) and site.git is not None and branch not in site.git.branches


def _pinned(site: Site, finding: Finding, commit: str) -> str:
    """Where the commit is kept; empty when other refs keep it."""
    others = git(site.root, "for-each-ref", "--format=%(refname)", f"--contains={commit}").out.split()
    if any(ref != finding.subject for ref in others):
        return ""
    return refs.pin(site.root, finding.milestone, "note", commit)


CHECKS = (Check(name="notes", look=look, fix=fix),)
