"""Where a milestone or a quick task is worked on: making the place, finding it again, proving it before it is paid for.

`worktree`: `.gsd/worktrees/<MID>` on `milestone/<MID>`; planning files that are not committed yet are committed
first, so that the worktree has them. `branch`: the same branch in the user's checkout, which must be clean.
`none`: the current branch. Making a place has several steps; a marker is written after the last, and without it
they are all done again. Source: spec auto 6.1 to 6.4, DESIGN rules 1 and 5.
"""

from pathlib import Path

from milepost.errors import ExitCode, MilepostError
from milepost.formats import meta
from milepost.formats.journal import CapReset, Landed
from milepost.formats.tree import milestone_dir
from milepost.git import refs, repo, status, worktrees
from milepost.git.branches import enter_branch
from milepost.git.ignored import ignored
from milepost.git.include import copy_included
from milepost.git.planning import commit_planning
from milepost.model import work
from milepost.model.units import UnitKind
from milepost.model.words import counted
from milepost.rules import messages, quick, staging
from milepost.rules.attempts import open_attempts
from milepost.store import atomic
from milepost.store.snapshot import Snapshot
from milepost.unit import leftovers
from milepost.unit.bench import Workspace
from milepost.worker import carry, hook
from milepost.worker.shift import Shift


class NoPlace(MilepostError):
    """The milestone cannot be worked on where the settings say; nothing was started."""

    exit_code = ExitCode.BLOCKED


async def enter(milestone: str, shift: Shift) -> Workspace:
    """The workspace of a milestone, made when it is not there. Raises NoPlace, or git's own typed errors."""
    place = repo.inspect(shift.root)
    if shift.lock is None or not (shift.own_state.parent / ".git").is_file():
        # A worker whose worktree is there needs nothing of the user's checkout, whatever goes on in it.
        repo.require_ready(place)
    isolation = shift.preferences.git.isolation
    _require_reach(shift)
    if isolation == "worktree":
        return await _worktree(milestone, place, shift)
    if isolation == "branch":
        return _branch(milestone, place, shift)
    return _here(milestone, place, shift)


def _require_reach(shift: Shift) -> None:
    """Git must be able to carry the plan into a worktree, unless it is not to."""
    if shift.state.is_symlink() and shift.preferences.git.commit_docs:
        raise NoPlace(
            f"{shift.state} is a symbolic link, and git carries no planning files from behind one",
            hint=f"Put the directory itself there, or set git.commit_docs: false and ignore {shift.state_dir}.",
        )


def target_of(milestone: str, shift: Shift) -> str:
    """The branch the milestone is merged into: what its META says, else the settings, else where the user stands."""
    if work.is_quick(milestone):
        asked = quick.fold(shift.journal(milestone).own())
        recorded = asked[0].target if asked else None
    else:
        recorded = _recorded(milestone, Snapshot(str(shift.root), shift.state_dir))
    return refs.integration(recorded, _preferred(shift), shift.root)


async def _worktree(milestone: str, place: repo.Repo, shift: Shift) -> Workspace:
    made = make(milestone, place, shift)
    marker = _marker(milestone, shift)
    if not marker.exists() and await hook.run_post_create(made.cwd, shift):
        atomic.replace(marker, b"")
        shift.watcher.note(
            f"{milestone} is worked on in {made.cwd.relative_to(shift.root)} for {target_of(milestone, shift)}"
        )
    return made


def _marker(milestone: str, shift: Shift) -> Path:
    """There when the place is complete, the hook included."""
    return shift.state / "runtime" / "places" / f"{milestone}.ready"


def make(milestone: str, place: repo.Repo, shift: Shift) -> Workspace:
    """The milestone's worktree with its plan in it, proved; without the hook. What a coordinator asks for first.

    Costs no money and starts no process of the project's. Raises NoPlace, or git's own typed errors.
    """
    _require_reach(shift)
    exists = (worktrees.worktree_path(shift.root, milestone, state_dir=shift.state_dir) / ".git").is_file()
    target = target_of(milestone, shift)
    marker = _marker(milestone, shift)
    if not exists:
        marker.unlink(missing_ok=True)
        carry.forget(milestone, shift)
        _require_not_landed(milestone, place, shift)
        _commit_plan(milestone, target, place, shift)
    found = worktrees.ensure(place, milestone, f"refs/heads/{target}", state_dir=shift.state_dir)
    if not marker.exists():
        carry.bring_in(milestone, found.path, shift)
        copy_included(shift.root, found.path, state_dir=shift.state_dir, on_problem=shift.watcher.note)
        _record(milestone, target, found.path / shift.state_dir)
    return Workspace(
        root=shift.root,
        cwd=found.path,
        state_dir=shift.state_dir,
        milestone=milestone,
        branch=found.branch,
        isolation="worktree",
    )


def _branch(milestone: str, place: repo.Repo, shift: Shift) -> Workspace:
    branch = worktrees.branch_name(milestone)
    _require_not_anothers(milestone, place)
    if place.head.branch != branch:
        target = target_of(milestone, shift)
        _require_not_landed(milestone, place, shift)
        _commit_plan(milestone, target, place, shift)
        enter_branch(shift.root, milestone, f"refs/heads/{target}")
        _record(milestone, target, shift.state)
    _require_nothing_of_theirs(milestone, shift)
    return _in_root(milestone, branch, "branch", shift)


def _here(milestone: str, place: repo.Repo, shift: Shift) -> Workspace:
    branch = place.head.branch or ""
    _require_not_anothers(milestone, place)
    if branch.startswith("milestone/") and branch != worktrees.branch_name(milestone):
        raise NoPlace(f"{shift.root} is on {branch}, which is not {milestone}'s", hint="git switch to your branch")
    _require_nothing_of_theirs(milestone, shift)
    return _in_root(milestone, branch, "none", shift)


def _require_not_anothers(milestone: str, place: repo.Repo) -> None:
    """A quick task that waits in the checkout holds it: what lies there is its work."""
    key = work.key_of(place.head.branch or "")
    if work.is_quick(key) and key != milestone:
        number = work.number(key)
        raise NoPlace(
            f"{place.root} is on {place.head.branch}, where a quick task is not finished",
            hint=f"gsd quick --resume {number} goes on with it; gsd quick --discard {number} gives it up.",
        )


def _require_nothing_of_theirs(milestone: str, shift: Shift) -> None:
    """In the user's own checkout everything would go into the units' commits, so nothing of theirs may lie there."""
    if open_attempts(shift.journal(milestone).own()):
        return  # What a killed session left cannot be told apart; it is settled first.
    theirs = leftovers.theirs(shift.root, shift.state_dir, milestone)
    if theirs:
        raise NoPlace(
            f"isolation is {shift.preferences.git.isolation} and the checkout has changes of yours: "
            f"{', '.join(theirs[:5])}{' …' if len(theirs) > 5 else ''}",
            hint="Commit or stash them, or set git.isolation: worktree, which leaves your checkout alone.",
        )


def _require_not_landed(milestone: str, place: repo.Repo, shift: Shift) -> None:
    """A checkout that lacks a milestone's landing says that the milestone is not begun; it would be paid for twice."""
    landed = [e for e in shift.journal(milestone).own() if isinstance(e, Landed) and e.milestone == milestone]
    if not landed or place.head.commit is None:
        return
    last = landed[-1]
    there = refs.branch_tip(shift.root, last.target)
    known = there is not None and refs.resolve(shift.root, last.commit) is not None
    if there is None or not known or not refs.is_ancestor(shift.root, last.commit, there):
        return  # It was undone since: doing it again is what the person wants.
    if not refs.is_ancestor(shift.root, last.commit, place.head.commit):
        raise NoPlace(
            f"{milestone} is on {last.target} ({last.commit[:10]}), which {place.head.branch} does not have",
            hint=f"git switch {last.target}, or git merge {last.target}, then gsd auto",
        )
    if not _wanted_again(milestone, last, shift):
        raise NoPlace(
            f"{milestone} landed as {last.commit[:10]}, and its files were taken back since: paid for already",
            hint=f"To have it back, revert the revert. To do it again: gsd auto --retry {milestone}",
        )


def _wanted_again(milestone: str, landed: Landed, shift: Shift) -> bool:
    """Whether a person said since that a landed milestone is to be done again."""
    keys = ("*", f"{UnitKind.COMPLETE_MILESTONE}/{milestone}")
    events = shift.journal("project").everything()
    return any(isinstance(e, CapReset) and e.unit in keys and e.at_ms >= landed.at_ms for e in events)


def _in_root(milestone: str, branch: str, isolation: str, shift: Shift) -> Workspace:
    return Workspace(
        root=shift.root,
        cwd=shift.root,
        state_dir=shift.state_dir,
        milestone=milestone,
        branch=branch,
        isolation=isolation,
    )


def _commit_plan(milestone: str, target: str, place: repo.Repo, shift: Shift) -> None:
    """Commit planning files that a worktree of `target` would lack, touching nothing else the user has."""
    if work.is_quick(milestone):
        return  # It has no plan.
    if not shift.preferences.git.commit_docs or ignored(shift.root, f"{shift.state_dir}/milestones/{milestone}/x.md"):
        return
    paths = [c.path for c in status.dirty(shift.root) if _planning(c.path, milestone, shift)]
    if not paths:
        return
    if place.head.branch != target:
        raise NoPlace(
            f"{milestone} has planning files that are not committed, and you are on {place.head.branch}, not {target}",
            hint=f"git switch {target}, or commit {paths[0]}",
        )
    if commit_planning(shift.root, paths, messages.planning_commit(milestone)):
        shift.watcher.note(
            f"committed {counted(len(paths), 'planning file')} on {target}, so that the worktree has them"
        )


def _planning(path: str, milestone: str, shift: Shift) -> bool:
    commit_docs = shift.preferences.git.commit_docs
    if not path.startswith(f"{shift.state_dir}/"):
        return False
    return staging.excluded(path, milestone=milestone, commit_docs=commit_docs, state_dir=shift.state_dir) is None


def _recorded(milestone: str, home: Snapshot) -> str | None:
    directory = milestone_dir(home, milestone)
    text = home.text(f"{directory}/{milestone}-META.json") if directory else None
    return meta.integration_branch(text) if text else None


def _preferred(shift: Shift) -> str | None:
    known = shift.stood_on and refs.branch_tip(shift.root, shift.stood_on)
    head = shift.stood_on if known else repo.head_of(shift.root).branch
    return shift.preferences.git.main_branch or (head if head and refs.may_integrate(head) else None)


def _record(milestone: str, target: str, state: Path) -> None:
    """Write down where the milestone goes; that of a quick task is in the journal from the first."""
    if work.is_quick(milestone):
        return
    home = milestone_dir(Snapshot(str(state.parent), state.name, homes={}), milestone) or f"milestones/{milestone}"
    path = state / home / f"{milestone}-META.json"
    old = path.read_text("utf-8") if path.exists() else None
    new = meta.with_integration_branch(old, target, path=str(path))
    if new != old:
        atomic.replace(path, new.encode(), within=state)
