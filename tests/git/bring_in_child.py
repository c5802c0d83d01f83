"""A process that merges into a milestone's branch and kills itself at the given announcement (counted from 0)."""

import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

from git.arrange import head
from milepost.git import bring_in


def main() -> None:
    what, root, worktree, fatal = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4])
    announced = 0

    def journal(step: str, facts: Mapping[str, str]) -> None:
        nonlocal announced
        sys.stdout.write(f"{step} {facts['at']}\n")
        sys.stdout.flush()
        if announced == fatal:
            os.kill(os.getpid(), signal.SIGKILL)
        announced += 1

    match what:
        case "begin":
            onto = head(root, "main")
            outcome: object = bring_in.begin(
                root, worktree, "milestone/M001", onto, mid="M001", leave=True, journal=journal
            )
        case "conclude":
            outcome = bring_in.conclude(worktree, "milestone/M001", "merge(M001): by hand\n", journal=journal)
        case _:
            outcome = bring_in.abandon(worktree, journal=journal)
    sys.stdout.write(f"{type(outcome).__name__}\n")


main()
