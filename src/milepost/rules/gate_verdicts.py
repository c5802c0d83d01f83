"""What one command of a gate proved: pass, fail, or nothing at all.

Absence is never success. A command that did not start, ran out of time, was killed, or ran no test says nothing
about the work: inconclusive, which neither passes nor counts against the agent. Only running out of time twice in
a row is a failure, because then it is the code that hangs. Source: DESIGN "Verification", field reports 26 and 34.
"""

import re
import signal
from collections.abc import Iterable
from typing import NamedTuple

from milepost.formats.evidence import Verdict
from milepost.rules.gates import Check


class Ran(NamedTuple):
    """What is known of one run of a command."""

    code: int | None
    """Exit status; None when it did not exit by itself."""
    signal: int | None
    timed_out: bool
    stdout: str
    stderr: str
    not_started: str
    """Why it did not start; empty when it did."""


class Judged(NamedTuple):
    """The verdict on one command, and why in a few words; empty when it passed."""

    verdict: Verdict
    reason: str


_CRASHES = {
    signal.SIGSEGV: "SIGSEGV",
    signal.SIGABRT: "SIGABRT",
    signal.SIGBUS: "SIGBUS",
    signal.SIGILL: "SIGILL",
    signal.SIGFPE: "SIGFPE",
    signal.SIGTRAP: "SIGTRAP",
}
"""The command's own fault; any other signal came from outside."""
_NOTHING_RAN = re.compile(
    r"(?m)^=*\s*(no tests ran|\d+ deselected) in |^collected 0 items\s*$|^Ran 0 tests in |^NO TESTS RAN|"
    r"^No tests? (files? )?found|^No tests? (were )?(executed|to run)|^\s*0 passing\b|"
    r"^(# |ℹ )tests 0\s*$|^0 examples, 0 failures|^No test is available|^No test matches|^\s*Tests:\s+0 total|"
    r"^testing: warning: no tests to run|^Executed 0 tests|^0 tests? (ran|run|completed)"
)
_ALL_SKIPPED = re.compile(
    r"(?m)^=+ (\d+ deselected, )?\d+ (skipped|deselected)(, \d+ (deselected|warnings?))* in [\d.:s() ]+=+\s*$"
)
_SOME_RAN = re.compile(
    r"(?m)\b[1-9]\d* (passed|passing|failed|failing|errors?)\b|^(# |ℹ )(pass|fail) [1-9]|^FAILED|"
    r"^Ran [1-9]\d* tests?\b|\b(Passed|Failed)!?\s*[:-]\s+[1-9]|^OK \(\d+ tests?"
)
_CARGO = re.compile(r"(?m)^running (\d+) tests?\s*$")
_GO_NONE = re.compile(r"(?m)^\?\s.*\[no test files\]|^ok\s.*\[no tests to run\]")
_GO_SOME = re.compile(r"(?m)^(ok\s+\S+\s+(\(cached\)|[\d.]+s)(?!.*\[no tests)|--- |FAIL)")
_NOT_FOUND = re.compile(r"command not found|: not found|[Nn]o such file or directory|is not recognized|cannot be found")
_NO_RUNNER = re.compile(
    r"No module named '?(pytest|unittest2|nose2?|mypy|ruff|uv|tox|nox|coverage|flake8|pylint|black)\b"
)
_HARNESS = re.compile(
    r"(?m)^INTERNALERROR>|No space left on device|\bENOSPC\b|Cannot allocate memory|\bENOMEM\b|"
    r"^error: unrecognized arguments|: error: unrecognized arguments|JavaScript heap out of memory"
)


def judge(ran: Ran, check: Check, *, timed_out_before: bool = False) -> Judged:
    """The verdict on one command. timed_out_before: the previous attempt's run of it ran out of time. Never raises."""
    if ran.not_started:
        return Judged(Verdict.INCONCLUSIVE, f"did not start: {ran.not_started}")
    if ran.timed_out:
        verdict = Verdict.FAIL if timed_out_before else Verdict.INCONCLUSIVE
        return Judged(verdict, "timed out again" if timed_out_before else "timed out")
    if ran.code is None or ran.code > 128:
        return _signalled(ran)
    if broken := _broken(ran):
        return Judged(Verdict.INCONCLUSIVE, broken)
    if check.refused:
        return Judged(Verdict.PASS, "") if ran.code else Judged(Verdict.FAIL, "exit code 0 where another was wanted")
    if ran.code:
        return Judged(Verdict.FAIL, f"exit code {ran.code}")
    return (
        Judged(Verdict.INCONCLUSIVE, "no test ran") if nothing_ran(ran.stdout, ran.stderr) else Judged(Verdict.PASS, "")
    )


def overall(results: Iterable[tuple[Verdict, bool]]) -> Verdict:
    """The gate's verdict of (verdict, advisory) pairs: a failure beats what is inconclusive, that beats a pass."""
    counted = {verdict for verdict, advisory in results if not advisory}
    for verdict in (Verdict.FAIL, Verdict.INCONCLUSIVE):
        if verdict in counted:
            return verdict
    return Verdict.PASS


def nothing_ran(stdout: str, stderr: str) -> bool:
    """Whether the output of a test runner says that it found or ran no test."""
    text = f"{stdout}\n{stderr}"
    counts = [int(found) for found in _CARGO.findall(text)]
    if counts:
        return not any(counts)
    if _GO_NONE.search(text):
        return not _GO_SOME.search(text)
    return not _SOME_RAN.search(text) and bool(_NOTHING_RAN.search(text) or _ALL_SKIPPED.search(text))


def _signalled(ran: Ran) -> Judged:
    number = ran.signal if ran.signal is not None else (ran.code or 0) - 128
    if number in _CRASHES:
        return Judged(Verdict.FAIL, f"crashed with {_CRASHES[signal.Signals(number)]}")
    try:
        name = signal.Signals(number).name
    except ValueError:
        return Judged(Verdict.FAIL, f"exit code {ran.code}")
    if ran.signal is None and number not in (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        return Judged(Verdict.FAIL, f"exit code {ran.code}")
    memory = " (out of memory?)" if number == signal.SIGKILL else ""
    return Judged(Verdict.INCONCLUSIVE, f"killed by {name}{memory}")


def _broken(ran: Ran) -> str:
    """Why a command that exited says nothing about the work; empty when it does."""
    text = f"{ran.stdout}\n{ran.stderr}"
    if not ran.code:
        return ""
    if ran.code == 126 or (ran.code == 127 and _NOT_FOUND.search(text)):
        return "a program it needs is missing or cannot be executed"
    if found := _NO_RUNNER.search(ran.stderr):
        return f"{found.group(1)} is not installed"
    if _HARNESS.search(text):
        return "the test harness broke"
    return "no test ran" if nothing_ran(ran.stdout, ran.stderr) and "file or directory not found" not in text else ""
