"""Run one command to its end, whatever it does: hang, flood, fork, die, or leave daemons behind.

The command leads a session of its own, reads `/dev/null`, and writes into pipes that are read here at the same
time. The pipes are ours and not the event loop's, so its end never waits for a grandchild that holds them.
When it ended, ran out of time, or the caller was cancelled, everything it started is ended by the ladder.
"""

import errno
import math
import os
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from shutil import which as find_program
from subprocess import DEVNULL
from typing import NamedTuple

import anyio
from anyio.abc import Process

from milepost.errors import MilepostError
from milepost.process import confine as confining
from milepost.process import kin as kinship
from milepost.process import ladder
from milepost.process.capture import Capture, pump
from milepost.process.confine import Confinement

_SETTLE_S = 0.1
"""A pipeline's last process may end a little after its first; only what stays longer was left behind."""
_DRAIN_S = 1.0
"""How long pipes are read after everything ended; needed only when a survivor holds them open."""


class SpawnFailed(MilepostError):
    """The command did not start: no such program, not executable, no such directory."""

    def __init__(self, argv: Sequence[str], reason: str, *, code: int, hint: str = "") -> None:
        super().__init__(f"{argv[0] if argv else '(empty command)'}: {reason}", hint=hint)
        self.argv = tuple(argv)
        self.reason = reason
        self.errno = code


class Finished(NamedTuple):
    """How a command ended, and what it said."""

    code: int | None
    """Exit status; None when a signal ended it."""
    signal: int | None
    """The signal that ended it, ours or another's; None when it exited."""
    timed_out: bool
    duration_ms: int
    stdout: str
    """Head and tail, at most `keep_bytes`, undecodable bytes replaced."""
    stderr: str
    stdout_bytes: int
    """How much was written in all."""
    stderr_bytes: int
    stdout_path: Path | None
    """The whole stream, when it was longer than what is kept and a spool was given."""
    stderr_path: Path | None
    leftovers: int
    """Processes still there when the command itself had ended, or its time was up; they were ended."""
    confined: str
    """What held the command: `landlock`, `bubblewrap`, or empty."""


async def run(
    argv: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    timeout_s: float = math.inf,
    confine: Confinement | None = None,
    keep_bytes: int = 10_240,
    spool: Path | None = None,
    grace_s: float = ladder.GRACE_S,
) -> Finished:
    """Run `argv` and wait for its end. Nothing of it runs any more when this returns or raises.

    spool: stem of the files for long streams (`<spool>.stdout`, `<spool>.stderr`).
    Raises SpawnFailed. Cancellation ends the command first.
    """
    program = _program(argv, cwd, env)
    streams = tuple(
        Capture(keep_bytes, spool and spool.with_name(f"{spool.name}.{name}")) for name in ("stdout", "stderr")
    )
    mark, marked = kinship.marked(env)
    started = anyio.current_time()
    async with AsyncExitStack() as stack:
        for stream in streams:
            stack.callback(stream.close)
        cage = stack.enter_context(_caged((program, *argv[1:]), marked, confine, argv))
        process, readers = await stack.enter_async_context(_started(cage.argv, cwd, cage.env, argv))
        ended = await _follow(process, tuple(zip(readers, streams, strict=True)), mark, timeout_s, grace_s)
    code = process.returncode
    if reason := confining.refused(code, streams[1].text(), cage.by):
        raise SpawnFailed(argv, reason, code=errno.EPERM)
    return Finished(
        code=code if code is not None and code >= 0 else None,
        signal=-code if code is not None and code < 0 else None,
        timed_out=ended.timed_out,
        duration_ms=round((anyio.current_time() - started) * 1000),
        stdout=streams[0].text(),
        stderr=streams[1].text(),
        stdout_bytes=streams[0].total,
        stderr_bytes=streams[1].total,
        stdout_path=streams[0].path,
        stderr_path=streams[1].path,
        leftovers=ended.leftovers,
        confined=cage.by,
    )


def which(name: str, *, cwd: Path, env: Mapping[str, str]) -> str | None:
    """The program that `name` starts in `cwd` with the PATH of `env`; None when there is none to execute."""
    if "/" not in name:
        return find_program(name, path=_search_path(env, cwd)) if name else None
    path = cwd / name
    return str(path) if path.is_file() and os.access(path, os.X_OK) else None


class _End(NamedTuple):
    timed_out: bool
    leftovers: int


def _program(argv: Sequence[str], cwd: Path, env: Mapping[str, str]) -> str:
    if not argv or not argv[0]:
        raise SpawnFailed(argv, "the command is empty", code=errno.EINVAL)
    if not cwd.is_dir():
        raise SpawnFailed(argv, f"no such directory to run in: {cwd}", code=errno.ENOENT)
    found = which(argv[0], cwd=cwd, env=env)
    if found is None:
        there = "/" in argv[0] and (cwd / argv[0]).exists()
        reason, code = ("not executable", errno.EACCES) if there else ("no such program", errno.ENOENT)
        raise SpawnFailed(argv, reason, code=code, hint="" if there else f"Install {argv[0]}, or put it on PATH.")
    return found


@contextmanager
def _caged(
    command: Sequence[str], env: Mapping[str, str], confine: Confinement | None, named: Sequence[str]
) -> Iterator[confining.Cage]:
    with ExitStack() as stack:
        try:
            cage = stack.enter_context(confining.cage(command, env, confine))
        except OSError as error:
            reason = f"no temporary directory for it: {error.strerror or error}"
            raise SpawnFailed(named, reason, code=error.errno or errno.EIO) from error
        yield cage


def _search_path(env: Mapping[str, str], cwd: Path) -> str:
    # An entry that is not absolute means a directory of the command's, not of ours.
    entries = env.get("PATH", os.defpath).split(os.pathsep)
    return os.pathsep.join(str(cwd / entry) for entry in entries if entry)


@asynccontextmanager
async def _started(
    command: Sequence[str], cwd: Path, env: Mapping[str, str], named: Sequence[str]
) -> AsyncIterator[tuple[Process, tuple[int, int]]]:
    """The process, and the read ends of its two pipes, which are closed on leaving."""
    (out_read, out_write), (err_read, err_write) = os.pipe(), os.pipe()
    try:
        os.set_blocking(out_read, False)
        os.set_blocking(err_read, False)
        try:
            with anyio.CancelScope(shield=True):
                process = await anyio.open_process(
                    command,
                    stdin=DEVNULL,
                    stdout=out_write,
                    stderr=err_write,
                    cwd=cwd,
                    env=env,
                    start_new_session=True,
                )
        except (OSError, ValueError) as error:
            number = error.errno if isinstance(error, OSError) and error.errno else errno.EINVAL
            reason = os.strerror(number) if isinstance(error, OSError) else str(error)
            raise SpawnFailed(named, reason, code=number) from error
        finally:
            os.close(out_write)
            os.close(err_write)
        yield process, (out_read, err_read)
    finally:
        os.close(out_read)
        os.close(err_read)


async def _follow(
    process: Process, streams: Sequence[tuple[int, Capture]], mark: str, timeout_s: float, grace_s: float
) -> _End:
    kin = kinship.of(process.pid, mark)
    timed_out = True
    remains = ladder.Remains(ended=0, survivors=())
    settle_s = 0.0
    async with anyio.create_task_group() as pumps:
        for descriptor, capture in streams:
            pumps.start_soon(pump, descriptor, capture)
        try:
            with anyio.move_on_after(timeout_s):
                await process.wait()
                timed_out, settle_s = False, _SETTLE_S
        finally:
            remains = await ladder.end(kin, grace_s=grace_s, settle_s=settle_s)
            with anyio.move_on_after(_DRAIN_S, shield=True):
                await process.wait()
            pumps.cancel_scope.deadline = anyio.current_time() + _DRAIN_S
    return _End(timed_out=timed_out, leftovers=remains.ended)
