"""The milestones in working order, with where each stands and what it waits for, down the whole chain.

    1. M001 — Foundation — complete
    2. M002 — Sign-in — active
    3. M003 — Mail — pending — waits for M002
    4. M004 — Digest — pending — waits for M003 → M002
    5. M005 — Search — draft

A draft is to be discussed before it is planned (`gsd discuss M005`).
Source: parallel PR-191, PR-212.
"""

from collections.abc import Collection, Mapping, Sequence

from milepost.model.state import RegistryEntry, Status
from milepost.ui.views.parallel_text import plain


def text(registry: Sequence[RegistryEntry], drafts: Collection[str] = ()) -> str:
    """For people; ends in one newline. drafts: milestones that have only a draft of their context."""
    if not registry:
        return "# Queue\n\nThere are no milestones yet.\n"
    lines = (f"{number}. {_line(entry, registry, drafts)}\n" for number, entry in enumerate(registry, 1))
    return "# Queue\n\n" + "".join(lines)


def document(registry: Sequence[RegistryEntry], drafts: Collection[str] = ()) -> list[dict[str, object]]:
    """For programs."""
    return [
        {
            "id": entry.id,
            "title": entry.title,
            "status": str(entry.status),
            "draft": entry.id in drafts,
            "waitsFor": [list(names) for names in waits(entry, registry)],
        }
        for entry in registry
    ]


def waits(entry: RegistryEntry, registry: Sequence[RegistryEntry]) -> tuple[tuple[str, ...], ...]:
    """What a milestone waits for, then what that waits for, and so on; each once, where it comes first."""
    known = {each.id: each for each in registry}
    levels: list[tuple[str, ...]] = []
    seen: set[str] = set()
    next_ = _open(entry, known, seen)
    while next_:
        levels.append(next_)
        seen |= set(next_)
        below = (name for each in next_ if each in known for name in _open(known[each], known, seen))
        next_ = tuple(dict.fromkeys(below))
    return tuple(levels)


def _open(entry: RegistryEntry, known: Mapping[str, RegistryEntry], seen: Collection[str]) -> tuple[str, ...]:
    """Dependencies that are not complete, nor named already."""
    complete = {name for name in entry.depends_on if name in known and known[name].status is Status.COMPLETE}
    return tuple(name for name in dict.fromkeys(entry.depends_on) if name not in complete and name not in seen)


def _line(entry: RegistryEntry, registry: Sequence[RegistryEntry], drafts: Collection[str]) -> str:
    known = {each.id for each in registry}
    levels = [", ".join(_named(name, known) for name in names) for names in waits(entry, registry)]
    status = str(entry.status)
    if entry.id in drafts:
        status = "draft" if entry.status is Status.PENDING else f"{status}, draft"
    words = f"{entry.id} — {plain(entry.title)} — {status}"
    return f"{words} — waits for {' → '.join(levels)}" if levels else words


def _named(name: str, known: set[str]) -> str:
    return plain(name) if name in known else f"{plain(name)} (not there)"
