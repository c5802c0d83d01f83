"""A project that GSD itself works on is left alone: it knows only its own lock file."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from milepost.testing.projects import sessions, tiny


def _auto(root: Path, tmp_path: Path) -> "subprocess.CompletedProcess[str]":
    script = tmp_path / "script.json"
    script.write_text(json.dumps(list(sessions())))
    argv = [
        sys.executable,
        "-c",
        "from milepost.ui.cli.main import gsd; gsd()",
        "auto",
        "--agent",
        f"scripted:{script}",
    ]
    return subprocess.run(argv, cwd=root, env=dict(os.environ), capture_output=True, text=True, check=False)


@pytest.mark.parametrize(("alive", "code"), [(True, 2), (False, 0)])
def test_lock_of_gsd(tmp_path: Path, alive: bool, code: int) -> None:
    root = tmp_path / "p"
    tiny(root)
    holder = subprocess.Popen(["sleep", "60"])
    try:
        lock = {"pid": holder.pid, "startedAt": "2026-01-01T00:00:00Z", "unitType": "execute-task"}
        lock |= {"unitId": "M001/S01/T01", "unitStartedAt": "2026-01-01T00:00:00Z", "completedUnits": 0}
        (root / ".gsd/auto.lock").write_text(json.dumps(lock))
        if not alive:
            holder.kill()
            holder.wait()
        done = _auto(root, tmp_path)
    finally:
        holder.kill()
        holder.wait()
    assert done.returncode == code, done.stdout + done.stderr
    assert ("being worked on by another process" in done.stderr) is alive
