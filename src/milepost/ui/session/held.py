"""What a line means while the run of this session is held: a sentence is for the session in flight, and lets it go on.

No yes is asked for: who holds it has it in front of them, and what they say stays in this conversation; `/steer` is for
what is to change the plan. Source: issue "The session"; docs/decisions/0024.
"""

from typing import Final

from milepost.ui.cli.main import COMMANDS
from milepost.ui.session.job import Job
from milepost.ui.session.words import Kind, understood

RESUME: Final = "resume"


def taken(job: Job) -> str:
    """Hold it, or let it go on; returns what to say."""
    if job.holding:
        job.let_go()
        return f"{job.title} goes on."
    job.hold()
    return (
        f"{job.title} is to be held: what is in flight ends, then nothing is asked and nothing paid. "
        f"A sentence is said to the session, which goes on; Escape again, /auto or /{RESUME} lets it go on as it is. "
        f"/pause means the end of the unit, /stop ends it."
    )


def heard(line: str, job: Job) -> str | None:
    """What to say when the line was for the session that `job` holds; None: it means what it always means."""
    said = understood(line, COMMANDS, talking=True)
    if line.strip().removeprefix("/") == RESUME or said.words[:1] == ("auto",):
        return taken(job)
    if said.kind is not Kind.TALK:
        return None
    job.let_go(said.text)
    return f"{job.title} goes on with that."
