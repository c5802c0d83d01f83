"""Which milestones may be worked on at the same time, and what is said about those that may not.

    # Parallel Eligibility Report

    ## Eligible for Parallel Execution (1)

    - **M002** — Auth System
      All dependencies satisfied.

A milestone may be started when it is not complete, something says what it is to build, and all that it depends on
is complete and on the target branch. Touching the same files is a warning and never a reason. Everything is read
from one tree at one moment; git's and the journal's part of the truth comes as `Facts`.
Source: parallel PR-040 to PR-046, PR-346, PR-347, 1.5, DV-20, DV-28, FM-93; DESIGN "Parallel".
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import combinations

from milepost.formats import context, parked, placeholder, roadmap
from milepost.formats.tree import Tree, milestone_file, milestone_ids, milestone_path, read
from milepost.model.state import State
from milepost.model.units import Unit, UnitKind
from milepost.rules import done
from milepost.rules.overlap import shared, touched


class Cause(StrEnum):
    """Why a milestone may be started, or may not; the first that applies, in this order."""

    PARKED = "parked"
    UNDONE = "undone"
    """It was landed and taken back out."""
    UNMERGED = "unmerged"
    """Complete in its worktree, not on the target."""
    COMPLETE = "complete"
    MERGED = "merged"
    """On the target, while the files at hand do not say that it is complete."""
    HELD = "held"
    GHOST = "ghost"
    """A directory without a document that says anything of a milestone."""
    BLOCKED = "blocked"
    """By dependencies."""
    GIVEN_UP = "given-up"
    """In the place of its roadmap lies the note that planning failed."""
    UNDISCUSSED = "undiscussed"
    """Only a draft of its context is there."""
    UNPLANNED = "unplanned"
    ELIGIBLE = "eligible"


OUTSIDE = frozenset({Cause.PARKED, Cause.GHOST, Cause.UNDISCUSSED, Cause.UNPLANNED, Cause.UNDONE})
"""What nobody waits for: it is not (or no longer) in the plan."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the files of the plan do not tell."""

    landed: frozenset[str] = frozenset()
    """On the target branch."""
    undone: frozenset[str] = frozenset()
    """Taken back out of it; such a one does not count as landed, whatever `landed` says."""
    unmerged: frozenset[str] = frozenset()
    """Complete in their worktree, and not on the target."""
    held: Mapping[str, str] = field(default_factory=dict)
    """Milestone to why a person holds it; the reason may be empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One milestone of the report."""

    id: str
    title: str
    reason: str
    """For people, in one line."""
    cause: Cause
    waits_for: tuple[str, ...] = ()
    """Dependencies that are not satisfied, in their order; set for `BLOCKED`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap:
    """Two milestones that may both be started, and what both touch (sorted, never empty)."""

    a: str
    b: str
    files: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All milestones of the project, both lists in working order, and the pairs in the order of `eligible`."""

    eligible: tuple[Entry, ...]
    ineligible: tuple[Entry, ...]
    overlaps: tuple[Overlap, ...]


def analyze(tree: Tree, state: State, facts: Facts) -> Report:
    """What may be started now.

    state: the project's, for the titles; not one that is narrowed to a milestone. Raises FormatError only where
    `tree` does.
    """
    survey = _Survey(tree, state, facts)
    entries = [survey.entry(mid) for mid in survey.ids]
    eligible = tuple(entry for entry in entries if entry.cause is Cause.ELIGIBLE)
    return Report(
        eligible=eligible,
        ineligible=tuple(entry for entry in entries if entry.cause is not Cause.ELIGIBLE),
        overlaps=_overlaps({entry.id: touched(tree, entry.id) for entry in eligible}),
    )


def render(report: Report) -> str:
    """The report of parallel 1.5, byte for byte, ending in one newline."""
    parts = [
        "# Parallel Eligibility Report",
        f"## Eligible for Parallel Execution ({len(report.eligible)})",
        _listed(report.eligible) or "No milestones are currently eligible for parallel execution.",
        f"## Ineligible ({len(report.ineligible)})",
        _listed(report.ineligible) or "All milestones are eligible.",
    ]
    if report.overlaps:
        parts += [f"## File Overlap Warnings ({len(report.overlaps)})", "\n".join(map(_pair, report.overlaps))]
    return "\n\n".join(parts) + "\n"


def _listed(entries: Iterable[Entry]) -> str:
    return "\n".join(f"- **{entry.id}** — {_line(entry.title)}\n  {_line(entry.reason)}" for entry in entries)


def _pair(overlap: Overlap) -> str:
    head = f"- **{overlap.a}** <-> **{overlap.b}** — {len(overlap.files)} shared file(s):"
    return "\n".join((head, *(f"  - `{_line(path)}`" for path in overlap.files)))


def _line(text: str) -> str:
    """Text that stays one line and moves no cursor: titles and reasons come from files that anybody may write."""
    return re.sub(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]", "\ufffd", text)


def _overlaps(files: Mapping[str, tuple[str, ...]]) -> tuple[Overlap, ...]:
    pairs = ((a, b, shared(files[a], files[b])) for a, b in combinations(files, 2))
    return tuple(Overlap(a=a, b=b, files=both) for a, b, both in pairs if both)


class _Survey:
    """Every milestone looked at once."""

    def __init__(self, tree: Tree, state: State, facts: Facts) -> None:
        self.tree = tree
        self.facts = facts
        self.ids = milestone_ids(tree)
        self._titles = {entry.id: entry.title for entry in state.registry}
        self._parked = {mid for mid in self.ids if milestone_file(tree, mid, "PARKED")}
        whole = (mid for mid in self.ids if done.settled(Unit(UnitKind.COMPLETE_MILESTONE, mid), tree))
        self._complete = frozenset(whole) | facts.unmerged
        self._satisfied = ((self._complete | facts.landed) - facts.undone - facts.unmerged) - self._parked
        self._needs = {mid: () if mid in self._complete else self._depends_on(mid) for mid in self.ids}

    def entry(self, mid: str) -> Entry:
        """The milestone's line of the report."""
        unmet = self._unmet(mid)
        cause, reason = self._ended(mid) or self._waiting(mid, unmet) or self._unplanned(mid) or _FREE
        return Entry(
            id=mid,
            title=self._titles.get(mid, mid),
            reason=reason,
            cause=cause,
            waits_for=unmet if cause is Cause.BLOCKED else (),
        )

    def _ended(self, mid: str) -> tuple[Cause, str] | None:
        """Nothing is left to be worked on, or a person said so."""
        if mid in self._parked:
            return Cause.PARKED, self._parked_because(mid)
        if mid in self.facts.undone:
            return Cause.UNDONE, "Undone: it was merged, and a person took it back out of the target."
        if mid in self.facts.unmerged:
            return Cause.UNMERGED, "Already complete; it waits to be merged."
        if mid in self._complete:
            return Cause.COMPLETE, "Already complete."
        if mid in self.facts.landed:
            return Cause.MERGED, "Already merged: the target contains it."
        return None

    def _waiting(self, mid: str, unmet: tuple[str, ...]) -> tuple[Cause, str] | None:
        """It waits for a person or for other milestones."""
        if mid in self.facts.held:
            why = " ".join(self.facts.held[mid].split()).rstrip(".")
            return Cause.HELD, f"Held by a person: {why}." if why else "Held by a person."
        if not any(milestone_file(self.tree, mid, suffix) for suffix in _DOCUMENTS):
            return Cause.GHOST, "Ghost: its directory holds neither a context nor a roadmap nor a summary."
        if unmet:
            return Cause.BLOCKED, f"Blocked by incomplete dependencies: {', '.join(unmet)}.{self._circle(mid)}"
        return None

    def _unplanned(self, mid: str) -> tuple[Cause, str] | None:
        """Nothing says what is to be built. With a full context, a worker plans the milestone itself."""
        tree = self.tree
        text = read(tree, milestone_file(tree, mid, "ROADMAP"))
        if why := placeholder.reason(text):
            path = milestone_path(tree, mid, "ROADMAP")
            return Cause.GIVEN_UP, f"Planning was given up ({why}); remove {path} to have it tried again."
        if roadmap.slices(text) or read(tree, milestone_file(tree, mid, "CONTEXT")):
            return None
        wanted = milestone_path(tree, mid, "CONTEXT")
        if read(tree, draft := milestone_file(tree, mid, "CONTEXT-DRAFT")):
            return Cause.UNDISCUSSED, f"Needs discussion: turn {draft} into {wanted}."
        return Cause.UNPLANNED, f"Unplanned: it has no roadmap with slices and no context; write {wanted}."

    def _parked_because(self, mid: str) -> str:
        path = milestone_path(self.tree, mid, "PARKED")
        why = parked.parse(read(self.tree, path)).reason.strip().rstrip(".")
        return f"Parked{f' ({why})' if why else ''}: remove {path} to take it up again."

    def _depends_on(self, mid: str) -> tuple[str, ...]:
        path = milestone_file(self.tree, mid, "CONTEXT") or milestone_file(self.tree, mid, "CONTEXT-DRAFT")
        return context.depends_on(read(self.tree, path))

    def _unmet(self, mid: str) -> tuple[str, ...]:
        """A dependency that names no milestone of the project is never satisfied."""
        return tuple(need for need in self._needs.get(mid, ()) if need not in self._satisfied)

    def _circle(self, mid: str) -> str:
        """A sentence when the milestone waits, over others or at once, for itself: the shortest way round."""
        came = dict.fromkeys(self._unmet(mid), mid)
        queue = list(came)
        for at in queue:
            if at == mid:
                break
            new = [need for need in self._unmet(at) if need not in came]
            came.update(dict.fromkeys(new, at))
            queue += new
        if mid not in came:
            return ""
        way = [mid, came[mid]]
        while way[-1] != mid:
            way.append(came[way[-1]])
        return " It depends on itself." if len(way) == 2 else f" They wait for each other: {' → '.join(way[::-1])}."


_DOCUMENTS = ("CONTEXT", "CONTEXT-DRAFT", "ROADMAP", "SUMMARY")
_FREE = Cause.ELIGIBLE, "All dependencies satisfied."
