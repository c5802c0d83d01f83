"""Timing whole processes side by side: A B C, A B C, …, so that a busy machine is as unkind to one as to another."""

import os
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import NamedTuple

_OURS_TO_DROP = ("GIT_", "GSD_", "SF_", "PYTHON", "XDG_")
_SECRETS = ("_API_KEY", "_BASE_URL", "_TOKEN")


class Command(NamedTuple):
    """Something to start, and where."""

    argv: tuple[str, ...]
    cwd: Path


class Ran(NamedTuple):
    """One process that was started and waited for."""

    code: int
    ms: float
    cpu_ms: float
    """On the processor, user and system; hardly moves when the machine is busy."""


def surroundings(home: Path) -> dict[str, str]:
    """An environment without the host's settings and keys: a home of its own, an identity for git, bytecode kept."""
    home.mkdir(parents=True, exist_ok=True)
    config = home / ".gitconfig"
    config.write_text(
        "[user]\n\tname = Bench\n\temail = bench@example.invalid\n[init]\n\tdefaultBranch = main\n"
        "[gc]\n\tauto = 0\n[maintenance]\n\tauto = false\n"
    )
    kept = {k: v for k, v in os.environ.items() if not k.startswith(_OURS_TO_DROP) and not k.endswith(_SECRETS)}
    return kept | {"HOME": str(home), "GIT_CONFIG_GLOBAL": str(config), "GIT_CONFIG_NOSYSTEM": "1"}


def once(command: Command, env: Mapping[str, str]) -> Ran:
    """Start one process, wait for it; its output is thrown away."""
    began = time.perf_counter_ns()
    process = subprocess.Popen(
        command.argv,
        cwd=command.cwd,
        env=dict(env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, used = os.wait4(process.pid, 0)
    ms = (time.perf_counter_ns() - began) / 1e6
    process.returncode = os.waitstatus_to_exitcode(status)
    return Ran(process.returncode, ms, (used.ru_utime + used.ru_stime) * 1e3)


def interleaved(commands: Mapping[str, Command], *, rounds: int, env: Mapping[str, str]) -> dict[str, list[Ran]]:
    """Each command `rounds` times, in turns; the first turn only warms up and is not kept.

    Raises ValueError when a command fails: a wrong command is fast, and its time means nothing.
    """
    found: dict[str, list[Ran]] = {name: [] for name in commands}
    for number in range(rounds + 1):
        for name, command in commands.items():
            ran = once(command, env)
            if ran.code != 0:
                raise ValueError(f"{' '.join(command.argv)} in {command.cwd} ended with {ran.code}")
            if number:
                found[name].append(ran)
    return found


def middle(samples: Iterable[float]) -> float:
    """The median; 0 of nothing."""
    listed = list(samples)
    return median(listed) if listed else 0.0


def ratio(ours: Sequence[float], floor: Sequence[float]) -> float:
    """Median by median."""
    return middle(ours) / middle(floor) if middle(floor) else 0.0
