"""The JSON of `gsd headless query`."""

import json

from milepost.formats.preferences import Preferences
from milepost.model.state import Counts, Phase, Progress, Ref, RegistryEntry, State, Status, Tally
from milepost.model.units import Unit, UnitKind
from milepost.rules.dispatch import Dispatch, Halt, Level, Write, decide
from milepost.testing.trees import DictTree
from milepost.ui.views import state as view

STATE = State(
    phase=Phase.EXECUTING,
    next_action="Execute T01: a in slice S02.",
    registry=(RegistryEntry("M001", "Störe", Status.ACTIVE, ("M000",)),),
    requirements=Counts(active=3, out_of_scope=1),
    progress=Progress(milestones=Tally(0, 1), slices=Tally(1, 2)),
    active_milestone=Ref("M001", "Störe"),
    active_slice=Ref("S02", "b"),
    active_task=Ref("T01", "a"),
)
UNIT = Unit(UnitKind.EXECUTE_TASK, "M001/S02/T01")


def test_the_documented_shape() -> None:
    row = view.CostRow(milestone_id="M001", pid=7, state="running", cost_usd=None, last_heartbeat=5)
    text = view.query(STATE, Dispatch(UNIT, "task-is-executed"), [row], 1.25)
    assert text.count("\n") == 1
    assert "Störe" in text
    assert json.loads(text) == {
        "state": {
            "activeMilestone": {"id": "M001", "title": "Störe"},
            "activeSlice": {"id": "S02", "title": "b"},
            "activeTask": {"id": "T01", "title": "a"},
            "phase": "executing",
            "recentDecisions": [],
            "blockers": [],
            "nextAction": "Execute T01: a in slice S02.",
            "registry": [{"id": "M001", "title": "Störe", "status": "active", "dependsOn": ["M000"]}],
            "requirements": {"active": 3, "validated": 0, "deferred": 0, "outOfScope": 1, "blocked": 0, "total": 4},
            "progress": {"milestones": {"done": 0, "total": 1}, "slices": {"done": 1, "total": 2}},
        },
        "next": {
            "action": "dispatch",
            "unitType": "execute-task",
            "unitId": "M001/S02/T01",
            "reason": "task-is-executed",
        },
        "cost": {
            "workers": [{"milestoneId": "M001", "pid": 7, "state": "running", "cost": None, "lastHeartbeat": 5}],
            "total": 1.25,
        },
    }


def test_bytes_that_were_no_utf8_can_be_printed() -> None:
    broken = STATE._replace(active_task=Ref("T01", "a\udcff"))
    text = view.query(broken, Dispatch(UNIT, "r"))
    assert json.loads(text.encode())["state"]["activeTask"]["title"] == "a?"


def test_a_halt_an_effect_and_the_last_completed_milestone() -> None:
    halted = view.document(STATE, Halt("stuck", Level.ERROR, "blocked-stops", "look"))["next"]
    assert halted == {"action": "stop", "reason": "stuck", "hint": "look"}
    effect = Dispatch(UNIT, "r", effects=(Write("a.md", "text", "why"),))
    shown = view.document(STATE, effect)["next"]
    assert isinstance(shown, dict)
    assert shown["effects"] == [{"path": "a.md", "reason": "why"}]
    ended = STATE._replace(phase=Phase.COMPLETE, active_milestone=None, last_completed_milestone=Ref("M001", "x"))
    document = view.document(ended, decide(ended, DictTree({}), Preferences()))
    assert document["next"] == {"action": "stop", "reason": STATE.next_action}
    assert isinstance(document["state"], dict)
    assert document["state"]["lastCompletedMilestone"] == {"id": "M001", "title": "x"}
