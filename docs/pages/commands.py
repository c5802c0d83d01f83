"""`commands.md`: every command with its options, taken from the argument parsers themselves."""

import argparse
from typing import NoReturn
from unittest.mock import patch

from milepost.ui.cli import headless, parallel
from milepost.ui.cli.main import COMMANDS, main
from pages.prose import code, table

_INTRODUCTION = """\
# Commands

Each command also exists as `sf …`; `sf` prefers a `.sf/` directory where a project has no `.gsd/`. The project is the
nearest directory upwards that has one; inside `.gsd/worktrees/…` it is the project that owns the worktree.

`gsd help` lists the commands, `gsd` alone on a terminal opens a session; `gsd --version` prints the version;
`gsd COMMAND --help` says what stands here. How a command ends is described in
[Exit codes and states](exit-codes-and-states.md).
"""


class _Built(Exception):
    """The parser of a command, caught when it was about to read the command line."""

    def __init__(self, parser: argparse.ArgumentParser) -> None:
        super().__init__()
        self.parser = parser


def parser(*command: str) -> argparse.ArgumentParser:
    """The argument parser that `gsd COMMAND` uses."""

    def caught(built: argparse.ArgumentParser, _arguments: object = None, _namespace: object = None) -> NoReturn:
        raise _Built(built)

    # What a command must not do when its page is written: begin.
    with patch.multiple(argparse.ArgumentParser, parse_args=caught, parse_intermixed_args=caught):
        try:
            main(command, "gsd")
        except _Built as built:
            return built.parser
    raise LookupError(f"gsd {' '.join(command)} has no argument parser")


def page() -> str:
    """The page."""
    overview = table(("Command", ""), ((code(f"gsd {name}"), says) for name, (_, says) in COMMANDS.items()))
    own = {"headless": _headless, "parallel": _parallel}
    parts = [own[name]() if name in own else _section(name) for name in COMMANDS]
    return "\n".join([_INTRODUCTION, overview, *parts])


def _parallel() -> str:
    sections = (_section("parallel", name, heading="###") for name in parallel.SUBCOMMANDS)
    return "\n".join([f"## gsd parallel\n\n```\n{parallel.overview('gsd')}```\n", *sections])


def _section(*command: str, heading: str = "##") -> str:
    built = parser(*command)
    actions = [action for action in built._actions if action.help != argparse.SUPPRESS]  # noqa: SLF001 (no public list)
    rows = [(code(_names(action)), f"{action.help or ''}{_default(action)}") for action in actions]
    typed = " ".join(("gsd", *command))
    usage = " ".join([typed, *(_usage(action) for action in actions if action.dest != "help")])
    return f"{heading} {typed}\n\n```\n{usage}\n```\n\n{built.description}\n\n{table(('Option', ''), rows)}"


def _headless() -> str:
    return f"## gsd headless\n\n```\n{headless.USAGE}```\n"


def _names(action: argparse.Action) -> str:
    return ", ".join(action.option_strings) + _value(action) if action.option_strings else str(action.metavar)


def _usage(action: argparse.Action) -> str:
    return f"[{action.option_strings[-1]}{_value(action)}]" if action.option_strings else f"[{action.metavar}]"


def _value(action: argparse.Action) -> str:
    if action.nargs == 0:
        return ""
    return f" [{action.metavar}]" if action.nargs == "?" else f" {action.metavar}"


def _default(action: argparse.Action) -> str:
    shown = isinstance(action.default, int | float) and not isinstance(action.default, bool) and action.default
    said = "default" in (action.help or "")
    return f" (default {action.default:g})" if shown and not said else ""
