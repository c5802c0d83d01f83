"""A person's orders (`OVERRIDES.md`), as the milestone that they are for sees them.

A milestone with a worktree has its own copy, which its sessions resolve. Orders that a person writes into the
project's file meanwhile are added to that copy, once; whether it was resolved since is the copy's to say.
Hot path: imports little. Source: spec auto 2.23, 5.9 (step 8), DESIGN rule 1.
"""

import os

from milepost.formats import overrides
from milepost.formats.tree import Tree, root_file
from milepost.store.snapshot import Snapshot

NAME = "OVERRIDES.md"


class Steered:
    """A tree in which `OVERRIDES.md` says what holds for one milestone."""

    def __init__(self, tree: Snapshot, text: str) -> None:
        self._tree = tree
        self._text = text

    def names(self, directory: str) -> tuple[str, ...]:
        """As the tree's; at the top, with the file."""
        names = self._tree.names(directory)
        return names if directory.strip("/") or NAME in names else tuple(sorted((*names, NAME)))

    def text(self, path: str) -> str | None:
        """As the tree's, but for the file."""
        return self._text if path.strip("/").upper() == NAME.upper() else self._tree.text(path)

    def is_dir(self, path: str) -> bool:
        """As the tree's."""
        return self._tree.is_dir(path)


def steered(tree: Snapshot, milestone: str | None) -> Tree:
    """`tree` with the orders of `milestone`; the tree itself where that makes no difference."""
    home = tree.homes.get(milestone or "")
    text = _orders(tree, home) if home else None
    return tree if text is None else Steered(tree, text)


def carry(tree: Snapshot, milestone: str) -> tuple[str, str] | None:
    """The milestone's own file and what it should say, when the project's has orders that it lacks; else None."""
    home = tree.homes.get(milestone)
    wanted = _orders(tree, home) if home else None
    if home is None or wanted is None or wanted == _own(tree, home):
        return None
    return os.path.join(home, NAME), wanted


def _orders(tree: Snapshot, home: str) -> str | None:
    path = root_file(tree, "OVERRIDES")
    if path is None:
        return None
    own = _own(tree, home)
    known = {(entry.at, entry.change) for entry in overrides.parse(own)}
    new = [e for e in overrides.active(tree.text(path) or "") if (e.at, e.change) not in known]
    return (
        "\n".join([own.rstrip("\n") + "\n" if own else "# GSD Overrides\n", *map(overrides.render, new)])
        if new
        else own
    )


def _own(tree: Snapshot, home: str) -> str:
    return Snapshot(os.path.dirname(home), tree.state_dir, homes={}).text(NAME) or ""
