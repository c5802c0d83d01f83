import pytest

from milepost.rules.gate_changes import Change, flags


def patch(path: str, removed: list[str] = (), added: list[str] = ()) -> str:  # type: ignore[assignment]
    lines = [*(f"-{line}" for line in removed), *(f"+{line}" for line in added)]
    return "\n".join([f"diff --git a/{path} b/{path}", f"--- a/{path}", f"+++ b/{path}", "@@ -1 +1 @@", *lines, ""])


@pytest.mark.parametrize(
    ("change", "diff", "expected"),
    [
        (Change("D", "tests/test_a.py"), "", ["deleted-tests: tests/test_a.py"]),
        (Change("D", "src/a.test.ts"), "", ["deleted-tests: src/a.test.ts"]),
        (Change("D", "pkg/store_test.go"), "", ["deleted-tests: pkg/store_test.go"]),
        (Change("D", "src/a.py"), "", []),
        (Change("R", "src/a.py", "tests/test_a.py"), "", ["deleted-tests: tests/test_a.py (now src/a.py)"]),
        (Change("R", "tests/test_b.py", "tests/test_a.py"), "", []),
        (
            Change("M", "tests/test_a.py"),
            patch("tests/test_a.py", ["def test_x():", "async def test_y():"], ["def test_z():"]),
            ["removed-tests: tests/test_a.py (1 fewer)"],
        ),
        (Change("M", "tests/test_a.py"), patch("tests/test_a.py", ["def test_x():"], ["def test_z():"]), []),
        (
            Change("M", "a.test.ts"),
            patch("a.test.ts", ["  it('works', () => {"], ["  it.skip('works', () => {"]),
            ["removed-tests: a.test.ts (1 fewer)", "skipped-tests: a.test.ts (1 more)"],
        ),
        (
            Change("M", "tests/test_a.py"),
            patch("tests/test_a.py", [], ["@pytest.mark.skip"]),
            ["skipped-tests: tests/test_a.py (1 more)"],
        ),
        (Change("M", ".github/workflows/ci.yml"), "", ["changed-gate: .github/workflows/ci.yml"]),
        (Change("D", "mypy.ini"), "", ["changed-gate: mypy.ini (deleted)"]),
        (Change("A", "ruff.toml"), "", []),
        (Change("A", "tests/test_new.py"), patch("tests/test_new.py", [], ["@pytest.mark.skip"]), []),
        (Change("M", "pyproject.toml"), patch("pyproject.toml", ["version = '1'"], ["version = '2'"]), []),
        (
            Change("M", "pyproject.toml"),
            patch("pyproject.toml", ["fail_under = 90"], ["fail_under = 10"]),
            ["changed-gate: pyproject.toml (fail_under = 90)"],
        ),
        (
            Change("M", "package.json"),
            patch("package.json", ['    "test": "jest",'], ['    "test": "true",']),
            ['changed-gate: package.json ("test": "jest",)'],
        ),
        (Change("M", "package.json"), patch("package.json", [], ['    "jest": "^29",']), []),
    ],
)
def test_flags(change: Change, diff: str, expected: list[str]) -> None:
    assert [str(flag) for flag in flags([change], diff)] == expected


def test_lines_that_look_like_headers_stay_in_their_file() -> None:
    diff = patch("tests/test_a.py", ["-- a/x", "def test_x():"]) + patch("src/b.py", ["def test_y():"])
    assert [str(flag) for flag in flags([Change("M", "tests/test_a.py"), Change("M", "src/b.py")], diff)] == [
        "removed-tests: tests/test_a.py (1 fewer)"
    ]
