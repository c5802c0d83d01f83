"""Milestones that are finished and not on their branch yet: complete by their files is not the same as merged.

Source: DESIGN rule 4.
"""

from collections.abc import Container

from milepost.model.state import State, Status
from milepost.rules.dispatch import Decision, Halt


def unmerged(state: State, worktrees: Container[str]) -> tuple[str, ...]:
    """Complete milestones that still have their worktree. `worktrees`: milestones that have one."""
    return tuple(e.id for e in state.registry if e.status is Status.COMPLETE and e.id in worktrees)


def honest(decision: Decision, state: State, worktrees: Container[str]) -> Decision:
    """`decision`, which says so when there is nothing left to do but to merge."""
    waiting = unmerged(state, worktrees)
    if not waiting or not isinstance(decision, Halt):
        return decision
    verb = "are" if len(waiting) > 1 else "is"
    return decision._replace(reason=f"{', '.join(waiting)} {verb} complete and not merged yet", hint="gsd auto merges.")
