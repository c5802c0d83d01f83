"""The journal: lines a crash tore, attempts that nobody ended. Neither is mended here: the next start does.

Source: DESIGN rules 1 and 10, spec auto 8.3.
"""

from collections.abc import Iterator
from pathlib import Path

import msgspec

from milepost.doctor.finding import Check, Finding, Severity
from milepost.doctor.site import Site
from milepost.formats.journal import AnyEvent, AttemptEnded, AttemptStarted, RunStarted
from milepost.model.work import is_quick
from milepost.unit.unsettled import settles

_event: msgspec.json.Decoder[AnyEvent] = msgspec.json.Decoder(AnyEvent)
_any: msgspec.json.Decoder[object] = msgspec.json.Decoder()


def look(site: Site) -> Iterator[Finding]:
    """File by file, then what is open."""
    directory = site.state_path / "journal"
    for path in sorted(directory.glob("*.jsonl")) if directory.is_dir() else ():
        yield from _lines(site, path)
    yield from _open_attempts(site)


def _lines(site: Site, path: Path) -> Iterator[Finding]:
    foreign = 0
    for number, line in enumerate(path.read_bytes().split(b"\n"), start=1):
        if not line.strip() or _reads(line, _event):
            continue
        if _reads(line, _any):
            foreign += 1
            continue
        yield Finding(
            code="journal_torn_line",
            severity=Severity.WARNING,
            path=site.shown(path),
            line=number,
            message="was cut off by a crash or a full disk; it is passed over",
            hint="Nothing to do: what it told is found out again from files and git.",
        )
    if foreign:
        yield Finding(
            code="journal_foreign_lines",
            severity=Severity.INFO,
            path=site.shown(path),
            message=f"has {foreign} lines of another program; they are passed over",
        )


def _reads(line: bytes, decoder: msgspec.json.Decoder[AnyEvent] | msgspec.json.Decoder[object]) -> bool:
    try:
        decoder.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True


def _open_attempts(site: Site) -> Iterator[Finding]:
    """Of milestones that nobody is on: what is begun there will not end by itself."""
    if site.crew.solo is not None:
        return
    ended = {event.attempt for event in site.events if isinstance(event, AttemptEnded)}
    workers = {event.run for event in site.events if isinstance(event, RunStarted) and event.milestone}
    for event in site.events:
        if isinstance(event, AttemptStarted) and event.attempt not in ended:
            milestone = event.unit.split("/")[0]
            if not site.crew.on(milestone) and not is_quick(milestone):  # A quick task that waits is said as such.
                next_ = "gsd parallel start" if event.run in workers else "gsd auto"
                yield Finding(
                    code="open_attempt",
                    severity=Severity.WARNING,
                    message=f"{event.kind} {event.unit} was begun ({event.attempt}) and never ended; "
                    "nobody works on it",
                    hint=settles(next_),
                    milestone=milestone,
                )


CHECKS = (Check(name="journal", look=look),)
