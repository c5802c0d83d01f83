"""Which settings the program acts on, found by looking for the places that read them.

A key `git.isolation` counts as read where `.isolation` is taken from something called `git`, or from a name that was
bound to such a section. Parsing, merging and checking settings do not count as reading them.
"""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import milepost
from milepost.rules.models import PHASE_OF, SIMPLE

_ROOTS = frozenset({"preferences", "prefs"})
_SECTIONS = frozenset({"git", "parallel"})
"""What is bound to a name where several of its settings are read."""
_LAYERS = frozenset({"mode", "token_profile", "version", "parallel.max_workers_limit"})
"""Read while settings are resolved: they set other settings."""


def acts(key: str) -> bool:
    """Whether anything acts on the setting, or on one below it."""
    if key.startswith("models"):
        return _model(key)
    return key in _LAYERS or any(read == key or read.startswith(f"{key}.") for read in _read())


def _model(key: str) -> bool:
    _, phase, name = (*key.split("."), "", "")[:3]
    used = not phase or phase in {*PHASE_OF.values(), SIMPLE}
    return used and (not name or f"choice.{name}" in _read())


@cache
def _read() -> frozenset[str]:
    top = Path(milepost.__file__).parent
    files = (path for path in sorted(top.rglob("*.py")) if not path.name.startswith("preferences"))
    return frozenset(found for path in files for found in _in_file(ast.parse(path.read_text("utf-8"))))


def _in_file(tree: ast.Module) -> Iterator[str]:
    names = {"choice": "choice", "dynamic_routing": "dynamic_routing"}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            section = _path(node.value, {})
            if section in _SECTIONS:
                names[node.targets[0].id] = section
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and (found := _path(node, names)):
            yield found


def _path(node: ast.expr, names: dict[str, str]) -> str | None:
    """The dotted key that an expression reads; empty for the settings themselves; None for anything else."""
    if isinstance(node, ast.Name):
        return "" if node.id in _ROOTS else names.get(node.id)
    if not isinstance(node, ast.Attribute):
        return None
    if node.attr in _ROOTS:
        return ""
    above = _path(node.value, names)
    return None if above is None else f"{above}.{node.attr}".lstrip(".")
