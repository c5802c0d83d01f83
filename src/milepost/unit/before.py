"""What stood on disk before a unit, so that what it did can be told from what was there.

Boxes that were ticked and completion artifacts that existed, kept in `runtime/attempts/<attempt>.json` from before
the session until the attempt is closed. Works the same whether or not the project's plan is in git.
Source: DESIGN rules 3 and 5.
"""

import hashlib
import json
from pathlib import Path

import msgspec

from milepost.formats import plan, roadmap
from milepost.formats.tree import Tree, milestone_dir, milestone_file, read, root_file, slice_file
from milepost.store import atomic


class Before(msgspec.Struct, frozen=True, kw_only=True):
    """The milestone's books at the start of an attempt."""

    slices: tuple[str, ...]
    """Slices whose box was ticked."""
    tasks: tuple[str, ...]
    """`S01/T02` whose box was ticked."""
    artifacts: dict[str, str]
    """Path below the state directory → digest, of every Markdown file of the milestone."""
    others: tuple[str, ...] = ()
    """Paths of other milestones that were changed already, in a checkout that is the user's too."""
    gates: dict[str, str] = {}
    """`S01/T02` → its Verify line: a session does not choose the gate that judges it."""
    outline: tuple[str, ...] = ()
    """Every slice (`S01`) and task (`S01/T02`) of the plan."""
    orders: str | None = None
    """What `OVERRIDES.md` said; None in records of before."""
    links: tuple[str, ...] = ()
    """Names at the top of the state directory that were symbolic links."""


def take(tree: Tree, milestone: str, others: tuple[str, ...] = (), links: tuple[str, ...] = ()) -> Before:
    """Look at the milestone's books now. others: paths of other milestones that differ from the last commit.

    links: names at the top of the state directory that are links.
    """
    found = roadmap_of(tree, milestone)
    slices = found.slices if found else ()
    tasks = {f"{s.id}/{t.id}": t for s in slices for t in tasks_of(tree, milestone, s.id)}
    return Before(
        slices=tuple(s.id for s in slices if s.done),
        tasks=tuple(key for key, task in tasks.items() if task.done),
        artifacts=artifacts(tree, milestone),
        others=others,
        gates={key: task.verify for key, task in tasks.items() if task.verify},
        outline=(*(s.id for s in slices), *tasks),
        orders=read(tree, root_file(tree, "OVERRIDES")),
        links=links,
    )


def roadmap_of(tree: Tree, milestone: str) -> roadmap.Roadmap | None:
    """The milestone's roadmap, None when there is none."""
    path = milestone_file(tree, milestone, "ROADMAP")
    return roadmap.parse((tree.text(path) if path else None) or "") if path else None


def tasks_of(tree: Tree, milestone: str, slice_id: str) -> tuple[plan.Task, ...]:
    """The tasks of a slice's plan; empty when there is none."""
    path = slice_file(tree, milestone, slice_id, "PLAN")
    return plan.parse((tree.text(path) if path else None) or "").tasks if path else ()


def artifacts(tree: Tree, milestone: str) -> dict[str, str]:
    """Digest of every Markdown file below the milestone's directory, by path below the state directory."""
    top = milestone_dir(tree, milestone)
    return {path: _digest(tree.text(path) or "") for path in _files(tree, top)} if top else {}


def _files(tree: Tree, directory: str) -> list[str]:
    found: list[str] = []
    for name in tree.names(directory):
        path = f"{directory}/{name}"
        if tree.is_dir(path):
            found += _files(tree, path)
        elif name.endswith(".md"):
            found.append(path)
    return found


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "surrogateescape"), digest_size=12).hexdigest()


def keep(state: Path, attempt: str, before: Before) -> None:
    """Write it down before the session starts. `state`: the project's state directory."""
    # The standard library's JSON carries names that are no UTF-8 there and back.
    atomic.replace(_path(state, attempt), json.dumps(msgspec.to_builtins(before)).encode())


def recall(state: Path, attempt: str) -> Before | None:
    """What `keep` wrote; None when the attempt never got that far."""
    try:
        return msgspec.convert(json.loads(_path(state, attempt).read_bytes()), type=Before)
    except (FileNotFoundError, ValueError, msgspec.ValidationError):
        return None


def drop(state: Path, attempt: str) -> None:
    """Forget it, once the attempt is closed."""
    _path(state, attempt).unlink(missing_ok=True)


def _path(state: Path, attempt: str) -> Path:
    return state / "runtime" / "attempts" / f"{attempt}.json"
