"""Ports and a name for each worktree, so that servers, databases and containers of several do not meet.

    GSD_PORT_BASE=20430  GSD_PORT_COUNT=10  GSD_WORKTREE_NAME=shop-m001-5f1c9a

A block of ports is held by locks on files below the global directory, one for every ten ports, for as long as the
process lives; the kernel lets go when it dies. A milestone gets the same block again when nobody took it meanwhile.
Each port is tried on the loopback address first, for what knows nothing of these locks. Without a block work goes
on, and that is said. Source: issue "Parallel"; field-reports #27.
"""

import errno
import fcntl
import hashlib
import os
import re
import socket
import unicodedata
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from milepost.formats import assignment

FIRST, LAST = 20_000, 29_999
"""Above what services are registered for in practice, below what systems hand out for outgoing connections."""
_CELL = 10
"""Ports behind one lock file, so that blocks of different sizes exclude each other."""
_NAME_LENGTH = 40
"""Short enough for a container project, a database, or a label of a host name with something in front."""
_NOT_FREE_HERE = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT, errno.EPROTONOSUPPORT)


def worktree_name(root: Path, milestone: str) -> str:
    """A name that no other worktree of this user has: `[a-z0-9-]`, at most 40 characters, the same every time."""
    real = os.path.realpath(root)
    mark = hashlib.blake2b(f"{real}\0{milestone}".encode("utf-8", "surrogateescape"), digest_size=3).hexdigest()
    tail = f"-{_plain(milestone)}-{mark}"
    return f"{_plain(os.path.basename(real))[: _NAME_LENGTH - len(tail)].strip('-') or 'project'}{tail}"


def _plain(text: str) -> str:
    ascii_only = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", ascii_only).strip("-")


class PortLease:
    """A block of ports, held until `close`, the end of a `with` block, or the end of the process."""

    def __init__(self, name: str, *, base: int | None, count: int, descriptors: tuple[int, ...], note: str) -> None:
        self.name = name
        self.base = base
        """The first port; None: there is no block, and `note` says why."""
        self.count = count
        self.note = note
        self._descriptors = descriptors

    def env(self, state_dir: str) -> dict[str, str]:
        """The variables: always `GSD_…`, and in the project's dialect."""
        values = {"WORKTREE_NAME": self.name}
        if self.base is not None:
            values |= {"PORT_BASE": str(self.base), "PORT_COUNT": str(self.count)}
        prefixes = dict.fromkeys(("GSD_", assignment.prefix(state_dir)))
        return {f"{prefix}{key}": value for prefix in prefixes for key, value in values.items()}

    def close(self) -> None:
        """Let go. The files stay, since removing them would race with the next holder."""
        _release(self._descriptors)
        self._descriptors = ()

    def __enter__(self) -> "PortLease":
        """Taken already."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let go."""
        self.close()


def lease(home: Path, name: str, count: int, *, first: int = FIRST, last: int = LAST) -> PortLease:
    """Take `count` ports in a row for the worktree `name`. Never raises, never waits.

    home: the global state directory, one for all projects and dialects. first, last: where to look.
    """
    directory = home / "ports"
    try:
        directory.mkdir(parents=True, exist_ok=True)
        if held := _taken(directory, name, count, first, last):
            base, descriptors = held
            return PortLease(name, base=base, count=count, descriptors=descriptors, note="")
    except OSError as error:
        note = f"no ports for {name}: {error.filename or directory}: {error.strerror or error}"
    else:
        note = f"no ports for {name}: no {count} in a row are free between {first} and {last}"
    return PortLease(name, base=None, count=0, descriptors=(), note=note)


def _taken(directory: Path, name: str, count: int, first: int, last: int) -> tuple[int, tuple[int, ...]] | None:
    """A block that is locked and free. Raises OSError when the directory cannot be used."""
    busy: set[int] = set()
    for base in _bases(name, count, first, last):
        cells = range(base, base + count, _CELL)
        if not busy.isdisjoint(cells):
            continue
        descriptors = _locked(directory, cells, name, busy)
        if descriptors and _free(range(base, base + count), busy):
            return base, descriptors
        _release(descriptors)
    return None


def _bases(name: str, count: int, first: int, last: int) -> Iterator[int]:
    """Where a block could begin; the first is always the same for a name, so that a bookmark goes on working."""
    places = (last + 1 - first - count) // _CELL + 1
    start = int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "big")
    return (first + (start + step) % places * _CELL for step in range(places))


def _locked(directory: Path, cells: range, name: str, busy: set[int]) -> tuple[int, ...]:
    """Locks on all cells; none, when one is somebody's, which is noted in `busy`."""
    held: list[int] = []
    try:
        for cell in cells:
            descriptor = os.open(directory / f"{cell}.lease", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            held.append(descriptor)
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{name} {os.getpid()}\n".encode(), 0)
    except BlockingIOError:
        busy.add(cells[len(held) - 1])
        _release(held[:-1])
        os.close(held[-1])
        return ()
    except OSError:
        _release(held)
        raise
    return tuple(held)


def _release(descriptors: tuple[int, ...] | list[int]) -> None:
    for descriptor in descriptors:
        with suppress(OSError):  # A full disk must not keep the lock.
            os.ftruncate(descriptor, 0)
        os.close(descriptor)


def _free(ports: range, busy: set[int]) -> bool:
    """Whether a server could listen on each; the cell of the first that could not be used is noted in `busy`."""
    for port in ports:
        if not (_can_listen(socket.AF_INET, "127.0.0.1", port) and _can_listen(socket.AF_INET6, "::1", port)):
            busy.add(ports.start + (port - ports.start) // _CELL * _CELL)
            return False
    return True


def _can_listen(family: socket.AddressFamily, address: str, port: int) -> bool:
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            # As servers do: a connection that has just ended does not keep a port.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((address, port))
    except OSError as error:
        return error.errno in _NOT_FREE_HERE
    return True
