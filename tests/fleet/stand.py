"""A project and processes that play a fleet in it."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from milepost.testing import projects

Process = subprocess.Popen[bytes]
TESTS = Path(__file__).parents[1]
DEADLINE_S = 30.0


class Fleet:
    """What plays; all of it ends with the test."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.state = root / ".gsd"
        self.started: list[Process] = []
        self.children: list[int] = []

    def start(self, **spec: object) -> Process:
        """A stand-in, ready: its lease is held and its first status is published."""
        env = {**os.environ, "PYTHONPATH": str(TESTS)}
        process = subprocess.Popen(
            [sys.executable, "-m", "fleet.standin", str(self.state), json.dumps(spec)], env=env, start_new_session=True,
            stdout=subprocess.PIPE, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        self.started.append(process)
        assert process.stdout is not None
        said = process.stdout.readline().split()
        assert said[:1] == [b"ready"], said
        self.children += [int(pid) for pid in said[1:]]
        return process

    def end(self) -> None:
        """Kill what is left."""
        for process in self.started:
            process.kill()
            process.wait()
            if process.stdout is not None:
                process.stdout.close()
        for pid in self.children:
            subprocess.run(["kill", "-9", str(pid)], stderr=subprocess.DEVNULL, check=False)


def wait_until(true: Callable[[], bool]) -> None:
    """Poll, with a deadline that only a hanging test meets."""
    deadline = time.monotonic() + DEADLINE_S
    while not true():
        assert time.monotonic() < deadline, "it never became true"
        time.sleep(0.02)


def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Fleet]:
    """A project with three milestones, and nothing running in it; the current directory."""
    root = tmp_path / "project"
    projects.tiny(root, milestones=("M001", "M002", "M003"))
    monkeypatch.chdir(root)
    made = Fleet(root)
    yield made
    made.end()
