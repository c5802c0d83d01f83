"""`M###-SECRETS.md`: the keys a milestone needs from the outside, and how to get them.

    **Milestone:** M002
    **Generated:** 2026-03-17T10:00:00Z

    ### STRIPE_API_KEY

    **Service:** Stripe
    **Dashboard:** https://dashboard.stripe.com/apikeys
    **Format hint:** starts with sk_
    **Status:** pending
    **Destination:** dotenv

    1. Open the dashboard
    2. Create a key

Holds names and never values. Only a Status is ever edited. Source: spec auto 2.13.
"""

import re
from typing import Final, NamedTuple

from milepost.errors import FormatError
from milepost.formats._markdown import bold_field, sections

STATUSES: Final = ("pending", "collected", "skipped")
_STEP: Final = re.compile(r"^\s*\d+[.)]\s+(.*\S)", re.MULTILINE)
_NAME: Final = re.compile(r"`?([A-Za-z_][A-Za-z0-9_]*)`?\Z")
_STATUS: Final = re.compile(r"^(\*\*Status:\*\*[ \t]*)(\S*)", re.MULTILINE)


class Secret(NamedTuple):
    """One key."""

    name: str
    """Name of the environment variable."""
    service: str
    dashboard: str
    format_hint: str
    status: str
    """One of STATUSES."""
    destination: str
    steps: tuple[str, ...]


class Manifest(NamedTuple):
    """The file."""

    milestone: str
    generated: str
    secrets: tuple[Secret, ...]


def parse(text: str) -> Manifest:
    """What the milestone asks for. Headings that are no variable name are passed over; never raises."""
    found = ((_NAME.match(heading), body) for heading, body in sections(text, 3))
    return Manifest(
        milestone=bold_field(text, "Milestone"),
        generated=bold_field(text, "Generated"),
        secrets=tuple(_secret(name[1], body) for name, body in found if name),
    )


def with_status(text: str, name: str, status: str) -> str:
    """`text` with one key's status. Raises FormatError when the key, or its Status line, is not there."""
    head = re.search(rf"^### +`?{re.escape(name)}`?[ \t]*\r?$", text, re.MULTILINE)
    end = re.search(r"^#{1,3} ", text[head.end() :], re.MULTILINE) if head else None
    stop = head.end() + end.start() if head and end else len(text)
    place = _STATUS.search(text, head.end(), stop) if head else None
    if place is None:
        raise FormatError("SECRETS.md", 0, f"there is no status of {name}")
    return f"{text[: place.start(2)]}{status}{text[place.end(2) :]}"


def _secret(name: str, body: str) -> Secret:
    status = bold_field(body, "Status").lower()
    return Secret(
        name=name,
        service=bold_field(body, "Service"),
        dashboard=bold_field(body, "Dashboard"),
        format_hint=bold_field(body, "Format hint"),
        status=status if status in STATUSES else "pending",
        destination=bold_field(body, "Destination") or "dotenv",
        steps=tuple(_STEP.findall(body)),
    )
