"""Run `gsd` in this process and write down what it started, what it used and what it loaded.

    python benchmarks/probe.py RECORD.json auto --model …

Every child is noted from the call that starts it to the moment its end is known, whoever waits for it: `subprocess`
itself, or the event loop, which sets `returncode` too. Nothing is put between Milepost and its children.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

_HEAVY = ("pydantic_ai", "openai", "anthropic", "google.genai", "httpx2", "msgspec", "yaml", "asyncio", "anyio")


class Child(NamedTuple):
    """A process that was started. Times in ns of the monotonic clock, which all processes share."""

    argv: tuple[str, ...]
    began: int
    ended: int

    @property
    def git(self) -> bool:
        """Whether it is git."""
        return os.path.basename(self.argv[0]) == "git"


@contextmanager
def children() -> Iterator[list[Child]]:
    """Note every process that is started in the block, by anybody in this interpreter."""
    plain, found = subprocess.Popen, list[Child]()

    class Noted(plain):  # type: ignore[misc,valid-type]
        _code: int | None = None

        def __init__(self, args: Any, *rest: Any, **named: Any) -> None:
            self._began = time.monotonic_ns()
            self._argv = (args,) if isinstance(args, str) else tuple(map(str, args))
            super().__init__(args, *rest, **named)

        @property
        def returncode(self) -> int | None:
            return self._code

        @returncode.setter
        def returncode(self, code: int | None) -> None:
            if code is not None and self._code is None:
                found.append(Child(self._argv, self._began, time.monotonic_ns()))
            self._code = code

    subprocess.Popen = Noted  # type: ignore[misc]
    try:
        yield found
    finally:
        subprocess.Popen = plain  # type: ignore[misc]


@contextmanager
def syncs() -> Iterator[list[tuple[int, int]]]:
    """Note from when to when the block waits for the disk (`os.fsync`), in ns of the monotonic clock."""
    plain, found = os.fsync, list[tuple[int, int]]()

    def noted(fd: Any) -> None:
        began = time.monotonic_ns()
        plain(fd)
        found.append((began, time.monotonic_ns()))

    os.fsync = noted
    try:
        yield found
    finally:
        os.fsync = plain


def peak_kb() -> int:
    """The largest amount of memory this process itself had resident, in kB."""
    try:
        with open("/proc/self/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
    except (OSError, StopIteration):
        import resource

        # On macOS in bytes; on Linux never reached, where it may also hold the parent's peak from before exec.
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def main() -> int:
    """Run, and write the record whatever happens."""
    record, *argv = sys.argv[1:]
    code = 1
    with children() as found, syncs() as waits:
        try:
            from milepost.ui.cli.main import main as gsd

            code = gsd(argv, "gsd")
        finally:
            _write(record, found, waits)
    return code


def _write(record: str, found: list[Child], waits: list[tuple[int, int]]) -> None:
    import json

    made = {
        "children": [list(child) for child in found],
        "syncs": waits,
        "peak_kb": peak_kb(),
        "cpu_ms": time.process_time_ns() / 1e6,
        "modules": len(sys.modules),
        "heavy": [name for name in _HEAVY if name in sys.modules],
    }
    with open(record, "w") as file:
        json.dump(made, file)


if __name__ == "__main__":
    raise SystemExit(main())
