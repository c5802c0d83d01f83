"""The tests that carry a mark, read from their syntax; nothing is imported or run."""

import ast
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

_TESTS = Path(__file__).resolve().parents[2] / "tests"


def carriers(mark: str, named: Callable[[ast.Call], Iterator[str]]) -> Mapping[str, tuple[str, ...]]:
    """Name to the tests that carry it, as `tests/path::test`, sorted; a whole file, or a row of a table, as its path.

    named: the names in one `pytest.mark.<mark>(…)`.
    """
    found: dict[str, set[str]] = {}
    for file in sorted(_TESTS.rglob("test_*.py")):
        place = file.relative_to(_TESTS.parent).as_posix()
        for name, test in _in_file(ast.parse(file.read_text("utf-8")), mark, named):
            found.setdefault(name, set()).add(f"{place}::{test}" if test else place)
    return {name: tuple(sorted(tests)) for name, tests in found.items()}


def cell(tests: tuple[str, ...], most: int = 4) -> str:
    """The tests in a cell of a table, the first of them by name."""
    listed = [f"`{re.sub(r'^tests/', '', test)}`" for test in tests[:most]]
    return "<br>".join([*listed, *([f"and {len(tests) - most} more"] if len(tests) > most else [])])


def _in_file(tree: ast.Module, mark: str, named: Callable[[ast.Call], Iterator[str]]) -> Iterator[tuple[str, str]]:
    decorators: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            for call in _calls(node.decorator_list, mark):
                decorators.add(id(call))
                yield from ((name, node.name) for name in named(call))
    for call in _calls([tree], mark):
        # `pytestmark = …`, and rows of a table: pytest.param(…, marks=pytest.mark.spec(id=…)).
        if id(call) not in decorators:
            yield from ((name, "") for name in named(call))


def _calls(nodes: Sequence[ast.AST], mark: str) -> Iterator[ast.Call]:
    for node in nodes:
        for call in ast.walk(node):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == mark:
                yield call
