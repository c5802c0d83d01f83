"""A run that is for one quick task: asked, done on a branch of its own, landed, and nothing besides.

    number given → journaled → place made → unit (as any other) → landed as one commit → place and branch removed

Where it stands is a fold over the journal (`rules.quick`), so that a run which was cut off anywhere goes on from there.
Source: spec auto 7 (`/gsd quick`), 1.2; decision 0027.
"""

import re
from collections.abc import Awaitable, Callable, Iterator

from milepost.errors import ExitCode, MilepostError
from milepost.formats.journal import CapReset, LandingEnded, QuickAsked
from milepost.git import refs, repo
from milepost.git.run import git
from milepost.model import work
from milepost.rules import quick
from milepost.rules.dispatch import Dispatch
from milepost.rules.quick import Quick, Standing
from milepost.store.snapshot import Snapshot
from milepost.worker import adding, landing, places, quick_discard
from milepost.worker.shift import Ending, Shift
from milepost.worker.station import Station

Doing = Callable[[Dispatch], Awaitable[Ending | None]]
"""Does a unit; an ending when the run is over with it."""
Settling = Callable[[str], Awaitable[Ending | None]]
"""Settles what an earlier run left open of a key."""
_NUMBER = re.compile(r"(?:quick-)?([1-9]\d*)-")


async def run(post: Station, settle: Settling, do: Doing) -> Ending:
    """Take the task up, or begin it, and bring it to its branch. Raises NoSuchTask, or why there is no place for it."""
    shift = post.shift
    task = begun(shift)
    try:
        ending = await settle(task.key) or await _carried(task.key, post, do)
    except MilepostError as error:
        _forget_unbegun(task.key, str(error), shift)
        error.hint = quick.onward(task.key, error.hint)
        raise
    return ending._replace(hint=quick.onward(task.key, ending.hint))


def begun(shift: Shift) -> Quick:
    """The task of this run: a new one, written down, or the one that is to go on."""
    wish = shift.quick or quick.Wish()
    if not wish.text:
        found = quick.chosen(quick.fold(shift.journal("project").everything()), wish.number)
        if wish.retry:
            reset = CapReset(at_ms=shift.now_ms(), run=shift.run, unit=found.unit.key)
            shift.journal("project").append(reset)
        return found
    key = work.quick_key(max(_taken(shift), default=0) + 1, wish.text)
    asked = QuickAsked(at_ms=shift.now_ms(), run=shift.run, quick=key, text=wish.text, target=_target(key, shift))
    shift.journal(key).append(asked)
    return _now(key, shift)


async def _carried(key: str, post: Station, do: Doing) -> Ending:
    while (ending := await post.between(None)) is None:
        task = _now(key, post.shift)
        if not task.waits:
            return _over(task)
        if task.standing is Standing.DONE:
            ending = await _landed(task, post.shift)
        else:
            ending = await do(Dispatch(task.unit, "quick-task-was-asked"))
        if ending is not None:
            break
    return ending


def _over(task: Quick) -> Ending:
    landed = f" is on {task.target} as {task.commit[:10]}"
    words = landed if task.standing is Standing.LANDED else f": {task.reason}"
    return Ending(ExitCode.DONE, f"quick task {task.number}{words}")


async def _landed(task: Quick, shift: Shift) -> Ending | None:
    """Land it. One that brought nothing is over all the same."""
    ending = await landing.land(task.key, Snapshot(str(shift.root), shift.state_dir), shift)
    ends = [e for e in shift.journal(task.key).own() if isinstance(e, LandingEnded)]
    if ending is not None and ends and ends[-1].outcome == "nothing":
        quick_discard.discard(task, adding.site(shift), reason=f"it changed nothing; {ends[-1].reason}")
        return None
    return ending


def _now(key: str, shift: Shift) -> Quick:
    # What is set back for all units stands elsewhere; it changes nothing about how far one came.
    return quick.fold(shift.journal(key).own())[0]


def _target(key: str, shift: Shift) -> str:
    """Without a branch of its own it goes where the user stands."""
    here = repo.head_of(shift.root).branch if shift.preferences.git.isolation == "none" else None
    return here or places.target_of(key, shift)


def _taken(shift: Shift) -> Iterator[int]:
    """Numbers that were given, here or in another clone, also of tasks of which little is left."""
    names = [one.key for one in quick.fold(shift.journal("project").everything())]
    names += Snapshot(str(shift.root), shift.state_dir, homes={}).names("quick")
    names += [key for branch in refs.branches(shift.root) if work.is_quick(key := work.key_of(branch))]
    pinned = git(shift.root, "for-each-ref", "--format=%(refname)", f"{refs.BACKUPS}/").out.split()
    names += [ref.removeprefix(f"{refs.BACKUPS}/") for ref in pinned]
    return (int(found[1]) for name in names if (found := _NUMBER.match(name)))


def _forget_unbegun(key: str, reason: str, shift: Shift) -> None:
    """A new task that could not even begin does not wait: what kept it from beginning was just said."""
    task = _now(key, shift)
    if shift.quick is not None and shift.quick.text and task.waits and not task.attempts:
        quick_discard.discard(task, adding.site(shift), reason=reason)
