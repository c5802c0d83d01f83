"""A fleet as programs see it: `gsd parallel status --json`. Its keys stay.

    active, session, coordinator {pid, run}, totalCost,
    workers [{milestoneId, title, state, doing, cause {what, by, at, hint}, alive, pid, run, wakesAt,
              currentUnit {type, id, startedAt}, completedUnits, cost, costKnown, startedAt, lastHeartbeat,
              lastProgress, lastOrder {signal, sentAt, takenAt}, worktreePath}],
    budget {spent, reserved, left, ceiling, percent, unpricedRequests}, alerts [text],
    forecasts [{a, b, files, lines, seenAt}], waiting [{milestoneId, kind, reason, next, since, details}]

`state` is one of the four documented words, null before the first heartbeat; `doing` is our finer one. Times are epoch
milliseconds, money is USD, what is not known is null. Source: issue "Health".
"""

from milepost.fleet.look import Look
from milepost.fleet.worker_look import WorkerLook
from milepost.model import money
from milepost.ui.views import inbox_text
from milepost.ui.views.fleet import Board, alerts, percent


def document(made: Board) -> dict[str, object]:
    """The object."""
    seen, line = made.seen, made.money.fleet
    who = seen.coordinator
    return {
        "active": seen.active,
        "session": seen.fleet.session or None,
        "coordinator": {"pid": who.who.pid if who.who else None, "run": who.run or None} if who else None,
        "totalCost": money.to_usd(seen.micro_usd),
        "workers": [_worker(worker, seen) for worker in seen.workers],
        "budget": {
            "spent": money.to_usd(line.books.spent),
            "reserved": money.to_usd(line.books.reserved),
            "left": None if line.left is None else money.to_usd(line.left),
            "ceiling": None if line.ceiling is None else money.to_usd(line.ceiling),
            "percent": percent(line),
            "unpricedRequests": line.books.unpriced,
        },
        "alerts": alerts(made),
        "forecasts": [
            {"a": f.a, "b": f.b, "files": list(f.files), "lines": list(f.lines), "seenAt": f.seen_at}
            for f in seen.forecasts
        ],
        "waiting": inbox_text.document(made.waiting),
    }


def _worker(worker: WorkerLook, seen: Look) -> dict[str, object]:
    unit, order, cause = worker.unit, worker.last_order, worker.cause
    return {
        "milestoneId": worker.milestone,
        "title": worker.title,
        "state": str(worker.state) if worker.state else None,
        "doing": str(worker.condition),
        "cause": {"what": cause.what, "by": cause.by or None, "at": cause.at_ms or None, "hint": cause.hint or None},
        "alive": worker.alive,
        "pid": worker.pid,
        "run": worker.run or None,
        "wakesAt": worker.wakes_at or None,
        "currentUnit": {"type": unit.type, "id": unit.id, "startedAt": unit.started_at} if unit else None,
        "completedUnits": worker.units,
        "cost": money.to_usd(worker.micro_usd),
        "costKnown": not worker.unpriced,
        "startedAt": worker.started_at or None,
        "lastHeartbeat": worker.last_heartbeat or None,
        "lastProgress": None if worker.progress_ms is None else seen.now_ms - worker.progress_ms,
        "lastOrder": {"signal": order.signal, "sentAt": order.sent_at, "takenAt": order.taken_at} if order else None,
        "worktreePath": worker.worktree or None,
    }
