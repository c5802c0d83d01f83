"""A quick task given up: its place and branch go, and everything in them is kept under `refs/gsd/backup/<key>/`.

In the user's own checkout (isolation branch or none) what its last attempt left is taken back, and only that: where
something else was changed since, nothing is touched. Source: spec auto 2.25; DESIGN rules 6 and 7; decision 0027.
"""

import shutil
from typing import NamedTuple

from milepost.errors import ExitCode, MilepostError
from milepost.formats.journal import AttemptEnded, AttemptStarted, QuickDiscarded, Result
from milepost.git import discard as gone
from milepost.git import refs, repo, status
from milepost.git.branches import leave_branch
from milepost.git.put_right import take_back
from milepost.git.snapshots import snapshot
from milepost.git.worktrees import branch_name, worktree_path
from milepost.rules.attempts import open_attempts
from milepost.rules.quick import Quick
from milepost.store.journal import Journal
from milepost.unit import leftovers
from milepost.worker.adding import Site


class InTheWay(MilepostError):
    """The checkout has changes that are not the task's; nothing was touched."""

    exit_code = ExitCode.BLOCKED


class Discarded(NamedTuple):
    """What is kept. Empty: there was nothing of the kind."""

    tip: str
    """The last commit of its branch."""
    work: str
    """A ref of what was not committed."""


def discard(task: Quick, site: Site, *, reason: str = "") -> Discarded:
    """Give it up; may run again after a kill. Raises InTheWay, NotRemoved, with nothing lost."""
    journal = Journal(site.state, task.key)
    path, branch = worktree_path(site.root, task.key, state_dir=site.state_dir), branch_name(task.key)
    here = "" if path.exists() else _taken_from_checkout(task, branch, site, journal)
    kept = gone.discard(site.root, path, branch, state_dir=site.state_dir)
    places = site.state / "runtime" / "places"
    (places / f"{task.key}.ready").unlink(missing_ok=True)
    shutil.rmtree(places / f"{task.key}.base", ignore_errors=True)
    for started in open_attempts(journal.own()):
        journal.append(
            AttemptEnded(
                at_ms=site.now_ms(),
                run=site.run,
                attempt=started.attempt,
                result=Result.INTERRUPTED,
                reason="the task was discarded",
            )
        )
    found = Discarded(kept.tip, kept.work or here)
    journal.append(
        QuickDiscarded(at_ms=site.now_ms(), run=site.run, quick=task.key, reason=reason, tip=found.tip, work=found.work)
    )
    return found


def _taken_from_checkout(task: Quick, branch: str, site: Site, journal: Journal) -> str:
    """Take what it left out of the user's checkout, and leave its branch; the ref that keeps it, empty for nothing."""
    lent = repo.head_of(site.root).branch == branch
    tried = [e for e in journal.own() if isinstance(e, AttemptStarted)]
    if not lent and not (tried and tried[-1].branch != branch):
        return ""
    ours = tuple(c.path for c in status.dirty(site.root) if not c.nested and _its(c.path, task, site))
    if ours and not open_attempts(journal.own()):
        theirs = leftovers.theirs(site.root, site.state_dir, task.key)
        if theirs:
            raise InTheWay(
                f"{site.root} has changes that quick task {task.number} did not leave: {', '.join(theirs[:5])}",
                hint="Commit or stash them, then again.",
            )
    ref = ""
    if ours:
        ref = refs.pin(site.root, task.key, gone.WORK, snapshot(site.root, "work that was discarded"))
        take_back(site.root, ours)
    if lent:
        leave_branch(site.root, task.target)
    return ref


def _its(path: str, task: Quick, site: Site) -> bool:
    """Files of the repository, and its own documents; the project's plan is not the task's to take back."""
    head = f"{site.state_dir}/"
    return not path.startswith(head) or path.startswith(f"{head}{task.home}/")
