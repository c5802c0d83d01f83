"""`gsd headless auto --max-restarts N`: a run that died of an error is begun again, after 5, 10 and then 30 seconds.

The process is replaced by a fresh one with the same number, so that nothing of the old one is left: no module, no
thread, no lock. What the run had begun is settled by the next one from disk, as after any crash. Not begun again is
what a person ended, what never began, a machine that is out of something, a parallel worker (its coordinator does
that), and a run whose units, money or time the command line bounds. `headless new-milestone --auto` is begun again as
`headless auto`, once its milestone has been discussed. Source: spec auto 7.1, 10.1.
"""

import argparse
import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from types import FrameType, TracebackType
from typing import Final

from milepost.errors import ExitCode, MilepostError
from milepost.rules.limits import scale
from milepost.rules.provider_errors import exhausted
from milepost.ui import progress
from milepost.ui.cli import arguments, assigned, running, telling
from milepost.worker.shift import Shift

BACKOFF_S: Final = (5.0, 10.0, 30.0)
"""Before the first, the second, and every later restart."""
MOST: Final = 3


class CalledOff(MilepostError):
    """Somebody interrupted the wait for a restart."""

    exit_code = ExitCode.INTERRUPTED


class Restarts:
    """What is known of the restarts of one run; begins none itself."""

    def __init__(self, *, most: int, done: int, ready: Callable[[], bool] = lambda: True) -> None:
        """done: restarts so far. ready: whether there is something that could be begun again."""
        self.most = most
        self.done = done
        self._ready = ready
        self.shift: Shift | None = None
        """The run, once it has begun."""

    def due(self, error: BaseException) -> bool:
        """Whether the run is to be begun again after it died of `error`."""
        if self.shift is None or self.shift.stop.is_set() or self.done >= self.most or not self._ready():
            return False
        if isinstance(error, MilepostError):
            return error.exit_code is ExitCode.ERROR
        return isinstance(error, Exception) and not (isinstance(error, OSError) and exhausted([error.errno]))


class _Guard:
    """Takes the error that a run is begun again after; lets every other one out."""

    def __init__(self, restarts: Restarts) -> None:
        self._restarts = restarts
        self.error: Exception | None = None

    def __enter__(self) -> "_Guard":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> bool:
        if isinstance(error, Exception) and self._restarts.due(error):
            self.error = error
        return self.error is not None


def auto(words: Sequence[str], argv: Sequence[str], program: str) -> int:
    """Run. words: the options; argv: all that followed `headless`, as this very process was given it."""
    ours, rest = _options(program).parse_known_args(words)
    options = running.parser(program, "auto").parse_args([*rest, "--headless"])
    if ours.restarted:
        options.retry = None  # It was obeyed by the first of them.
    options.restarts = Restarts(most=most(ours.max_restarts, options, argv), done=ours.restarted)
    return run(options, program, "auto", lambda: [*before(argv), *(argv or ["auto"])])


def run(options: argparse.Namespace, program: str, command: str, words: Callable[[], Sequence[str]]) -> int:
    """Start, with `options.restarts`. words: the command line of a fresh process, asked for when there is to be one."""
    restarts: Restarts = options.restarts
    began, code = time.monotonic(), int(ExitCode.ERROR)
    with _Guard(restarts) as guard:
        code = running.start(options, program, command)
    if guard.error is None:
        return code
    left_ms = max(1, options.timeout - round((time.monotonic() - began) * 1000)) if options.timeout else 0
    told = telling.shown(options, "restart")
    _begin_again(guard.error, restarts.done + 1, words(), left_ms, told=told)
    return code


def most(wanted: int, options: argparse.Namespace, argv: Sequence[str]) -> int:
    """How often the run may be begun again. argv: all that followed `headless`."""
    bounded = options.max_units or options.max_cost or options.max_time
    known = sys.orig_argv[-len(argv) :] == list(argv) if argv else sys.orig_argv[-1:] == ["headless"]
    return wanted if known and not bounded and assigned.read(os.environ) is None else 0


def before(argv: Sequence[str]) -> list[str]:
    """What this process was started with, up to `headless`."""
    return sys.orig_argv[: len(sys.orig_argv) - len(argv)]


def _options(program: str) -> argparse.ArgumentParser:
    made = arguments.Parser(prog=f"{program} headless auto", add_help=False, allow_abbrev=False)
    made.add_argument("--max-restarts", metavar="N", type=number, default=MOST)
    made.add_argument("--restarted", metavar="N", type=number, default=0)
    return made


def _begin_again(error: Exception, times: int, words: Sequence[str], left_ms: int, *, told: bool) -> None:
    """Say why, wait, and become a fresh process. told: whether that is a line of its own."""
    if not isinstance(error, MilepostError | OSError):
        traceback.print_exception(error)
    wait_s = BACKOFF_S[min(times, len(BACKOFF_S)) - 1] * scale(os.environ)
    line = {"type": "restart", "number": times, "reason": str(error), "delayMs": round(wait_s * 1000)}
    try:
        signal.signal(signal.SIGTERM, _leave)
        if told:
            sys.stdout.write(json.dumps(line) + "\n")
            sys.stdout.flush()
        time.sleep(wait_s)
    except KeyboardInterrupt:
        called_off = CalledOff("interrupted before a restart", hint="gsd auto goes on from here.")
        progress.failure(called_off, restarts=times - 1)
        raise called_off from None
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    sys.stderr.flush()
    timeout = ["--timeout", str(left_ms)] if left_ms else []
    again = [*words, *timeout, "--restarted", str(times)]
    os.execv(sys.executable, again)  # noqa: S606 - this very program, as it was started


def _leave(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def number(text: str) -> int:
    """The value of `--max-restarts`."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError("must be a whole number, 0 for none")
    return int(text)
