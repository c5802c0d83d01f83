"""New milestones on disk: an id that nobody else gets, and a directory that is there with its first file or not at all.

Source: spec auto 1.1 (#961: ids that were handed out twice).
"""

import os
import secrets
import string
from collections.abc import Callable, Iterable
from pathlib import Path

from milepost.model.ids import milestone_of_directory, next_milestone
from milepost.store import atomic, flock

_LETTERS = string.ascii_lowercase + string.digits


def add(
    state: Path, text: Callable[[str], str], *, suffix: str, taken: Iterable[str] = (), unique: bool = False
) -> str:
    """Make the directory of a new milestone with `<ID>-<suffix>.md` in it; its id.

    text: what the file says, given the id. taken: ids that are used elsewhere (branches, backups, the journal).
    unique: with six random characters behind the number. Raises OSError or BadId with nothing made.
    """
    held = flock.wait_for(state / "runtime" / "ids")
    try:
        used = {found for name in _names(state / "milestones") if (found := milestone_of_directory(name))}
        tail = "".join(secrets.choice(_LETTERS) for _ in range(6)) if unique else ""
        mid = next_milestone({*used, *taken}, tail)
        _make(state, mid, f"{mid}-{suffix}.md", text(mid))
        return mid
    finally:
        flock.release(held)


def _make(state: Path, mid: str, name: str, text: str) -> None:
    """Under another name first: a directory without a file would be a milestone of which nothing is known."""
    made = state / "runtime" / "ids" / f"{mid}.{os.getpid()}"
    made.mkdir(parents=True, exist_ok=True)
    atomic.replace(made / name, text.encode("utf-8", "surrogateescape"))
    (state / "milestones").mkdir(exist_ok=True)
    made.rename(state / "milestones" / mid)


def _names(directory: Path) -> list[str]:
    try:
        return os.listdir(directory)
    except FileNotFoundError:
        return []
