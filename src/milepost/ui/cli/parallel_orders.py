"""`gsd parallel pause|resume|rebase|stop|panic [MID ...]`: orders from any terminal, with their effect.

The documented sentence comes when all that were meant did take the order, then a line for each with how long it
took. Asking for what is so already is no error. Source: parallel PR-082 to PR-087, PR-100 to PR-104, PR-326, PR-328,
DV-12, DV-29, 1.5; issue "Signals".
"""

import argparse
import getpass
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from milepost.errors import ExitCode, MilepostError
from milepost.fleet import orders, panic, stopping
from milepost.fleet.look import Look, look
from milepost.fleet.orders import Answer, Sent
from milepost.fleet.processes import Role
from milepost.fleet.worker_look import landed
from milepost.formats.signal import Order
from milepost.ui.cli import arguments, context
from milepost.ui.views import parallel_text
from milepost.ui.views.spans import seconds

_WAIT_S = {"stop": 60.0}
_SAYS = {
    "stop": "End all workers and their coordinator, or the named ones; worktrees and branches stay.",
    "pause": "Let each worker finish its unit, then wait, until resume or stop.",
    "resume": "Let paused workers go on.",
    "rebase": "Bring the target into the milestone branches at the next boundary of a unit.",
    "panic": "Kill everything of the fleet now; nothing in git is touched.",
}


class NotAllAnswered(MilepostError):
    """An order was given and not every worker took it."""


class StillThere(MilepostError):
    """Something could not be ended."""


def parser(program: str, command: str) -> argparse.ArgumentParser:
    """The options."""
    made = arguments.Parser(prog=f"{program} parallel {command}", description=_SAYS[command])
    made.add_argument("milestones", nargs="*", metavar="MID", help="only these; none: all")
    if command != "panic":
        wait_s = _WAIT_S.get(command, 10.0)
        made.add_argument(
            "--wait", type=_seconds, default=wait_s, metavar="SECONDS", help=f"how long to wait (default {wait_s:.0f})"
        )
    return made


def run(argv: Sequence[str], program: str, command: str) -> int:
    """Give the order and say what came of it."""
    options = parser(program, command).parse_args(argv)
    where = context.find(program)
    asked = _Asked(Path(where.root, where.state_dir), program, command)
    seen = look(asked.state, now_ms=_now_ms())
    milestones = orders.require_known(options.milestones, seen)
    if command == "panic":
        return _panic(asked, milestones, seen)
    if command == "stop":
        return _stop(asked, milestones, seen, options.wait)
    return _give(asked, Order(command), milestones, seen, options.wait)


class _Asked:
    """Who gave the order, and where."""

    def __init__(self, state: Path, program: str, command: str) -> None:
        self.state = state
        self.program = program
        self.command = command
        self.run = f"o{_now_ms():013d}-{os.urandom(3).hex()}"
        self.sender = _user()

    def say(self, *lines: str) -> None:
        """At once: an order may take a while."""
        for line in lines:
            sys.stdout.write(parallel_text.plain(line) + "\n")
        sys.stdout.flush()


def _give(asked: _Asked, order: Order, milestones: tuple[str, ...], seen: Look, wait_s: float) -> int:
    if not milestones and not seen.active:
        asked.say(parallel_text.INACTIVE)
        return ExitCode.DONE
    sent = orders.give(asked.state, order, milestones, seen, sender=asked.sender, run=asked.run, now_ms=_now_ms)
    answers = sorted(orders.await_answers(asked.state, sent, wait_s=wait_s), key=lambda one: one.milestone)
    silent = [one for one in answers if one.answer is Answer.SILENT]
    if not silent and order is not Order.REBASE:
        asked.say(*_documented(order, milestones))
    asked.say(*(_line(one, asked, seen) for one in answers))
    if not answers:
        asked.say("No worker is running.")
    if silent:
        names = ", ".join(one.milestone for one in silent)
        raise NotAllAnswered(
            f"{names} did not answer for {wait_s:.0f} s; the order waits there",
            hint=f"{asked.program} parallel status; {asked.program} parallel stop ends it by force.",
        )
    return ExitCode.DONE


def _documented(order: Order, milestones: tuple[str, ...]) -> list[str]:
    says = parallel_text.paused if order is Order.PAUSE else parallel_text.resumed
    return [says(milestone) for milestone in milestones or ("",)]


def _line(one: Sent, asked: _Asked, seen: Look) -> str:
    done = {Order.PAUSE: "is paused", Order.RESUME: "runs", Order.REBASE: "brings its target in"}[one.order]
    will = {Order.PAUSE: "will pause", Order.RESUME: "will go on", Order.REBASE: "will bring its target in"}[one.order]
    took = seconds(one.after_ms)
    match one.answer:
        case Answer.DONE:
            return f"{one.milestone} {done} after {took}"
        case Answer.LATER:
            after = f" after {one.unit}" if one.unit else " at the next boundary"
            return f"{one.milestone} {will}{after} (order taken after {took})"
        case Answer.ALREADY:
            after = f", or will be after {one.unit}" if one.unit and one.order is Order.PAUSE else ""
            return f"{one.milestone} {done} already{after}"
        case Answer.GONE:
            return f"{one.milestone} ended before it took the order"
        case Answer.SILENT:
            return f"{one.milestone} has not answered for {took}"
        case Answer.NOT_RUNNING:
            return _over(one.milestone, seen) or f"{one.milestone} is not running; {_kept_order(one, asked, seen)}"


def _over(milestone: str, seen: Look) -> str:
    """What is said of a milestone that no worker is needed for any more."""
    if landed(seen.fleet.of(milestone)):
        return f"{milestone} is merged; no worker is needed for it"
    if milestone in seen.unmerged:
        return f"{milestone} is complete and waits to be merged; no worker is needed for it"
    return ""


def _kept_order(one: Sent, asked: _Asked, seen: Look) -> str:
    match one.order:
        case Order.PAUSE:
            return f"it will not be started before {asked.program} parallel resume {one.milestone}, or a new start"
        case Order.RESUME if seen.coordinator is not None:
            return "its coordinator starts it when its turn comes"
        case Order.RESUME:
            return f"{asked.program} parallel start starts it"
        case _:
            return "only a running worker brings its target in, and a merge does that by itself"


def _stop(asked: _Asked, milestones: tuple[str, ...], seen: Look, wait_s: float) -> int:
    if not milestones and not seen.active:
        asked.say(parallel_text.INACTIVE, "There was nothing to stop.")
        return ExitCode.DONE
    ended = []
    for one in stopping.stop(
        asked.state,
        milestones,
        sender=asked.sender,
        run=asked.run,
        wait_s=wait_s,
        now_ms=_now_ms,
        unwritten=lambda error: _unwritten(asked, error),
    ):
        ended.append(one)
        asked.say(_ended_line(one))
    idle = [mid for mid in milestones if mid not in {one.runner.milestone for one in ended}]
    held = "was not running; it will not be started before a new start or resume"
    asked.say(*(_over(mid, seen) or f"{mid} {held}" for mid in idle))
    concerned = milestones or tuple(one.runner.milestone for one in ended if one.runner.role is Role.WORKER)
    for left in stopping.kept(asked.state, concerned):
        backup = f", and its work in progress as {left.backup}" if left.backup else ""
        where = os.path.relpath(left.worktree, asked.state.parent)
        asked.say(f"{left.milestone} is kept in {where} on {left.branch}{backup}")
    if bad := [one.runner.named for one in ended if not one.gone]:
        raise StillThere(f"still there: {', '.join(bad)}", hint=f"{asked.program} parallel panic")
    asked.say(*(parallel_text.stopped(milestone) for milestone in milestones or ("",)))
    return ExitCode.DONE


def _ended_line(one: stopping.Ended) -> str:
    took = seconds(one.after_ms)
    extra = f"; {_processes(one.swept)} of it ended with it" if one.swept else ""
    if one.unreachable:
        return f"{one.runner.named} cannot be reached from here"
    if one.survivors:
        return f"{one.runner.named} did not end, also when it was killed"
    return f"{one.runner.named} {'was ended by force' if one.forced else 'ended'} after {took}{extra}"


def _panic(asked: _Asked, milestones: tuple[str, ...], seen: Look) -> int:
    done = panic.panic(asked.state, milestones, sender=asked.sender, run=asked.run, now_ms=_now_ms)
    if done.unwritten is not None:
        _unwritten(asked, done.unwritten)
    if not done.killed and not done.unreachable:
        asked.say("Nothing of the fleet was running.")
        return ExitCode.DONE
    if done.killed:
        names = ", ".join(runner.named for runner in done.killed)
        asked.say(f"Killed {names}: {_processes(done.processes)} in {seconds(done.after_ms)}.")
        asked.say("Nothing in git was touched; what was in flight lies in the worktrees.")
        # A coordinator that lives starts it again when it is told to; a second one would be refused.
        alone = not milestones or seen.coordinator is None
        again = "start" if alone else f"resume {' '.join(milestones)}"
        asked.say(f"{asked.program} parallel {again} settles it and goes on.")
    if done.survivors or done.unreachable:
        left = [runner.named for runner in done.unreachable] + [f"pid {pid}" for pid in done.survivors]
        raise StillThere(f"still there: {', '.join(left)}", hint=f"{asked.program} doctor")
    return ExitCode.DONE


def _processes(number: int) -> str:
    return "1 process" if number == 1 else f"{number} processes"


def _unwritten(asked: _Asked, error: OSError) -> None:
    sys.stderr.write(f"{asked.program}: the order could not be written down ({error.strerror or error})\n")


def _seconds(text: str) -> float:
    try:
        found = float(text)
    except ValueError:
        found = -1.0
    if not 0 <= found <= 86_400:
        raise argparse.ArgumentTypeError("must be a number of seconds, at most a day")
    return found


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "a person"


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
