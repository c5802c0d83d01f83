"""Patterns of generated files mean what they mean in `.gitignore`: git itself is asked."""

import subprocess
from pathlib import Path

import pytest

from milepost.formats.preferences import Parallel
from milepost.rules.generated import is_generated

CASES = [
    ("*.map", ["app.map", "dist/app.js.map", "a/b/c.map", "app.map/inside", "app.maps", "map", ".map"]),
    ("__pycache__/", ["__pycache__/a.pyc", "src/__pycache__/deep/a", "__pycache__", "src/__pycache__"]),
    (".DS_Store", [".DS_Store", "a/.DS_Store", "a/.DS_Store2", ".DS_Store/x"]),
    ("dist/*.js", ["dist/a.js", "dist/b/a.js", "pkg/dist/a.js", "dist/a.jsx"]),
    ("/build", ["build", "build/a", "a/build", "builds"]),
    ("/build/", ["build", "build/a", "a/build/b"]),
    ("dist/", ["dist/a", "pkg/dist/a/b", "dist"]),
    ("dist/**/*.css", ["dist/a.css", "dist/x/y/a.css", "pkg/dist/a.css", "dist.css"]),
    ("**/gen/*.py", ["gen/a.py", "x/y/gen/a.py", "x/gen/y/a.py"]),
    ("gen/**", ["gen/a", "gen/a/b", "x/gen/a", "gen"]),
    ("a**b", ["ab", "axxb", "a/b", "x/ab"]),
    ("x?.txt", ["x1.txt", "x.txt", "x/.txt", "d/xy.txt"]),
    ("[ab].o", ["a.o", "c.o", "d/b.o"]),
    ("[!ab].o", ["a.o", "c.o", "/.o"[1:]]),
    ("[a-c]x", ["bx", "dx", "-x"]),
    ("[]x]y", ["]y", "xy", "ay"]),
    ("[[:digit:]]z", ["1z", "az", ":z"]),
    ("f[&^~|]g", ["f&g", "f^g", "f|g", "fag"]),
    (r"\!odd", ["!odd", "odd", "a/!odd"]),
    (r"\#odd", ["#odd", "odd"]),
    ("#comment", ["#comment", "comment"]),
    ("", ["a", "a/b"]),
    ("trailing.map  ", ["trailing.map", "trailing.map  "]),
    ("with space", ["with space", "a/with space/b"]),
    ("a.b+c(d)", ["a.b+c(d)", "axb+c(d)"]),
    ("*.tsbuildinfo", ["tsconfig.tsbuildinfo", "p/x.tsbuildinfo", "tsbuildinfo"]),
    ("ü*.map", ["ü1.map", "u1.map", "a/üx.map"]),
]


def git_says(repo: Path, patterns: list[str], paths: list[str]) -> set[str]:
    (repo / ".gitignore").write_text("\n".join(patterns) + "\n")
    argv = ["git", "-C", str(repo), "check-ignore", "--no-index", "-z", "--stdin"]
    asked = "".join(f"{path}\0" for path in paths).encode()
    done = subprocess.run(argv, input=asked, check=False, capture_output=True)
    assert done.returncode in (0, 1), done.stderr
    return {path for path in done.stdout.decode().split("\0") if path}


@pytest.mark.spec(id="FM-98")
@pytest.mark.parametrize(("pattern", "paths"), CASES, ids=[pattern or "empty" for pattern, _ in CASES])
def test_as_git_reads_it(repo: Path, pattern: str, paths: list[str]) -> None:
    assert {path for path in paths if is_generated(path, (pattern,))} == git_says(repo, [pattern], paths)


@pytest.mark.parametrize(
    "patterns",
    [
        ["*.map", "!keep.map"],
        ["!keep.map", "*.map"],
        ["dist/", "!dist/keep.map"],
        ["dist/*", "!dist/keep.map"],
        ["*.map", "!/dist/", "dist/inner/"],
    ],
)
def test_the_last_that_fits_decides(repo: Path, patterns: list[str]) -> None:
    paths = ["keep.map", "a.map", "dist/keep.map", "dist/a.map", "dist/inner/a", "src/keep.map"]
    assert {path for path in paths if is_generated(path, patterns)} == git_says(repo, patterns, paths)


@pytest.mark.spec(id="FM-98")
@pytest.mark.parametrize(
    ("path", "built"),
    [
        ("web/tsconfig.tsbuildinfo", True),
        ("src/__pycache__/app.cpython-311.pyc", True),
        ("old.pyc", True),
        ("assets/.DS_Store", True),
        ("static/app.js.map", True),
        ("src/app.py", False),
        ("src/sitemap.py", False),
        ("src/map", False),
        ("package-lock.json", False),
    ],
)
def test_what_is_generated_unless_said_otherwise(path: str, built: bool) -> None:
    assert is_generated(path, Parallel().generated_files) is built


def test_a_pattern_that_makes_no_sense_fits_nothing() -> None:
    for odd in ("[", "[z-a]", "[[:nope:]]", "\\", "/", "!", "!!x", "***", "**"):
        is_generated("a/b", (odd,))
    assert not is_generated("a/b", ("[z-a]", "/", "!"))
    assert not is_generated("a/b", ())
