"""What befalls the fleet."""

import errno
import os
import random
import shutil
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from chaos import processes
from chaos.place import Place, Running, wait_until
from chaos.story import Blow, Story
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
        """Start the fleet, and let everything happen."""
        place = self.place
        self.start()
        for blow in self.story.blows:
            self._later(self._fall, blow)
        while any(thread.is_alive() for thread in self.threads):
            place.sample()
            time.sleep(0.03)
        for thread in self.threads:
            thread.join()
        if self.failed:
            raise self.failed[0]

    def start(self, *more: str) -> Running:
        """`parallel start`."""
        words = ("parallel", "start", "--yes", "--agent", self.place.agent, *more)
        found = self.place.begin(*words)
        self.place.note(f"{found.name} begins")
        self.started.append(found)
        return found

    def _later(self, act: Callable[[Blow], None], blow: Blow) -> None:
        def run() -> None:
            try:
                act(blow)
            except BaseException as error:
                self.failed.append(error)

        thread = threading.Thread(target=run, name=str(blow), daemon=True)
        self.threads.append(thread)
        thread.start()

    def _fall(self, blow: Blow) -> None:
        began = self.started[0].began
        if blow.after and not wait_until(lambda: self._roles(blow.after) or self._over(), seconds=8):
            return
        if blow.after:
            time.sleep(blow.at_s)
        elif not wait_until(lambda: time.monotonic() - began > blow.at_s or self._over(), seconds=blow.at_s + 1):
            return
        dice = random.Random(blow.chance)
        _ACTS[blow.what](self, blow, dice)

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
        for running in (*self.started, *self.typed):
            if running.process.pid in (process.pid, process.group):
                running.shot = True

    def _order(self, blow: Blow, _: random.Random) -> None:
        running = self.place.begin("parallel", *blow.args)
        self.place.note(f"{running.name} typed")
        # A panic kills merges that somebody typed elsewhere; a stop ends them.
        for other in (*self.started, *self.typed):
            other.shot = other.shot or blow.args[0] == "panic"
        self.typed.append(running)

    def _look(self, blow: Blow, _: random.Random) -> None:
        words = {
            "status": ("parallel", "status"), "inbox": ("inbox",), "doctor": ("doctor",), "query": ("headless", "query"),
        }[blow.args[0]]  # fmt: skip
        self.place.end(self.place.begin(*words))

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
            running = self.place.begin("auto", "--agent", self.place.agent)
            self.place.note(f"{running.name} typed")
            self.typed.append(running)
            return
        words = ("parallel", "start", "--yes", "--agent", self.place.agent)
        elsewhere = self.place.root if how == "other-path" else None
        for _number in range(2 if how == "start-two" else 1):
            running = self.place.begin(*words, cwd=elsewhere)
            self.place.note(f"{running.name} typed as well")
            self.started.append(running)

    def _edit(self, blow: Blow, _: random.Random) -> None:
        with suppress(OSError):
            # On a disk that is full just now the user cannot write either.
            self.user.act(blow.args[0], blow.seconds)
            self.place.note(f"the user: {blow.args[0]}")

    def _fill(self, blow: Blow, _: random.Random) -> None:
        ballast = self.place.base / "disk" / "ballast"
        self.place.note("the disk is filled")
        deadline = time.monotonic() + blow.seconds
        with ballast.open("wb", buffering=0) as file:
            while time.monotonic() < deadline:
                try:
                    file.write(bytes(1 << 16))
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise
                    with suppress(OSError):
                        while file.write(bytes(512)):
                            pass
                    time.sleep(0.01)
        os.unlink(ballast)
        self.place.note("the disk has room again")


_ACTS: dict[str, Callable[[Storm, Blow, random.Random], None]] = {
    "signal": Storm._signal,
    "order": Storm._order,
    "look": Storm._look,
    "delete": Storm._delete,
    "race": Storm._race,
    "edit": Storm._edit,
    "fill": Storm._fill,
}
