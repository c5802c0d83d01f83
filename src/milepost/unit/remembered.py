"""What is known by the time a unit begins, as its system prompt says it.

Read afresh for every session, from the root: what one worker learnt is told to all at their next unit.
Source: spec auto 5.17, 5.19.
"""

from milepost.prompts import memories as prompts
from milepost.rules import memories as rules
from milepost.store import memories
from milepost.unit.bench import Bench


def told(bench: Bench) -> str:
    """The part of the system prompt; empty when nothing is known, or `memory.enabled` is false."""
    if bench.preferences.memory.enabled is False:
        return ""
    return prompts.block(rules.fold(memories.read(bench.workspace.root_state)))
