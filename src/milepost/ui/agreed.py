"""A yes or no that a command asks for at the terminal before it does something."""

import sys


def agreed(question: str, *, untold: str) -> bool:
    """Whether the person says yes; anything else is no. untold: what is said where nobody can be asked."""
    if not sys.stdin.isatty():
        sys.stderr.write(f"{untold}\n")
        return False
    sys.stderr.write(f"{question} [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().casefold() in ("y", "yes")
