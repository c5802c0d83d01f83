"""`gsd config`: another name of `gsd keys`. Source: spec auto 7."""

from collections.abc import Sequence

from milepost.ui.cli import keys


def run(argv: Sequence[str], program: str) -> int:
    """List, set or remove keys."""
    return keys.run(argv, program, "config")
