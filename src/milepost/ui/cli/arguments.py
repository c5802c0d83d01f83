"""Options, with complaints in the form of all others: one sentence, a hint, exit code 1.

argparse by itself would exit with 2, which here says that work is blocked.
"""

import argparse
from difflib import get_close_matches
from typing import NoReturn

from milepost.errors import MilepostError


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
