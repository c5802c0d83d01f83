"""Which steps of a set-up were done in a worktree: `runtime/places/<MID>.setup.json`.

It belongs to one worktree, known by the time its `.git` was made: another one under the same name, or one that was
moved, has everything before it. A file that cannot be read counts as none, and costs a set-up.
"""

import msgspec

from milepost.rules.recipes import Step
from milepost.store import atomic
from milepost.unit.bench import Workspace


class _Done(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A step that came to its end."""

    lock_hash: str
    filled: bool
    """Whether the directory that it fills was there afterwards."""


class _Record(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The file."""

    made_ns: int
    steps: dict[str, _Done]


class Memory:
    """What was done in the worktree of `place`."""

    def __init__(self, place: Workspace) -> None:
        self._worktree = place.cwd
        self._path = place.root_state / "runtime" / "places" / f"{place.milestone}.setup.json"

    def has(self, step: Step, lock_hash: str) -> bool:
        """Whether the step was done for these lock files, and what it filled is still there."""
        done = self._steps().get(step.name)
        if done is None or done.lock_hash != lock_hash:
            return False
        return not done.filled or (self._worktree / step.fills).is_dir()

    def keep(self, step: Step, lock_hash: str) -> None:
        """Remember that the step was done. Raises OSError when that cannot be written."""
        filled = bool(step.fills) and (self._worktree / step.fills).is_dir()
        steps = {**self._steps(), step.name: _Done(lock_hash=lock_hash, filled=filled)}
        atomic.replace(self._path, msgspec.json.encode(_Record(made_ns=self._made_ns(), steps=steps)))

    def _steps(self) -> dict[str, _Done]:
        try:
            found = msgspec.json.decode(self._path.read_bytes(), type=_Record)
        except (OSError, msgspec.DecodeError):
            return {}
        return found.steps if found.made_ns == self._made_ns() else {}

    def _made_ns(self) -> int:
        return (self._worktree / ".git").stat().st_mtime_ns
