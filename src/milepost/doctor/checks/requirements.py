"""Requirements nobody owns, and blocked ones that do not say why. Source: spec auto 2.3."""

from collections.abc import Iterator

from milepost.doctor.finding import Check, Finding, Severity
from milepost.doctor.places_in_text import line_of
from milepost.doctor.site import Site
from milepost.formats import requirements
from milepost.formats.tree import read, root_file


def look(site: Site) -> Iterator[Finding]:
    """The entries of the section Active, and all that are blocked."""
    path = root_file(site.tree, "REQUIREMENTS")
    text = read(site.tree, path)
    for entry in requirements.parse(text):
        shown, line = site.tree.shown(path or ""), line_of(text, entry.id)
        if entry.state == "active" and not entry.owner:
            yield Finding(
                code="active_requirement_missing_owner",
                severity=Severity.WARNING,
                path=shown,
                line=line,
                message=f"{entry.id} is active and no slice owns it",
                hint="Add `- Primary owning slice: M001/S01`, or defer it.",
            )
        if entry.fields.get("status", "").lower() == "blocked" and not entry.fields.get("notes"):
            yield Finding(
                code="blocked_requirement_missing_reason",
                severity=Severity.WARNING,
                path=shown,
                line=line,
                message=f"{entry.id} is blocked and does not say by what",
                hint="Add `- Notes: …`.",
            )


CHECKS = (Check(name="requirements", look=look),)
