"""The steps of a landing as sentences: `landing: branch tip cc2deb9278 kept as refs/gsd/backup/M001/1-tip`."""

import re
from collections.abc import Mapping
from typing import Final

from milepost.formats.journal import LandingStep

_FACT: Final = re.compile(r"(?:^| )(\w+)=(.*?)(?= \w+=|$)")
_ID: Final = re.compile(r"\b([0-9a-f]{10})[0-9a-f]{30,54}\b")
_UNDO: Final = "undo"
"""In place of a slice: a milestone is taken back out."""
_WORDS: Final[Mapping[str, tuple[str, str]]] = {
    "commit": ("what is not committed yet is looked for", "what was left is committed as {commit}"),
    "pin": ("{label} {commit} is to be kept", "{label} {commit} kept as {ref}"),
    "merge": ("the merge is being made", "the merge is made"),
    "check": ("{commit} is being checked", "{commit} was checked"),
    "publish": ("{commit} is being published", "{commit} published"),
    "checkout": ("checkouts are to follow", "checkouts have followed"),
    "push": ("{commit} is being pushed to {remote}", "{commit} pushed to {remote}"),
    "link": ("the branch is to know of it", "the branch knows of it"),
    "remove-worktree": ("the worktree is being removed", "the worktree is removed"),
    "remove-branch": ("{branch} is being removed", "{branch} is removed"),
}
_LABELS: Final = {"tip": "branch tip", "target": "the target's commit"}


def says(event: LandingStep) -> str:
    """One line. A step that is not known here is told as it stands in the journal."""
    who = "undo" if event.slice == _UNDO else f"landing of {event.slice}" if event.slice else "landing"
    facts = {name: _ID.sub(r"\1", value) for name, value in _FACT.findall(event.detail)}
    words = _WORDS.get(event.step)
    if words is None or facts.get("at") not in ("begin", "done"):
        return f"{who}, {event.step}" + (f": {event.detail}" if event.detail else "")
    return f"{who}: {_told(event.step, words[facts['at'] == 'done'], facts)}"


def _told(step: str, form: str, facts: Mapping[str, str]) -> str:
    done = facts["at"] == "done"
    if done and facts.get("error"):
        return f"NOT pushed to {facts.get('remote', 'the remote')}: {facts['error']}"
    if step == "commit" and done and not facts.get("commit"):
        return "nothing was left to commit"
    if step == "check" and done:
        form += {"True": ", and passed", "False": ", and failed"}.get(facts.get("passed", ""), ", without a verdict")
    label = _LABELS.get(facts.get("label", ""), facts.get("label", "commit"))
    known = {"commit": "it", "ref": "a backup", "remote": "the remote", "branch": "the branch", **facts, "label": label}
    return re.sub(r"\{(\w+)\}", lambda name: known[name[1]], form)
