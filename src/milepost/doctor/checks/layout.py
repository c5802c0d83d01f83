"""What lies in `milestones/`: the layout, directories without a plan, ids that stand for two things.

Source: spec auto 1.1, 3.1, in-the-wild 3.
"""

import json
import os
import re
from collections.abc import Iterator

from milepost.doctor.finding import Check, Finding, Severity
from milepost.doctor.site import Site
from milepost.formats import queue
from milepost.formats.tree import layout, milestone_dir, milestone_ids, slice_dir
from milepost.model.ids import milestone_of_directory

_SLICE = re.compile(r"S\d")


def look(site: Site) -> Iterator[Finding]:
    """The layout as a whole, then what does not fit into it."""
    yield from _whole(site)
    yield from _strangers(site)
    yield from _ghosts(site)
    yield from _doubles(site)
    yield from _order(site)


def _whole(site: Site) -> Iterator[Finding]:
    kind, shown = layout(site.tree), site.tree.shown
    phases = any(name[:1].isdigit() for name in site.tree.names("phases"))
    if kind == "phases":
        yield Finding(
            code="phases_layout",
            severity=Severity.ERROR,
            path=shown("phases"),
            message="is the successor's layout; it is recognised, not worked on",
            hint="Work on it with the tool that wrote it.",
        )
    elif kind == "milestones" and phases:
        yield Finding(
            code="phases_layout",
            severity=Severity.INFO,
            path=shown("phases"),
            message="is there beside milestones/; only milestones/ is worked on",
        )
    elif kind == "none":
        yield Finding(
            code="no_milestones",
            severity=Severity.INFO,
            path=shown("milestones"),
            message="holds no milestone yet",
            hint=f"Describe the first in {shown('milestones/M001/M001-CONTEXT.md')}",
        )
    if os.path.islink(site.state_path):
        yield Finding(
            code="state_dir_is_link",
            severity=Severity.WARNING,
            path=site.state_dir,
            message="is a symbolic link; git cannot commit what lies behind it",
            hint="Move the directory itself here, or set git.commit_docs: false.",
        )


def _strangers(site: Site) -> Iterator[Finding]:
    for name in site.tree.names("milestones"):
        path, directory = f"milestones/{name}", site.tree.is_dir(f"milestones/{name}")
        if milestone_of_directory(name) and not directory and not name.endswith(".md"):
            words = "is named like a milestone and is no directory; it is passed over"
        elif directory and not milestone_of_directory(name):
            words = "is not named like a milestone; it is passed over"
        else:
            continue
        yield Finding(code="not_a_milestone", severity=Severity.INFO, path=site.tree.shown(path), message=words)


def _ghosts(site: Site) -> Iterator[Finding]:
    known = {entry.id for entry in site.state.registry}
    for mid in milestone_ids(site.tree):
        path = milestone_dir(site.tree, mid)
        if mid not in known and path:
            yield Finding(
                code="ghost_milestone",
                severity=Severity.WARNING,
                path=site.tree.shown(path),
                message="holds no brief, roadmap or summary; it counts as no milestone",
                hint=f"Write {mid}-CONTEXT.md there, or remove the directory.",
            )


def _doubles(site: Site) -> Iterator[Finding]:
    for mid in milestone_ids(site.tree):
        read = milestone_dir(site.tree, mid)
        yield from _two_for_one(site, "milestones", mid, read)
        slices = f"{read}/slices"
        for sid in dict.fromkeys(name.split("-")[0] for name in site.tree.names(slices) if _SLICE.match(name)):
            yield from _two_for_one(site, slices, sid, slice_dir(site.tree, mid, sid))


def _two_for_one(site: Site, parent: str, entity: str, read: str | None) -> Iterator[Finding]:
    for name in site.tree.names(parent):
        path = f"{parent}/{name}"
        same = milestone_of_directory(name) == entity if parent == "milestones" else name.split("-")[0] == entity
        if same and read and path != read and site.tree.is_dir(path):
            yield Finding(
                code="duplicate_id",
                severity=Severity.WARNING,
                path=site.tree.shown(path),
                message=f"stands for {entity} too; only {site.tree.shown(read)} is read",
                hint="Move what is needed into the one that is read.",
            )


def _order(site: Site) -> Iterator[Finding]:
    text = site.tree.text("QUEUE-ORDER.json") if "QUEUE-ORDER.json" in site.tree.names("") else None
    if text is None:
        return
    unknown = [entry for entry in queue.parse(text) if entry not in milestone_ids(site.tree)]
    if not _has_order(text):
        words, hint = "holds no order; milestones are taken by number", 'It looks like {"order": ["M002", "M001"]}.'
    elif unknown:
        words, hint = f"names milestones that are not there: {', '.join(unknown)}", "They are passed over."
    else:
        return
    path = site.tree.shown("QUEUE-ORDER.json")
    yield Finding(code="queue_order", severity=Severity.WARNING, path=path, message=words, hint=hint)


def _has_order(text: str) -> bool:
    try:
        content = json.loads(text)
    except ValueError:
        return False
    return isinstance(content, dict) and isinstance(content.get("order"), list)


CHECKS = (Check(name="layout", look=look),)
