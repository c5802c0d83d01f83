"""Files that are made from others: `STATE.md`, which can be made again, and `metrics.json`, which holds more than ours.

Source: spec auto 2.8, 5.12, DESIGN rule 1.
"""

import re
from collections.abc import Iterator

from milepost.doctor.finding import Check, Finding, NotFixed, Severity
from milepost.doctor.site import Site
from milepost.errors import FormatError
from milepost.formats import state_md
from milepost.formats.tree import read, root_file
from milepost.model.state import Ref
from milepost.store import atomic, ledger

_FIELD = re.compile(r"^\*\*(Active Milestone|Active Slice|Phase):\*\*[ \t]*(.*)$", re.MULTILINE)


def look_state(site: Site) -> Iterator[Finding]:
    """`STATE.md` missing, or telling another milestone, slice or phase than the files do."""
    if not site.state.registry or site.crew.busy:
        return  # Whoever is at work brings it up to date.
    path = root_file(site.tree, "STATE")
    if path is None:
        yield _state(site, "state_file_missing", "STATE.md", "is missing", Severity.INFO)
        return
    told = {name: _id(value) for name, value in _FIELD.findall(read(site.tree, path))}
    differing = ((name, told.get(name, ""), now) for name, now in _now(site) if told.get(name, "") != now)
    wrong = [f"{name.lower()} is {now or 'none'}, not {said or 'none'}" for name, said, now in differing]
    if wrong:
        yield _state(site, "state_file_stale", path, f"is out of date: {'; '.join(wrong)}", Severity.WARNING)


def fix_state(site: Site, finding: Finding) -> str:
    """Write it anew. Refuses while a document is unreadable: the state is not known then."""
    del finding
    if site.tree.problems:
        first = next(iter(site.tree.problems.values()))
        raise NotFixed(f"the state is not known while a document cannot be read: {first}")
    path = site.state_path / (root_file(site.tree, "STATE") or "STATE.md")
    if path.is_symlink():
        raise NotFixed(f"{path.name} is a link; what it points to is not overwritten")
    atomic.replace(path, state_md.render(site.state).encode("utf-8", "surrogateescape"))
    return "written anew from the plan"


def look_metrics(site: Site) -> Iterator[Finding]:
    """A ledger that cannot be read: auto mode does not start, because what was spent is not known."""
    try:
        ledger.carried(site.state_path)
    except FormatError as error:
        yield Finding(
            code="metrics_unreadable",
            severity=Severity.ERROR,
            path=site.shown(site.state_path / "metrics.json"),
            message=error.expected,
            hint="Mend it, or move it away: rows of ours are made again from the journal, others are lost with it.",
        )


def _state(site: Site, code: str, path: str, words: str, severity: Severity) -> Finding:
    return Finding(
        code=code,
        severity=severity,
        path=site.tree.shown(path),
        message=words,
        hint="gsd doctor --fix writes it; nothing is decided from it.",
        fixable=True,
    )


def _now(site: Site) -> tuple[tuple[str, str], ...]:
    def ref(entry: Ref | None) -> str:
        return entry.id if entry else ""

    state = site.state
    return (
        ("Active Milestone", ref(state.active_milestone)),
        ("Active Slice", ref(state.active_slice)),
        ("Phase", state.phase.value),
    )


def _id(value: str) -> str:
    """The id in `M001: Title`; empty for `None`."""
    name = re.split(r"[:\s]", value.strip(), maxsplit=1)[0]
    return "" if name.lower() in ("none", "-", "—") else name


CHECKS = (
    Check(name="state-file", look=look_state, fix=fix_state),
    Check(name="metrics", look=look_metrics),
)
