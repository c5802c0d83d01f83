"""The person who goes on working in the checkout meanwhile. Remembers what was left where, byte for byte."""

import random
import time
from dataclasses import dataclass, field

from chaos.place import SHARED, Broken, GitSaidNo, Place, wait_until
from milepost.testing import projects

_PATIENCE_S = 10.0
"""How long a person tries again while git is locked by somebody else."""


@dataclass(slots=True, kw_only=True)
class User:
    """What is the user's and not committed, and which commits are."""

    place: Place
    dice: random.Random
    files: dict[str, bytes | None] = field(default_factory=dict)
    """Path to what lies there; None: the user removed it."""
    staged: set[str] = field(default_factory=set)
    commits: set[str] = field(default_factory=set)
    branch: str = "main"
    number: int = 0

    def act(self, what: str, seconds: float) -> None:
        """Do one thing; a switch is there and back again."""
        with self.place.hands:
            self.number += 1
            getattr(self, f"_{what.replace('-', '_')}")(seconds)

    def require_untouched(self) -> None:
        """Everything is as it was left. Raises Broken."""
        for path, data in self.files.items():
            file = self.place.root / path
            now = file.read_bytes() if file.is_file() else None
            if now != data:
                raise Broken(f"the user's {path} was {data!r} and is {now!r}")
        head = self.place.git("symbolic-ref", "--short", "HEAD").strip()
        if head != self.branch:
            raise Broken(f"the user was on {self.branch}, and HEAD is {head}")

    def require_status(self) -> None:
        """Git's status of the checkout names the user's changes and nothing else. Raises Broken."""
        asked = ("status", "--porcelain", "-z", "--untracked-files=all", "--", ".", f":!{self.place.shape.state_dir}")
        found = {entry[3:]: entry[:2] for entry in self.place.git(*asked).split("\0") if entry}
        expected = {path: self._letters(path, data) for path, data in self.files.items()}
        if found != expected:
            raise Broken(f"git status says {found}; the user left {expected}")

    def _letters(self, path: str, data: bytes | None) -> str:
        if path in self.staged:
            return "A "
        if data is None:
            return " D"
        return "??" if path.startswith(("mine/", "work/")) else " M"

    def clear(self) -> None:
        """Out of the way: back on main, and nothing that a milestone wants to write."""
        with self.place.hands:
            self.back()
            self._give_in()
            self.back()

    def _give_in(self) -> None:
        """Commit, or put back, whatever may be in the way of a merge."""
        for path in [path for path in self.files if path == SHARED or path.startswith("work/")]:
            self.place.note(f"the user clears {path} away")
            if path.startswith("work/"):
                (self.place.root / path).rename(self.place.base / f"saved-{self.number}.txt")
            elif self.dice.random() < 0.5:
                self._patiently("commit", "-qm", f"the user's {path}", "--only", "--", path)
                self._committed()
            else:
                self._patiently("restore", "--", path)
            del self.files[path]

    def _write(self, path: str, data: bytes) -> None:
        file = self.place.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        try:
            file.write_bytes(data)
        finally:
            # What a full disk left of it is the user's too.
            if file.exists():
                self.files[path] = file.read_bytes()

    def _dirty(self, _: float) -> None:
        if self.files.get("README.md", b"") is not None:
            self._write("README.md", f"# A project\n\nMine, number {self.number}.\n".encode())

    def _remove(self, _: float) -> None:
        path = "notes/1.txt"
        (self.place.root / path).unlink(missing_ok=True)
        self.files[path] = None

    def _untracked(self, _: float) -> None:
        self._write(f"mine/untracked {self.number}.txt", b"nobody else's\n\xff\x00")

    def _staged(self, _: float) -> None:
        path = f"mine/staged{self.number}.txt"
        self._write(path, b"staged\n")
        if self._patiently("add", "--", path):
            self.staged.add(path)

    def _commit(self, _: float) -> None:
        path = f"notes/{2 + self.number % 2}.txt"
        self._write(path, f"committed by the user, number {self.number}\n".encode())
        if self._patiently("commit", "-qm", f"the user's own, number {self.number}", "--only", "--", path):
            self._committed()
            del self.files[path]

    def _commit_staged(self, _: float) -> None:
        """As most people commit: what is in the index, whatever else is."""
        path = f"mine/kept{self.number}.txt"
        self._write(path, b"kept\n")
        if self._patiently("add", "--", path):
            self.staged.add(path)
            if self._patiently("commit", "-qm", f"the user's staged, number {self.number}"):
                self._committed()
                for done in self.staged:
                    del self.files[done]
                self.staged.clear()

    def _committed(self) -> None:
        """The user's commit; it may be covered by a landing the next moment."""
        for line in self.place.git("log", "-8", "--format=%H %s", "HEAD").splitlines():
            commit, _, subject = line.partition(" ")
            if subject.startswith("the user's "):
                self.commits.add(commit)

    def _switch(self, seconds: float) -> None:
        """To another branch for a while, and back; not before what was typed has seen where the user stands."""
        if not wait_until(self.place.underway, seconds=_PATIENCE_S):
            self.place.note("the user stays on main")
            return
        if not self._patiently("switch", "-q", "-c", f"side{self.number}"):
            return
        self.branch = f"side{self.number}"
        self.place.note(f"the user is on {self.branch}")
        time.sleep(seconds)
        if self._patiently("switch", "-q", "main"):
            self.branch = "main"
            self.place.note("the user is back on main")

    def back(self) -> None:
        """Back to main, where it could not be done before."""
        if self.branch != "main" and self._patiently("switch", "-q", "main"):
            self.branch = "main"

    def _dirty_theirs(self, _: float) -> None:
        self._write(SHARED, f"one\nthe user's, number {self.number}\nthree\n".encode())

    def _untracked_theirs(self, _: float) -> None:
        path = projects.product(self.dice.choice(self.place.shape.milestones), "S01", "T01")
        if not (self.place.root / path).exists():
            self._write(path, b"the user's own idea\n")

    def _patiently(self, *words: str) -> bool:
        """Type a git command, again while somebody else has a lock; whether it went through."""
        deadline = time.monotonic() + _PATIENCE_S
        while True:
            try:
                self.place.git(*words)
                return True
            except GitSaidNo as no:
                said = str(no).strip().replace("\n", " / ")[:300]
                if "lock" not in said or time.monotonic() > deadline:
                    self.place.note(f"git {' '.join(words)}: {said}")
                    return False
            time.sleep(0.05)
