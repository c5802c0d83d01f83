"""What stands in the place of a document whose work a person said is not to be done.

    ---
    id: T03
    parent: S02
    milestone: M001
    status: skipped
    blocker_discovered: false
    verification_result: untested
    ---
    # T03: Import from OPML

    **Skipped by a person: nobody uses it**

GSD reads it as the document that it is; `status: skipped` says that nothing was done. Source: spec auto 7 (skip), 8.15.
"""

from milepost.formats._markdown import front_scalar

_STATUS = "skipped"


def is_skipped(text: str) -> bool:
    """Whether a document stands for work that was skipped."""
    return front_scalar(text, "status").lower() == _STATUS


def render(path: tuple[str, ...], title: str, reason: str, *, verdict: str = "", answers: tuple[str, ...] = ()) -> str:
    """The document. path: ids from the milestone down; verdict: the word that lets the work go on."""
    front = {"id": path[-1]}
    if len(path) > 1:
        front |= {"parent": path[-2], "milestone": path[0]}
    front |= {"status": _STATUS, "blocker_discovered": "false", "verification_result": "untested"}
    if verdict:
        front |= {"verdict": verdict, "recorded_by": "person"}
    if answers:
        front |= {"answers": f"[{', '.join(answers)}]"}
    lines = "\n".join(f"{key}: {value}" for key, value in front.items())
    said = f"Skipped by a person: {' '.join(reason.split())}" if reason.strip() else "Skipped by a person"
    return (
        f"---\n{lines}\n---\n# {path[-1]}: {' '.join(title.split())}\n\n**{said}**\n\n## What Happened\n\n"
        "Nothing was done or checked. What builds on this has to do without it.\n"
    )
