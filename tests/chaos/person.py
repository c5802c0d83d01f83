"""The person who comes in the morning, reads what waits, does what it says, and starts again."""

import random
import time
from dataclasses import dataclass, field

from chaos.blows import Storm
from chaos.place import Broken, Place, Ran
from chaos.truths import require_true

_PATIENCE_S = 150.0
_LOOK_S = 6.0
"""How long a start may go on before the person looks what it waits for."""


@dataclass(slots=True, kw_only=True)
class Person:
    """Finishes what a storm left."""

    storm: Storm
    dice: random.Random
    starts: int = 0
    retry: bool = False
    did: list[str] = field(default_factory=list)

    @property
    def place(self) -> Place:
        """The project."""
        return self.storm.place

    def finish(self) -> None:
        """Until a start says that all is done. Raises Broken when that does not come."""
        began = time.monotonic()
        while True:
            if time.monotonic() - began > _PATIENCE_S:
                raise Broken(f"{self.starts} starts and {len(self.did)} commands did not finish it: {self.did}")
            ran = self._await_coordinators()
            if ran is not None and ran.code == 0 and self._all_done():
                return
            waiting = self._look()
            if not self._coordinated() and not any(row["kind"] in _FIRST for row in waiting):
                # Everything else may go away by starting again.
                self._start()
                continue
            for row in waiting:
                self._answer(row)
            if not self._coordinated():
                self._start()

    def _start(self) -> None:
        self.starts += 1
        if self.storm.user.branch != "main":
            # Milestones are merged into the branch that one stands on when one starts.
            self.storm.user.clear()
        self.storm.start(*(("--retry",) if self.retry or self.dice.random() < 0.5 else ()))
        self.retry = False

    def _coordinated(self) -> bool:
        return any(running.process.poll() is None for running in self.storm.started) or any(
            process.role == "coordinator" for process in self.place.processes()
        )

    def _await_coordinators(self) -> Ran | None:
        """Until all coordinators ended, or for a while; how the last of them ended."""
        deadline = time.monotonic() + _LOOK_S
        last = None
        while time.monotonic() < deadline:
            self.place.sample()
            for running in [one for one in self.storm.started if one.process.poll() is not None]:
                self.storm.started.remove(running)
                last = self.place.end(running)
            if not self._coordinated():
                return last
            time.sleep(0.05)
        return None

    def _all_done(self) -> bool:
        """The last start said so. Nothing may be left that it does not know of."""
        return True

    def _look(self) -> list[dict[str, object]]:
        require_true(self.place)
        rows = self.place.json("inbox", "--json")
        assert isinstance(rows, list)
        for row in rows:
            self.place.note(f"waits: {row['kind']} {row['milestoneId'] or ''}: {row['reason']} → {row['next']}")
        return rows

    def _answer(self, row: dict[str, object]) -> None:
        kind, milestone = str(row["kind"]), str(row["milestoneId"] or "")
        match kind:
            case "conflict" | "merge" | "refused" | "kept":
                self._merge(milestone)
            case "paused" | "stopped":
                self._type("parallel", "resume", milestone)
            case "unresponsive":
                self._type("parallel", "stop", milestone)
            case "failed":
                self.retry = True
            case _:
                pass

    def _merge(self, milestone: str) -> None:
        """Merge it, and mend what is said to be in the way."""
        self._resolve(milestone)
        if self._type("parallel", "merge", milestone).code == 0:
            return
        if not self._resolve(milestone):
            self.storm.user.clear()
        self._type("parallel", "merge", milestone)

    def _type(self, *words: str) -> Ran:
        self.did.append(" ".join(words))
        return self.place.gsd(*words)

    def _resolve(self, milestone: str) -> bool:
        """Take both sides of every conflict, in the worktree, as people do; whether there was any."""
        where = self.place.state / "worktrees" / milestone
        if not where.is_dir():
            return False
        names = [name for name in self.place.git("diff", "--name-only", "--diff-filter=U", where=where).split("\n") if name]  # fmt: skip # noqa: E501
        for name in names:
            file = where / name
            text = file.read_text(errors="replace") if file.exists() else ""
            kept = [
                line for line in text.splitlines() if not line.startswith(("<<<<<<<", "=======", ">>>>>>>", "|||||||"))
            ]
            file.write_text("\n".join(kept) + "\n")
            self.place.note(f"{milestone}: {name} resolved by hand")
        how = self.dice.choice(("files", "add", "commit")) if names else ""
        if how in ("add", "commit"):
            self.place.git("add", "--", *names, where=where)
        if how == "commit":
            self.place.git("commit", "-qm", f"merge main into {milestone}", where=where)
        return bool(names)


_FIRST = {"conflict", "refused", "merge", "kept"}
