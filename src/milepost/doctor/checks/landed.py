"""Milestones and their branches: on the target, not yet there, or nobody's.

Only what is proved to be on the target is removed: by the commit that landed it, or, for a complete milestone,
because the target contains its last commit. A branch that is merely an ancestor of the target may be a milestone
that has just begun (parallel FM-69), and one whose landing was interrupted is what the next run ends it by.
Source: spec auto 7, 8.5; DESIGN rule 7.
"""

from collections.abc import Iterator
from pathlib import Path

from milepost.doctor import quarantine
from milepost.doctor.finding import Check, Finding, NotFixed, Severity
from milepost.doctor.site import Site
from milepost.formats import meta
from milepost.formats.journal import Landed, LandingStep
from milepost.formats.tree import milestone_dir, milestone_ids
from milepost.git import proof, publish, refs, removal, repo
from milepost.git.ignored import ignored
from milepost.git.publish import note_of
from milepost.git.run import git
from milepost.git.worktrees import branch_name, worktree_path
from milepost.model.ids import milestone_of_directory
from milepost.model.state import Status
from milepost.model.work import is_quick, number
from milepost.rules import quick

_HEAD = "milestone/"
_FEW = 5


def look(site: Site) -> Iterator[Finding]:
    """Each milestone branch, then the other branches of old, then the backups."""
    if site.git is None or site.git.repo.head.commit is None:
        return
    for branch, tip in site.git.branches.items():
        if branch.startswith(_HEAD) and not site.crew.on(branch.removeprefix(_HEAD)):
            yield from _branch(site, branch.removeprefix(_HEAD), tip)
    yield from _published(site)
    yield from _complete_without_branch(site)
    yield from _of_old(site)
    yield from _backups(site)


def fix(site: Site, finding: Finding) -> str:
    """Remove worktree and branch of a milestone that is proved to be landed. Raises NotFixed, NotRemoved, NotLanded."""
    mid = finding.subject
    branch, path = branch_name(mid), worktree_path(site.root, mid, state_dir=site.state_dir)
    tip = refs.branch_tip(site.root, branch)
    proved = _proof(site, mid, tip) if tip else None
    if proved is None:
        raise NotFixed(f"{branch} is not proved to be landed any more")
    if _landing(site, mid):
        raise NotFixed(f"the landing of {mid} was begun and not ended", hint=f"{_next(site, mid)} ends it")
    if site.crew.on(mid):
        raise NotFixed(f"{mid} is being worked on")
    if path.exists():
        _require_removable(site, path)
    if path == site.place.cwd or path in site.place.cwd.parents:
        raise NotFixed(f"you stand in {path}", hint=f"cd {site.root}")
    if path.exists() and ignored(site.root, f"{site.state_dir}/milestones/{mid}/{mid}-SUMMARY.md"):
        raise NotFixed(
            f"git does not carry the planning files of {mid}", hint="gsd auto brings them home, then removes it"
        )
    removal.remove(site.root, path, branch, proved, state_dir=site.state_dir)
    (site.state_path / "runtime" / "places" / f"{mid}.ready").unlink(missing_ok=True)
    return f"removed; it is on {proved.target} as {proved.commit[:10]}"


def _require_removable(site: Site, path: Path) -> None:
    """Nothing is removed behind a link, and no repository within the worktree, not even one that git ignores."""
    quarantine.require_inside(site, path)
    inside = [entry.path for entry in repo.nested(path, deep=True) if entry.kind is repo.NestedKind.REPOSITORY]
    if inside:
        raise NotFixed(f"{path} has repositories of their own in it: {', '.join(inside[:_FEW])}")


def _branch(site: Site, mid: str, tip: str) -> Iterator[Finding]:
    if milestone_of_directory(mid) != mid or mid not in milestone_ids(site.tree):
        yield _nobodys(site, mid, tip)
        return
    target = _target(site, mid)
    if isinstance(target, Finding):
        yield target
        return
    complete = any(entry.id == mid and entry.status is Status.COMPLETE for entry in site.state.registry)
    try:
        found = _proof(site, mid, tip)
    except proof.NotLanded as why:
        if complete and site.crew.coordinator is None:
            yield _not_landed(site, mid, target, str(why))
        return
    if found is not None:
        yield _interrupted(site, mid, found) if _landing(site, mid) else _left(site, mid, found)


def _landing(site: Site, mid: str) -> bool:
    """Whether a landing was begun and not ended: the user's checkout may not have followed, the push may be owed."""
    begun = False
    for event in site.events:
        if isinstance(event, LandingStep | Landed) and event.milestone == mid:
            begun = isinstance(event, LandingStep)
    return begun or refs.resolve(site.root, note_of(mid)) is not None


def _proof(site: Site, mid: str, tip: str) -> proof.Proof | None:
    """The proof that allows removal; None when the target contains the branch only because nothing is on it yet."""
    target = _target(site, mid)
    if isinstance(target, Finding):
        return None
    found = proof.landed(site.root, mid, target, tip)
    complete = any(entry.id == mid and entry.status is Status.COMPLETE for entry in site.state.registry)
    return found if found.commit != tip or complete else None


def _target(site: Site, mid: str) -> str | Finding:
    """The branch the milestone is merged into, chosen as auto mode does."""
    home = milestone_dir(site.tree, mid)
    text = site.tree.text(f"{home}/{mid}-META.json") if home else None
    head = site.git.repo.head.branch if site.git else None
    preferred = site.settings.preferences.git.main_branch or (head if head and refs.may_integrate(head) else None)
    try:
        return refs.integration(meta.integration_branch(text), preferred, site.root)
    except refs.NoIntegrationBranch as error:
        return Finding(
            code="no_integration_branch", severity=Severity.ERROR, message=f"{mid}: {error}", hint=error.hint
        )


def _left(site: Site, mid: str, found: proof.Proof) -> Finding:
    path = worktree_path(site.root, mid, state_dir=site.state_dir)
    there = path.exists()
    return Finding(
        code="orphaned_auto_worktree" if there else "merged_branch_left",
        severity=Severity.WARNING if there else Severity.INFO,
        path=site.shown(path) if there else "",
        message=f"{branch_name(mid)} is on {found.target} as {found.commit[:10]} and still there",
        hint="gsd doctor --fix removes it if it holds nothing else; a commit of it stays under refs/gsd/backup.",
        fixable=True,
        subject=mid,
        milestone=mid,
    )


def _interrupted(site: Site, mid: str, found: proof.Proof) -> Finding:
    return Finding(
        code="landing_interrupted",
        severity=Severity.WARNING,
        message=f"{mid} is on {found.target} as {found.commit[:10]}, and what follows a merge was not ended",
        hint=f"{_next(site, mid)} ends it: your checkout follows, what is to be pushed is, then the worktree goes.",
        milestone=mid,
    )


def _published(site: Site) -> Iterator[Finding]:
    """Landings whose branch is gone already, and that checkouts have still to follow."""
    branches = site.git.branches if site.git else {}
    for mid in publish.noted(site.root):
        if branch_name(mid) not in branches and not site.crew.on(mid):
            yield Finding(
                code="landing_interrupted",
                severity=Severity.WARNING,
                message=f"{mid} is merged, and checkouts of its target may not have followed",
                hint=f"{_next(site, mid)} lets them.",
                milestone=mid,
            )


def _next(site: Site, mid: str) -> str:
    """What goes on with a landing here."""
    if is_quick(mid):
        return f"gsd quick --resume {number(mid)}"
    return f"gsd parallel merge {mid}" if site.settings.preferences.parallel.enabled else "gsd auto"


def _not_landed(site: Site, mid: str, target: str, why: str) -> Finding:
    path = worktree_path(site.root, mid, state_dir=site.state_dir)
    lands = (path / ".git").is_file() or (site.git is not None and site.git.repo.head.branch == branch_name(mid))
    return Finding(
        code="milestone_not_landed",
        severity=Severity.WARNING,
        path=site.shown(path) if path.exists() else "",
        message=f"{mid} is complete and its branch is not merged: {why}",
        hint=f"{_next(site, mid)} lands it." if lands else f"Look at it: git log {target}..{branch_name(mid)}",
    )


def _nobodys(site: Site, mid: str, tip: str) -> Finding:
    target = refs.default_branch(site.root)
    own = git(site.root, "rev-list", "--count", tip, "--not", target).line if target else "?"
    return Finding(
        code="stale_milestone_branch",
        severity=Severity.INFO,
        message=f"{_HEAD}{mid} is of no milestone in the plan; {own} commits of it are not on {target or 'any branch'}",
        hint=f"Look at it: git log {target or '--all'}..{_HEAD}{mid}" if target else "",
    )


def _complete_without_branch(site: Site) -> Iterator[Finding]:
    """A worktree of a complete milestone whose branch is gone: what it holds is on no branch."""
    branches = site.git.branches if site.git else {}
    for entry in site.state.registry:
        path = worktree_path(site.root, entry.id, state_dir=site.state_dir)
        if entry.status is Status.COMPLETE and (path / ".git").is_file() and branch_name(entry.id) not in branches:
            yield Finding(
                code="worktree_without_branch",
                severity=Severity.WARNING,
                path=site.shown(path),
                message=f"is of {entry.id}, and {branch_name(entry.id)} is gone; it is left as it is",
                hint=f"git -C {site.shown(path)} log -1",
            )


def _of_old(site: Site) -> Iterator[Finding]:
    ours = {branch_name(one.key) for one in quick.fold(site.events)}  # They have a check of their own.
    branches = site.git.branches if site.git else {}
    others = [branch for branch in branches if not branch.startswith(_HEAD) and branch not in ours]
    if others:
        named = ", ".join(others[:_FEW]) + (f" and {len(others) - _FEW} more" if len(others) > _FEW else "")
        yield Finding(
            code="legacy_slice_branches",
            severity=Severity.INFO,
            message=f"branches of older releases and of quick tasks: {named}",
            hint="gsd cleanup branches removes those whose every commit is on your branch.",
        )


def _backups(site: Site) -> Iterator[Finding]:
    pins = site.git.backups if site.git else ()
    if pins:
        owners = {Path(pin).parent.name for pin in pins}
        yield Finding(
            code="backups_kept",
            severity=Severity.INFO,
            message=f"{len(pins)} backups of {', '.join(sorted(owners))} are kept under {refs.BACKUPS}/",
            hint=f"git for-each-ref {refs.BACKUPS}",
        )


CHECKS = (Check(name="landed", look=look, fix=fix),)
