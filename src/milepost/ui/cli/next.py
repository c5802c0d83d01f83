"""`gsd next`: one unit, then stop. Source: spec auto 7."""

from collections.abc import Sequence

from milepost.ui.cli import running


def run(argv: Sequence[str], program: str) -> int:
    """Run one unit."""
    return running.run(argv, program, "next")
