"""What in a change makes its own gate weaker: reported for a person, never a failure by itself.

Deleted test files, test functions that went, new skips, edits in what configures tests, linters, types or
continuous integration. A new configuration loosens nothing. Source: DESIGN "Verification", field report 33.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple


class Change(NamedTuple):
    """One path of `git diff --name-status`."""

    status: str
    """A, M, D, R or T."""
    path: str
    old_path: str = ""
    """Where it was, for a rename."""


class Flag(NamedTuple):
    """One thing to look at."""

    kind: str
    """deleted-tests, removed-tests, skipped-tests or changed-gate."""
    path: str
    detail: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.path}{f' ({self.detail})' if self.detail else ''}"


_TEST_FILE = re.compile(
    r"(^|/)(tests?|__tests__|spec|specs)/.*\.\w+$|(^|/)test_[^/]+\.py$|_test\.(py|go|rb|exs|dart|c|cc|cpp)$|"
    r"[.-](test|spec)\.\w+$|(Tests?|Spec)\.(java|kt|cs|swift|scala|php)$|_spec\.rb$"
)
_CONFIGURATION = re.compile(
    r"(^|/)(\.github/workflows/[^/]+|\.gitlab-ci\.yml|\.circleci/.+|Jenkinsfile|azure-pipelines\.yml|\.travis\.yml|"
    r"pytest\.ini|tox\.ini|noxfile\.py|\.coveragerc|codecov\.ya?ml|mypy\.ini|\.?ruff\.toml|\.flake8|\.?pylintrc|"
    r"pyrightconfig\.json|\.pre-commit-config\.yaml|tsconfig[^/]*\.json|\.?eslint[^/]*|biome\.jsonc?|\.mocharc[^/]*|"
    r"(jest|vitest|playwright|cypress|karma|ava)\.config\.\w+|\.golangci\.ya?ml|\.?clippy\.toml|\.rspec|\.rubocop\.yml|"
    r"phpunit\.xml(\.dist)?|\.swiftlint\.yml|\.editorconfig-checker\.json)$"
)
_MIXED = {
    "package.json": re.compile(
        r'"(pre|post)?(test|lint|typecheck|type-check|check|coverage)(:[\w:-]+)?"\s*:|[tT]hreshold'
    ),
    "pyproject.toml": re.compile(
        r"^\s*(addopts|testpaths|filterwarnings|xfail_strict|markers|fail_under|omit|exclude\w*|select|extend-\w+|ignore\w*|"
        r"per-file-ignores|strict\w*|disallow_\w+|warn_\w+|check_\w+|enable_error_code|disable_error_code|follow_\w+)\s*=|"
        r"^\s*\[tool\.(pytest|ruff|mypy|coverage|pyright|pylint|tox|flake8)"
    ),
    "setup.cfg": re.compile(r"^\s*(addopts|testpaths|fail_under|ignore\w*|exclude|select|strict\w*|disallow_\w+)\s*="),
    "Cargo.toml": re.compile(r"^\s*\[(workspace\.)?lints|^\s*(test|harness)\s*=|=\s*\"(allow|warn|deny|forbid)\""),
    "Makefile": re.compile(r"^(test|check|lint|typecheck)[\w-]*\s*:"),
}
"""Files with much else in them: only changed lines of these shapes count."""
_TEST_CASE = re.compile(
    r"^\s*(async\s+)?def test_\w+|^\s*(it|test|describe)(\.each\([^)]*\))?\(\s*['\"`]|^func Test\w+\(|"
    r"^\s*#\[(tokio::)?test\]|^\s*@Test\b|^\s*\[(Fact|Theory|Test|TestMethod)\b|"
    r"^\s*(test|it) ['\"].*do\s*$"
)
_SKIP = re.compile(
    r"@pytest\.mark\.(skip|xfail)|pytest\.(skip|xfail)\(|@unittest\.(skip|expectedFailure)|\b(it|test|describe)\.(skip|todo|only)\(|"
    r"\b(xit|xdescribe|xtest)\(|^\s*#\[ignore|\bt\.Skip(f|Now)?\(|@(Disabled|Ignore)\b|\bSkip\s*=\s*\""
)


def flags(changes: Iterable[Change], patch: str) -> tuple[Flag, ...]:
    """What a person should look at, in the order of the changes.

    patch: `git diff` of the same range with the a/ b/ prefixes. Pure; never raises on strange text.
    """
    lines = _changed_lines(patch)
    found: list[Flag] = []
    for change in changes:
        found += _of(change, *lines.get(change.path, ((), ())))
    return tuple(found)


def matters(change: Change) -> bool:
    """Whether a change can raise a flag at all; without one that does, nobody needs the patch."""
    old = change.old_path or change.path
    name = old.rsplit("/", 1)[-1]
    return bool(_CONFIGURATION.search(old) or _TEST_FILE.search(old) or name in _MIXED)


def _of(change: Change, removed: Iterable[str], added: Iterable[str]) -> Iterable[Flag]:
    if change.status == "A":
        return
    old = change.old_path or change.path
    if _CONFIGURATION.search(old):
        yield Flag("changed-gate", old, "deleted" if change.status == "D" else "")
        return
    if _TEST_FILE.search(old):
        yield from _of_tests(change, list(removed), list(added))
        return
    mixed = _MIXED.get(old.rsplit("/", 1)[-1])
    if mixed and (hit := next((line for line in (*removed, *added) if mixed.search(line)), None)):
        yield Flag("changed-gate", old, hit.strip()[:80])


def _of_tests(change: Change, removed: list[str], added: list[str]) -> Iterable[Flag]:
    old = change.old_path or change.path
    if change.status == "D":
        yield Flag("deleted-tests", old, "")
        return
    if change.old_path and not _TEST_FILE.search(change.path):
        yield Flag("deleted-tests", old, f"now {change.path}")
    gone = _count(_TEST_CASE, removed) - _count(_TEST_CASE, added)
    if gone > 0:
        yield Flag("removed-tests", change.path, f"{gone} fewer")
    skipped = _count(_SKIP, added) - _count(_SKIP, removed)
    if skipped > 0:
        yield Flag("skipped-tests", change.path, f"{skipped} more")


def _count(pattern: re.Pattern[str], lines: list[str]) -> int:
    return sum(1 for line in lines if pattern.search(line))


def _changed_lines(patch: str) -> dict[str, tuple[list[str], list[str]]]:
    """Path → (removed lines, added lines)."""
    found: dict[str, tuple[list[str], list[str]]] = {}
    now: tuple[list[str], list[str]] = ([], [])
    in_hunk = False
    for line in patch.split("\n"):
        if line.startswith("diff --git "):
            in_hunk = False
            now = found.setdefault(line.rsplit(" b/", 1)[-1], ([], []))
        elif line.startswith("@@"):
            in_hunk = True
        elif in_hunk and line.startswith("-"):
            now[0].append(line[1:])
        elif in_hunk and line.startswith("+"):
            now[1].append(line[1:])
    return found
