"""Units that owe no file of the plan: a hook, a quick task. They count as done when their session came to its own end.

A session that was cut off, by a crash, a provider or a limit, has not done them, whatever it left. A quick task in
which no tool was called was not carried out. A hook whose settings name its file (`artifact`) owes that one: the word
of an agent is no evidence. Source: spec auto 4.2 (not verifiable), 5.16, 8.1, 8.15.
"""

from milepost.agents.session import Stop
from milepost.formats.journal import SessionEnded
from milepost.model.units import Unit, UnitKind
from milepost.rules import hooks
from milepost.rules.done import Owed
from milepost.unit.bench import Bench
from milepost.unit.put_right import tree_of


def owed(unit: Unit, attempt: str, bench: Bench) -> tuple[Owed, ...]:
    """Why the unit is not done; empty when it is, and for a unit that owes files."""
    if unit.kind not in (UnitKind.HOOK, UnitKind.QUICK_TASK):
        return ()
    ends = [e for e in bench.journal.own() if isinstance(e, SessionEnded) and e.attempt == attempt]
    if not ends or ends[-1].stop != Stop.END:
        return (Owed("its session", "was cut off"),)
    if unit.kind is UnitKind.QUICK_TASK and not ends[-1].tool_calls:
        return (Owed("its session", "changed nothing"),)
    return _file(unit, bench) if unit.kind is UnitKind.HOOK else ()


def _file(unit: Unit, bench: Bench) -> tuple[Owed, ...]:
    """From the settings, not from what the session was told: a recovery has only those."""
    named = next((hook.artifact for hook in bench.preferences.post_unit_hooks if hook.name == unit.name), None)
    path = hooks.file_of(named, unit, tree_of(bench)) if named else None
    if path is None or (bench.workspace.state / path).is_file():
        return ()
    return (Owed(f"{bench.workspace.state_dir}/{path}", "is missing"),)
