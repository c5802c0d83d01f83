"""The process table as the test reads it: independent of the product's own idea of who is at work."""

import os
import signal
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

MARK = "CHAOS_MARK"
"""Environment variable that all processes of a run inherit, unless they scrub it; those are found by where they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """One process of the run."""

    pid: int
    group: int
    started: int
    """Clock ticks since boot; with the pid an identity."""
    state: str
    words: tuple[str, ...]
    lock: str
    """The milestone that it is told to be the worker of."""

    @property
    def role(self) -> str:
        """coordinator, worker, merge, git, or other."""
        said = " ".join(self.words)
        if self.words and os.path.basename(self.words[0]) == "git":
            return "git"
        if " headless auto " in f"{said} ":
            return "worker"
        if " parallel merge " in f"{said} ":
            return "merge"
        if " parallel start " in f"{said} ":
            return "coordinator"
        return "other"

    def __str__(self) -> str:
        return f"{self.role} {self.lock or ''} pid {self.pid} ({self.state}): {' '.join(self.words)[-160:]}"


_FOREIGN_S = 2.0
"""How long a process that is none of ours is not looked at again; its number may become another's."""
_foreign: dict[int, float] = {}


def of(mark: str, roots: tuple[Path, ...]) -> list[Process]:
    """Every living process of the run, oldest first: marked, or with its place below one of `roots`."""
    found = []
    now = time.monotonic()
    for name in os.listdir("/proc"):
        if not name.isdigit() or _foreign.get(pid := int(name), 0.0) > now:
            continue
        if process := _read(pid, mark, roots):
            found.append(process)
        else:
            _foreign[pid] = now + _FOREIGN_S if _environment(pid) else now + 0.1
    return sorted(found, key=lambda process: (process.started, process.pid))


def alive(pid: int) -> bool:
    """Whether a process of that number runs, zombies not counted."""
    stat = _stat(pid)
    return stat is not None and stat[0] not in "ZX"


def send(process: Process, number: signal.Signals, *, group: bool) -> bool:
    """Send a signal to it, or to its group; whether it was still there."""
    now = _stat(process.pid)
    if now is None or now[2] != process.started:
        return False
    with suppress(ProcessLookupError, PermissionError):
        if group and process.group != os.getpgid(0):
            os.killpg(process.group, number)
        else:
            os.kill(process.pid, number)
        return True
    return False


def wait_until_gone(mark: str, roots: tuple[Path, ...], *, seconds: float) -> list[Process]:
    """Those that are still there after that time."""
    deadline = time.monotonic() + seconds
    while (left := of(mark, roots)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return left


def end(mark: str, roots: tuple[Path, ...]) -> None:
    """Kill all of them, whatever it takes."""
    for _ in range(100):
        left = of(mark, roots)
        if not left:
            return
        for process in left:
            send(process, signal.SIGKILL, group=False)
        time.sleep(0.02)


def _read(pid: int, mark: str, roots: tuple[Path, ...]) -> Process | None:
    stat = _stat(pid)
    if stat is None or stat[0] in "ZX" or pid == os.getpid():
        return None
    try:
        environ = _environment(pid).split(b"\0")
        words = tuple(Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")[:-1])
        ours = f"{MARK}={mark}".encode() in environ or _below(os.readlink(f"/proc/{pid}/cwd"), roots)
    except OSError:
        return None
    if not ours:
        return None
    locks = [entry.partition(b"=")[2].decode() for entry in environ if entry.partition(b"=")[0].endswith(b"_MILESTONE_LOCK")]  # fmt: skip
    return Process(pid=pid, group=stat[1], started=stat[2], state=stat[0], words=words, lock=locks[0] if locks else "")


def _environment(pid: int) -> bytes:
    """As it began; empty for a moment while it becomes another program, and when it may not be read."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/environ").read_bytes()
    return b""


def _below(where: str, roots: tuple[Path, ...]) -> bool:
    return any(where == str(root) or where.startswith(f"{root}/") for root in roots)


def _stat(pid: int) -> tuple[str, int, int] | None:
    """State, group and start."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return fields[0], int(fields[2]), int(fields[19])


def wake(stopped: list[Process]) -> None:
    """Let everything go on."""
    for process in stopped:
        send(process, signal.SIGCONT, group=False)
