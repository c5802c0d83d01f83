import pytest

from milepost.formats.evidence import Verdict
from milepost.rules.gate_verdicts import Ran, judge, overall
from milepost.rules.gates import Check

CHECK = Check(command="x", argv=("x",), cwd=".", env=(), patterns=(), refused=False, advisory=False, problem="")


def ran(code: int | None = 0, out: str = "", err: str = "", **facts: object) -> Ran:
    values = {"signal": None, "timed_out": False, "not_started": "", **facts}
    return Ran(code=code, stdout=out, stderr=err, **values)  # type: ignore[arg-type]


PASS, FAIL, UNSURE = Verdict.PASS, Verdict.FAIL, Verdict.INCONCLUSIVE


@pytest.mark.parametrize(
    ("facts", "verdict", "reason"),
    [
        (ran(0, "5 passed in 0.1s"), PASS, ""),
        (ran(0), PASS, ""),
        (ran(1, "1 failed, 4 passed"), FAIL, "exit code 1"),
        (ran(2, "Interrupted: 1 error during collection"), FAIL, "exit code 2"),
        (ran(4, "no tests ran in 0.00s", "ERROR: file or directory not found: tests/test_x.py"), FAIL, "exit code 4"),
        (ran(None, not_started="no such program"), UNSURE, "did not start: no such program"),
        (ran(None, signal=15, timed_out=True), UNSURE, "timed out"),
        (ran(None, signal=9), UNSURE, "killed by SIGKILL (out of memory?)"),
        (ran(None, signal=15), UNSURE, "killed by SIGTERM"),
        (ran(137), UNSURE, "killed by SIGKILL (out of memory?)"),
        (ran(143), UNSURE, "killed by SIGTERM"),
        (ran(None, signal=11), FAIL, "crashed with SIGSEGV"),
        (ran(139), FAIL, "crashed with SIGSEGV"),
        (ran(134), FAIL, "crashed with SIGABRT"),
        (ran(255), FAIL, "exit code 255"),
        (ran(141), FAIL, "exit code 141"),
        (ran(127, "", "sh: 1: jest: not found"), UNSURE, "a program it needs is missing or cannot be executed"),
        (ran(127, "7 failed"), FAIL, "exit code 127"),
        (ran(126), UNSURE, "a program it needs is missing or cannot be executed"),
        (ran(1, "", "/usr/bin/python: No module named pytest"), UNSURE, "pytest is not installed"),
        (ran(1, "", "ModuleNotFoundError: No module named 'feed.store'"), FAIL, "exit code 1"),
        (ran(3, "INTERNALERROR> Traceback"), UNSURE, "the test harness broke"),
        (ran(1, "OSError: [Errno 28] No space left on device"), UNSURE, "the test harness broke"),
        (ran(4, "", "pytest: error: unrecognized arguments: --cov"), UNSURE, "the test harness broke"),
    ],
)
def test_verdict(facts: Ran, verdict: Verdict, reason: str) -> None:
    assert judge(facts, CHECK) == (verdict, reason)


@pytest.mark.parametrize(
    "facts",
    [
        ran(5, "collected 0 items\n\n==== no tests ran in 0.01s ===="),
        ran(5, "==== 12 deselected in 0.02s ===="),
        ran(0, "==== 5 skipped in 0.02s ===="),
        ran(0, "", "Ran 0 tests in 0.000s\n\nOK"),
        ran(5, "", "Ran 0 tests in 0.000s\n\nNO TESTS RAN"),
        ran(1, "No tests found, exiting with code 1"),
        ran(0, "No tests found, exiting with code 0"),
        ran(1, "No test files found, exiting with code 1"),
        ran(0, "\n  0 passing (1ms)\n"),
        ran(0, "# tests 0\n# pass 0\n# fail 0"),
        ran(0, "ℹ tests 0\nℹ pass 0"),
        ran(0, "running 0 tests\n\ntest result: ok. 0 passed; 0 failed\nrunning 0 tests\n"),
        ran(0, "?   \texample.com/a\t[no test files]"),
        ran(0, "ok  \texample.com/a\t0.002s [no tests to run]"),
        ran(0, "0 examples, 0 failures"),
        ran(0, "No test is available in Hymnal.Tests.dll."),
        ran(0, "No test matches the given testcase filter `X` in a.dll"),
    ],
)
def test_no_test_ran(facts: Ran) -> None:
    assert judge(facts, CHECK) == (UNSURE, "no test ran")


@pytest.mark.parametrize(
    "facts",
    [
        ran(0, "running 0 tests\nrunning 3 tests\n"),
        ran(0, "?   \ta\t[no test files]\nok  \tb\t0.1s"),
        ran(0, "==== 4 passed, 5 skipped in 0.02s ===="),
        ran(0, "No tests found, exiting with code 0\n 12 passed"),
        ran(0, "  4 passing (3ms)\n  0 pending"),
        ran(0, "All checks passed!"),
    ],
)
def test_some_test_ran(facts: Ran) -> None:
    assert judge(facts, CHECK).verdict is PASS


def test_a_failure_beside_an_empty_suite_is_a_failure() -> None:
    assert judge(ran(1, "No tests found, exiting with code 1\n2 failed, 3 passed"), CHECK).verdict is FAIL


def test_running_out_of_time_twice_is_the_codes_fault() -> None:
    facts = ran(None, signal=15, timed_out=True)
    assert judge(facts, CHECK, timed_out_before=True) == (FAIL, "timed out again")


def test_a_command_that_is_to_fail() -> None:
    refused = CHECK._replace(refused=True)
    assert judge(ran(1), refused).verdict is PASS
    assert judge(ran(0), refused) == (FAIL, "exit code 0 where another was wanted")
    assert judge(ran(127, "", "x: command not found"), refused).verdict is UNSURE
    assert judge(ran(None, signal=9), refused).verdict is UNSURE


@pytest.mark.parametrize(
    ("results", "expected"),
    [
        ([], PASS),
        ([(PASS, False), (PASS, True)], PASS),
        ([(PASS, False), (UNSURE, False)], UNSURE),
        ([(UNSURE, False), (FAIL, False)], FAIL),
        ([(FAIL, True), (UNSURE, True)], PASS),
        ([(FAIL, True), (UNSURE, False)], UNSURE),
    ],
)
def test_the_whole_gate(results: list[tuple[Verdict, bool]], expected: Verdict) -> None:
    assert overall(results) is expected
