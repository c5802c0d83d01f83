"""`S##-REPLAN.md` and `S##-REPLAN-TRIGGER.md`: a slice that was, or is to be, planned again.

    # S01 Replan

    **Milestone:** M001
    **Slice:** S01
    **Blocker Task:** T02
    **Created:** 2026-04-07T10:55:11.715Z

    ## Blocker Description
    ## What Changed

The first file's existence says: done once, not again. The second asks for it; GSD reads it from 2.41 on.
Source: spec auto 2.22, 5.15.
"""

from typing import NamedTuple

from milepost.formats._markdown import bold_field, section


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
        f"**Rationale:** {_line(trigger.rationale)}\n**Triggered:** {trigger.at}\n"
    )


def _line(text: str) -> str:
    return " ".join(text.split())
