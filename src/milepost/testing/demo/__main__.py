"""`make demo`: a small real repository, a plan, and `gsd auto` on it from beginning to end.

Real: the repository, the worktree, the files, the test runs, the commits and the merge. The model's part is a
recording, unless a model is named. The repository stays where it is, to be looked at.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from importlib import resources
from pathlib import Path

from milepost.testing.demo import project


def main() -> int:
    """Make it, run it, show it."""
    options = _options()
    root = Path(tempfile.mkdtemp(prefix="milepost-demo-")) / "wordtally"
    root.mkdir()
    project.make(root)
    _say(f"A repository with a plan was made in {root}")
    if options.model:
        _say(f"Running `gsd auto` on it with {options.model}: this is real, and it costs money.")
    else:
        _say("Running `gsd auto` on it. The model's part is a recording; everything else really happens.")
    env = {**os.environ, "GSD_HOME": str(root.parent / "home"), "PYTHONDONTWRITEBYTECODE": "1"}
    with resources.as_file(resources.files("milepost.testing.demo") / "cassette.jsonl") as cassette:
        agent = ["--model", options.model] if options.model else ["--agent", f"replay:{cassette}", "--pace", "0.1"]
        code = _run([*_gsd(), "auto", *agent], root, env)
    _show(root, env, real=bool(options.model))
    return code


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make demo", description="Run the demo project from plan to merge.")
    parser.add_argument("--model", help="a real model instead of the recording (its key must be in the environment)")
    return parser.parse_args()


def _show(root: Path, env: Mapping[str, str], *, real: bool) -> None:
    _say("What is on main now (git log --stat -1):")
    _run(["git", "--no-pager", "log", "--stat=80", "-1"], root, env)
    _say("What is in the checkout (git status):")
    _run(["git", "status", "--short", "--branch"], root, env)
    _say("The tests of what was built:")
    subprocess.run(project.VERIFY.split(), cwd=root, env=dict(env), check=False, stderr=sys.stdout)
    _say("What it took (gsd status)" + ("" if real else "; tokens and costs are figures of the recording") + ":")
    _run([*_gsd(), "status"], root, env)
    _say("Where to look:")
    sys.stdout.write(
        f"  {root}\n"
        "  .gsd/journal/     what happened, one fact a line\n"
        "  .gsd/activity/    what was said and done in each session\n"
        "  .gsd/milestones/  the plan, its summaries and the evidence of each gate\n"
        "  git for-each-ref refs/gsd/backup   every commit that was squashed away\n"
    )


def _gsd() -> list[str]:
    return [sys.executable, "-c", "from milepost.ui.cli.main import gsd; gsd()"]


def _run(argv: list[str], root: Path, env: Mapping[str, str]) -> int:
    sys.stdout.flush()
    return subprocess.run(argv, cwd=root, env=dict(env), check=False).returncode


def _say(text: str) -> None:
    sys.stdout.write(f"\n── {text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    raise SystemExit(main())
