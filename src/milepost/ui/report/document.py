"""A report as JSON: `gsd export --json`.

`exportedAt`, `project`, `totals`, `byPhase`, `bySlice`, `byModel` and `units` (a row per attempt, as in
`metrics.json`) are GSD's; everything else is ours. Money in USD, times in epoch milliseconds. Source: spec auto 7.
"""

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import msgspec

from milepost.formats.metrics import Row
from milepost.model import money
from milepost.ui.views import history
from milepost.ui.views.report import Fact, Report, Try, Work


def text(made: Report, asked: history.Asked, rows: Sequence[Row]) -> str:
    """The file. asked: what its money is about; rows: those of `metrics.json` for the same attempts."""
    told = history.document(made.besides.money, asked)
    total = told.pop("total")
    attempts = told.pop("attempts")
    content = {
        "exportedAt": datetime.fromtimestamp(made.here.now_ms / 1000, tz=UTC).isoformat(timespec="milliseconds"),
        "project": made.besides.name,
        "milepost": made.besides.version,
        "milestone": made.milestone.id if made.milestone else None,
        "title": made.title,
        "state": made.word,
        "cause": made.cause,
        "next": made.next or None,
        "phase": str(made.here.state.phase),
        "progress": {"milestones": made.milestones._asdict(), "slices": made.slices._asdict()},
        "totals": {
            **(total if isinstance(total, dict) else {}),
            "units": len(made.works),
            "attempts": told.pop("matching"),
            "duration": made.took_ms,
            "toolCalls": sum(row.tool_calls for row in rows),
        },
        **told,
        "units": [msgspec.to_builtins(row) for row in rows],
        "attempts": attempts,
        "work": [_work(work) for work in made.works],
        "plan": [
            {
                "id": stem.entry.id,
                "title": stem.entry.title,
                "status": str(stem.entry.status),
                "dependsOn": stem.entry.depends_on,
                "slices": [
                    {
                        "id": part.id,
                        "title": part.title,
                        "done": part.done,
                        "dependsOn": part.depends,
                        "tasks": [task._asdict() for task in part.tasks],
                    }
                    for part in stem.slices
                ],
            }
            for stem in made.plan
        ],
        "changelog": [
            {"commit": c.id, "at": c.at_ms, "author": c.author, "subject": c.subject, "body": c.body}
            for c in made.besides.commits
        ],
        "decisions": [decision._asdict() for decision in made.besides.decisions],
        "knowledge": [entry._asdict() for entry in made.besides.knowledge],
        "captures": [capture._asdict() for capture in made.captures],
        "waits": _facts(made.waits),
        "skipped": _facts(made.skipped),
        "undone": _facts(made.undone),
        "health": None
        if made.besides.health is None
        else [
            {"severity": row.severity, "code": row.code, "message": row.message, "hint": row.hint}
            for row in made.besides.health
        ],
    }
    # What an agent wrote may hold halves of characters, which no file can.
    return json.dumps(content, indent=2) + "\n"


def _work(work: Work) -> dict[str, object]:
    kind, _, unit = work.named.partition(" ")
    return {
        "type": kind,
        "id": unit,
        "state": work.state,
        "says": work.says,
        "duration": work.took_ms,
        "cost": money.to_usd(work.spent.micro_usd) if work.spent.requests > work.spent.unpriced else None,
        "unpricedRequests": work.spent.unpriced,
        "tokens": work.spent.tokens,
        "attempts": [_try(one) for one in work.tries],
    }


def _try(one: Try) -> dict[str, object]:
    return {
        "number": one.number,
        "startedAt": one.at_ms,
        "duration": one.took_ms,
        "result": one.result,
        "because": one.because,
        "who": one.who,
        "routed": one.routed or None,
        "corrections": one.put_right,
        "tokens": one.spent.tokens,
    }


def _facts(facts: Iterable[Fact]) -> list[dict[str, object]]:
    return [{"at": fact.at_ms, "about": fact.about, "says": fact.says} for fact in facts]
