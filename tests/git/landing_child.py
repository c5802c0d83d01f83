"""A process that lands a milestone and kills itself at the given announcement (argument 3, counted from 0)."""

import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

from git.arrange import plan_for
from milepost.git import merge
from milepost.git.merge import CheckResult


def main() -> None:
    root, worktree, fatal = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    announced = 0

    def journal(step: str, facts: Mapping[str, str]) -> None:
        nonlocal announced
        sys.stdout.write(f"{step} {facts['at']}\n")
        sys.stdout.flush()
        if announced == fatal:
            os.kill(os.getpid(), signal.SIGKILL)
        announced += 1

    def check(place: Path) -> CheckResult:
        return CheckResult(passed=(place / "src/store.py").exists())

    outcome = merge.land(plan_for(root, worktree, push_to="origin"), journal=journal, check=check)
    sys.stdout.write(f"{type(outcome).__name__} {getattr(outcome, 'kept', '')}\n")


main()
