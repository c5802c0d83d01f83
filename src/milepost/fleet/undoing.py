"""Taking a landed milestone back out of its target: `gsd undo milestone M002`.

    turn taken → nobody works on it, nothing that is landed builds on it → taken out → written down

Source: DESIGN rule 7; issue "Merging".
"""

import functools
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass

from anyio import to_thread

from milepost.errors import ExitCode, MilepostError
from milepost.fleet import merge_queue
from milepost.fleet.site import Site
from milepost.formats import context, roadmap
from milepost.formats.journal import LandingStep, Undone
from milepost.formats.tree import milestone_dir, milestone_file, milestone_ids, read
from milepost.git import undo
from milepost.rules import messages
from milepost.store.snapshot import Snapshot
from milepost.worker import carry, landing, places

WRITER = "landing"


class NotLanded(MilepostError):
    """The milestone is not on its target, so there is nothing to take out."""

    exit_code = ExitCode.BLOCKED


class BuiltUpon(MilepostError):
    """Milestones that depend on it are on the target too."""

    exit_code = ExitCode.BLOCKED


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What became of it."""

    milestone: str
    target: str
    outcome: undo.Outcome
    plan_outside_git: bool = False
    """Its planning files are not in git, and so still say what they said."""


async def take_out(milestone: str, site: Site, *, force: bool = False) -> Result:
    """Take it out. force: although milestones that depend on it are there.

    Raises NotLanded, BuiltUpon or LeaseHeld; what git finds in the way is a value.
    """
    with ExitStack() as held:
        await merge_queue.turn(held, milestone, site)
        held.enter_context(site.hold(milestone, f"merge {milestone}"))
        shift = site.shift()
        landing.complete_published(shift)
        home = Snapshot(str(site.root), site.state_dir)
        last = landing.latest(milestone, shift)
        target = last.target if last else places.target_of(milestone, shift)
        commits = undo.landed_commits(site.root, milestone, target)
        if not commits:
            raise NotLanded(f"{milestone} is not on {target}", hint=f"{site.program} parallel status")
        if not force:
            _require_unused(milestone, target, home, site)
        outcome = await to_thread.run_sync(functools.partial(_undo, milestone, target, commits, home, site))
        _write_down(milestone, target, outcome, site)
        merge_queue.project(site, shift)
        outside = carry.needed(milestone, shift)
    return Result(milestone=milestone, target=target, outcome=outcome, plan_outside_git=outside)


def _undo(milestone: str, target: str, commits: tuple[str, ...], home: Snapshot, site: Site) -> undo.Outcome:
    settings = site.preferences
    found = roadmap.parse(read(home, milestone_file(home, milestone, "ROADMAP")))
    return undo.undo(
        site.root,
        milestone,
        target,
        commits,
        title=messages.without_id(milestone, found.title),
        state_dir=site.state_dir,
        generated=settings.parallel.generated_files,
        push_to=settings.git.remote if settings.git.auto_push else None,
        journal=functools.partial(_note, milestone, site),
    )


def _require_unused(milestone: str, target: str, home: Snapshot, site: Site) -> None:
    users = [
        mid
        for mid in milestone_ids(home)
        if mid != milestone and milestone in _depends_on(mid, home) and undo.landed_commits(site.root, mid, target)
    ]
    if users:
        raise BuiltUpon(
            f"{milestone} cannot be taken out of {target}: {', '.join(users)} depends on it and is there too",
            hint=f"Undo that first, or: {site.program} undo milestone {milestone} --force",
        )


def _depends_on(milestone: str, home: Snapshot) -> tuple[str, ...]:
    if milestone_dir(home, milestone) is None:
        return ()
    return context.depends_on(read(home, milestone_file(home, milestone, "CONTEXT")))


def _note(milestone: str, site: Site, step: str, facts: Mapping[str, str]) -> None:
    detail = " ".join(f"{key}={value}" for key, value in facts.items())
    site.journal(WRITER).append(
        # The slice keeps it from being read as the landing of the milestone.
        LandingStep(at_ms=site.now_ms(), run=site.run, milestone=milestone, step=step, detail=detail, slice="undo")
    )


def _write_down(milestone: str, target: str, outcome: undo.Outcome, site: Site) -> None:
    if not isinstance(outcome, undo.Undone):
        return
    site.journal(WRITER).append(
        Undone(
            at_ms=site.now_ms(),
            run=site.run,
            milestone=milestone,
            target=target,
            commit=outcome.commit,
            landed=outcome.landed[0] if outcome.landed else "",
        )
    )
