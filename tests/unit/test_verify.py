import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import anyio
import pytest

from milepost.formats import evidence as evidence_format
from milepost.formats.evidence import Verdict
from milepost.model.units import Unit, UnitKind
from milepost.process import table
from milepost.process.environment import scrubbed
from milepost.rules.gates import Check, GatePlan, Skipped, Source
from milepost.unit.verify import Verification, discover, package_scripts, verify

pytestmark = pytest.mark.anyio
UNIT = Unit(UnitKind.EXECUTE_TASK, "M001/S01/T01")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def worktree(tmp_path: Path) -> Path:
    root = tmp_path / "tree"
    root.mkdir()
    return root


def environment() -> dict[str, str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return scrubbed({**os.environ, "PATH": path, "PYTHONDONTWRITEBYTECODE": "1"})


async def prove(worktree: Path, *lines: str, **options: object) -> Verification:
    gate = discover(preference=lines, verify="", cwd=worktree, env=environment())
    return await prove_plan(worktree, gate, **options)


async def prove_plan(worktree: Path, gate: GatePlan, **options: object) -> Verification:
    values: dict[str, object] = {"cwd": worktree, "env": environment(), "now_ms": lambda: 1_763_760_000_000, **options}
    path = worktree.parent / "T01-VERIFY.json"
    return await verify(UNIT, gate, evidence_path=path, **values)  # type: ignore[arg-type]


def written(worktree: Path) -> dict[str, object]:
    found = json.loads((worktree.parent / "T01-VERIFY.json").read_bytes())
    assert isinstance(found, dict)
    return found


def check(*argv: str, advisory: bool = False) -> Check:
    return Check(
        command=" ".join(argv),
        argv=argv,
        cwd=".",
        env=(),
        patterns=(),
        refused=False,
        advisory=advisory,
        problem="",
    )


async def test_a_gate_that_passes(worktree: Path) -> None:
    found = await prove(worktree, "true", "test -d .", tree_id="abc", attempt="a-1", retry=(1, 2))
    assert (found.verdict, found.failed, found.reason) == (Verdict.PASS, (), "")
    record = written(worktree)
    assert (record["passed"], record["verdict"], record["discoverySource"]) == (True, "pass", "preference")
    assert (record["taskId"], record["unitId"], record["timestamp"]) == ("T01", "M001/S01/T01", 1_763_760_000_000)
    assert (record["treeId"], record["attempt"]) == ("abc", "a-1")
    assert "retryAttempt" not in record
    assert (worktree.parent / "T01-VERIFY.json").read_bytes().endswith(b"}\n")


async def test_every_command_runs_also_behind_a_failure(worktree: Path) -> None:
    found = await prove(worktree, "sh -c 'echo seen; echo broken >&2; exit 3'", "touch second", retry=(1, 2))
    assert found.verdict is Verdict.FAIL
    assert found.failed == ("sh -c 'echo seen; echo broken >&2; exit 3': exit code 3",)
    assert (worktree / "second").exists()
    record = written(worktree)
    assert (record["passed"], record["retryAttempt"], record["maxRetries"]) == (False, 1, 2)
    first, second = evidence_format.decode(json.dumps(record).encode(), "x").checks
    assert (first.exit_code, first.verdict, first.stdout, first.stderr) == (3, "fail", "seen\n", "broken\n")
    assert (second.exit_code, second.verdict) == (0, "pass")


async def test_a_failure_that_a_test_runner_prints_on_stdout_is_kept(worktree: Path) -> None:
    (worktree / "test_it.py").write_text("def test_it():\n    assert 'left' == 'right'\n")
    found = await prove(worktree, "python -m pytest -q -p no:cacheprovider test_it.py")
    assert found.verdict is Verdict.FAIL
    assert "assert 'left' == 'right'" in str(found.evidence.checks[0].stdout)


async def test_tests_that_are_not_there_prove_nothing(worktree: Path) -> None:
    (worktree / "test_it.py").write_text("x = 1\n")
    found = await prove(worktree, "python -m pytest -q -p no:cacheprovider test_it.py", "true")
    assert (found.verdict, found.failed) == (Verdict.INCONCLUSIVE, ())
    assert found.reason.endswith("test_it.py: no test ran")
    assert written(worktree)["passed"] is False


async def test_a_missing_program_proves_nothing(worktree: Path) -> None:
    found = await prove(worktree, "no-such-runner --all")
    assert (found.verdict, found.reason) == (
        Verdict.INCONCLUSIVE,
        "no-such-runner --all: no such program: no-such-runner",
    )
    assert found.evidence.checks[0].exit_code == 127


async def test_a_runner_that_is_not_installed_proves_nothing(worktree: Path) -> None:
    found = await prove(worktree, "python -I -S -m pytest")
    assert (found.verdict, found.reason) == (Verdict.INCONCLUSIVE, "python -I -S -m pytest: pytest is not installed")


async def test_a_gate_that_hangs_and_forks_is_ended(worktree: Path) -> None:
    code = (
        "import os, time; os.fork(); os.fork() or os.setsid();"
        "open('pid', 'a').write(f'{os.getpid()} '); time.sleep(600)"
    )
    found = await prove_plan(worktree, plan_of(check("python", "-I", "-S", "-c", code)), timeout_s=1.0)
    assert (found.verdict, found.evidence.checks[0].timed_out) == (Verdict.INCONCLUSIVE, True)
    assert found.reason.endswith(": timed out after 1 s")
    for pid in (worktree / "pid").read_text().split():
        row = table.row(int(pid))
        assert row is None or row.state in table.GONE
    again = await prove_plan(
        worktree, plan_of(check("python", "-I", "-S", "-c", code)), timeout_s=0.5, previous=found.evidence
    )
    assert again.verdict is Verdict.FAIL
    assert again.failed[0].endswith(": timed out again after 0.5 s")


async def test_a_gate_that_crashes(worktree: Path) -> None:
    found = await prove(worktree, "sh -c 'kill -KILL $$'")
    assert (found.verdict, found.checks[0].reason) == (Verdict.INCONCLUSIVE, "killed by SIGKILL (out of memory?)")
    found = await prove(worktree, "sh -c 'kill -SEGV $$'")
    assert (found.verdict, found.checks[0].reason) == (Verdict.FAIL, "crashed with SIGSEGV")
    assert found.evidence.checks[0].exit_code == 1


async def test_no_command_is_a_pass_that_says_so(worktree: Path) -> None:
    gate = discover(preference=(), verify="Open the page and look", cwd=worktree, env=environment())
    found = await prove_plan(worktree, gate)
    assert (found.verdict, found.checks) == (Verdict.PASS, ())
    assert found.skipped == (Skipped("Open the page and look", "words, or a program that is not here (Open)"),)
    assert str(written(worktree)["reason"]).startswith("no checks")
    assert written(worktree)["discoverySource"] == "none"


async def test_directories_patterns_variables_and_no_shell(worktree: Path) -> None:
    (worktree / "pkg").mkdir()
    for name in ("b.txt", "a.txt"):
        (worktree / "pkg" / name).write_text(name)
    code = 'import os, sys; print(os.environ["MODE"], os.environ["CI"], sys.argv[1:])'
    line = f"cd pkg && MODE='x y' python -c '{code}' *.txt '*' *.md"
    gate = discover(preference=(), verify=line, cwd=worktree, env=environment())
    found = await prove_plan(worktree, gate)
    assert found.verdict is Verdict.PASS
    assert found.evidence.checks[0].stdout == "x y 1 ['a.txt', 'b.txt', '*', '*.md']\n"


async def test_a_directory_that_is_not_there_is_the_works_fault(worktree: Path) -> None:
    found = await prove(worktree, "cd later && true")
    assert found.verdict is Verdict.FAIL
    assert found.failed == ("cd later && true: no such directory: later",)


async def test_a_link_that_leads_out_is_not_followed(worktree: Path) -> None:
    (worktree / "out").symlink_to(worktree.parent)
    found = await prove(worktree, "cd out && true")
    assert (found.verdict, found.reason) == (Verdict.INCONCLUSIVE, "cd out && true: out leads out of the worktree")


def plan_of(*checks: Check) -> GatePlan:
    return GatePlan(source=Source.PACKAGE_JSON, checks=checks, skipped=())


@pytest.mark.parametrize(
    ("before", "verdict", "reason"),
    [
        (Verdict.PASS, Verdict.FAIL, "exit code 1, it passes on the base commit"),
        (Verdict.FAIL, Verdict.PASS, "exit code 1, as on the base commit"),
        (Verdict.INCONCLUSIVE, Verdict.PASS, "exit code 1, not to be judged on the base commit either"),
        (None, Verdict.PASS, "exit code 1, not compared with the base commit"),
    ],
)
async def test_only_new_failures_of_what_was_found_count(
    before: Verdict | None, verdict: Verdict, reason: str, worktree: Path
) -> None:
    asked: list[str] = []

    async def baseline(one: Check) -> Verdict | None:
        asked.append(one.command)
        return before

    gate = plan_of(check("false", advisory=True), check("true", advisory=True))
    found = await prove_plan(worktree, gate, baseline=baseline)
    assert (found.verdict, found.checks[0].reason, asked) == (verdict, reason, ["false"])
    assert (await prove_plan(worktree, plan_of(check("false")), baseline=baseline)).verdict is Verdict.FAIL


async def test_secrets_and_control_characters_stay_out_of_the_evidence(worktree: Path) -> None:
    code = r"printf '\033[31mred\033[0m\007 hunter2-hunter2 sk-ant-%040d\n' 0"
    found = await prove(worktree, f'sh -c "{code}"', known_secrets=["hunter2-hunter2"])
    text = str(found.evidence.checks[0].stdout)
    assert text.startswith("red ")
    assert "hunter2" not in text
    assert "sk-ant-0" not in text


async def test_long_output_keeps_its_end(worktree: Path) -> None:
    found = await prove(worktree, "sh -c 'yes abcdefg | head -c 500000; echo THE END; exit 1'")
    text = str(found.evidence.checks[0].stdout)
    assert text.endswith("THE END\n")
    assert len(text) < 4_100


async def test_flags_are_kept_for_a_person(worktree: Path) -> None:
    found = await prove(worktree, "true", flags=["deleted-tests: tests/test_a.py"])
    assert found.verdict is Verdict.PASS
    assert written(worktree)["flags"] == ["deleted-tests: tests/test_a.py"]


async def test_cancelled_in_the_middle_nothing_runs_and_nothing_is_written(worktree: Path) -> None:
    line = "sh -c 'echo $$ > pid; exec sleep 600'"
    async with anyio.create_task_group() as group:
        group.start_soon(prove, worktree, line)
        while not (worktree / "pid").exists() or not (worktree / "pid").read_text():  # noqa: ASYNC110
            await anyio.sleep(0.01)
        group.cancel_scope.cancel()
    row = table.row(int((worktree / "pid").read_text()))
    assert row is None or row.state in table.GONE
    assert not (worktree.parent / "T01-VERIFY.json").exists()


async def test_commands_run_confined_and_with_the_time_given(worktree: Path) -> None:
    seen: list[tuple[Sequence[str], Mapping[str, object]]] = []

    async def run(argv: Sequence[str], **options: object) -> object:
        from milepost.process.spawn import run as really

        seen.append((argv, options))
        return await really(argv, **{**options, "confine": None})  # type: ignore[arg-type]

    marker = object()
    await prove(worktree, "true", run=run, confine=marker, timeout_s=7.0)
    assert [(options["confine"], options["timeout_s"]) for _, options in seen] == [(marker, 7.0)]


@pytest.mark.parametrize("text", ["", "[]", "{", '{"scripts": []}', '{"scripts": null}', "\ufeff{}", "[" * 100_000])
def test_a_package_json_that_is_none(text: str, tmp_path: Path) -> None:
    assert package_scripts(tmp_path) == {}
    (tmp_path / "package.json").write_text(text)
    assert package_scripts(tmp_path) == {}


def test_a_pipe_that_is_called_package_json_hangs_nobody(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "package.json")
    assert package_scripts(tmp_path) == {}


def test_scripts_of_package_json(tmp_path: Path) -> None:
    (tmp_path / "package.json").write_text('{"scripts": {"test": "jest"}}')
    assert package_scripts(tmp_path) == {"test": "jest"}
