"""A lease: a file that one process holds with a kernel lock for as long as it lives.

The kernel lets go when the process dies, however it dies, so there is nothing to clean up and nothing to guess
from a clock. The record beside the lock says who holds it, for people and for `gsd stop`. Source: DESIGN rule 9,
spec auto 8.4.
"""

import fcntl
import os
import time
from pathlib import Path
from types import TracebackType

import msgspec

from milepost.errors import ExitCode, MilepostError


class Holder(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Who holds a lease."""

    pid: int
    run: str
    host: str = ""
    boot_id: str = ""
    start_ticks: int = 0
    """Start of the process in clock ticks since boot; with pid and boot id it is an identity."""
    started_at: int = 0
    """Epoch milliseconds."""
    command: str = ""


class LeaseHeld(MilepostError):
    """Somebody living holds the lease."""

    exit_code = ExitCode.BLOCKED

    def __init__(self, what: str, holder: Holder | None) -> None:
        who = f" (pid {holder.pid}, run {holder.run})" if holder else ""
        super().__init__(f"{what} is being worked on by another process{who}", hint="gsd status; gsd stop ends it.")
        self.holder = holder


class Lease:
    """Hold a lease while the block runs: `with Lease(path, "M001", holder): …`."""

    def __init__(self, path: Path, what: str, holder: Holder) -> None:
        self._path = path
        self._what = what
        self._holder = holder
        self._descriptor: int | None = None

    def __enter__(self) -> "Lease":
        """Take it now. Raises LeaseHeld at once when a living process has it; never waits for long."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        if not _locked(descriptor):
            os.close(descriptor)
            raise LeaseHeld(self._what, _record(self._path))
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, msgspec.json.encode(self._holder) + b"\n", 0)
        self._descriptor = descriptor
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let go. The file stays, since removing it would race with the next holder; an empty record means free."""
        if self._descriptor is not None:
            os.ftruncate(self._descriptor, 0)
            os.close(self._descriptor)
            self._descriptor = None


def _locked(descriptor: int) -> bool:
    # `holder` takes the lock for a moment to ask; a start at that moment must not be refused for it.
    for pause_s in (0.01, 0.02, 0.05, 0.1, 0.0):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(pause_s)
        else:
            return True
    return False


def holder(path: Path) -> Holder | None:
    """Who holds the lease at `path` right now; None when nobody does. Asks the kernel, not the record."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _record(path) or Holder(pid=0, run="unknown")
    finally:
        os.close(descriptor)
    return None


def _record(path: Path) -> Holder | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Holder)
    except (OSError, msgspec.DecodeError):
        return None
