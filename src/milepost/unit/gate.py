"""Put a unit before its gate: which commands, on what tree, and what follows from the verdict.

A task is proved by its own gate. Another unit that changed code is proved by the project's commands. A gate that
could not be judged is run once more at once, since harnesses have bad moments; if it still says nothing, a person
looks. Source: DESIGN "Verification", rule 4; spec auto 5.13, 8.7.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import anyio

from milepost.errors import FormatError
from milepost.formats import evidence as evidence_format
from milepost.formats.evidence import Evidence, Verdict
from milepost.formats.journal import Verified
from milepost.formats.tree import task_path
from milepost.git.run import git
from milepost.git.snapshots import tree_with
from milepost.git.status import Change
from milepost.model import work
from milepost.model.outcome import Inconclusive, Outcome, VerifyFailed
from milepost.model.units import Unit, UnitKind
from milepost.model.words import counted
from milepost.rules import gate_changes
from milepost.store import regular
from milepost.unit import before as books_before
from milepost.unit.before import tasks_of
from milepost.unit.bench import Bench
from milepost.unit.converse import ending_together
from milepost.unit.put_right import shelf_of, tree_of
from milepost.unit.verify import Verification, discover, verify

_TASKS = (UnitKind.EXECUTE_TASK, UnitKind.QUICK)
"""Kinds whose work is judged whatever they changed, and whose evidence is committed with it."""


async def gate(unit: Unit, attempt: str, changes: Sequence[Change], bench: Bench) -> Outcome | None:
    """None: the work may be booked. Otherwise why not. changes: everything the unit would commit.

    A stop ends the gate at once, and it is inconclusive: what is there was paid for, and the next start judges it.
    """
    outcome: Outcome | None = None
    with anyio.CancelScope() as scope:
        async with ending_together() as tasks:
            tasks.start_soon(_cancel_when_asked, bench.stop, scope)
            outcome = await _judged(unit, attempt, changes, bench)
    return Inconclusive("stopped by a person or a signal", "") if scope.cancelled_caught else outcome


async def _cancel_when_asked(stop: anyio.Event, scope: anyio.CancelScope) -> None:
    await stop.wait()
    scope.cancel()


async def _judged(unit: Unit, attempt: str, changes: Sequence[Change], bench: Bench) -> Outcome | None:
    place = bench.workspace
    changed = [c for c in changes if not c.path.startswith(f"{place.state_dir}/")]
    if unit.kind not in _TASKS and not changed:
        return None
    case = _Case(unit=unit, attempt=attempt, flags=_flags(changed, bench), tree=tree_with(place.cwd, changes))
    found = await _run(case, bench, previous=_previous(unit, bench))
    if found.verdict is Verdict.INCONCLUSIVE and not _hung(found):
        bench.watcher.note(f"gate of {unit}: {found.reason}; running it once more")
        found = await _run(case, bench, previous=found.evidence)
    _book(unit, attempt, found, bench)
    if found.verdict is Verdict.PASS:
        return None
    evidence = str(_evidence(unit, bench).relative_to(bench.workspace.root))
    if found.verdict is Verdict.FAIL:
        return VerifyFailed(found.failed, evidence)
    return Inconclusive(found.reason, evidence)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """What one gate is about."""

    unit: Unit
    attempt: str
    flags: tuple[str, ...]
    tree: str


def _hung(found: Verification) -> bool:
    """A command that ran out of time is not run again at once: the second time counts against the agent."""
    return any(check.finished is not None and check.finished.timed_out for check in found.checks)


def evidence_path(unit: Unit, bench: Bench) -> str:
    """Where the evidence lies, relative to the checkout of the milestone."""
    return str(_evidence(unit, bench).relative_to(bench.workspace.cwd))


async def _run(case: _Case, bench: Bench, *, previous: Evidence | None) -> Verification:
    place, retries = bench.workspace, bench.preferences.verification_max_retries
    failures = previous.retry_attempt if previous and isinstance(previous.retry_attempt, int) else 0
    commands = discover(
        preference=bench.preferences.verification_commands,
        verify=_verify_line(case.unit, case.attempt, bench),
        cwd=place.cwd,
        env=bench.env,
    )
    return await verify(
        case.unit,
        commands,
        cwd=place.cwd,
        env=bench.env,
        evidence_path=_room_for_evidence(case, bench),
        within=place.state,
        now_ms=bench.now_ms,
        confine=bench.confine,
        tree_id=case.tree,
        attempt=case.attempt,
        retry=(failures + 1, retries),
        previous=previous,
        flags=case.flags,
        known_secrets=bench.secrets,
    )


def _room_for_evidence(case: _Case, bench: Bench) -> Path:
    """Where the evidence goes; a directory that stands in its place is set aside."""
    path = _evidence(case.unit, bench)
    if path.is_dir() and not path.is_symlink():
        shelf = shelf_of(bench, case.attempt) / "foreign"
        shelf.mkdir(parents=True, exist_ok=True)
        path.rename(shelf / f"{path.name}.{len(list(shelf.iterdir()))}")
    return path


def _verify_line(unit: Unit, attempt: str, bench: Bench) -> str:
    """The task's gate as it was planned; what the session made of it counts only where there was none."""
    tasks = tasks_of(tree_of(bench), unit.milestone, unit.slice or "")
    now = next((task.verify for task in tasks if task.id == unit.task), "")
    before = books_before.recall(bench.workspace.root_state, attempt)
    planned = before.gates.get(f"{unit.slice}/{unit.task}", now) if before else now
    if planned != now:
        bench.watcher.note(f"look at this: the session changed its own Verify line; the planned one is run: {planned}")
    return planned


def _evidence(unit: Unit, bench: Bench) -> Path:
    place = bench.workspace
    if unit.kind is UnitKind.EXECUTE_TASK:
        plan = task_path(tree_of(bench), unit.milestone, unit.slice or "", unit.task or "", "PLAN")
        return place.state / Path(plan).parent / f"{unit.task}-VERIFY.json"
    if unit.kind is UnitKind.QUICK:
        return place.state / work.document(unit.id, "VERIFY.json")
    return place.state / "runtime" / "gates" / f"{unit.label}-{unit.id.replace('/', '-')}.json"


def _previous(unit: Unit, bench: Bench) -> Evidence | None:
    path = _evidence(unit, bench)
    try:
        return evidence_format.decode(regular.read(path), str(path))
    except (OSError, FormatError):
        return None


def _flags(changed: list[Change], bench: Bench) -> tuple[str, ...]:
    """What of the change a person should look at: deleted tests, a loosened gate."""
    changes = [gate_changes.Change(_letter(c), c.path, c.origin or "") for c in changed if not c.untracked]
    if not any(map(gate_changes.matters, changes)):
        return ()
    patch = git(
        bench.workspace.cwd, "diff", "HEAD", "--no-color", "--no-ext-diff", "--src-prefix=a/", "--dst-prefix=b/"
    )
    return tuple(str(flag) for flag in gate_changes.flags(changes, patch.out))


def _letter(change: Change) -> str:
    letters = change.index + change.worktree
    return next((letter for letter in "DRA" if letter in letters), "M")


def _book(unit: Unit, attempt: str, found: Verification, bench: Bench) -> None:
    flags = found.evidence.flags if isinstance(found.evidence.flags, tuple) else ()
    bench.journal.append(
        Verified(
            at_ms=bench.now_ms(),
            run=bench.run,
            attempt=attempt,
            verdict=str(found.verdict),
            source=found.evidence.discovery_source,
            checks=len(found.checks),
            reason=found.reason,
            evidence=evidence_path(unit, bench),
            tree=found.evidence.tree_id if isinstance(found.evidence.tree_id, str) else "",
            flags=flags,
        )
    )
    said = f": {found.reason}" if found.reason else ""
    bench.watcher.note(f"gate of {unit}: {found.verdict}, {counted(len(found.checks), 'command')}{said}")
    for skipped in found.skipped:
        bench.watcher.note(f"not run by the gate: {skipped.text!r} ({skipped.reason})")
    for flag in flags:
        bench.watcher.note(f"look at this: {flag}")
