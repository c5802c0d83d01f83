"""Options, with complaints in the form of all others: one sentence, a hint, exit code 1.

argparse by itself would exit with 2, which here says that work is blocked.
"""

import argparse
from collections.abc import Callable
from contextlib import suppress
from contextvars import ContextVar
from difflib import get_close_matches
from typing import IO, NoReturn

from milepost.errors import MilepostError

_TAKEN: ContextVar["list[Parser] | None"] = ContextVar("_TAKEN", default=None)
"""Where parsers are noted instead of printing their help."""


class BadOption(MilepostError):
    """An option that does not exist, or a value that it cannot have."""


class Parser(argparse.ArgumentParser):
    """A parser that raises BadOption, with the option that was probably meant."""

    def error(self, message: str) -> NoReturn:
        """Raise."""
        unknown = message.removeprefix("unrecognized arguments: ")
        known = [option for action in self._actions for option in action.option_strings]
        close = get_close_matches(unknown.split()[0].split("=")[0], known, n=1) if unknown != message else []
        hint = f"Did you mean {close[0]}?" if close else f"`{self.prog} --help` lists the options."
        raise BadOption(message, hint=hint)

    def print_help(self, file: IO[str] | None = None) -> None:  # type: ignore[override]
        """Print it, unless only the parser is wanted (`of`)."""
        taken = _TAKEN.get()
        if taken is None:
            super().print_help(file)
        else:
            taken.append(self)

    def offered(self) -> tuple[str, ...]:
        """The options that `--help` names, then the words that a positional argument can be."""
        shown = [action for action in self._actions if action.help != argparse.SUPPRESS]
        options = [max(action.option_strings, key=len) for action in shown if action.option_strings]
        choices = [str(word) for action in shown if not action.option_strings for word in action.choices or ()]
        return (*options, *choices)


def of(helped: Callable[[], object]) -> Parser | None:
    """The parser whose help `helped` would print; it is not printed. None: it prints something of its own."""
    taken = list[Parser]()
    token = _TAKEN.set(taken)
    try:
        with suppress(SystemExit):
            helped()
    finally:
        _TAKEN.reset(token)
    return taken[0] if taken else None
