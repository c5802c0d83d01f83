"""`gsd headless query`: the state, the next unit and the money as one line of JSON.

    {"state": {"activeMilestone": {"id": "M001", "title": "Feed store"}, "phase": "executing", ...},
     "next": {"action": "dispatch", "unitType": "execute-task", "unitId": "M001/S01/T01", "reason": "task-is-executed"},
     "cost": {"workers": [], "total": 0.0}}

`next.effects` names the documents that a run would write first. Source: spec auto 7.1.
"""

from collections.abc import Iterable
from typing import NamedTuple, TypeAlias

from milepost.model.state import Ref, RegistryEntry, State, Tally
from milepost.rules.dispatch import Decision, Dispatch

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"


class CostRow(NamedTuple):
    """One worker. cost_usd: None when a price is not known; last_heartbeat: milliseconds since 1970."""

    milestone_id: str
    pid: int
    state: str
    cost_usd: float | None
    last_heartbeat: int


def query(state: State, decision: Decision, workers: Iterable[CostRow] = (), total_usd: float | None = 0.0) -> str:
    """The answer as one line of JSON with its newline. total_usd: None when a price is not known."""
    import json

    text = json.dumps(document(state, decision, workers, total_usd), ensure_ascii=False) + "\n"
    # Bytes that were no UTF-8 in a title travel as lone surrogates, which no output stream takes.
    return text.encode("utf-8", "replace").decode()


def document(
    state: State, decision: Decision, workers: Iterable[CostRow] = (), total_usd: float | None = 0.0
) -> dict[str, Json]:
    """The answer as plain JSON values."""
    rows: list[Json] = [_worker(row) for row in workers]
    return {"state": _state(state), "next": _next(decision), "cost": {"workers": rows, "total": total_usd}}


def _state(state: State) -> dict[str, Json]:
    found: dict[str, Json] = {
        "activeMilestone": _ref(state.active_milestone),
        "activeSlice": _ref(state.active_slice),
        "activeTask": _ref(state.active_task),
        "phase": state.phase.value,
        "recentDecisions": [],
        "blockers": list(state.blockers),
        "nextAction": state.next_action,
        "registry": [_entry(entry) for entry in state.registry],
        "requirements": _requirements(state),
        "progress": _progress(state),
    }
    if state.last_completed_milestone:
        found["lastCompletedMilestone"] = _ref(state.last_completed_milestone)
    return found


def _next(decision: Decision) -> dict[str, Json]:
    if not isinstance(decision, Dispatch):
        halted: dict[str, Json] = {"action": "stop", "reason": decision.reason}
        return {**halted, "hint": decision.hint} if decision.hint else halted
    found: dict[str, Json] = {
        "action": "dispatch",
        "unitType": decision.unit.kind.value,
        "unitId": decision.unit.id,
        "reason": decision.rule,
    }
    if decision.effects:
        found["effects"] = [{"path": effect.path, "reason": effect.reason} for effect in decision.effects]
    return found


def _ref(ref: Ref | None) -> Json:
    return {"id": ref.id, "title": ref.title} if ref else None


def _entry(entry: RegistryEntry) -> Json:
    found: dict[str, Json] = {"id": entry.id, "title": entry.title, "status": entry.status.value}
    return {**found, "dependsOn": list(entry.depends_on)} if entry.depends_on else found


def _requirements(state: State) -> Json:
    counts = state.requirements
    return {
        "active": counts.active,
        "validated": counts.validated,
        "deferred": counts.deferred,
        "outOfScope": counts.out_of_scope,
        "blocked": counts.blocked,
        "total": counts.total,
    }


def _progress(state: State) -> Json:
    found: dict[str, Json] = {"milestones": _tally(state.progress.milestones)}
    if state.progress.slices:
        found["slices"] = _tally(state.progress.slices)
    if state.progress.tasks:
        found["tasks"] = _tally(state.progress.tasks)
    return found


def _tally(tally: Tally) -> Json:
    return {"done": tally.done, "total": tally.total}


def _worker(row: CostRow) -> Json:
    return {
        "milestoneId": row.milestone_id,
        "pid": row.pid,
        "state": row.state,
        "cost": row.cost_usd,
        "lastHeartbeat": row.last_heartbeat,
    }
