"""A person's word on an acceptance test or a validation, written where a session would have written its own.

Source: spec auto 2.14, 2.20, 8.12.
"""

from typing import Final

from milepost.errors import ExitCode, MilepostError
from milepost.fleet import by_hand
from milepost.fleet.site import Site
from milepost.formats import roadmap, uat, validation
from milepost.formats.journal import VerdictGiven
from milepost.formats.tree import milestone_file, milestone_path, read, slice_file, slice_path
from milepost.model.moments import iso_seconds
from milepost.rules import remediation
from milepost.rules.targets import Target

OF_SLICE: Final = {"pass": "PASS", "fail": "FAIL"}
OF_MILESTONE: Final = (validation.PASS, validation.NEEDS_ATTENTION, validation.NEEDS_REMEDIATION)


class NoVerdict(MilepostError):
    """The verdict does not fit what it is about; nothing was written."""

    exit_code = ExitCode.BLOCKED


def give(target: Target, word: str, note: str, site: Site) -> str:
    """Record it. Returns the file's path from the project's root; raises NoVerdict, LeaseHeld, NotHere."""
    with by_hand.desk(target.milestone, site, f"verdict {target.id}") as desk:
        path, text = _result(target, word, note, desk) if target.slice else _report(target, word, note, desk)
        message = f"docs({target.id}): verdict of a person: {word}\n\n{note}\n" if note else (
            f"docs({target.id}): verdict of a person: {word}\n"
        )  # fmt: skip
        desk.write({path: text}, message)
        site.journal(target.milestone).append(
            VerdictGiven(at_ms=site.now_ms(), run=site.run, unit=target.id, verdict=word, note=note)
        )
        return str((desk.state / path).relative_to(site.root))


def _result(target: Target, word: str, note: str, desk: by_hand.Desk) -> tuple[str, str]:
    mid, sid, tree = target.milestone, target.slice, desk.tree
    if target.task or word not in OF_SLICE:
        raise NoVerdict(f"the verdict on {target.id} is not {word!r}", hint="Of a slice: pass or fail.")
    entry = next((e for e in roadmap.slices(read(tree, milestone_file(tree, mid, "ROADMAP"))) if e.id == sid), None)
    if entry is None or not entry.done:
        raise NoVerdict(f"{target.id} is not finished, so there is nothing to judge yet", hint="gsd status")
    kind = uat.mode(read(tree, slice_file(tree, mid, sid, "UAT")))
    path, text = remediation.result(tree, mid, sid)
    if not path.endswith("-UAT-RESULT.md"):
        path, text = slice_path(tree, mid, sid, "UAT-RESULT"), ""
    return path, uat.record(text, sid, kind, OF_SLICE[word], note=note, at=iso_seconds(desk.site.now_ms()))


def _report(target: Target, word: str, note: str, desk: by_hand.Desk) -> tuple[str, str]:
    tree, mid = desk.tree, target.milestone
    if word not in OF_MILESTONE:
        raise NoVerdict(f"the verdict on {mid} is not {word!r}", hint=f"One of: {', '.join(OF_MILESTONE)}")
    if not roadmap.slices(read(tree, milestone_file(tree, mid, "ROADMAP"))):
        raise NoVerdict(f"{mid} has no slices, so there is nothing to judge yet", hint="gsd status")
    text = read(tree, milestone_file(tree, mid, "VALIDATION"))
    at = iso_seconds(desk.site.now_ms())
    return milestone_path(tree, mid, "VALIDATION"), validation.record(text, mid, word, note=note, at=at)
