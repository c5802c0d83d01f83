"""Hold a command inside the directories it may write.

Landlock where the kernel has it (Linux 5.19 and later, no root needed), else bubblewrap where it works, else
nothing, and then that is said. Everything may be read. Written may be what is given, a temporary directory of
the command's own, and harmless devices. Confined commands can change no `.git` outside the given paths, so an
agent in a worktree cannot commit; `git status` and `git diff` work. Source: DESIGN "Units and agents", trials 5.

Not covered: a `.git` directory inside a writable path (isolation modes branch and none); with Landlock, network
other than outgoing TCP, changed modes and times of files; Landlock before version 3, `truncate` by path.
"""

import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import NamedTuple

_DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/tty", "/dev/ptmx", "/dev/pts", "/dev/shm")  # noqa: S108
_LAUNCHER = Path(__file__).with_name("confine_exec.py")
_SYSTEM_PATH = "/usr/bin:/usr/local/bin:/bin"
"""A sandbox is taken from the system, never from a PATH that a project can change."""
_PROBE_S = 5.0


class Confinement(NamedTuple):
    """What a command may do: read everything, write below `writable` only."""

    writable: tuple[Path, ...]
    """Absolute; one that does not exist is left out."""
    network: bool = True
    """False: no outgoing TCP (Landlock 4 and later), or no network at all (bubblewrap)."""


class Cage(NamedTuple):
    """A command as it is really started."""

    argv: tuple[str, ...]
    env: Mapping[str, str]
    by: str
    """`landlock`, `bubblewrap`, or empty: nothing holds it."""


@cache
def available() -> str:
    """What confines commands here: `landlock`, `bubblewrap`, or empty when nothing does."""
    from milepost.process import confine_exec  # ctypes is needed only where commands are run

    if confine_exec.abi() >= confine_exec.OLDEST_ABI:
        return "landlock"
    return "bubblewrap" if _bubblewrap_works() else ""


def describe() -> str:
    """What is enforced here, in one plain sentence."""
    match available():
        case "landlock":
            return "Commands may write only below the worktree and the caches (Landlock); everything may be read."
        case "bubblewrap":
            return "Commands may write only below the worktree and the caches (bubblewrap); everything may be read."
        case _:
            return "Commands are not confined here: this system has neither Landlock nor a working bubblewrap."


@contextmanager
def cage(argv: Sequence[str], env: Mapping[str, str], confinement: Confinement | None) -> Iterator[Cage]:
    """The command to start for `argv`, whose first word is an absolute path.

    A confined command has a temporary directory of its own (`TMPDIR`), removed afterwards. Unchanged when nothing
    is to hold it, or nothing can. Raises OSError when the temporary directory cannot be made.
    """
    by = available() if confinement else ""
    if confinement is None or not by:
        yield Cage(argv=tuple(argv), env=env, by="")
        return
    temporary = mkdtemp(prefix="milepost-", dir=env.get("TMPDIR"))
    try:
        writable = (*(str(path) for path in confinement.writable), temporary)
        wrap = _landlock if by == "landlock" else _bubblewrap
        inside = {**env, **dict.fromkeys(("TMPDIR", "TMP", "TEMP"), temporary)}
        yield Cage(argv=(*wrap(writable, network=confinement.network), *argv), env=inside, by=by)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def refused(code: int | None, stderr: str, by: str) -> str:
    """Why a confined command was never started; empty when it was."""
    if by == "landlock" and code == 125 and stderr.startswith("milepost: cannot confine"):
        return stderr.splitlines()[0]
    if by == "bubblewrap" and code == 1 and stderr.startswith("bwrap: "):
        return stderr.splitlines()[0]
    return ""


def _landlock(writable: Sequence[str], *, network: bool) -> tuple[str, ...]:
    allowed = [word for path in (*writable, *_DEVICES) for word in ("--writable", path)]
    closed = () if network else ("--no-network",)
    return (sys.executable, "-I", "-S", str(_LAUNCHER), *closed, *allowed, "--")


def _bubblewrap(writable: Sequence[str], *, network: bool) -> tuple[str, ...]:
    bound = [word for path in writable for word in ("--bind-try", path, path)]
    closed = () if network else ("--unshare-net",)
    base = ("--ro-bind", "/", "/", "--dev", "/dev", "--unshare-pid", "--proc", "/proc", "--die-with-parent")
    return (_bubblewrap_path() or "bwrap", *base, *closed, *bound, "--")


def _bubblewrap_path() -> str | None:
    return shutil.which("bwrap", path=_SYSTEM_PATH)


def _bubblewrap_works() -> bool:
    """It may be installed and still be forbidden to make namespaces."""
    if _bubblewrap_path() is None:
        return False
    try:
        done = subprocess.run(
            (*_bubblewrap((), network=True), "/bin/true"),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PROBE_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
