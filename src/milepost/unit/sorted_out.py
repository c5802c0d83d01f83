"""A triage's answer, written into the project's `CAPTURES.md` by the program. May run twice.

Source: spec auto 2.7, 5.15; decision 0021.
"""

from contextlib import suppress

from milepost.errors import FormatError
from milepost.formats import captures
from milepost.formats.journal import CaptureTriaged
from milepost.formats.triage import Decision
from milepost.model.moments import iso
from milepost.model.units import Unit, UnitKind
from milepost.rules import captures as sorting
from milepost.store import notebook
from milepost.unit import neighbours
from milepost.unit.bench import Bench
from milepost.unit.put_right import tree_of


def book(unit: Unit, attempt: str, bench: Bench) -> None:
    """Mark each sorted capture; whose it is goes to the journal first. The answer itself is not kept."""
    if unit.kind is not UnitKind.TRIAGE_CAPTURES:
        return
    tree, state = tree_of(bench), bench.workspace.root_state
    open_ = {entry.id for entry in sorting.pending(notebook.text(state, notebook.CAPTURES))}
    others = {entry.id for entry in neighbours.open_besides(unit.milestone, bench)}
    for decision in sorting.decisions(tree, unit):
        if decision.capture in open_:
            _resolve(decision, decision.milestone if decision.milestone in others else "", unit, attempt, bench)
    (bench.workspace.state / sorting.path(tree, unit.milestone)).unlink(missing_ok=True)


def _resolve(decision: Decision, other: str, unit: Unit, attempt: str, bench: Bench) -> None:
    """other: the milestone that it is handed to; empty: it stays where it was sorted."""
    bench.journal.append(
        CaptureTriaged(
            at_ms=bench.now_ms(),
            run=bench.run,
            capture=decision.capture,
            classification=decision.classification,
            milestone=other or unit.milestone,
            slice="" if other else unit.slice or "",
            attempt=attempt,
        )
    )

    def edit(text: str) -> str:
        return captures.resolve(
            text,
            decision.capture,
            classification=decision.classification,
            resolution=decision.resolution or "—",
            rationale=decision.rationale or "—",
            at=iso(bench.now_ms()),
        )

    with suppress(FormatError):  # A person took it out of the file meanwhile.
        notebook.change(bench.workspace.root_state, notebook.CAPTURES, edit)
    what = f"{decision.classification}{f' for {other}' if other else ''}"
    bench.watcher.note(f"{decision.capture} is {what}: {decision.resolution or decision.rationale}")
