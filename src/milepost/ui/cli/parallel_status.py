"""`gsd parallel status` and `watch`: the documented status, then everything that it does not say.

Reads, never writes, and needs no coordinator. `--watch` draws anew every second on a terminal; elsewhere it prints a
block when something changed. It ends when nothing runs any more. Source: parallel PR-081, PR-195, PR-197, PR-245;
spec 4 (`parallel watch`), FM-54; issue "Health".
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from milepost.errors import ExitCode
from milepost.fleet.look import look
from milepost.store import preferences
from milepost.store.tally import Tally
from milepost.ui.cli import arguments, context, screen
from milepost.ui.views import fleet as view
from milepost.ui.views import fleet_json

_HOME = "\x1b[H"
_CLEAR = "\x1b[2J"
_TO_LINE_END = "\x1b[K"
_TO_SCREEN_END = "\x1b[J"


def parser(program: str, command: str) -> argparse.ArgumentParser:
    """The options."""
    made = arguments.Parser(
        prog=f"{program} parallel {command}", description="Every worker with its state, cause, unit and cost."
    )
    made.add_argument("--json", action="store_true", help="one JSON object; with --watch one a line at each change")
    made.add_argument("--watch", action="store_true", help="again and again, until nothing runs; Ctrl-C leaves")
    made.add_argument(
        "--interval",
        type=screen.interval,
        default=1.0,
        metavar="SECONDS",
        help="between two looks of --watch (default 1)",
    )
    return made


def run(argv: Sequence[str], program: str, command: str = "status") -> int:
    """Print it, once or again and again."""
    options = parser(program, command).parse_args(argv)
    shown = _Shown(context.find(program), program)
    if options.watch or command == "watch":
        try:
            return _watch(shown, options.interval, as_json=options.json)
        except KeyboardInterrupt:
            return ExitCode.DONE
    made = shown.board()
    sys.stdout.write(json.dumps(fleet_json.document(made)) + "\n" if options.json else view.text(made))
    return ExitCode.DONE


class _Shown:
    """The board, made anew each time it is asked for; the journal is read on from where it was."""

    def __init__(self, where: context.Where, program: str) -> None:
        self._where = where
        self._program = program
        self._state = Path(where.root, where.state_dir)
        self._tally = Tally(self._state)

    def board(self) -> view.Board:
        """What is true now."""
        where = self._where
        settings = preferences.load(where.root, where.home, state_dir=where.state_dir).preferences
        seen = look(self._state, now_ms=time.time_ns() // 1_000_000, events=self._tally.events)
        return view.board(seen, settings, self._program)


def _watch(shown: _Shown, interval_s: float, *, as_json: bool) -> int:
    made = shown.board()
    screen = sys.stdout.isatty() and not as_json
    show = _redrawn() if screen else _changed(as_json=as_json)
    show(made)
    while made.seen.active:
        time.sleep(interval_s)
        made = shown.board()
        show(made)
    if not as_json:
        sys.stdout.write(view.farewell(made) + "\n")
    return ExitCode.DONE


def _redrawn() -> Callable[[view.Board], None]:
    """Over itself, without a flicker."""
    sys.stdout.write(_CLEAR)

    def show(made: view.Board) -> None:
        lines = view.text(made).splitlines()
        drawn = "".join(f"{line}{_TO_LINE_END}\n" for line in lines)
        sys.stdout.write(f"{_HOME}{drawn}{_TO_SCREEN_END}")
        sys.stdout.flush()

    return show


def _changed(*, as_json: bool) -> Callable[[view.Board], None]:
    """A block whenever something other than the age of things changed."""
    last: list[tuple[object, ...]] = []

    def show(made: view.Board) -> None:
        now = view.signature(made)
        if last == [now]:
            return
        first = not last
        last[:] = [now]
        block = json.dumps(fleet_json.document(made)) + "\n" if as_json else view.text(made)
        sys.stdout.write(block if first or as_json else f"\n{block}")
        sys.stdout.flush()

    return show
