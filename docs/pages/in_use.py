"""Which settings the program acts on, found by looking for the places that read them.

A key `git.isolation` counts as read where `.isolation` is taken from something called `git` below the preferences, or
from a name that stands for such a section: because it was bound to it, is annotated with its class, or runs over a list
of them. Parsing, merging and checking settings do not count as reading them.
"""

import ast
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import get_args, get_type_hints

import milepost
from milepost.formats.preferences import Preferences
from milepost.formats.preferences_schema import reference
from milepost.rules.models import PHASE_OF, SIMPLE

_ROOTS = frozenset({"preferences", "prefs"})
_LAYERS = frozenset({"mode", "token_profile", "version", "parallel.max_workers_limit"})
"""Read while settings are resolved: they set other settings."""
_CHOICE = "models.*"


def acts(key: str) -> bool:
    """Whether anything acts on the setting, or on one below it."""
    if key.startswith("models"):
        return _model(key)
    return key in _LAYERS or any(read == key or read.startswith((f"{key}.", f"{key}[")) for read in _read())


def _model(key: str) -> bool:
    _, phase, name = (*key.split("."), "", "")[:3]
    used = not phase or phase in {*PHASE_OF.values(), SIMPLE}
    return used and (not name or f"{_CHOICE}.{name}" in _read())


@cache
def _read() -> frozenset[str]:
    top = Path(milepost.__file__).parent
    files = (path for path in sorted(top.rglob("*.py")) if not path.name.startswith("preferences"))
    return frozenset(found for path in files for found in _in_file(ast.parse(path.read_text("utf-8"))))


def _in_file(tree: ast.Module) -> Iterator[str]:
    yield from _in_scope(tree, {"choice": _CHOICE})
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            yield from _in_scope(node, {one.arg: _sections()[one.arg_type] for one in map(_Argument, arguments) if one})


class _Argument:
    """A parameter and the class it is annotated with; false when that is no section of the settings."""

    def __init__(self, node: ast.arg) -> None:
        named = node.annotation.left if isinstance(node.annotation, ast.BinOp) else node.annotation
        self.arg, self.arg_type = node.arg, named.id if isinstance(named, ast.Name) else ""

    def __bool__(self) -> bool:
        return self.arg_type in _sections()


def _in_scope(scope: ast.AST, names: dict[str, str]) -> Iterator[str]:
    known = set(_sections().values())
    for node in ast.walk(scope):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if (found := _path(value, names)) in known:
                names[name] = found or ""
            case (
                ast.comprehension(target=ast.Name(id=name), iter=value) | ast.For(target=ast.Name(id=name), iter=value)
            ) if f"{_path(value, names)}[]" in known:
                names[name] = f"{_path(value, names)}[]"
    for node in ast.walk(scope):
        if isinstance(node, ast.Attribute) and (read := _path(node, names)):
            yield read
        if isinstance(node, ast.Call):
            yield from _by_name(node, names)


def _by_name(call: ast.Call, names: Mapping[str, str]) -> Iterator[str]:
    """`getattr(notifications, f"on_{kind}")` reads all that begin so."""
    match call:
        case ast.Call(
            func=ast.Name(id="getattr"), args=[section, ast.JoinedStr(values=[ast.Constant(value=str() as begin), *_])]
        ):
            above = _path(section, names)
            yield from (e.key for e in reference() if above and e.key.startswith(f"{above}.{begin}"))
        case _:
            return


def _path(node: ast.expr, names: Mapping[str, str]) -> str | None:
    """The dotted key that an expression reads; empty for the settings themselves; None for anything else."""
    if isinstance(node, ast.Name):
        return "" if node.id in _ROOTS else names.get(node.id)
    if not isinstance(node, ast.Attribute):
        return None
    if node.attr in _ROOTS:
        return ""
    above = _path(node.value, names)
    return None if above is None else f"{above}.{node.attr}".lstrip(".")


@cache
def _sections() -> Mapping[str, str]:
    """The class of each section → its key, `x[]` in a list and `x.*` below names of the user's."""
    return {"Preferences": "", **dict(_below(Preferences, ""))}


def _below(section: type, prefix: str) -> Iterator[tuple[str, str]]:
    for name, hint in get_type_hints(section).items():
        kind = next((part for part in (hint, *get_args(hint)) if hasattr(part, "_fields")), None)
        if kind is None:
            continue
        key = f"{prefix}{name}" + ("" if kind is hint else ".*" if str in get_args(hint) else "[]")
        yield kind.__name__, key
        yield from _below(kind, f"{key}.")
