"""`S##-REPLAN.md` and `S##-REPLAN-TRIGGER.md`: a slice that was, or is to be, planned again.

    # S01 Replan

    **Milestone:** M001
    **Slice:** S01
    **Blocker Task:** T02
    **Created:** 2026-04-07T10:55:11.715Z

    ## Blocker Description
    ## What Changed

The first file says: done, not again. After the session Milepost writes into its frontmatter which tasks' blockers it
`answers`; a document without that line, as GSD writes it, answers all there were. Before the slice is planned again
it is marked `status: superseded`. The second file asks for a replan (GSD reads it from 2.41 on) and goes when that is
done. Source: spec auto 2.22, 3.8 rule 6, 5.15.
"""

from collections.abc import Iterable
from typing import NamedTuple

from milepost.formats import validation
from milepost.formats._markdown import bold_field, front_scalar, frontmatter, section, strings

_SUPERSEDED = "superseded"


class Replan(NamedTuple):
    """A replan that was done; empty strings where free text does not say."""

    milestone: str
    slice: str
    blocker_task: str
    created: str
    blocker: str
    changed: str


class Trigger(NamedTuple):
    """A wish to plan again, from a capture."""

    source: str
    """Id of the capture."""
    text: str
    rationale: str
    at: str
    """ISO time."""


def parse(text: str) -> Replan:
    """What the file says. Never raises."""
    return Replan(
        milestone=bold_field(text, "Milestone"),
        slice=bold_field(text, "Slice"),
        blocker_task=bold_field(text, "Blocker Task"),
        created=bold_field(text, "Created"),
        blocker=section(text, "Blocker Description"),
        changed=section(text, "What Changed"),
    )


def answers(text: str) -> tuple[str, ...] | None:
    """The tasks whose blockers the replan took up; None: it does not say, so all that there were."""
    fields = frontmatter(text)
    return strings(fields, "answers") if "answers" in fields else None


def superseded(text: str) -> bool:
    """Whether it is an earlier replan, and the slice is to be planned again."""
    return front_scalar(text, "status").lower() == _SUPERSEDED


def supersede(text: str) -> str:
    """`text` marked as an earlier replan."""
    return validation.with_fields(text, {"status": _SUPERSEDED})


def with_answers(text: str, tasks: Iterable[str]) -> str:
    """`text` saying which tasks' blockers it took up."""
    return validation.with_fields(text, {"answers": f"[{', '.join(tasks)}]"})


def pending(trigger: str) -> bool:
    """Whether a trigger still waits, also where an earlier replan is: Milepost's own do until they are taken away."""
    return bold_field(trigger, "Status").lower() == "open"


def parse_trigger(text: str) -> Trigger:
    """What the file says. Never raises."""
    return Trigger(
        source=bold_field(text, "Source"),
        text=bold_field(text, "Capture"),
        rationale=bold_field(text, "Rationale"),
        at=bold_field(text, "Triggered"),
    )


def render_trigger(sid: str, trigger: Trigger) -> str:
    """The file's text."""
    return (
        f"# {sid} Replan Trigger\n\n**Source:** {trigger.source}\n**Capture:** {_line(trigger.text)}\n"
        f"**Rationale:** {_line(trigger.rationale)}\n**Triggered:** {trigger.at}\n**Status:** open\n"
    )


def _line(text: str) -> str:
    return " ".join(text.split())
