"""The page that maps the numbered statements of the parallel specification to the tests that hold them up.

Read from the tests' `@pytest.mark.spec(id=…)` by their syntax; nothing is imported or run.
"""

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

_TESTS = Path(__file__).resolve().parents[2] / "tests"
_GROUPS = {
    "PR": ("What is promised", "Statements of the documentation of parallel milestones, and of its file formats."),
    "DV": (
        "Where the original falls short of its own documentation",
        "Each has a test that shows that it does not here.",
    ),
    "FM": ("Failure modes", "What went wrong for somebody once. Each has a test that shows that it does not here."),
}
_INTRODUCTION = """\
# Statements and their tests

Every statement of the specification of parallel milestone orchestration that a test holds up.
`pytest -m "spec(id='PR-084')"` runs those of one number.
"""


def page() -> str:
    """The page."""
    found = marks()
    parts = [_INTRODUCTION]
    for prefix, (title, says) in _GROUPS.items():
        numbers = sorted(number for number in found if number.startswith(f"{prefix}-"))
        parts.append(f"\n## {title}\n\n{says} {len(numbers)} numbers.\n\n| number | tests |\n|---|---|\n")
        parts += [f"| {number} | {_cell(found[number])} |\n" for number in numbers]
    return "".join(parts)


def marks() -> Mapping[str, tuple[str, ...]]:
    """Number to the tests that carry it, as `path::test`, sorted."""
    found: dict[str, set[str]] = {}
    for file in sorted(_TESTS.rglob("test_*.py")):
        place = file.relative_to(_TESTS.parent).as_posix()
        for number, test in _in_file(ast.parse(file.read_text("utf-8"))):
            found.setdefault(number, set()).add(f"{place}::{test}" if test else place)
    return {number: tuple(sorted(tests)) for number, tests in found.items()}


def _in_file(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            for decorator in node.decorator_list:
                yield from ((number, node.name) for number in _numbers(decorator))
    for statement in tree.body:
        if isinstance(statement, ast.Assign) and any(getattr(t, "id", "") == "pytestmark" for t in statement.targets):
            yield from ((number, "") for number in _numbers(statement.value))
    for node in ast.walk(tree):
        # Rows of a table: pytest.param(…, marks=pytest.mark.spec(id=…)).
        if isinstance(node, ast.keyword) and node.arg == "marks":
            yield from ((number, "") for number in _numbers(node.value))


def _numbers(node: ast.expr) -> Iterator[str]:
    for call in ast.walk(node):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "spec":
            for keyword in call.keywords:
                if keyword.arg == "id" and isinstance(keyword.value, ast.Constant):
                    yield str(keyword.value.value)


def _cell(tests: tuple[str, ...], most: int = 4) -> str:
    shown = [f"`{re.sub(r'^tests/', '', test)}`" for test in tests[:most]]
    return "<br>".join([*shown, *([f"and {len(tests) - most} more"] if len(tests) > most else [])])
