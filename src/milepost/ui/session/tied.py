"""A command that ends when whoever started it is gone, however that came about: its standard input ends then.

For commands that look again and again: nobody would ever end one whose session was killed.
"""

import os
import sys
import threading

from milepost.errors import ExitCode
from milepost.ui.cli import main


def gsd() -> None:
    """`gsd`, tied."""
    _tie()
    main.gsd()


def sf() -> None:
    """`sf`, tied."""
    _tie()
    main.sf()


def _tie() -> None:
    held = os.dup(sys.stdin.fileno())
    threading.Thread(target=_wait, args=(held,), daemon=True).start()


def _wait(held: int) -> None:
    while os.read(held, 1):
        pass
    os._exit(ExitCode.DONE)
