"""What a new order of the milestones would mean for what they wait for. Pure. Source: spec auto 7 (queue)."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple


class Kind(StrEnum):
    """What is the matter; the words are GSD's."""

    WOULD_BLOCK = "would_block"
    """It would come before something that it waits for."""
    CIRCULAR = "circular"
    MISSING_DEP = "missing_dep"
    """It waits for a milestone that is not there."""
    REDUNDANT = "redundant"
    """What it waits for is waited for by something else that it waits for."""


class Problem(NamedTuple):
    """One thing. other: the milestone that is waited for; for a circle, all of it."""

    kind: Kind
    milestone: str
    other: str

    def __str__(self) -> str:
        return _SAYS[self.kind].format(mid=self.milestone, other=self.other)


_SAYS: Mapping[Kind, str] = {
    Kind.WOULD_BLOCK: "{mid} waits for {other}, which would come after it",
    Kind.CIRCULAR: "these wait for each other: {other}",
    Kind.MISSING_DEP: "{mid} waits for {other}, which is not there",
    Kind.REDUNDANT: "{mid} waits for {other} anyway, through another that it waits for",
}


def check(order: Sequence[str], needs: Mapping[str, Sequence[str]], complete: Collection[str]) -> tuple[Problem, ...]:
    """What `order` would run into. needs: milestone → what it waits for. complete: what nobody waits for any more."""
    waits = {mid: [need for need in needs.get(mid, ()) if need not in complete] for mid in order if mid not in complete}
    return (*_blocked(order, waits), *_missing(waits), *_circles(waits), *_redundant(waits))


def _blocked(order: Sequence[str], waits: Mapping[str, Sequence[str]]) -> Iterator[Problem]:
    place = {mid: number for number, mid in enumerate(order)}
    for mid, needs in waits.items():
        for need in needs:
            if place.get(need, -1) > place[mid]:
                yield Problem(Kind.WOULD_BLOCK, mid, need)


def _missing(waits: Mapping[str, Sequence[str]]) -> Iterator[Problem]:
    for mid, needs in waits.items():
        yield from (Problem(Kind.MISSING_DEP, mid, need) for need in needs if need not in waits)


def _circles(waits: Mapping[str, Sequence[str]]) -> Iterator[Problem]:
    """What is left when all that can be worked off is taken away, and waits for itself."""
    left = {mid: {need for need in needs if need in waits} for mid, needs in waits.items()}
    while ready := [mid for mid, needs in left.items() if not needs & left.keys()]:
        for mid in ready:
            del left[mid]
    members = [mid for mid in left if mid in _reached(mid, left)]
    if members:
        yield Problem(Kind.CIRCULAR, members[0], ", ".join(members))


def _redundant(waits: Mapping[str, Sequence[str]]) -> Iterator[Problem]:
    for mid, needs in waits.items():
        for need in needs:
            if any(need in _reached(other, waits) for other in needs if other != need):
                yield Problem(Kind.REDUNDANT, mid, need)


def _reached(start: str, waits: Mapping[str, Collection[str]]) -> set[str]:
    found, todo = set[str](), [start]
    while todo:
        new = set(waits.get(todo.pop(), ())) - found
        found |= new
        todo += new
    return found
