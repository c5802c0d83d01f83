"""The merge queue: one holder, one milestone at a time, whoever asks for it.

    turn taken → lease of the milestone → (a merge that a person resolved is concluded) → landed → written down

Source: DESIGN "Parallel", parallel PR-088, PR-089, PR-120 to PR-124, PR-330, FM-93 to FM-96.
"""

from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import TypeAlias

import anyio

from milepost.errors import MilepostError
from milepost.fleet.observe import Plans
from milepost.fleet.site import Site
from milepost.formats.journal import LandingEnded
from milepost.rules.fleet import Fleet
from milepost.store import ledger
from milepost.store.lease import Holder, LeaseHeld
from milepost.store.snapshot import Snapshot
from milepost.worker import effects, landing, landing_slice
from milepost.worker.shift import Shift

LANDED = ("landed", "kept")
"""Outcomes of a merge that is on its target; of the second something could not be cleared away."""
_LOOK_S = 0.1
Says: TypeAlias = Callable[[str], None]
"""Told at once, while others wait for the result."""


def _nobody(_text: str) -> None:
    """Nobody is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """How one merge went."""

    milestone: str
    ended: LandingEnded
    pushed: bool = False
    push_error: str = ""


def order(plans: Plans, told: Fleet, *, by_completion: bool) -> tuple[str, ...]:
    """Complete milestones that are not on their target, in the order in which they are merged (PR-120, PR-121)."""
    ready = sorted(plans.unmerged)
    if by_completion:
        ready.sort(key=lambda mid: told.of(mid).completed_ms)
    return tuple(ready)


async def merge(milestone: str, site: Site, *, slice_id: str = "", says: Says = _nobody) -> Result:
    """Merge one milestone, or one finished slice of it. Expected endings are values; raises LeaseHeld."""
    with ExitStack() as held:
        await turn(held, milestone, site, says)
        shift = site.shift()
        landing.complete_published(shift)
        home = Snapshot(str(site.root), site.state_dir)
        if slice_id:
            # The worker has the milestone, and nothing of its own is touched.
            ended = await landing_slice.land(milestone, slice_id, home, shift)
        else:
            held.enter_context(site.hold(milestone, f"merge {milestone}"))
            landing.require_complete(milestone, home)
            landing.require_settled(milestone, shift)
            ended = await landing.queued(milestone, home, shift)
    project(site, shift)
    last = landing.latest(milestone, shift) if ended.outcome in LANDED and not slice_id else None
    return Result(
        milestone=milestone,
        ended=ended,
        pushed=last.pushed if last else False,
        push_error=last.push_error if last else "",
    )


def project(site: Site, shift: Shift) -> None:
    """Bring what people and GSD look at up to date; nothing is decided from it."""
    with suppress(MilepostError, OSError):
        effects.write_state(shift)
        ledger.publish(site.state, site.journal("landing").everything())


async def turn(held: ExitStack, milestone: str, site: Site, says: Says = _nobody) -> None:
    """Take the merge lease, as soon as no other merge lives that has it, then what keeps others off.

    However long a check of another milestone takes: that is no fault of this one.
    """
    what, told = f"merge {milestone}", False
    while True:
        try:
            held.enter_context(site.hold("merge", what))
            break
        except LeaseHeld as busy:
            if not told:
                told = True
                says(f"{milestone} waits for its turn: {_who(busy.holder)} is under way")
            await anyio.sleep(_LOOK_S)
    held.enter_context(site.hold("auto", what, shared=True))


def _who(holder: Holder | None) -> str:
    return f"{holder.command} (pid {holder.pid})" if holder and holder.command else "another merge"


def not_begun(milestone: str, error: MilepostError, site: Site) -> Result:
    """The result of a merge that could not be begun; not written down, since nothing happened."""
    ended = LandingEnded(
        at_ms=site.now_ms(),
        run=site.run,
        milestone=milestone,
        outcome="refused",
        target="",
        reason=str(error),
        hint=error.hint,
    )
    return Result(milestone=milestone, ended=ended)
