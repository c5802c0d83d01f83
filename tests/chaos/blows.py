"""What befalls the fleet."""

import errno
import os
import random
import shutil
import signal
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from io import FileIO

from chaos import processes, truths
from chaos.place import Place, Running, wait_until
from chaos.story import ROLES, Blow, Story
from chaos.user import User


@dataclass(slots=True, kw_only=True)
class Storm:
    """All blows of a story, as they fall."""

    place: Place
    user: User
    story: Story
    typed: list[Running] = field(default_factory=list)
    """Commands that were given meanwhile and may still run."""
    started: list[Running] = field(default_factory=list)
    """Coordinators."""
    threads: list[threading.Thread] = field(default_factory=list)
    failed: list[BaseException] = field(default_factory=list)

    def rage(self) -> None:
        """Night after night: start the fleet, and let everything happen."""
        for number, blows in enumerate(self.story.nights, start=1):
            self.place.note(f"night {number}")
            self._night(blows)
            self.let_out()

    def let_out(self) -> None:
        """Wait for every command that was typed but the coordinators, and wake what was stopped."""
        typed, self.typed = self.typed, []
        for running in typed:
            self.place.end(running)
        processes.wake(self.place.processes())

    def _night(self, blows: Sequence[Blow]) -> None:
        began = self.start().began
        known = _said(self.place)
        self.threads = [threading.Thread(target=self._fall, args=(blow, began, known), daemon=True) for blow in blows]
        for thread in self.threads:
            thread.start()
        while any(thread.is_alive() for thread in self.threads):
            self.place.sample()
            time.sleep(0.03)
        if self.failed:
            raise self.failed[0]

    def start(self, *more: str) -> Running:
        """`parallel start`."""
        words = ("parallel", "start", "--yes", "--agent", self.place.agent, *more)
        with self.place.hands:
            found = self.place.begin(*words)
        self.place.note(f"{found.name} begins")
        self.started.append(found)
        return found

    def _fall(self, blow: Blow, began: float, known: Mapping[str, int]) -> None:
        try:
            if self._moment(blow, began, known):
                _ACTS[blow.what](self, blow, random.Random(blow.chance))
        except BaseException as error:
            self.failed.append(error)

    def _moment(self, blow: Blow, began: float, known: Mapping[str, int]) -> bool:
        """Wait for its moment; whether it came before everything was over."""
        if not blow.after:
            return wait_until(lambda: time.monotonic() - began > blow.at_s or self._over(), seconds=blow.at_s + 1)
        if blow.after in ROLES:
            came = wait_until(lambda: bool(self._roles(blow.after)) or self._over(), seconds=8)
        else:
            came = _await_event(self.place, blow.after, known, self._over)
        time.sleep(blow.at_s)
        return came

    def _over(self) -> bool:
        return all(running.process.poll() is not None for running in self.started) and not self.place.processes()

    def _roles(self, role: str) -> list[processes.Process]:
        return [p for p in self.place.processes() if role in (p.role, "everything")]

    def _signal(self, blow: Blow, dice: random.Random) -> None:
        role, name, scope = blow.args
        found = self._roles(role)
        if not found:
            self.place.note(f"no {role} to signal")
            return
        chosen = found if role == "everything" else [dice.choice(found)]
        number = signal.Signals[f"SIG{name}"]
        for process in chosen:
            self._shot(process)
            there = processes.send(process, number, group=scope == "group")
            self.place.note(f"SIG{name} to the {scope} of {process}{'' if there else ', which is gone'}")
        if number is signal.SIGSTOP:
            time.sleep(blow.seconds)
            for process in chosen:
                processes.send(process, signal.SIGCONT, group=scope == "group")
            self.place.note(f"SIGCONT to {', '.join(str(process.pid) for process in chosen)}")

    def _shot(self, process: processes.Process) -> None:
        self.place.shot |= {process.pid, process.group}

    def _order(self, blow: Blow, _: random.Random) -> None:
        words = ("doctor", "--fix") if blow.args[0] == "fix" else ("parallel", *blow.args)
        running = self.place.begin(*words)
        self.place.note(f"{running.name} typed")
        # A panic kills merges that somebody typed elsewhere; a stop ends them.
        for other in (*self.started, *self.typed):
            other.shot = other.shot or blow.args[0] == "panic"
        self.typed.append(running)

    def _look(self, blow: Blow, _: random.Random) -> None:
        match blow.args[0]:
            case "status":
                truths.require_true(self.place)
            case "doctor":
                truths.require_doctor_true(self.place)
            case "query":
                self.place.gsd("headless", "query")
            case what:
                self.place.gsd(what)

    def _delete(self, blow: Blow, _: random.Random) -> None:
        state, what = self.place.state, blow.args[0]
        patterns = {
            "leases": ["parallel/*.lease"],
            "statuses": ["parallel/*.status.json"],
            "lock": ["auto.lock", "worktrees/*/*/auto.lock"],
            "orders": ["parallel/*.signal.json"],
            "parallel": [],
        }[what]
        gone = [path for pattern in patterns for path in state.glob(pattern)]
        for path in gone:
            path.unlink(missing_ok=True)
        if what == "parallel":
            shutil.rmtree(state / "parallel", ignore_errors=True)
        self.place.note(f"deleted {what}: {', '.join(path.name for path in gone)}")

    def _race(self, blow: Blow, _: random.Random) -> None:
        how = blow.args[0]
        if how == "auto":
            with self.place.hands:
                running = self.place.begin("auto", "--agent", self.place.agent)
            self.place.note(f"{running.name} typed")
            self.typed.append(running)
            return
        words = ("parallel", "start", "--yes", "--agent", self.place.agent)
        elsewhere = self.place.root if how == "other-path" else None
        for _number in range(2 if how == "start-two" else 1):
            with self.place.hands:
                running = self.place.begin(*words, cwd=elsewhere)
            self.place.note(f"{running.name} typed as well")
            self.started.append(running)

    def _edit(self, blow: Blow, _: random.Random) -> None:
        with suppress(OSError):
            # On a disk that is full just now the user cannot write either.
            self.user.act(blow.args[0], blow.seconds)
            self.place.note(f"the user: {blow.args[0]}")

    def _fill(self, blow: Blow, _: random.Random) -> None:
        ballast = self.place.base / "disk" / f"ballast-{blow.chance}"
        self.place.note("the disk is filled")
        try:
            with ballast.open("wb", buffering=0) as file:
                _fill_up(file, blow.seconds)
        finally:
            ballast.unlink(missing_ok=True)
            self.place.note("the disk has room again")


def _fill_up(file: FileIO, seconds: float) -> None:
    """Take every byte that becomes free, for so long."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        for size in (1 << 16, 512):
            try:
                while file.write(bytes(size)):
                    pass
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
        time.sleep(0.005)


def _await_event(place: Place, event: str, known: Mapping[str, int], over: Callable[[], bool]) -> bool:
    """Wait until a journal has one more of these than it had; looked for often, since what follows may be short."""
    kind, _, step = event.partition("/")
    began = looked = time.monotonic()
    while time.monotonic() - began < 8:
        for name, size in _said(place).items():
            if size <= known.get(name, 0):
                continue
            with suppress(OSError):
                new = (place.state / "journal" / name).read_bytes()[known.get(name, 0) :].splitlines()
                if any(f'"event":"{kind}"'.encode() in line and (not step or f'"step":"{step}"'.encode() in line) for line in new):  # fmt: skip # noqa: E501
                    return True
        if time.monotonic() - looked > 0.2:
            looked = time.monotonic()
            if over():
                return False
        time.sleep(0.004)
    return False


def _said(place: Place) -> dict[str, int]:
    """Every journal with its size."""
    with suppress(OSError):
        return {entry.name: entry.stat().st_size for entry in os.scandir(place.state / "journal")}
    return {}


_ACTS: dict[str, Callable[[Storm, Blow, random.Random], None]] = {
    "signal": Storm._signal,
    "order": Storm._order,
    "look": Storm._look,
    "delete": Storm._delete,
    "race": Storm._race,
    "edit": Storm._edit,
    "fill": Storm._fill,
}
