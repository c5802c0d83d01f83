"""A process that lands a slice and kills itself at the given announcement (argument 4, counted from 0)."""

import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

from git.arrange import plan_for
from milepost.git.land_slice import CheckResult, land_slice


def main() -> None:
    root, worktree, commit, fatal = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], int(sys.argv[4])
    announced = 0

    def journal(step: str, facts: Mapping[str, str]) -> None:
        nonlocal announced
        sys.stdout.write(f"{step} {facts['at']}\n")
        sys.stdout.flush()
        if announced == fatal:
            os.kill(os.getpid(), signal.SIGKILL)
        announced += 1

    def check(place: Path) -> CheckResult:
        return CheckResult(passed=(place / "src/store.py").exists() and not (place / "next.py").exists())

    plan = plan_for(root, worktree, push_to="origin", message="feat(M001/S01): Core\n")
    outcome = land_slice(plan, "S01", commit, journal=journal, check=check)
    sys.stdout.write(f"{type(outcome).__name__} {getattr(outcome, 'already', '')}\n")


main()
