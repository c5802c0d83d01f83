"""What the slices that are left will cost, from what the finished ones cost: a likely figure and a range.

Likely is the mean of the finished slices times those that are left. Low and high are the 10th and the 90th percentile
of the finished slices (linear between neighbours) times those that are left: what it comes to when every slice is a
cheap one, or every one a dear one, so the truth lies within in all but odd cases. Fewer than two finished slices with
known prices say nothing. Source: spec auto 5.12.
"""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from milepost.formats import roadmap
from milepost.formats.journal import AnyEvent, AttemptEnded, AttemptStarted, Result, UsageReported
from milepost.formats.tree import Tree, milestone_file, read
from milepost.model import money
from milepost.model.state import RegistryEntry, Status
from milepost.model.units import UnitKind

LEAST: Final = 2
"""Finished slices from which there is a projection."""
LOW_PERCENT: Final = 10
HIGH_PERCENT: Final = 90


class Projection(NamedTuple):
    """What is still to be spent, micro-USD."""

    low: int
    likely: int
    high: int
    remaining: int
    """Slices that are left."""
    per_slice: int
    """Mean of the finished ones."""
    finished: int
    """Slices that it is made from."""


def finished_slices(events: Iterable[AnyEvent]) -> dict[str, int]:
    """Micro-USD of each slice that was completed, all attempts at all its units together, by `MID/SID`.

    A slice with a request of unknown price, or at a flat rate, is left out: what it really cost is not known.
    """
    slices: dict[str, str] = {}
    closing: set[str] = set()
    costs: dict[str, int] = {}
    vague: set[str] = set()
    done: dict[str, None] = {}
    for event in events:
        match event:
            case AttemptStarted():
                slices[event.attempt] = "/".join(event.unit.split("/")[:2])
                if event.kind == UnitKind.COMPLETE_SLICE:
                    closing.add(event.attempt)
            case UsageReported():
                costs[event.attempt] = costs.get(event.attempt, 0) + (event.micro_usd or 0)
                if event.micro_usd is None:
                    vague.add(event.attempt)
            case AttemptEnded(attempt=attempt, result=Result.COMMITTED) if attempt in closing:
                done.setdefault(slices[attempt])
            case _:
                pass
    unknown = {slices[attempt] for attempt in vague if attempt in slices}
    return {
        name: sum(cost for attempt, cost in costs.items() if slices.get(attempt) == name)
        for name in done
        if name not in unknown
    }


def project(costs: Sequence[int], remaining: int) -> Projection | None:
    """The projection from the micro-USD of finished slices; None: too few of them."""
    if len(costs) < LEAST:
        return None
    mean = sum(costs) / len(costs)
    return Projection(
        low=round(quantile(costs, LOW_PERCENT) * remaining),
        likely=round(mean * remaining),
        high=round(quantile(costs, HIGH_PERCENT) * remaining),
        remaining=remaining,
        per_slice=round(mean),
        finished=len(costs),
    )


def quantile(costs: Sequence[int], percent: int) -> float:
    """The percentile of some costs, linear between neighbours. At least one cost."""
    ordered = sorted(costs)
    place = (len(ordered) - 1) * percent / 100
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def lines(found: Projection, *, spent: int, ceiling: int | None) -> tuple[str, ...]:
    """For people. spent: all that counts against the ceiling so far; both micro-USD."""
    show = money.show
    basis = f"{LOW_PERCENT}th to {HIGH_PERCENT}th percentile of {found.finished} finished slices"
    said = [
        f"Projected remaining: {show(found.likely)} ({show(found.per_slice)}/slice avg × {found.remaining} remaining)",
        f"Range: {show(found.low)} to {show(found.high)} ({basis})",
    ]
    if ceiling is not None and (reached := _reached(found, spent, ceiling)):
        said.append(reached)
    return tuple(said)


def _reached(found: Projection, spent: int, ceiling: int) -> str:
    if spent >= ceiling:
        return f"Ceiling reached: {money.show(spent)} of {money.show(ceiling)}"
    if not found.per_slice or spent + found.high <= ceiling:
        return ""
    slices = (ceiling - spent) // found.per_slice
    if slices >= found.remaining:
        return f"Ceiling of {money.show(ceiling)}: enough if slices cost what they did, not if they are dear ones"
    return f"Ceiling of {money.show(ceiling)} reached after about {slices} of {found.remaining} remaining slices"


def slices_left(registry: Iterable[RegistryEntry], tree: Tree) -> int:
    """Slices that no box says are done, in the roadmaps of all milestones that are neither complete nor parked."""
    open_ones = [entry.id for entry in registry if entry.status not in (Status.COMPLETE, Status.PARKED)]
    texts = [read(tree, milestone_file(tree, mid, "ROADMAP")) for mid in open_ones]
    return sum(not found.done for text in texts for found in roadmap.slices(text))
