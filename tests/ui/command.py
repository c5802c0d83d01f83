"""A command as its own process, and what it says."""

import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple


class Ran(NamedTuple):
    code: int
    out: str
    err: str


def run(*args: str, cwd: Path, program: str = "gsd", python: tuple[str, ...] = (), **env: str) -> Ran:
    """Run it to its end."""
    code = f"from milepost.ui.cli.main import {program}; {program}()"
    done = subprocess.run(
        [sys.executable, *python, "-c", code, *args], cwd=cwd, env={**os.environ, **env}, capture_output=True,
        stdin=subprocess.DEVNULL, timeout=60,
    )  # fmt: skip
    return Ran(done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))


def said_at(root: Path) -> dict[str, tuple[int, int]]:
    """Modification time and inode of everything below a directory, git's own files apart."""
    found = {}
    for path in [root, *root.rglob("*")]:
        if ".git" not in path.relative_to(root).parts:
            facts = path.lstat()
            found[str(path.relative_to(root))] = (facts.st_mtime_ns, facts.st_ino)
    return found
