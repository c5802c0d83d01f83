"""Quick tasks that wait, and what is left of those that landed. Source: spec auto 7 (`/gsd quick`); decision 0027.

A worktree or branch goes only with the proof that its work is on the target, as that of a milestone does.
"""

from collections.abc import Iterator

from milepost.doctor import quarantine
from milepost.doctor.finding import Check, Finding, NotFixed, Severity
from milepost.doctor.site import Site
from milepost.git import proof, refs, removal
from milepost.git.worktrees import branch_name, worktree_path
from milepost.model import work
from milepost.rules import quick
from milepost.rules.quick import Quick, Standing


def look(site: Site) -> Iterator[Finding]:
    """One by one; nothing of them is said while somebody holds the project."""
    if site.crew.busy:
        return
    for one in quick.fold(site.events):
        if one.waits:
            yield _waits(one)
        elif one.standing is Standing.LANDED and _left(one, site):
            yield _left_over(one)


def _waits(one: Quick) -> Finding:
    why = f": {one.reason.splitlines()[0]}" if one.reason else ""
    return Finding(
        code="quick_task_waits",
        severity=Severity.WARNING,
        message=f"{one.key} is {one.standing}, and nobody goes on with it{why}",
        hint=f"gsd quick --resume {one.number} goes on with it; gsd quick --discard {one.number} gives it up.",
        milestone=one.key,
    )


def _left(one: Quick, site: Site) -> bool:
    branches = site.git.branches if site.git else {}
    there = (worktree_path(site.root, one.key, state_dir=site.state_dir) / ".git").is_file()
    return there or branch_name(one.key) in branches


def _left_over(one: Quick) -> Finding:
    return Finding(
        code="quick_task_left",
        severity=Severity.WARNING,
        message=f"{work.branch_of(one.key)} or its worktree is still there, and is on {one.target}: {one.commit[:10]}",
        hint="gsd doctor --fix removes it if it holds nothing else; a commit of it stays under refs/gsd/backup.",
        fixable=True,
        subject=one.key,
        milestone=one.key,
    )


def fix(site: Site, finding: Finding) -> str:
    """Remove worktree and branch of a task that is proved to be landed. Raises NotFixed, NotRemoved, NotLanded."""
    one = next((each for each in quick.fold(site.events) if each.key == finding.subject), None)
    branch, path = branch_name(finding.subject), worktree_path(site.root, finding.subject, state_dir=site.state_dir)
    tip = refs.branch_tip(site.root, branch)
    if one is None or tip is None:
        raise NotFixed(f"{branch} is not there any more, and its worktree stays as it is")
    proved = proof.landed(site.root, one.key, one.target, tip)
    if path.exists():
        quarantine.require_inside(site, path)
    removal.remove(site.root, path, branch, proved, state_dir=site.state_dir)
    (site.state_path / "runtime" / "places" / f"{one.key}.ready").unlink(missing_ok=True)
    return f"removed; it is on {proved.target} as {proved.commit[:10]}"


CHECKS = (Check(name="quick-tasks", look=look, fix=fix),)
