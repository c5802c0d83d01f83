"""Prove a task: run every command of its gate on what will be committed, judge each, write down the evidence.

All commands run, also behind a failure, one after another, each with its own time limit, in the sandbox of the
worker. `T##-VERIFY.json` gets command, exit code, duration and the end of both streams, because test runners
print failures on standard output. Source: spec auto 5.13, 2.24; DESIGN "Verification".
"""

import json
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from glob import glob, has_magic
from pathlib import Path
from typing import Protocol

from msgspec import UNSET

from milepost.formats import evidence as evidence_format
from milepost.formats.evidence import Evidence, Verdict
from milepost.model.units import Unit
from milepost.process import spawn
from milepost.process.confine import Confinement
from milepost.process.environment import for_gate
from milepost.process.spawn import Finished, SpawnFailed
from milepost.rules import secrets
from milepost.rules.gate_verdicts import Judged, Ran, judge, overall
from milepost.rules.gates import Check, GatePlan, Skipped, World, plan
from milepost.store import atomic, regular

TIMEOUT_S = 120.0
"""For each command (spec auto 5.13)."""
_KEEP = 10_240
"""Bytes of each stream that are looked at (spec auto 5.13)."""
_TAIL = 4_000
"""Characters of each stream in the evidence, which is committed with the plan."""
_PACKAGE_LIMIT = 4_000_000
_ANSI = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[@-Z\\-_]")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_REFUSED = re.compile(r"Permission denied|EACCES|Read-only file system|EROFS|Operation not permitted|EPERM")

Baseline = Callable[[Check], Awaitable[Verdict | None]]
"""The verdict of a command on the base commit; None: not known."""


class Runner(Protocol):
    """`milepost.process.spawn.run`, or a stand-in of a test."""

    async def __call__(
        self,
        argv: Sequence[str],
        *,
        cwd: Path,
        env: Mapping[str, str],
        timeout_s: float,
        confine: Confinement | None,
        keep_bytes: int,
        spool: Path | None,
    ) -> Finished:
        """Run to the end."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """One command and what came of it."""

    check: Check
    verdict: Verdict
    reason: str
    """`exit code 1`, `timed out`, `no test ran`; empty when it passed."""
    advisory: bool
    """It does not count: found rather than asked for, and not shown to be new."""
    finished: Finished | None
    """None: it did not start."""

    def __str__(self) -> str:
        return f"{self.check.command}: {self.reason or 'passed'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """The gate's word on one task."""

    verdict: Verdict
    checks: tuple[CheckResult, ...]
    skipped: tuple[Skipped, ...]
    """Text of the plan that was not run, with the reason."""
    evidence: Evidence
    """As written to disk."""

    @property
    def failed(self) -> tuple[str, ...]:
        """`command: reason` of every command that failed and counts."""
        return tuple(str(c) for c in self.checks if c.verdict is Verdict.FAIL and not c.advisory)

    @property
    def reason(self) -> str:
        """Why it is not a pass, or what a pass does not say; one line, empty when there is nothing to say."""
        return _reason(self.verdict, self.checks)


def discover(*, preference: Sequence[str], verify: str, cwd: Path, env: Mapping[str, str]) -> GatePlan:
    """The gate of a task in the directory `cwd`: which programs exist there decides what is a command."""

    def resolves(name: str, below: str) -> bool:
        return spawn.which(name, cwd=cwd / below, env=env) is not None

    world = World(worktree=str(cwd), resolves=resolves)
    return plan(preference=preference, verify=verify, package_scripts=package_scripts(cwd), world=world)


def package_scripts(cwd: Path) -> Mapping[str, object]:
    """`scripts` of package.json; empty when there is none, or it cannot be understood."""
    try:
        found = json.loads(regular.read(cwd / "package.json", most=_PACKAGE_LIMIT))
    except (OSError, ValueError, RecursionError):
        return {}
    scripts = found.get("scripts") if isinstance(found, dict) else None
    return scripts if isinstance(scripts, dict) else {}


async def verify(
    unit: Unit,
    gate: GatePlan,
    *,
    cwd: Path,
    env: Mapping[str, str],
    evidence_path: Path,
    within: Path | None = None,
    now_ms: Callable[[], int],
    confine: Confinement | None = None,
    tree_id: str = "",
    attempt: str = "",
    retry: tuple[int, int] | None = None,
    previous: Evidence | None = None,
    flags: Iterable[str] = (),
    known_secrets: Iterable[str] = (),
    baseline: Baseline | None = None,
    timeout_s: float = TIMEOUT_S,
    run: Runner = spawn.run,
) -> Verification:
    """Run the gate and write its evidence.

    env: scrubbed. within: the evidence is not written through a link out of there. tree_id: the git tree that is
    checked. retry: which attempt at mending this is, and how many there may be. previous: the evidence of the attempt
    before, for commands that run out of time again. flags: what of the change a person should look at. baseline:
    asked only about commands that were found, not asked for, and fail. Raises OSError when the evidence cannot be
    written; cancellation ends the command first.
    """
    place = _Place(cwd=cwd, env=for_gate(env), confine=confine, timeout_s=timeout_s, run=run)
    slow = _slow(previous)
    results = [await _checked(check, place, baseline, slow_before=check.command in slow) for check in gate.checks]
    verdict = overall((result.verdict, result.advisory) for result in results)
    failing = verdict is Verdict.FAIL and retry is not None
    evidence = Evidence(
        task_id=unit.task or unit.id,
        unit_id=unit.id,
        timestamp=now_ms(),
        passed=verdict is Verdict.PASS,
        discovery_source=gate.source,
        checks=tuple(_recorded(result, tuple(known_secrets)) for result in results),
        retry_attempt=retry[0] if retry and failing else UNSET,
        max_retries=retry[1] if retry and failing else UNSET,
        verdict=verdict,
        reason=_reason(verdict, results) or UNSET,
        attempt=attempt or UNSET,
        tree_id=tree_id or UNSET,
        flags=tuple(flags) or UNSET,
    )
    atomic.replace(evidence_path, evidence_format.encode(evidence), within=within or evidence_path.parent)
    return Verification(verdict=verdict, checks=tuple(results), skipped=gate.skipped, evidence=evidence)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """Where and how commands run."""

    cwd: Path
    env: Mapping[str, str]
    confine: Confinement | None
    timeout_s: float
    run: Runner


async def _checked(check: Check, place: _Place, baseline: Baseline | None, *, slow_before: bool) -> CheckResult:
    finished, judged = await _judged(check, place, slow_before=slow_before)
    advisory = check.advisory
    reason = judged.reason
    if advisory and judged.verdict is Verdict.FAIL:
        before = await baseline(check) if baseline else None
        advisory = before is not Verdict.PASS
        reason = f"{reason}, {_BEFORE[before]}"
    return CheckResult(check=check, verdict=judged.verdict, reason=reason, advisory=advisory, finished=finished)


_BEFORE: Mapping[Verdict | None, str] = {
    Verdict.PASS: "it passes on the base commit",
    Verdict.FAIL: "as on the base commit",
    Verdict.INCONCLUSIVE: "not to be judged on the base commit either",
    None: "not compared with the base commit",
}


async def _judged(check: Check, place: _Place, *, slow_before: bool) -> tuple[Finished | None, Judged]:
    if check.problem:
        return None, Judged(Verdict.INCONCLUSIVE, check.problem)
    where = place.cwd / check.cwd
    if not where.is_dir():
        return None, Judged(Verdict.FAIL, f"no such directory: {check.cwd}")
    if not where.resolve().is_relative_to(place.cwd.resolve()):
        return None, Judged(Verdict.INCONCLUSIVE, f"{check.cwd} leads out of the worktree")
    try:
        finished = await place.run(
            _expanded(check, where),
            cwd=where,
            env={**place.env, **dict(check.env)},
            timeout_s=place.timeout_s,
            confine=place.confine,
            keep_bytes=_KEEP,
            spool=None,
        )
    except SpawnFailed as failure:
        return None, Judged(Verdict.INCONCLUSIVE, f"did not start: {failure.reason}")
    judged = judge(_ran(finished), check, timed_out_before=slow_before)
    limit = f" after {place.timeout_s:g} s" if finished.timed_out else ""
    caged = judged.verdict is Verdict.FAIL and finished.confined and _REFUSED.search(finished.stdout + finished.stderr)
    hint = f" (a write outside the worktree may have been refused by {finished.confined})" if caged else ""
    return finished, judged._replace(reason=judged.reason + limit + hint)


def _ran(finished: Finished) -> Ran:
    return Ran(
        code=finished.code,
        signal=finished.signal,
        timed_out=finished.timed_out,
        stdout=_plain(finished.stdout),
        stderr=_plain(finished.stderr),
        not_started="",
    )


def _expanded(check: Check, where: Path) -> tuple[str, ...]:
    """The words, file patterns replaced by what they match; a pattern without a match stays, as in a shell."""
    words: list[str] = []
    for at, word in enumerate(check.argv):
        found = sorted(glob(word, root_dir=where)) if at in check.patterns and has_magic(word) else []
        words += found or [word]
    return tuple(words)


def _slow(previous: Evidence | None) -> frozenset[str]:
    return frozenset(check.command for check in (previous.checks if previous else ()) if check.timed_out is True)


def _recorded(result: CheckResult, known_secrets: tuple[str, ...]) -> evidence_format.Check:
    done = result.finished
    return evidence_format.Check(
        command=secrets.redact(result.check.command, known_secrets),
        exit_code=_exit_code(result),
        duration_ms=done.duration_ms if done else 0,
        verdict=result.verdict,
        stdout=_tail(done.stdout, known_secrets) if done else "",
        stderr=_tail(done.stderr, known_secrets) if done else result.reason,
        timed_out=True if done and done.timed_out else UNSET,
    )


def _exit_code(result: CheckResult) -> int:
    """As the format has it: 127 when it did not run, 1 when a signal ended it."""
    if result.finished is None:
        return 127
    return 1 if result.finished.code is None else result.finished.code


def _tail(text: str, known_secrets: tuple[str, ...]) -> str:
    kept = secrets.redact(_plain(text), known_secrets)
    return kept if len(kept) <= _TAIL else f"[… {len(kept) - _TAIL} characters left out …]\n{kept[-_TAIL:]}"


def _plain(text: str) -> str:
    return _CONTROL.sub("", _ANSI.sub("", text).replace("\r\n", "\n"))


def _reason(verdict: Verdict, results: Sequence[CheckResult]) -> str:
    if verdict is Verdict.PASS:
        if not results:
            return "no checks: neither preferences, nor the plan, nor package.json name a command that can be run"
        return "; ".join(f"{result} (does not count)" for result in results if result.verdict is not Verdict.PASS)
    return "; ".join(str(result) for result in results if result.verdict is verdict and not result.advisory)
