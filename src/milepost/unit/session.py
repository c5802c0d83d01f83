"""What a unit's session is given, and what the project shows of it: prompt, spec, live record, ledger.

Source: spec auto 5.4, 5.8, 5.12, 5.17.
"""

import os
from pathlib import Path

from milepost.agents.session import SessionSpec, ToolPolicy
from milepost.formats import lock, summary, unit_record
from milepost.formats.journal import AttemptEnded, Result
from milepost.formats.tree import Tree, milestone_file, slice_file, task_file
from milepost.model.moments import iso
from milepost.model.units import Unit, UnitKind
from milepost.process import identity
from milepost.prompts.brief import Extras, Workplace
from milepost.prompts.compose import Prompt, compose
from milepost.rules import done
from milepost.rules.models import efforts
from milepost.rules.routing import Route
from milepost.store import atomic, ledger
from milepost.unit import briefing, executor, linted, noted, questions, routing, skills
from milepost.unit.bench import Bench
from milepost.unit.told import changed

POLICIES: dict[UnitKind, ToolPolicy] = {
    UnitKind.DISCUSS_MILESTONE: ToolPolicy.DISCUSSION,
    UnitKind.DISCUSS_SLICE: ToolPolicy.DISCUSSION,
    UnitKind.RESEARCH_MILESTONE: ToolPolicy.PLANNING_DISPATCH,
    UnitKind.PLAN_MILESTONE: ToolPolicy.PLANNING_DISPATCH,
    UnitKind.RESEARCH_SLICE: ToolPolicy.PLANNING_DISPATCH,
    UnitKind.PLAN_SLICE: ToolPolicy.PLANNING_DISPATCH,
    UnitKind.EXECUTE_TASK: ToolPolicy.ALL,
    UnitKind.COMPLETE_SLICE: ToolPolicy.ALL,
    UnitKind.REPLAN_SLICE: ToolPolicy.PLANNING_DISPATCH,
    UnitKind.REASSESS_ROADMAP: ToolPolicy.PLANNING_DISPATCH,
    UnitKind.RUN_UAT: ToolPolicy.ALL,
    UnitKind.VALIDATE_MILESTONE: ToolPolicy.ALL,
    UnitKind.COMPLETE_MILESTONE: ToolPolicy.ALL,
    UnitKind.REWRITE_DOCS: ToolPolicy.DOCS,
    UnitKind.TRIAGE_CAPTURES: ToolPolicy.PLANNING,
    UnitKind.QUICK_TASK: ToolPolicy.ALL,
    UnitKind.QUICK: ToolPolicy.ALL,
    UnitKind.HOOK: ToolPolicy.ALL,
}
"""What each kind's tools may touch. Kinds that run checks need the shell; a change they make to code is gated too."""


def attempt_id(unit: Unit, bench: Bench) -> str:
    """A new name for an attempt: unique, sortable by time, readable."""
    return f"{unit.id.replace('/', '-')}.{unit.label}.{bench.now_ms():013d}.{os.urandom(3).hex()}"


def prompt(unit: Unit, tree: Tree, number: int, bench: Bench, *, diagnostic: str) -> Prompt:
    """The prompt of one attempt, with what earlier attempts left to say."""
    place = bench.workspace
    past = briefing.of(unit, bench)
    told = (past.diagnostic, diagnostic, linted.told(unit, tree, bench))
    extras = Extras(
        attempt=number,
        verification_failure=past.gate_failure,
        crash_briefing=past.crash,
        retry_diagnostic="\n\n".join(text for text in told if text),
        instructions=bench.instructions,
        skills=skills.told(bench, shell=POLICIES[unit.kind] is ToolPolicy.ALL),
        window_tokens=executor.window(bench.models),
        now=iso(bench.now_ms()),
    )
    workplace = Workplace(cwd=str(place.cwd), branch=place.branch, state_dir=place.state_dir)
    made = compose(unit, tree, workplace, bench.preferences, noted.added(extras, unit, tree, bench))
    where = f"Working directory: `{place.cwd}`, branch `{place.branch}`. Stay in it."
    return changed(made, bench.told, where=where, owed=done.missing(unit, tree), state_dir=place.state_dir)


def spec(unit: Unit, text: Prompt, attempt: str, bench: Bench, chosen: Route | None = None) -> SessionSpec:
    """All that the agent is given. chosen: its models; None: the configured ones."""
    place = bench.workspace
    return SessionSpec(
        unit=unit,
        cwd=place.cwd,
        system=text.system,
        prompt=text.text,
        models=chosen.models if chosen else bench.models.get(unit.kind, ()),
        thinking=efforts(bench.preferences, unit.kind),
        policy=POLICIES[unit.kind],
        state_dir=place.state_dir,
        env=bench.env,
        output_dir=place.root_state / "runtime" / "outputs" / attempt,
        cache_key=str(place.root),
        confine=bench.confine,
        silence_s=bench.preferences.auto_supervisor.provider_timeout_minutes * 60,
        ask=questions.asker(unit, attempt, bench),
    )


def summary_of(unit: Unit, tree: Tree) -> summary.Summary | None:
    """The summary that the unit wrote, for its commit message; None when it wrote none."""
    path = _summary_path(unit, tree)
    text = tree.text(path) if path else None
    return summary.parse(text) if text else None


def _summary_path(unit: Unit, tree: Tree) -> str | None:
    match unit.kind:
        case UnitKind.EXECUTE_TASK:
            return task_file(tree, unit.milestone, unit.slice or "", unit.task or "", "SUMMARY")
        case UnitKind.COMPLETE_SLICE:
            return slice_file(tree, unit.milestone, unit.slice or "", "SUMMARY")
        case UnitKind.COMPLETE_MILESTONE:
            return milestone_file(tree, unit.milestone, "SUMMARY")
        case _:
            return None


def note_unit(unit: Unit, attempt: str, transcript: Path, bench: Bench) -> None:
    """Write what is running where other programs look for it: `auto.lock` and `runtime/units/`."""
    state, now = bench.ledger_state, bench.now_ms()
    done = sum(1 for e in bench.journal.own() if isinstance(e, AttemptEnded) and e.result is Result.COMMITTED)
    own = identity.own()
    ledger.write_lock(
        state,
        lock.Lock(
            pid=own.pid,
            started_at=iso(now),
            unit_type=unit.type,
            unit_id=unit.id,
            unit_started_at=iso(now),
            completed_units=done,
            session_file=str(transcript),
            run=bench.run,
            host=own.host,
            boot_id=own.boot_id,
            start_ticks=own.start_ticks,
        ),
    )
    record = unit_record.UnitRecord(
        unit_type=unit.type,
        unit_id=unit.id,
        started_at=now,
        updated_at=now,
        phase=unit_record.RecordPhase.DISPATCHED,
        last_progress_at=now,
        attempt=attempt,
        run=bench.run,
    )
    atomic.replace(_record_path(unit, bench), unit_record.encode(record), durable=False)


def publish(unit: Unit, bench: Bench) -> None:
    """Bring the projections up to date after an attempt: the ledger, and no record of a unit that is not running."""
    _record_path(unit, bench).unlink(missing_ok=True)
    if bench.worker:
        ledger.publish_own(bench.ledger_state, bench.journal.own())
    else:
        ledger.publish(bench.ledger_state, bench.journal.everything())
    routing.publish(bench)


def _record_path(unit: Unit, bench: Bench) -> Path:
    return bench.workspace.root_state / "runtime" / "units" / unit_record.file_name(unit)
