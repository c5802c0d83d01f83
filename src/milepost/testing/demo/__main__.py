"""`make demo`: a small real repository, a plan of three milestones, and `gsd parallel start` on it to the end.

Real: the repository, the worktrees, the workers, the files, the test runs, the commits and the merges. The model's
part is a recording, unless a model is named. The repository stays where it is, to be looked at.
"""

import argparse
import os
import tempfile
from pathlib import Path

from milepost.testing.demo import project, tour
from milepost.testing.demo.record import CASSETTE


def main() -> int:
    """Make it, run it, show it."""
    options = _options()
    root = Path(tempfile.mkdtemp(prefix="milepost-demo-")) / "wordtally"
    root.mkdir()
    project.make(root, project.ALONE if options.auto else project.ALL)
    env = {**os.environ, "GSD_HOME": str(root.parent / "home"), "PYTHONDONTWRITEBYTECODE": "1"}
    guide = tour.Tour(root=root, env=env, recorded=not options.model)
    guide.say(f"A repository with a plan was made in {root}")
    return guide.alone(_agent(options)) if options.auto else guide.together(_agent(options))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m milepost.testing.demo", description="Run the demo project from plan to merge."
    )
    parser.add_argument("--auto", action="store_true", help="one milestone with gsd auto, instead of three in parallel")
    parser.add_argument("--model", help="a real model instead of the recording (its key must be in the environment)")
    parser.add_argument("--pace", default="0.1", metavar="SECONDS", help="between steps of the recording (0.1)")
    return parser.parse_args()


def _agent(options: argparse.Namespace) -> list[str]:
    if options.model:
        return ["--model", options.model]
    return ["--agent", f"replay:{CASSETTE}", "--pace", options.pace]


if __name__ == "__main__":
    raise SystemExit(main())
