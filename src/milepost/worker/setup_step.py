"""Run one step of a set-up: its commands one after another, confined like a gate, all of it in a log.

The environment is that of gates, without what would lead a tool to another place than the worktree. Hooks that
install scripts would put into the repository stay out: its settings are shared with the user's own checkout.
"""

import re
import shlex
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from milepost.process import spawn
from milepost.process.confine import Confinement
from milepost.process.environment import for_gate
from milepost.process.spawn import Finished, SpawnFailed
from milepost.rules import secrets
from milepost.rules.recipes import Command, Step
from milepost.rules.tool_caches import caches
from milepost.unit.bench import Workspace
from milepost.worker.shift import Shift

_KEEP = 1_000_000
"""Bytes of each stream that are kept in the log."""
_LAST_LINES = 5
_MISLEADING = frozenset(
    {"VIRTUAL_ENV", "CONDA_PREFIX", "CONDA_DEFAULT_ENV", "PYTHONHOME", "UV_PROJECT_ENVIRONMENT", "NODE_ENV"}
)
"""Of the shell that it all was started from: they name another environment, or half of this one."""
_QUIET = {
    "HUSKY": "0",
    "LEFTHOOK": "0",
    "SKIP_INSTALL_SIMPLE_GIT_HOOKS": "1",
    "COREPACK_ENABLE_DOWNLOAD_PROMPT": "0",
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    "NPM_CONFIG_AUDIT": "false",
    "NPM_CONFIG_FUND": "false",
    "NPM_CONFIG_UPDATE_NOTIFIER": "false",
}
_CONTROL = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_TELLING = re.compile(r"\b(error|err!|failed|fatal|cannot|could not|not found|denied)", re.IGNORECASE)
_NOISE = re.compile(r"complete log of this run|^npm (err!|error)$|^\[notice\]", re.IGNORECASE)
_REFUSED = re.compile(r"Permission denied|EACCES|Read-only file system|EROFS|Operation not permitted|EPERM")


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why a step did not come to its end."""

    reason: str
    """One line."""
    last_lines: tuple[str, ...] = ()


class Log:
    """What a set-up printed, without secrets. A disk that is full costs the log and nothing else."""

    def __init__(self, path: Path, known_secrets: Sequence[str]) -> None:
        self.path = path
        self._secrets = tuple(known_secrets)
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("", "utf-8")

    def clean(self, text: str) -> str:
        """The text for people, without colours and credentials."""
        return secrets.redact(_CONTROL.sub("", text.replace("\r\n", "\n")), self._secrets)

    def add(self, text: str) -> None:
        """Append, with a line end; nothing when there is nothing."""
        if not text.strip():
            return
        with suppress(OSError), self.path.open("a", encoding="utf-8", errors="replace") as file:
            file.write(self.clean(text).rstrip("\n") + "\n")


async def run_step(step: Step, place: Workspace, shift: Shift, log: Log, *, timeout_s: float) -> Failure | None:
    """Run the commands of one step, and its check. None: all ended well. timeout_s: for each command."""
    cage = _confinement(step, place, shift)
    env = setup_env(place, shift)
    for command in step.commands:
        if failure := await _run(command, env, cage, place, log, timeout_s):
            return failure
    if step.check and (place.cwd / step.fills).is_dir():
        return await _run(step.check, env, cage, place, log, timeout_s)
    return None


def setup_env(place: Workspace, shift: Shift) -> dict[str, str]:
    """The environment of every command of a set-up."""
    kept = {name: value for name, value in shift.env.items() if name not in _MISLEADING}
    return {**for_gate(kept), **_QUIET, "GIT_CEILING_DIRECTORIES": str(place.cwd.parent)}


def _confinement(step: Step, place: Workspace, shift: Shift) -> Confinement | None:
    if not shift.sandbox:
        return None
    own = []
    for command in step.commands:
        own += [Path(path) for path in caches(Path(command.argv[0]).name, shift.env)]
    own += [Path(path) for path in caches(step.tool, shift.env)]
    for path in own:
        with suppress(OSError):  # Only what exists can be opened to a confined command.
            path.mkdir(parents=True, exist_ok=True)
    return Confinement(writable=(place.cwd, *shift.caches, *dict.fromkeys(own)))


async def _run(
    command: Command, env: Mapping[str, str], cage: Confinement | None, place: Workspace, log: Log, timeout_s: float
) -> Failure | None:
    words = shlex.join(command.argv) + ("" if command.cwd == "." else f" (in {command.cwd})")
    where = place.cwd / command.cwd
    log.add(f"$ {words}")
    if not where.resolve().is_relative_to(place.cwd.resolve()):
        return Failure(reason=f"{words}: the directory leads out of the worktree")
    try:
        done = await spawn.run(
            command.argv,
            cwd=where,
            env={**env, **dict(command.env)},
            timeout_s=timeout_s,
            confine=cage,
            keep_bytes=_KEEP,
        )
    except SpawnFailed as failed:
        log.add(f"did not start: {failed.reason}")
        return Failure(reason=f"{words} did not start: {failed.reason}")
    log.add(done.stdout)
    log.add(done.stderr)
    log.add(f"({_how(done, timeout_s) or 'ended well'}, {done.duration_ms / 1000:.1f} s)")
    return _judged(words, done, log, timeout_s)


def _judged(words: str, done: Finished, log: Log, timeout_s: float) -> Failure | None:
    how = _how(done, timeout_s)
    if not how:
        return None
    said = (line.strip() for line in log.clean(done.stdout + "\n" + done.stderr).splitlines())
    lines = [line for line in said if line and not _NOISE.search(line)]
    told = next((line for line in reversed(lines) if _TELLING.search(line)), lines[-1] if lines else "")
    refused = done.confined and _REFUSED.search(done.stdout + done.stderr)
    hint = f" (a write outside the worktree may have been refused by {done.confined})" if refused else ""
    reason = f"{words}: {how}{': ' if told else ''}{told[:300]}{hint}"
    return Failure(reason=log.clean(reason), last_lines=tuple(lines[-_LAST_LINES:]))


def _how(done: Finished, timeout_s: float) -> str:
    """How it ended, when that was not well."""
    if done.timed_out:
        return f"ended after {timeout_s:g} s"
    if done.signal is not None:
        return f"signal {done.signal}"
    return "" if done.code == 0 else f"exit code {done.code}"
