"""The page that maps the numbered statements of the parallel specification to the tests that hold them up.

Read from the tests' `@pytest.mark.spec(id=…)` by their syntax; nothing is imported or run.
"""

import ast
from collections.abc import Iterator, Mapping

from pages.marked import carriers, cell

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
        parts += [f"| {number} | {cell(found[number])} |\n" for number in numbers]
    return "".join(parts)


def marks() -> Mapping[str, tuple[str, ...]]:
    """Number to the tests that carry it, as `path::test`, sorted."""
    return carriers("spec", _numbers)


def _numbers(call: ast.Call) -> Iterator[str]:
    for keyword in call.keywords:
        if keyword.arg == "id" and isinstance(keyword.value, ast.Constant):
            yield str(keyword.value.value)
