"""Docstrings and tables as Markdown."""

import ast
import inspect
import re
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from types import ModuleType

_SOURCE = re.compile(r"\s*\bSource: [^\n]*(?:\n(?!\n)[^\n]*)*\s*\Z")
_MENTION = re.compile(r"\s*\((?:spec|parallel|auto) [^()]*\)|\s*\bSpec auto [\d., and]+\.")


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; pipes in cells are escaped."""
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    lines += ["| " + " | ".join(cell.replace("|", r"\|") for cell in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def code(text: str) -> str:
    """Text in backticks; empty stays empty."""
    return f"`{text}`" if text else ""


def plain(docstring: str | None) -> str:
    """A docstring without its references to the specification, which is not part of this repository."""
    return _MENTION.sub("", _SOURCE.sub("", inspect.cleandoc(docstring or ""))).rstrip()


def line(docstring: str | None) -> str:
    """The first paragraph of a docstring as one line."""
    return " ".join(plain(docstring).split("\n\n")[0].split())


def described(text: str) -> str:
    """Text of a docstring as Markdown: indented blocks become fences, paragraphs one line each, lists stay."""
    runs: list[list[str]] = []
    fenced = False
    for said in text.strip("\n").splitlines():
        indented = said.startswith("    ") or (fenced and not said)
        if not runs or indented != fenced or (not said and not indented):
            runs.append([])
        runs[-1].append(said)
        fenced = indented
    return "\n\n".join(block for run in runs if (block := _block(run)))


def _block(lines: Sequence[str]) -> str:
    if lines[0].startswith("    "):
        return f"```\n{textwrap.dedent(chr(10).join(lines)).strip()}\n```"
    if any(text.startswith("- ") for text in lines):
        return "\n".join(lines).strip()
    return " ".join(" ".join(lines).split())


@cache
def _classes(module: ModuleType) -> Mapping[str, ast.ClassDef]:
    tree = ast.parse(inspect.getsource(module))
    return {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}


def members(module: ModuleType, name: str) -> dict[str, str]:
    """Fields or members of a class in their order, each with the docstring below it (empty when there is none)."""
    found: dict[str, str] = {}
    last = ""
    for node in _classes(module)[name].body:
        target = _target(node)
        if target:
            found[target], last = "", target
        elif last and isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            found[last] = " ".join(plain(str(node.value.value)).split())
        else:
            last = ""
    return found


def _target(node: ast.stmt) -> str:
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        return node.target.id
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
        return node.targets[0].id
    return ""


def types(module: ModuleType, name: str) -> dict[str, str]:
    """The annotation of each field of a class, as it is written."""
    return {
        node.target.id: ast.unparse(node.annotation)
        for node in _classes(module)[name].body
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
    }
