"""A process that takes M001 back out and kills itself at the given announcement (argument 2, counted from 0)."""

import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

from milepost.git import undo


def main() -> None:
    root, fatal = Path(sys.argv[1]), int(sys.argv[2])
    announced = 0

    def journal(step: str, facts: Mapping[str, str]) -> None:
        nonlocal announced
        sys.stdout.write(f"{step} {facts['at']}\n")
        sys.stdout.flush()
        if announced == fatal:
            os.kill(os.getpid(), signal.SIGKILL)
        announced += 1

    outcome = undo.undo(root, "M001", "main", sys.argv[3], title="Store", push_to="origin", journal=journal)
    sys.stdout.write(f"{type(outcome).__name__} {getattr(outcome, 'already', '')}\n")


main()
