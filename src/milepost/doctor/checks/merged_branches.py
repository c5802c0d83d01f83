"""Branches of older releases, and of milestones that are in no plan, whose every commit is on the target.

Deleting one loses its name and nothing else. What a milestone of the plan or a quick task has left is for other checks,
which want more proof: a branch that has just begun is an ancestor of its target too. Source: spec auto 7 (cleanup).
"""

from collections.abc import Iterator

from milepost.doctor.finding import Check, Finding, NotFixed, Severity
from milepost.doctor.site import Site
from milepost.formats.tree import milestone_ids
from milepost.git import refs
from milepost.git.listing import holder
from milepost.git.worktrees import worktree_path
from milepost.model import work

_OLD = "gsd/"


def look(site: Site) -> Iterator[Finding]:
    """Those that can go."""
    target = _target(site)
    branches = site.git.branches if site.git and target else {}
    for branch, tip in branches.items():
        merged = target is not None and _ours(branch, site) and refs.is_ancestor(site.root, tip, target[1])
        if target is not None and merged and holder(site.root, branch) is None:
            yield _merged(branch, tip, target[0])


def _merged(branch: str, tip: str, target: str) -> Finding:
    return Finding(
        code="merged_branch_of_old",
        severity=Severity.INFO,
        message=f"{branch} is of no milestone in the plan, and {target} has all of it ({tip[:10]})",
        hint="gsd cleanup branches removes it.",
        fixable=True,
        subject=branch,
    )


def fix(site: Site, finding: Finding) -> str:
    """Delete the branch, if all of that still holds. Raises NotFixed, RefMoved."""
    if finding.subject not in {one.subject for one in look(site)} or site.git is None:
        raise NotFixed(f"{finding.subject} is not what it was")
    tip = site.git.branches[finding.subject]
    refs.delete(site.root, f"refs/heads/{finding.subject}", tip)
    return f"removed; git branch {finding.subject} {tip[:10]} has it back"


def _ours(branch: str, site: Site) -> bool:
    """Whether it is one that nobody works on: of another release, or of a milestone that is in no plan."""
    if not work.is_branch(branch):
        return branch.startswith(_OLD)
    key = work.key_of(branch)
    there = worktree_path(site.root, key, state_dir=site.state_dir).exists()
    return not (work.is_quick(key) or there or key in milestone_ids(site.tree) or site.crew.on(key))


def _target(site: Site) -> tuple[str, str] | None:
    """The branch that milestones are merged into, and its commit."""
    try:
        name = refs.integration(None, site.settings.preferences.git.main_branch, site.root)
    except refs.NoIntegrationBranch:
        return None
    tip = refs.branch_tip(site.root, name)
    return (name, tip) if tip else None


CHECK = Check(name="merged-branches", look=look, fix=fix)
