"""A lease: a file that one process holds with a kernel lock for as long as it lives, or several share.

The kernel lets go when the process dies, however it dies, so there is nothing to clean up and nothing to guess
from a clock. The record in the file says who holds it, for people and for `gsd stop`. A guard is a second file,
one that nobody deletes, locked in the same way: who deletes the lease file has not opened the door. A lease can be
handed to a child before it is started, so that there is no moment at which nobody holds it.
Source: DESIGN rule 9, spec auto 8.4; FM-02, FM-19, FM-31, FM-45 to FM-48.
"""

import os
import stat
import threading
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

import msgspec

from milepost.errors import ExitCode, MilepostError
from milepost.store import flock, regular
from milepost.store.flock import Grip


class Holder(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Who holds a lease."""

    pid: int
    """0: not known, or several."""
    run: str
    host: str = ""
    boot_id: str = ""
    start_ticks: int = 0
    """Start of the process in clock ticks since boot; with pid and boot id it is an identity."""
    started_at: int = 0
    """Epoch milliseconds."""
    command: str = ""
    shared: bool = False
    """Several may hold it at once; each of them has a lease of its own that says who it is."""


_RESTORE_TRIES = 5
UNKNOWN = Holder(pid=0, run="unknown")
"""Somebody whose record cannot be read."""
SHARERS = Holder(pid=0, run="several", command="parallel", shared=True)
"""The record of all who share a lease: the same bytes, whoever writes them."""


class LeaseHeld(MilepostError):
    """Somebody living holds the lease."""

    exit_code = ExitCode.BLOCKED

    def __init__(self, what: str, holder: Holder | None) -> None:
        if holder and holder.shared:
            super().__init__(f"{what}: parallel workers are running", hint="gsd parallel status; gsd parallel stop ends them.")  # fmt: skip # noqa: E501
        else:
            who = f" (pid {holder.pid}, run {holder.run})" if holder and holder.pid else ""
            super().__init__(f"{what} is being worked on by another process{who}", hint="gsd status; gsd stop ends it.")
        self.holder = holder


class LeaseLost(MilepostError):
    """A lease that should be ours is not: somebody else has it, or what was handed over is no lease."""

    exit_code = ExitCode.BLOCKED


class Handed(NamedTuple):
    """Descriptors of a held lease, on their way to a child: give `fds` to it (`pass_fds`), then `close()` here.

    No other program that is started meanwhile gets them.
    """

    lease: int
    guard: int | None

    @property
    def fds(self) -> tuple[int, ...]:
        """Lease, and guard if there is one."""
        return (self.lease,) if self.guard is None else (self.lease, self.guard)

    def close(self) -> None:
        """Close our copies. The child's go on holding; without a child the lease is free."""
        for descriptor in self.fds:
            os.close(descriptor)


class Lease:
    """Hold a lease while the block runs: `with Lease(path, "M001", holder): …`."""

    def __init__(
        self, path: Path, what: str, holder: Holder, *, shared: bool = False, guard: Path | None = None
    ) -> None:
        """`what`: for the sentence of a refusal; `guard`: a second file that is locked with it."""
        self._what = what
        self._holder = SHARERS if shared else holder
        self._shared = shared
        self._paths = (path,) if guard is None else (path, guard)
        self._held: list[int] = []
        self._owner = 0
        self._turn = threading.Lock()

    def __enter__(self) -> "Lease":
        """Take it now, unless it was adopted. Raises LeaseHeld at once when a living process has it."""
        if not self._held:
            try:
                self._held = self._taken(self._paths)
            except _Refused:
                raise LeaseHeld(self._what, holder(*self._paths)) from None
            self._owner = os.getpid()
            self._write()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let go. The file stays, since removing it would race with the next holder; an empty record means free."""
        with self._turn:
            held, self._held = self._held, []
            # A forked copy of this process has no say in it.
            ours = self._owner == os.getpid()
            if held and ours and (not self._shared or flock.try_alone(held[0])):
                os.ftruncate(held[0], 0)
            for descriptor in held:
                (flock.release if ours else os.close)(descriptor)

    def detach(self) -> Handed:
        """Give it out of hand, still held, for a child. This lease holds nothing any more."""
        with self._turn:
            if not self._held:
                raise LeaseLost(f"the lease of {self._what} is not held")
            first, *rest = self._held
            self._held = []
        return Handed(lease=first, guard=rest[0] if rest else None)

    @classmethod
    def adopt(
        cls,
        handed: Handed,
        path: Path,
        what: str,
        holder: Holder,
        *,
        shared: bool = False,
        guard: Path | None = None,
    ) -> "Lease":
        """Take over what the parent handed on, and write who holds it now. Use it with `with`.

        A lease file that was deleted or made anew meanwhile is put back if the guard was handed over too. Raises
        LeaseLost when the descriptors are not those of `path` and `guard`, LeaseHeld when they hold nothing and
        somebody else does.
        """
        made = cls(path, what, holder, shared=shared, guard=guard)
        made._adopt(handed)
        return made

    def restore(self) -> bool:
        """Put a deleted or replaced file back, locked; whether that was needed. From any thread.

        Raises LeaseLost when somebody else holds what lies there now, or when nothing is held.
        """
        with self._turn:
            if not self._held:
                raise LeaseLost(f"the lease of {self._what} is not held")
            gone = [path for path, descriptor in zip(self._paths, self._held, strict=True) if not flock.is_at(descriptor, path)]  # fmt: skip # noqa: E501
            if not gone:
                return False
            new = dict(zip(gone, self._taken_back(gone), strict=True))
            for number, path in enumerate(self._paths):
                if path in new:
                    os.close(self._held[number])
                    self._held[number] = new[path]
            self._write()
        return True

    def _taken_back(self, gone: Sequence[Path]) -> list[int]:
        # Who is about to be refused has one of the two files in hand for a moment.
        for _ in range(_RESTORE_TRIES):
            with suppress(_Refused):
                return self._taken(gone)
        raise LeaseLost(f"somebody else took {self._what} over", hint="gsd parallel status")

    def _taken(self, paths: Sequence[Path]) -> list[int]:
        taken: list[int] = []
        with ExitStack() as undo:
            # The guard first: it is there, whatever became of the lease file.
            for path in reversed(paths):
                if (descriptor := flock.take(path, shared=self._shared)) is None:
                    raise _Refused
                undo.callback(flock.release, descriptor)
                taken.insert(0, descriptor)
            undo.pop_all()
        return taken

    def _adopt(self, handed: Handed) -> None:
        path, *guards = self._paths
        if not all(_is_file(descriptor) for descriptor in handed.fds) or not self._matches(handed):
            raise LeaseLost(
                f"what was handed over as the lease of {self._what} is not {path}", hint="Unset GSD_LEASE_FD."
            )
        for descriptor in handed.fds:
            os.set_inheritable(descriptor, False)
        # Held through this very opening, this changes nothing; held by nobody, it is now ours.
        if not all(flock.lock(descriptor, shared=self._shared) for descriptor in handed.fds):
            raise LeaseHeld(self._what, holder(*self._paths))
        try:
            more = self._taken(guards) if handed.guard is None else []
        except _Refused:
            raise LeaseHeld(self._what, holder(*self._paths)) from None
        self._held, self._owner = [*handed.fds, *more], os.getpid()
        if not self.restore():
            self._write()

    def _matches(self, handed: Handed) -> bool:
        path, *guards = self._paths
        if handed.guard is not None and not guards:
            return False
        return flock.is_at(handed.lease, path) or (handed.guard is not None and flock.is_at(handed.guard, guards[0]))

    def _write(self) -> None:
        record = msgspec.json.encode(self._holder) + b"\n"
        try:
            written = os.pwrite(self._held[0], record, 0)
        except OSError:
            # A full disk: the lock holds all the same, and no word is better than half of one.
            written = 0
        os.ftruncate(self._held[0], written if written == len(record) else 0)


class _Refused(Exception):
    """A lock of somebody else is in the way."""


def holder(path: Path, guard: Path | None = None) -> Holder | None:
    """Who holds the lease at `path` right now; None when nobody does. Asks the kernel, not the record.

    guard: asked too, in case the lease file was deleted. `Holder.shared` when several may be at work.
    """
    found = _record(path)
    if found is not None and not found.shared:
        # Such a record was left by one alone, so that asking for sharers, which takes longer, is not needed.
        grips = [Grip.EXCLUSIVE if flock.is_exclusive(path) else Grip.NONE]
    else:
        grips = [flock.grip(path)]
    if guard is not None and grips == [Grip.NONE]:
        grips.append(flock.grip(guard))
    match grips[-1]:
        case Grip.NONE:
            return None
        case Grip.SHARED:
            return SHARERS
        case Grip.EXCLUSIVE:
            said = _record(path)
            return said if said and not said.shared and len(grips) == 1 else UNKNOWN


def _record(path: Path) -> Holder | None:
    try:
        return msgspec.json.decode(regular.read(path), type=Holder)
    except (OSError, msgspec.DecodeError):
        return None


def _is_file(descriptor: int) -> bool:
    with suppress(OSError, OverflowError):
        return descriptor > 2 and stat.S_ISREG(os.fstat(descriptor).st_mode)
    return False
