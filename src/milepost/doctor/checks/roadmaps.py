"""Roadmaps and plans: without entries, with one id twice, with dependencies nothing can satisfy.

Source: spec auto 2.11, 2.16, 3.8, in-the-wild 12.
"""

import re
from collections.abc import Iterator, Mapping

from milepost.doctor.circles import circle
from milepost.doctor.finding import Check, Finding, Severity
from milepost.doctor.outline import Milestone, milestones
from milepost.doctor.places_in_text import line_of
from milepost.doctor.site import Site
from milepost.formats import placeholder, roadmap
from milepost.formats.tree import milestone_dir, milestone_ids

_MENTION = re.compile(r"\bS\d\d+\b")
_BOX = re.compile(r"[ \t]*(?:[-*+]|\d+[.)])[ \t]+\[[ xX]\][ \t]+\*{0,2}\[?([ST]\d[\w.]*?)\]?[:.* \t—–|-]")


def look(site: Site) -> Iterator[Finding]:
    """Milestone by milestone; what is finished is mentioned at most."""
    for found in milestones(site):
        if found.roadmap is None or placeholder.reason(found.text) is not None:
            continue
        yield from _without_slices(site, found)
        yield from _unknown(site, found)
        yield from _waiting_for_each_other(site, found)
        yield from _twice(site, found.roadmap, _slice_lines(found.text), {entry.id for entry in found.slices})
        yield from _plans(site, found)


def _without_slices(site: Site, found: Milestone) -> Iterator[Finding]:
    if found.slices:
        return
    mentioned = next((n for n, line in enumerate(found.text.split("\n"), 1) if _MENTION.search(line)), 0)
    severe = Severity.ERROR if mentioned else Severity.WARNING
    yield Finding(
        code="roadmap_without_slices",
        severity=Severity.INFO if found.complete else severe,
        path=site.tree.shown(found.roadmap or ""),
        line=mentioned,
        message="speaks of slices and lists none that can be read" if mentioned else "lists no slices",
        hint="Each is a line `- [ ] **S01: Title** `risk:low` `depends:[]`` below `## Slices`.",
    )


def _unknown(site: Site, found: Milestone) -> Iterator[Finding]:
    known = {entry.id for entry in found.slices}
    for entry in found.slices:
        for need in entry.depends:
            if need in known or _elsewhere(site, need):
                continue
            blocks = not (entry.done or found.complete)
            yield Finding(
                code="unresolvable_dependency",
                severity=Severity.ERROR if blocks else Severity.INFO,
                path=site.tree.shown(found.roadmap or ""),
                line=line_of(found.text, entry.id),
                message=f"{entry.id} depends on {need}, which is not there{'; it waits for ever' if blocks else ''}",
                hint=f"Correct `depends:[…]` of {entry.id}.",
            )


def _elsewhere(site: Site, need: str) -> bool:
    """Whether `M009/S02` names a slice of another milestone that is there."""
    mid, slash, sid = need.partition("/")
    if not slash or mid not in milestone_ids(site.tree):
        return False
    path = f"{milestone_dir(site.tree, mid)}/slices/{sid}"
    listed = roadmap.slices(Milestone.read(site, mid).text)
    return site.tree.is_dir(path) or any(entry.id == sid for entry in listed)


def _waiting_for_each_other(site: Site, found: Milestone) -> Iterator[Finding]:
    needs = {entry.id: entry.depends for entry in found.slices if not entry.done}
    if ring := circle(needs):
        yield Finding(
            code="dependency_cycle",
            severity=Severity.INFO if found.complete else Severity.ERROR,
            path=site.tree.shown(found.roadmap or ""),
            line=line_of(found.text, ring[0]),
            message=f"slices wait for each other: {', '.join(ring)}",
            hint="Take one dependency out.",
        )


def _plans(site: Site, found: Milestone) -> Iterator[Finding]:
    for part in found.parts(site):
        if not part.plan:
            continue
        yield from _twice(site, part.plan, _numbered(part.text), {task.id for task in part.tasks})
        if not part.tasks and not part.done and placeholder.reason(part.text) is None:
            yield Finding(
                code="plan_without_tasks",
                severity=Severity.INFO if found.complete else Severity.WARNING,
                path=site.tree.shown(part.plan),
                message="lists no tasks that can be read",
                hint="Each is a line `- [ ] **T01: Title** `est:30m``.",
            )


def _twice(site: Site, path: str, lines: Mapping[int, str], ids: set[str]) -> Iterator[Finding]:
    """Boxes with an id that an earlier box has."""
    seen: dict[str, int] = {}
    for number, line in lines.items():
        box = _BOX.match(line)
        if not box or box[1] not in ids:
            continue
        if box[1] in seen:
            yield Finding(
                code="duplicate_id",
                severity=Severity.WARNING,
                path=site.tree.shown(path),
                line=number,
                message=f"{box[1]} is listed again (first in line {seen[box[1]]})",
                hint="Give one of them another id.",
            )
        seen.setdefault(box[1], number)


def _numbered(text: str) -> dict[int, str]:
    """Lines outside code fences by number."""
    fenced, found = False, {}
    for number, line in enumerate(text.split("\n"), start=1):
        if line.lstrip().startswith(("```", "~~~")):
            fenced = not fenced
        elif not fenced:
            found[number] = line
    return found


def _slice_lines(text: str) -> dict[int, str]:
    """The lines of the section that lists the slices: others may have boxes with slice ids of their own."""
    inside, found = False, {}
    for number, line in _numbered(text).items():
        if line.startswith("## "):
            inside = line.startswith("## Slice")
        elif inside:
            found[number] = line
    return found


CHECKS = (Check(name="roadmaps", look=look),)
