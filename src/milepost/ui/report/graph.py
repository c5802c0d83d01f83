"""Who waits for whom, as a picture: boxes in columns, each to the right of all it waits for. Inline SVG."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from milepost.ui.report.markup import NOTHING, Markup, tag

_WIDTH, _HEIGHT = 168, 38
_RIGHT, _DOWN = 44, 12
_LETTERS = 22
"""Of a title that fit into a box."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A milestone or a slice."""

    id: str
    title: str
    needs: tuple[str, ...]
    """Ids of what it waits for; those that are not drawn are passed over."""
    look: str
    """done, at, or nothing."""


def picture(nodes: Sequence[Node], label: str) -> Markup:
    """The picture; nothing when nobody waits for anybody."""
    known = {node.id: node for node in nodes}
    if not any(need in known for node in nodes for need in node.needs):
        return NOTHING
    places = _places(nodes, _columns(known))
    width = max(x for x, _ in places.values()) + _WIDTH + 2
    height = max(y for _, y in places.values()) + _HEIGHT + 2
    edges = [_edge(places[need], places[node.id]) for node in nodes for need in node.needs if need in known]
    drawn = (*edges, *(_box(node, *places[node.id]) for node in nodes))
    made = tag(
        "svg", tag("title", label), drawn, role="img", width=width, height=height, viewBox=f"0 0 {width} {height}"
    )
    return tag("div", made, classes="wide")


def _columns(known: Mapping[str, Node]) -> dict[str, int]:
    """The column of each: one more than the furthest it waits for. A circle, which no plan may have, ends somewhere."""
    column = dict.fromkeys(known, 0)
    for _ in known:
        moved = False
        for node in known.values():
            least = max((column[need] + 1 for need in node.needs if need in known and need != node.id), default=0)
            if column[node.id] < least < len(known):
                column[node.id], moved = least, True
        if not moved:
            break
    return column


def _places(nodes: Sequence[Node], column: Mapping[str, int]) -> dict[str, tuple[int, int]]:
    filled: dict[int, int] = {}
    places = {}
    for node in nodes:
        at = column[node.id]
        row = filled[at] = filled.get(at, -1) + 1
        places[node.id] = (1 + at * (_WIDTH + _RIGHT), 1 + row * (_HEIGHT + _DOWN))
    return places


def _box(node: Node, x: int, y: int) -> Markup:
    short = node.title if len(node.title) <= _LETTERS else f"{node.title[: _LETTERS - 1]}…"
    return tag(
        "g",
        tag("title", f"{node.id}: {node.title}"),
        tag("rect", x=x, y=y, width=_WIDTH, height=_HEIGHT, rx=6, classes=f"node {node.look}".strip()),
        tag("text", f"{node.id}{' ✓' if node.look == 'done' else ''}", x=x + 9, y=y + 15, font_weight="600"),
        tag("text", short, x=x + 9, y=y + 30, classes="soft"),
    )


def _edge(start: tuple[int, int], end: tuple[int, int]) -> Markup:
    x1, y1 = start[0] + _WIDTH, start[1] + _HEIGHT // 2
    x2, y2 = end[0], end[1] + _HEIGHT // 2
    middle = (x1 + x2) // 2
    return tag(
        "g",
        tag("path", d=f"M{x1} {y1}C{middle} {y1} {middle} {y2} {x2 - 6} {y2}", classes="edge"),
        tag("path", d=f"M{x2} {y2}l-7 -4v8z", classes="tip"),
    )
