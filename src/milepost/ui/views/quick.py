"""Quick tasks as people and programs are shown them. Source: spec auto 7 (`/gsd quick`); decision 0027."""

from collections.abc import Iterable

from milepost.git.refs import BACKUPS
from milepost.model import work
from milepost.model.moments import iso
from milepost.model.words import counted
from milepost.rules.quick import Quick, Standing

_TEXT_CHARS = 70


def text(tasks: Iterable[Quick], state_dir: str, program: str) -> str:
    """All of them, the latest last, with what to type where something waits."""
    lines = [line for one in tasks for line in _lines(one, state_dir, program)]
    return "\n".join(lines or [f'no quick task so far: {program} quick "what is to be done"']) + "\n"


def _lines(one: Quick, state_dir: str, program: str) -> list[str]:
    at = f" on {one.target} as {one.commit[:10]}" if one.standing is Standing.LANDED else ""
    tries = f", {counted(one.attempts, 'attempt')}" if one.attempts > 1 or (one.attempts and one.waits) else ""
    lines = [f"{one.number:>3}  {one.standing}{at}{tries}: {shown(one.text)}"]
    if one.reason:
        lines.append(f"     {one.reason.splitlines()[0]}")
    if one.waits:
        lines.append(f"     {onward(one, program)}")
    elif one.standing is Standing.LANDED:
        lines.append(f"     {state_dir}/{work.document(one.key, 'SUMMARY.md')}")
    return lines


def shown(wish: str) -> str:
    """What is wanted, in one line."""
    whole = " ".join(wish.split())
    return whole if len(whole) <= _TEXT_CHARS else f"{whole[: _TEXT_CHARS - 1].rstrip()}…"


def onward(one: Quick, program: str) -> str:
    """What to type about one that waits."""
    what = "lands it" if one.standing is Standing.DONE else "goes on with it"
    return f"{program} quick --resume {one.number} {what}; {program} quick --discard {one.number} gives it up."


def discarded(one: Quick, tip: str, left: str, program: str) -> str:
    """What was given up, and where it is kept."""
    lines = [f"quick task {one.number} is given up: {shown(one.text)}"]
    if tip:
        lines.append(f"  Its branch is kept under {BACKUPS}/{one.key}/ ({tip[:10]}).")
    if left:
        lines.append(f"  What was not committed is kept as {left}.")
    return "\n".join([*lines, f"  {program} quick --list has all of them.", ""])


def document(one: Quick, state_dir: str) -> dict[str, object]:
    """One of them for programs."""
    return {
        "number": one.number,
        "key": one.key,
        "text": one.text,
        "standing": one.standing.name.lower(),
        "target": one.target,
        "branch": work.branch_of(one.key),
        "commit": one.commit or None,
        "attempts": one.attempts,
        "askedAt": iso(one.asked_ms),
        "reason": one.reason or None,
        "hint": one.hint or None,
        "summary": f"{state_dir}/{work.document(one.key, 'SUMMARY.md')}",
    }
