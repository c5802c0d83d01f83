"""The options that say how far one run may go: `--until`, `--max-cost`, `--max-time`. Source: rules.bounds."""

import argparse
from pathlib import Path

from milepost.model import money
from milepost.rules.bounds import PHASES, Bounds, duration_ms, until
from milepost.rules.derive import derive
from milepost.store.snapshot import Snapshot


def add_options(made: argparse.ArgumentParser) -> None:
    """Add them."""
    phases = ", ".join(PHASES)
    made.add_argument("--until", metavar="WHAT", help=f"stop when it is done: M001, M001/S02, a unit, or {phases}")
    add_cost(made)
    made.add_argument("--max-time", metavar="TIME", type=_time, help="start no unit after so long (90m, 2h, 1h30m)")


def add_cost(made: argparse.ArgumentParser) -> None:
    """`--max-cost`."""
    made.add_argument("--max-cost", metavar="USD", type=_usd, help="what this run may cost, watched as a ceiling is")


def bounds(options: argparse.Namespace, root: Path, state_dir: str) -> Bounds:
    """What they say. Raises BadTarget or BadId."""
    named = options.until
    tree = Snapshot(str(root), state_dir)
    goal = until(named, derive(tree), tree) if named else None
    return Bounds(until=goal, cost_micro_usd=options.max_cost, time_ms=options.max_time)


def _usd(text: str) -> int:
    try:
        micro = money.from_usd(float(text.removeprefix("$")))
    except (ValueError, OverflowError):
        micro = 0
    if micro <= 0:
        raise argparse.ArgumentTypeError("must be an amount in USD above 0")
    return micro


def _time(text: str) -> int:
    found = duration_ms(text)
    if found is None:
        raise argparse.ArgumentTypeError("must be a time like 90m, 2h or 1h30m")
    return found
