"""Questions of a session to a person: put, answered, journaled, written down beside the plan.

    ask("Which database?", options) → asked → Answerer → answered → M001-DISCUSSION.md → the session goes on

A question that nobody answers is decided by the agent and stands among the assumptions; that, too, is in the journal.
Source: spec auto 1.2 (DISCUSSION); field-reports #27.
"""

import os
from collections.abc import Awaitable, Callable

from milepost.agents.session import NOBODY
from milepost.formats.journal import Answered, Asked
from milepost.formats.tree import milestone_path
from milepost.model.moments import iso_seconds
from milepost.model.units import Unit
from milepost.store import atomic
from milepost.unit.bench import Bench
from milepost.unit.put_right import tree_of


def asker(unit: Unit, attempt: str, bench: Bench) -> Callable[[str, tuple[str, ...]], Awaitable[str]]:
    """What the tool `ask` of a session calls; it returns what the agent is told.

    The question is in the journal before it is put, so that whoever looks from elsewhere sees that a person is
    waited for.
    """

    async def ask(question: str, options: tuple[str, ...]) -> str:
        name = f"q-{os.urandom(4).hex()}"
        bench.journal.append(
            Asked(
                at_ms=bench.now_ms(),
                run=bench.run,
                attempt=attempt,
                question=name,
                unit=unit.id,
                text=question,
                options=options,
            )
        )
        reply = await bench.answerer.ask(question, options)
        by = bench.answerer.name if reply is not None else ""
        bench.journal.append(
            Answered(at_ms=bench.now_ms(), run=bench.run, attempt=attempt, question=name, text=reply or "", by=by)
        )
        answer = "Answer: nobody was there; the agent decided" if reply is None else f"Answer ({by}): {reply}"
        _write_down(unit, question, options, answer, bench)
        return NOBODY if reply is None else reply

    return ask


def _write_down(unit: Unit, question: str, options: tuple[str, ...], answer: str, bench: Bench) -> None:
    """Add the exchange to the milestone's DISCUSSION file, which goes into the unit's commit."""
    state = bench.workspace.state
    path = state / milestone_path(tree_of(bench), unit.milestone, "DISCUSSION")
    old = path.read_text("utf-8", errors="surrogateescape") if path.is_file() else f"# {unit.milestone}: discussion\n"
    lines = [
        f"- Asked: {iso_seconds(bench.now_ms())}",
        *([f"- Options: {' | '.join(options)}"] if options else []),
        f"- {answer}",
    ]
    text = f"{old}\n## {unit.id}: {' '.join(question.split())}\n\n" + "".join(f"{line}\n" for line in lines)
    atomic.replace(path, text.encode("utf-8", "surrogateescape"), within=state)
