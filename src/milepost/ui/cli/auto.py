"""`gsd auto`: work through the plan. Source: spec auto 5.2."""

from collections.abc import Sequence

from milepost.ui.cli import running


def run(argv: Sequence[str], program: str) -> int:
    """Run until done, blocked, paused, out of budget or interrupted."""
    return running.run(argv, program, "auto")
