"""`--verbose` and `--events`: how much of a run is told while it goes on. Source: spec auto 7.1."""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TextIO

import msgspec

from milepost.agents.session import Event, ToolCall
from milepost.model.units import Unit
from milepost.rules import secrets
from milepost.ui import progress

OF_A_RUN: Final = ("unit-started", "tool-call", "tool-result", "usage", "session-ended", "note", "restart", "summary")
OF_A_SUPERVISOR: Final = ("question", "question-withdrawn", "held", "let-go")
"""Without these nobody can answer: with `--supervised` they are printed whatever `--events` says."""
EVENTS: Final = (*OF_A_RUN, *OF_A_SUPERVISOR)
"""The types of the lines that `--json` and `--supervised` print."""
_WIDEST: Final = 200


def add_options(parser: argparse.ArgumentParser) -> None:
    """`--verbose`, `--events`."""
    parser.add_argument("--verbose", action="store_true", help="name each tool call on stderr, with what it is for")
    parser.add_argument(
        "--events",
        metavar="TYPES",
        action=_Types,
        help=f"as --json, but only these (the summary always): {', '.join(OF_A_RUN[:-1])}",
    )


class _Types(argparse.Action):
    """Sets `json` as well, for whoever looks at that."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[object] | None,
        option_string: str | None = None,
    ) -> None:
        """Raises ArgumentError for a type that does not exist."""
        del parser, option_string
        named = tuple(name.strip() for name in str(values).split(",") if name.strip())
        unknown = [name for name in named if name not in EVENTS]
        if unknown or not named:
            why = f"there is no event {', '.join(map(repr, unknown))}" if unknown else "no event is named"
            raise argparse.ArgumentError(self, f"{why}; there are {', '.join(EVENTS)}")
        namespace.events = frozenset(named)
        namespace.json = True


def shown(options: argparse.Namespace, kind: str) -> bool:
    """Whether lines of that type are printed."""
    return options.events is None or kind in options.events


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A watcher that passes on what is to be told, without secrets, and names tool calls where that is wanted."""

    inner: progress.Closing
    known: tuple[str, ...]
    """Values that are never told."""
    tools: TextIO | None
    """Where tool calls are named; None: nowhere."""

    def unit_started(self, unit: Unit, attempt: str, number: int) -> None:
        """Pass it on."""
        self.inner.unit_started(unit, attempt, number)

    def session_event(self, event: Event) -> None:
        """Pass it on."""
        if isinstance(event, ToolCall):
            target = secrets.redact(progress.target(event), self.known)
            self._name(event.name, target)
            event = msgspec.structs.replace(event, args={"path": target} if target else {})
        self.inner.session_event(event)

    def note(self, text: str) -> None:
        """Pass it on."""
        self.inner.note(secrets.redact(text, self.known))

    def close(self) -> None:
        """Pass it on."""
        self.inner.close()

    def _name(self, tool: str, target: str) -> None:
        if self.tools is None:
            return
        line = progress.safe(f"{tool} {target}".strip())[:_WIDEST]
        # On a terminal the moving line of the progress stands there.
        erased = "\r\x1b[K" if self.tools.isatty() else ""
        try:
            self.tools.write(f"{erased}  · {line}\n")
            self.tools.flush()
        except (OSError, ValueError):
            return  # Nobody reads any more; the run goes on.


def watcher(options: argparse.Namespace, known: tuple[str, ...]) -> Told:
    """What the options want on standard output and standard error. known: values that are never told."""
    inner = progress.watcher(json_lines=options.json, stream=sys.stdout, only=options.events)
    return Told(inner=inner, known=known, tools=sys.stderr if options.verbose else None)
