"""The note left in the place of an artifact that could not be made.

    ---
    status: blocked
    reason: the gate failed three times
    ---
    # Blocked: execute-task M001/S01/T02

It is never taken for the artifact. Its milestone is blocked until a person removes the file, or does the work.
"""

from milepost.formats._markdown import front_scalar


def reason(text: str) -> str | None:
    """Why the artifact is missing, when `text` is such a note; None for any other text."""
    if front_scalar(text, "status").lower() != "blocked":
        return None
    return front_scalar(text, "reason") or "no reason given"


def render(unit: str, why: str) -> str:
    """The note's text. unit: `kind id` of what could not be done; why: one sentence."""
    line = " ".join(why.split())
    return f"---\nstatus: blocked\nreason: {line}\n---\n# Blocked: {unit}\n\n{line}\n"
