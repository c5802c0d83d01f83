"""The inbox as people and programs read it. Source: issue "Health"; DESIGN "People"."""

from milepost.ui.views.inbox import Row
from milepost.ui.views.parallel_text import plain
from milepost.ui.views.spans import ago


def text(found: tuple[Row, ...], now_ms: int) -> str:
    """For a terminal."""
    if not found:
        return "Nothing waits for you.\n"
    lines = [f"Waiting for you ({len(found)}):", ""]
    for row in found:
        lines.append(line(row, now_ms))
        lines += [f"    {plain(detail)}" for detail in row.details]
        lines.append(f"    → {plain(row.next)}")
    return "\n".join(lines) + "\n"


def line(row: Row, now_ms: int) -> str:
    """One row in one line, without what to type."""
    since = f" ({ago(now_ms - row.since_ms)} ago)" if row.since_ms else ""
    name = f"{row.milestone} {row.kind}" if row.milestone else str(row.kind)
    return f"- {name}: {plain(row.reason)}{since}"


def document(found: tuple[Row, ...]) -> list[dict[str, object]]:
    """For programs: `milestoneId` (null for the fleet), `kind`, `reason`, `next`, `since` (ms or null), `details`."""
    return [
        {
            "milestoneId": row.milestone or None,
            "kind": str(row.kind),
            "reason": row.reason,
            "next": row.next,
            "since": row.since_ms or None,
            "details": list(row.details),
        }
        for row in found
    ]
