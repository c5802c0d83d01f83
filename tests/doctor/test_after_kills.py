"""A run is killed, somebody calls `gsd doctor --fix`, the next run finishes: mending never takes away what it needs."""

import os
from pathlib import Path

from crash.doomed import run_doomed
from scenarios.stage import DONE, Stage

STRIDE = 13
"""Every so many effects: prime to the steps of a unit, so that other kinds of steps are met each time round."""


def test_mending_between_a_kill_and_the_next_run(tmp_path: Path) -> None:
    fatal = 5
    while True:
        place = tmp_path / f"killed-at-{fatal}"
        place.mkdir()
        stage = Stage(root=place / "project").make(slices=1, tasks=1)
        stage.script = [session for session in stage.script for _ in range(3)]
        stage_status = stage.git("status", "--porcelain")
        argv = ["auto", "--agent", stage.agent()]
        status, said = run_doomed(stage.root, argv, fatal, place / "log.txt")
        if os.WIFEXITED(status):
            assert os.WEXITSTATUS(status) == DONE, said
            assert fatal > 60, "fewer effects than a run has"
            return
        mended = stage.gsd("doctor", "--fix").require(DONE).said
        again = stage.auto()
        assert again.code == DONE, f"{said}\n--- doctor ---\n{mended}\n--- then ---\n{again.said}"
        stage.require_landed()
        left = stage.gsd("doctor", "--json").require(DONE).out
        assert "open_attempt" not in left, left
        assert "worktree" not in left, left
        assert stage.git("status", "--porcelain") == stage_status, mended
        fatal += STRIDE
