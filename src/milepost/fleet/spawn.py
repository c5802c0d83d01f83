"""Starting a worker: `gsd headless auto --json` in its worktree, with its lease in its hands.

The lease is taken before the process exists and handed over, so two coordinators cannot start two workers. Output
goes to files that nobody has to read. Source: DESIGN "Parallel", parallel PR-309 to PR-313, FM-13, FM-14, FM-16, FM-19.
"""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from milepost.errors import MilepostError
from milepost.formats import assignment
from milepost.formats.assignment import Assignment
from milepost.process import identity, kin
from milepost.process.identity import Identity

_KEPT_RUNS = 5
"""Logs of so many runs of a milestone stay."""


class CannotSpawn(MilepostError):
    """The worker's process could not be started; nothing was spent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """A process that this one started."""

    milestone: str
    run: str
    process: "subprocess.Popen[bytes]"
    who: Identity


def program(env: Mapping[str, str]) -> list[str]:
    """The command that starts us again: `GSD_BIN_PATH` if that file is there, else this very installation."""
    for name in ("GSD_BIN_PATH", "SF_BIN_PATH"):
        if (path := env.get(name)) and os.path.isfile(path):
            return [path]
    # -P: what lies in the directory that a worker starts in must not stand in for our own modules.
    return [sys.executable, "-P", "-m", "milepost"]


def worker(
    given: Assignment,
    cwd: Path,
    *,
    env: Mapping[str, str],
    state_dir: str,
    options: tuple[str, ...],
    fds: tuple[int, ...],
) -> Child:
    """Start a worker. fds: descriptors that it inherits, those of its lease. Raises CannotSpawn."""
    argv = [*program(env), "headless", "auto", "--json", *options]
    variables = {**_clean(env), **assignment.encode(given, state_dir)}
    out, err = (log(Path(given.parallel_dir), given.milestone, given.run, end) for end in ("out", "err"))
    _prune(Path(given.parallel_dir), given.milestone)
    process = start(argv, cwd, variables, out, err, fds)
    return Child(milestone=given.milestone, run=given.run, process=process, who=identity.of(process.pid))


def start(
    argv: list[str], cwd: Path, env: Mapping[str, str], out: Path, err: Path, fds: tuple[int, ...] = ()
) -> "subprocess.Popen[bytes]":
    """Start a process of ours in a session of its own, with its output in files. Raises CannotSpawn."""
    out.parent.mkdir(parents=True, exist_ok=True)
    try:
        with out.open("ab") as stdout, err.open("ab") as stderr:
            return subprocess.Popen(
                argv,
                cwd=cwd,
                # Without the mark of whoever started us: our own processes outlive that one.
                env={name: value for name, value in env.items() if name != kin.MARK},
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                start_new_session=True,
                pass_fds=fds,
            )
    except OSError as error:
        raise CannotSpawn(f"{argv[0]} could not be started: {error.strerror or error}") from error


def log(box: Path, milestone: str, run: str, end: str) -> Path:
    """Where a run's output goes: `parallel/logs/<MID>.<run>.out` and `.err`."""
    return box / "logs" / f"{milestone}.{run}.{end}"


def _clean(env: Mapping[str, str]) -> dict[str, str]:
    """Without what another worker or another spawn left in it."""
    ours = {f"{p}{name}" for p in ("GSD_", "SF_") for name in _ASSIGNED}
    return {name: value for name, value in env.items() if name not in ours}


_ASSIGNED = (
    *("PARALLEL_WORKER", "MILESTONE_LOCK", "PROJECT_ROOT", "PARALLEL_DIR", "WORKER_RUN", "FLEET"),
    *("LEASE_FD", "GUARD_FD", "WORKER_MODEL", "PORT_BASE", "PORT_COUNT", "WORKTREE_NAME"),
)


def _prune(box: Path, milestone: str) -> None:
    logs = sorted((box / "logs").glob(f"{milestone}.*.out"))
    for old in logs[: max(0, len(logs) - _KEPT_RUNS + 1)]:
        old.unlink(missing_ok=True)
        old.with_suffix(".err").unlink(missing_ok=True)
