"""`gsd logs`: the journal as readable lines, a session's transcript, a worker's own output; followed while it grows.

    gsd logs                           the latest events of the project
    gsd logs M002 | RUN | M001/S01/T01 those of a milestone, a run, a unit
    gsd logs T01 --transcript          what was said and done in a unit's sessions; alone: in the latest session
    gsd logs --errors -f               what goes wrong, as it does

Reads, never writes. Source: spec auto 5.7, 7; DESIGN rule 10.
"""

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec

from milepost.doctor import trace
from milepost.errors import ExitCode, MilepostError
from milepost.formats.journal import AnyEvent, AttemptStarted, RunStarted
from milepost.store.journal import Journal
from milepost.store.tally import Tally
from milepost.ui.cli import arguments, context, screen
from milepost.ui.views import happenings, log_lines
from milepost.ui.views.parallel_text import plain

_DATE_AND_TIME = "%Y-%m-%d %H:%M:%S"


class NothingSuch(MilepostError):
    """Logs of something that the journal does not know."""


def parser(program: str) -> argparse.ArgumentParser:
    """The options."""
    made = arguments.Parser(
        prog=f"{program} logs", description="What happened, line by line: events, transcripts, workers' output."
    )
    made.add_argument("about", nargs="?", default="", metavar="ABOUT", help="a unit, a milestone, a run; nothing: all")
    made.add_argument("-f", "--follow", action="store_true", help="go on as more comes; Ctrl-C leaves")
    made.add_argument("-n", "--lines", type=_count, default=40, metavar="N", help="the last N lines (default 40)")
    kind = made.add_mutually_exclusive_group()
    kind.add_argument("--events", action="store_true", help="the journal (default)")
    kind.add_argument("--transcript", action="store_true", help="what was said and done in the sessions")
    kind.add_argument("--errors", action="store_true", help="only what went wrong, in journal and sessions")
    kind.add_argument("--worker", action="store_true", help="what the latest worker of a milestone printed")
    made.add_argument("--interval", type=screen.interval, default=0.5, metavar="SECONDS", help=argparse.SUPPRESS)
    made.add_argument("--json", action="store_true", help="events as they stand in the journal, a JSON object a line")
    return made


def run(argv: Sequence[str], program: str) -> int:
    """Print them."""
    options = parser(program).parse_args(argv)
    where = context.find(program)
    state = Path(where.root, where.state_dir)
    if options.worker:
        source: Callable[[], list[str]] = _worker(state, options.about, program)
    else:
        log = _Log(state, options)
        log.require(program)
        source = log.lines
    try:
        return _print(source, options)
    except KeyboardInterrupt:
        return ExitCode.DONE


def _print(source: Callable[[], list[str]], options: argparse.Namespace) -> int:
    """The last lines, then what is added to them."""
    lines = source()
    if not (lines or options.json or options.follow):
        _put(["No errors." if options.errors else "Nothing yet."])
    _put(lines[-options.lines :])
    while options.follow:
        time.sleep(options.interval)
        known, lines = Counter(lines), source()
        _put([line for line in lines if not _taken(known, line)])
    return ExitCode.DONE


def _taken(known: Counter[str], line: str) -> bool:
    """Whether the line was there before. Of several writers, one may add a line before the others' last ones."""
    known[line] -= 1
    return known[line] >= 0


def _put(lines: Sequence[str]) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()


class _Log:
    """The lines that were asked for, made anew each time; more events only add lines."""

    def __init__(self, state: Path, options: argparse.Namespace) -> None:
        self._state = state
        self._options = options
        self._tally = Tally(state)
        self._ours = _chosen(options.about)

    def require(self, program: str) -> None:
        """Raise NothingSuch for what the journal does not know."""
        about = self._options.about
        if about and not any(self._ours(event, {}) for event in self._tally.events()):
            names = log_lines.units(self._tally.events())
            if not any(self._ours(event, names) for event in self._tally.events()):
                raise NothingSuch(f"{about}: nothing in the journal is about it", hint=f"{program} logs shows all.")

    def lines(self) -> list[str]:
        """All lines so far."""
        events = self._tally.events()
        names = log_lines.units(events)
        mine = [event for event in events if self._ours(event, names)]
        if self._options.transcript:
            return list(self._transcripts(mine))
        if self._options.json:
            chosen = [e for e in mine if not self._options.errors or happenings.trouble(e)]
            return [json.dumps(msgspec.to_builtins(event)) for event in chosen]
        if not self._options.errors:
            return [log_lines.event(event, names, _clock) for event in mine]
        return list(self._errors(mine, names))

    def _errors(self, mine: Sequence[AnyEvent], names: dict[str, str]) -> Iterator[str]:
        begun = {e.attempt: e for e in mine if isinstance(e, AttemptStarted)}
        for event in mine:
            if happenings.trouble(event):
                yield log_lines.event(event, names, _clock)
            attempt = begun.get(getattr(event, "attempt", ""))
            if attempt is not None and happenings.tag(event) == "session-ended":
                said = trace.read(self._state / attempt.transcript)
                yield from (f"    {line}" for line in log_lines.entries(said, errors=True))

    def _transcripts(self, mine: Sequence[AnyEvent]) -> Iterator[str]:
        begun = [e for e in mine if isinstance(e, AttemptStarted) and e.transcript]
        for event in begun if self._options.about else begun[-1:]:
            yield f"-- {event.kind} {event.unit}, attempt {event.number}, {_clock(event.at_ms)}, {event.transcript}"
            yield from log_lines.entries(trace.read(self._state / event.transcript), prompt=True)


def _chosen(about: str) -> Callable[[AnyEvent, dict[str, str]], bool]:
    """Whether an event is about what was asked for: a run, an attempt, a milestone, a unit by any of its names."""

    def ours(event: AnyEvent, names: dict[str, str]) -> bool:
        if not about:
            return True
        attempt, milestone = str(getattr(event, "attempt", "")), str(getattr(event, "milestone", ""))
        if about in (event.run, attempt, milestone, str(getattr(event, "worker_run", ""))):
            return True
        kind, _, unit = names.get(attempt, "").partition(" ")
        if isinstance(event, AttemptStarted):
            kind, unit = event.kind, event.unit
        named = (unit, f"{kind}/{unit}", f"{kind} {unit}")
        return bool(unit) and (about in named or unit.startswith(f"{about}/") or unit.endswith(f"/{about}"))

    return ours


def _worker(state: Path, milestone: str, program: str) -> Callable[[], list[str]]:
    """Output and complaints of a milestone's latest worker; without a milestone: of the latest of all."""
    runs = [e for e in Journal(state, "project").everything() if isinstance(e, RunStarted) and e.milestone]
    mine = [e for e in runs if milestone in ("", e.milestone, e.run)]
    if not mine:
        raise NothingSuch(f"{milestone or 'the project'} had no worker", hint=f"{program} logs shows the events.")
    last = mine[-1]
    box = state / "parallel" / "logs"

    def lines() -> list[str]:
        found = []
        for end in ("err", "out"):
            try:
                text = (box / f"{last.milestone}.{last.run}.{end}").read_text(errors="replace")
            except OSError:
                continue
            found += [plain(line) for line in text.splitlines()]
        return found

    return lines


def _clock(at_ms: int) -> str:
    return time.strftime(_DATE_AND_TIME, time.localtime(at_ms / 1000))


def _count(text: str) -> int:
    try:
        found = int(text)
    except ValueError:
        found = 0
    if found < 1:
        raise argparse.ArgumentTypeError("must be a whole number from 1 up")
    return found
