"""What is to be done about captured thoughts: which wait to be sorted, and which were sorted and wait for their end.

A fold over `CAPTURES.md` and the journal, asked afresh at each seam, so that a crash loses none and repeats none.
Source: spec auto 2.7, 5.15; decision 0021.
"""

from collections.abc import Iterable
from typing import NamedTuple

from milepost.formats import captures, triage
from milepost.formats.captures import Capture
from milepost.formats.journal import AnyEvent, AttemptEnded, AttemptStarted, CaptureTriaged, Result, RunEnded
from milepost.formats.tree import Tree, milestone_dir, read, root_file
from milepost.formats.triage import Decision
from milepost.model.units import TRIAGE, Unit, UnitKind

STOPPING = frozenset({"stop", "backtrack"})
"""Classes for a person: going back over finished work destroys what was paid for, so it is not done by itself."""


class Standing(NamedTuple):
    """A sorted capture that waits for its end."""

    capture: Capture
    said: bool = False
    """Of a stop: a run has ended for it. Of a quick task: it is committed. Of a deferred one: it was shown."""


def unit(milestone: str, slice_id: str, waiting: Iterable[Capture]) -> Unit:
    """The triage of these captures."""
    place = f"{milestone}/{slice_id}" if slice_id else milestone
    return Unit(UnitKind.TRIAGE_CAPTURES, f"{place}/{TRIAGE}", ",".join(entry.id for entry in waiting))


def quick(milestone: str, capture: str) -> Unit:
    """The unit that carries a quick task out."""
    return Unit(UnitKind.QUICK_TASK, f"{milestone}/{capture}")


def pending(text: str) -> tuple[Capture, ...]:
    """The captures that nobody has sorted."""
    return tuple(entry for entry in captures.parse(text) if entry.status == "pending")


def path(tree: Tree, milestone: str) -> str:
    """Where a triage session writes its answer."""
    return f"{milestone_dir(tree, milestone) or f'milestones/{milestone}'}/{milestone}-TRIAGE.json"


def decisions(tree: Tree, triaged: Unit) -> tuple[Decision, ...]:
    """What a triage decided about the captures it was asked about: its answer, else the fields of its CAPTURES.md."""
    answer = tree.text(path(tree, triaged.milestone)) or ""
    asked = frozenset(triaged.name.split(",")) - {""}
    found = triage.parse(answer) if answer.strip() else _from_fields(read(tree, root_file(tree, "CAPTURES")))
    return tuple(one for one in found if not asked or one.capture in asked)


def _from_fields(text: str) -> tuple[Decision, ...]:
    sorted_ = (entry for entry in captures.parse(text) if entry.status != "pending" and entry.classification)
    return tuple(Decision(e.id, e.classification, e.resolution, e.rationale) for e in sorted_ if not e.executed)


def waiting(text: str, events: Iterable[AnyEvent], milestone: str, *, alone: bool) -> tuple[Standing, ...]:
    """The sorted captures that are this milestone's to see to, in the order of the file.

    alone: nobody else works here, so that what somebody sorted by hand, or in GSD, is taken as well.
    """
    known = tuple(events)
    owner = {e.capture: e.milestone for e in known if isinstance(e, CaptureTriaged)}
    mine = (
        entry
        for entry in captures.parse(text)
        if entry.status != "pending" and entry.classification not in ("", "note") and not entry.executed
        if owner.get(entry.id, milestone if alone else "") == milestone or entry.classification == "defer"
    )
    return tuple(Standing(entry, _said(entry, known, milestone)) for entry in mine)


def deferred(text: str) -> tuple[Capture, ...]:
    """Those that the next reassessment is to be shown."""
    found = captures.parse(text)
    return tuple(e for e in found if e.classification == "defer" and e.status != "pending" and not e.executed)


def _said(entry: Capture, events: tuple[AnyEvent, ...], milestone: str) -> bool:
    if entry.classification in STOPPING:
        return any(isinstance(e, RunEnded) and entry.id in e.reason for e in events)
    started = {e.attempt: e for e in events if isinstance(e, AttemptStarted)}
    over = [started[e.attempt] for e in events if isinstance(e, AttemptEnded) and _good(e) and e.attempt in started]
    if entry.classification in ("quick-task", "inject"):  # An injected one may have come too late for a plan.
        return any(quick(milestone, entry.id).key == f"{begun.kind}/{begun.unit}" for begun in over)
    if entry.classification == "defer":
        shown = (begun for begun in over if begun.kind == UnitKind.REASSESS_ROADMAP)
        return any(begun.at_ms >= since_ms(entry.resolved) for begun in shown)
    return False


def _good(end: AttemptEnded) -> bool:
    return end.result is Result.COMMITTED


def since_ms(iso: str) -> float:
    """An ISO time in epoch milliseconds; infinite for a text that is none."""
    from datetime import datetime

    try:
        return datetime.fromisoformat(iso).timestamp() * 1000
    except ValueError:
        return float("inf")
