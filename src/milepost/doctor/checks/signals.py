"""`parallel/<MID>.signal.json`: orders that nobody will obey, and what was put aside as no order, or too late.

A stale order must never reach the next run; each start takes them away as well. Source: parallel PR-303 to PR-305,
DV-29, FM-41 to FM-43.
"""

from collections.abc import Iterator
from pathlib import Path

from milepost.doctor.finding import Check, Finding, Needs, NotFixed, Severity
from milepost.doctor.site import Site
from milepost.errors import FormatError
from milepost.formats import signal
from milepost.store import regular
from milepost.store.mailbox import SOLO

_MOST_BYTES = 65_536
_SHOWN = 60
_WAITING, _PRIVATE = "*.signal.json", (".*.signal.claimed.*", ".*.signal.again.*")
_BAD, _LATE = ("*.signal.json.bad", "*.signal.json.bad.*"), ("*.signal.json.stale", "*.signal.json.stale.*")


def look(site: Site) -> Iterator[Finding]:
    """What waits or was claimed by a killed process, then what was put aside."""
    for path in site.in_box(_WAITING, *_PRIVATE):
        yield from _waiting(site, path)
    for path in site.in_box(*_BAD):
        words = f"is no order and was put aside; it holds: {_begin(path)}"
        yield _found(site, path, "corrupt_signal", words, Severity.WARNING)
    for path in site.in_box(*_LATE):
        if not _somebody(site, _milestone(path)):
            words = f"{_order(path)} and came for a run that was over"
            yield _found(site, path, "stale_signal", words, Severity.INFO)


def fix(site: Site, finding: Finding) -> str:
    """Remove one, once more proved to be for nobody."""
    if not any(found.subject == finding.subject for found in look(site)):
        raise NotFixed("somebody is there to obey it now")
    Path(finding.subject).unlink(missing_ok=True)
    return "removed"


def _waiting(site: Site, path: Path) -> Iterator[Finding]:
    if _somebody(site, _milestone(path)):
        return
    words = f"{_order(path)} and nobody is there to obey it"
    if _readable(path) and not _for_run(path):
        words += "; the next run would"
    yield _found(site, path, "stale_signal", words, Severity.WARNING)


def _found(site: Site, path: Path, code: str, words: str, severity: Severity) -> Finding:
    milestone = _milestone(path)
    return Finding(
        code=code,
        severity=severity,
        path=site.shown(path),
        message=words,
        hint="gsd doctor --fix removes it.",
        fixable=True,
        subject=str(path),
        milestone="" if milestone == SOLO else milestone,
    )


def _somebody(site: Site, milestone: str) -> bool:
    return site.crew.solo is not None if milestone == SOLO else site.crew.worker(milestone) is not None


def _milestone(path: Path) -> str:
    return path.name.removeprefix(".").split(".")[0]


def _readable(path: Path) -> bool:
    return _decoded(path) is not None


def _for_run(path: Path) -> str:
    found = _decoded(path)
    return found.run if found else ""


def _order(path: Path) -> str:
    found = _decoded(path)
    return f"orders {found.signal}" if found else "cannot be read"


def _decoded(path: Path) -> signal.Signal | None:
    try:
        return signal.decode(regular.read(path, most=_MOST_BYTES))
    except (OSError, FormatError):
        return None


def _begin(path: Path) -> str:
    """As much as helps to see who wrote it."""
    try:
        text = regular.read(path, most=_MOST_BYTES).decode("utf-8", "replace")
    except OSError:
        return "what cannot be read"
    line = " ".join(text.split())
    return repr(line if len(line) <= _SHOWN else f"{line[:_SHOWN]}…") if line else "nothing"


CHECKS = (Check(name="signals", look=look, fix=fix, needs=Needs.NO_COORDINATOR),)
