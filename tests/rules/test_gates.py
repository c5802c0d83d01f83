import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from milepost.rules.gates import GatePlan, Source, World, plan

HERE = {
    *("pytest", "python", "node", "npm", "npx", "git", "grep", "ls", "test", "ruff", "mypy", "uv", "cargo", "make"),
    *("bash", "find", "file", "run-screener", "wc"),
}
WORLD = World(worktree="/w", resolves=lambda name, cwd: name in HERE or name == "./check.sh")


def corpus() -> Path | None:
    beside = Path(__file__).parents[3] / "shared" / "corpus"
    wanted = Path(os.environ.get("MILEPOST_CORPUS", str(beside)))
    return wanted if wanted.is_dir() else None


in_corpus = pytest.mark.skipif(corpus() is None, reason="no corpus beside the checkout (set MILEPOST_CORPUS)")


def gate(verify: str = "", *, preference: Sequence[str] = (), scripts: Mapping[str, object] | None = None) -> GatePlan:
    return plan(preference=preference, verify=verify, package_scripts=scripts or {}, world=WORLD)


def commands(found: GatePlan) -> list[str]:
    return [check.command for check in found.checks]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("pytest tests/test_store.py && ruff check src", ["pytest tests/test_store.py", "ruff check src"]),
        ("`npm run build && npm run lint && npm test`", ["npm run build", "npm run lint", "npm test"]),
        ("`npm test` passes, `npm run lint` passes", ["npm test", "npm run lint"]),
        ("`npx vitest run a.test.ts` && `npx vitest run` (full suite)", ["npx vitest run a.test.ts", "npx vitest run"]),
        ("`bash scripts/verify-s06.sh` exits 0", ["bash scripts/verify-s06.sh"]),
        ("npm test — all existing tests still pass", ["npm test"]),
        ("uv run pytest passes; coverage exists for all targets", ["uv run pytest"]),
        ("cargo test -- config::tests passes. Config struct serializes to JSON.", ["cargo test -- config::tests"]),
        ("npm run lint (no new warnings)", ["npm run lint"]),
        ("`cd packages/cdi && npx mocha a.js`", ["cd packages/cdi && npx mocha a.js"]),
        ("cd packages/config && npm test — all pass", ["cd packages/config && npm test"]),
        ("cd a && ls x && cd ../b && ls y", ["cd a && ls x", "cd b && ls y"]),
        ("cd /w/a && ls x", ["cd a && ls x"]),
        ("CI=1 MODE='x y' npm test", ["CI=1 MODE='x y' npm test"]),
        ("./check.sh --fast", ["./check.sh --fast"]),
        ("! grep -rn TODO src", ["! grep -rn TODO src"]),
        ("`pytest` green", ["pytest"]),
        ("Run `pytest` and look", ["pytest"]),
        ("`wc -l a.ts` < 700, then `npm test` passes", ["npm test"]),
        ("`npm test` — no errors. Manual: the old flow must not return", ["npm test"]),
        ("`npm test` clean. Manual: the old flow must not return", ["npm test"]),
        ("pytest -k 'a and b' && pytest -k 'a and b'", ["pytest -k 'a and b'"]),
        ("make all && git diff --exit-code", ["make all", "git diff --exit-code"]),
        ("grep -q pass log.txt", ["grep -q pass log.txt"]),
    ],
)
def test_commands_are_run(line: str, expected: list[str]) -> None:
    found = gate(line)
    assert commands(found) == expected
    assert not any(check.problem for check in found.checks)


@pytest.mark.parametrize(
    "line",
    [
        "All tests pass, full suite green",
        "Open the page and check that it renders",
        "tests pass",
        "file exists",
        "find the entry in the list",
        "make sure it works",
        "test that a controller with `__routes` responds",
        "Test with a controller class that has `__routes`, verify routes respond",
        "画面を開いて表示を確認する",
        "`/btw question` creates a sub-session",
        "`dist/webview/index.css` size within 5% of baseline",
        "the class is exported in `node`",
        '`rg "a|b" extensions/btw.ts` returns no hits',
        "`npm test` fails on the old code",
        "Press `q`",
        "it's fine",
        "—",
        "`echo`",
    ],
)
def test_words_are_not_run(line: str) -> None:
    found = gate(line)
    assert commands(found) == []
    assert found.source is Source.NONE
    assert " ".join(skipped.text for skipped in found.skipped)


@pytest.mark.parametrize(
    ("line", "text", "reason"),
    [
        ("ls a && ls b; rm x && ls c", "ls b; rm x", "needs a shell (;)"),
        ("npm test | grep ok", "npm test | grep ok", "needs a shell (|)"),
        ("`uv run x; echo $?` — exit code", "uv run x; echo $?", "needs a shell (;)"),
        ("source .venv/bin/activate && pytest", "source .venv/bin/activate", "needs a shell (source)"),
        ("source .venv/bin/activate && pytest", "pytest", "stands behind `source .venv/bin/activate`"),
        ("cd ../other && npm install", "cd ../other", "leaves the worktree"),
        ("cd ../other && npm install", "npm install", "stands behind `cd ../other`"),
        ("cd /elsewhere && npm install", "cd /elsewhere", "leaves the worktree"),
        ("cd && npm install", "cd", "leaves the worktree"),
        ("cd /w-two && npm install", "cd /w-two", "leaves the worktree"),
        ("cd a; ls && npm test", "npm test", "stands behind `cd a; ls`"),
        ("npm run dev", "npm run dev", "runs until it is stopped"),
        ("`npx vitest --watch` passes", "npx vitest --watch", "runs until it is stopped"),
        ("FOO=1", "FOO=1", "no command"),
        ("ls && cd a", "cd a", "no command behind it"),
        ("cd a && ls | wc", "cd a && ls | wc", "needs a shell (|)"),
    ],
)
def test_what_is_not_run_is_reported(line: str, text: str, reason: str) -> None:
    assert (text, reason) in gate(line).skipped


@pytest.mark.parametrize("line", ["dotnet test", "`dotnet test` passes", "./missing.sh", "vitest run a.test.ts"])
def test_a_command_whose_program_is_missing_stops_the_gate(line: str) -> None:
    (check,) = gate(line).checks
    assert check.problem == f"no such program: {check.argv[0]}"


def test_the_words_of_a_command() -> None:
    (check,) = gate("cd pkg && A=1 B='x y' pytest \"a b\" tests/*.py").checks
    assert (check.argv, check.cwd, check.env) == (("pytest", "a b", "tests/*.py"), "pkg", (("A", "1"), ("B", "x y")))
    assert check.patterns == (2,)
    assert not check.refused
    assert gate("! grep x f").checks[0].refused
    assert gate("! grep x f").checks[0].argv == ("grep", "x", "f")


def test_what_a_person_configured_comes_first() -> None:
    found = gate("pytest", preference=[" ruff check . ", "", "mypy"], scripts={"test": "jest"})
    assert (found.source, commands(found)) == (Source.PREFERENCE, ["ruff check .", "mypy"])


@pytest.mark.parametrize("line", ["npm test | tee log", "echo $HOME", "cd .. && make", "All tests pass", "npm run dev"])
def test_what_a_person_configured_is_never_passed_over(line: str) -> None:
    found = gate(preference=[line])
    assert found.checks
    assert all(check.problem for check in found.checks)
    assert not found.skipped


def test_a_shell_of_ones_own_is_a_command() -> None:
    (check,) = gate(preference=["sh -c 'npm test | tee log'"]).checks
    assert check.problem == "no such program: sh"
    assert check.argv == ("sh", "-c", "npm test | tee log")


def test_scripts_of_package_json_are_found_last_and_only_advise() -> None:
    scripts = {"test": "jest", "lint": "eslint .", "build": "tsc", "typecheck": "", "lint:x": "y"}
    found = gate("All tests pass", scripts=scripts)
    assert (found.source, commands(found)) == (Source.PACKAGE_JSON, ["npm run lint", "npm run test"])
    assert all(check.advisory for check in found.checks)
    assert found.skipped
    assert not any(check.advisory for check in gate("pytest", scripts=scripts).checks)


def test_the_placeholder_of_npm_init_is_no_test() -> None:
    found = gate(scripts={"test": 'echo "Error: no test specified" && exit 1'})
    assert (found.source, found.checks) == (Source.NONE, ())
    assert found.skipped[0].reason == "the script is npm's placeholder"


def test_strange_scripts() -> None:
    assert gate(scripts={"test": 5, "lint": None}).checks == ()


def test_nothing_found() -> None:
    assert gate() == GatePlan(source=Source.NONE, checks=(), skipped=())


def wild_lines() -> list[str]:
    found: set[str] = set()
    for path in (corpus() or Path("missing")).rglob("*-PLAN.md"):
        text = path.read_text(encoding="utf-8", errors="replace")
        found.update(re.findall(r"(?m)^\s*[-*]\s+(?:\*\*)?Verify:(?:\*\*)?\s*(\S.*)$", text))
    return sorted(found)


@in_corpus
def test_no_real_line_is_dropped() -> None:
    lines = wild_lines()
    assert len(lines) > 150
    for line in lines:
        found = gate(line)
        told = " ".join([*(check.command for check in found.checks), *(skipped.text for skipped in found.skipped)])
        lost = set(re.findall(r"\w+", line)) - set(re.findall(r"\w+", told)) - {"and", "then", "1", "2"}
        assert not lost, (line, told)


@in_corpus
def test_no_real_sentence_is_run() -> None:
    every = World(worktree="/w", resolves=lambda name, cwd: bool(re.fullmatch(r"[a-z][\w.-]*", name)))
    sentences = [line for line in wild_lines() if "`" not in line and re.match(r"[A-Z][a-z]+ ", line)]
    assert len(sentences) > 20
    for line in sentences:
        assert not plan(preference=(), verify=line, package_scripts={}, world=every).checks, line


@given(st.text(alphabet=st.sampled_from("ab /.-`'\"&|;$(){}[]*?~!#=\\\n—,:0")))
def test_any_text_is_read(text: str) -> None:
    found = gate(text)
    assert all(check.argv and not check.problem.startswith("needs") for check in found.checks)
    assert bool(found.checks or found.skipped) or not re.search(r"\w", text)
