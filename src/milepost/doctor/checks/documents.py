"""Documents that cannot be understood. They are reported with path and line, and never rewritten.

Source: issue "Reading and writing .gsd/", in-the-wild 11.
"""

import os
from collections.abc import Iterator

from milepost.doctor.finding import Check, Finding, Severity
from milepost.doctor.site import Site
from milepost.rules.staging import is_runtime

_KINDS = (".md", ".json")
_MARKER = "<<<<<<< "


def paths(site: Site) -> Iterator[str]:
    """Every document below the state directory that is of the plan and not of the running program."""
    for name in site.tree.names(""):
        if name.endswith(_KINDS) and not is_runtime(name):
            yield name
    yield from _below(site, "milestones")


def look(site: Site) -> Iterator[Finding]:
    """Not text, too large, not UTF-8, no file, or with conflict markers of git's in it."""
    for path in paths(site):
        text = site.tree.text(path)
        if path in site.tree.problems:
            yield _unreadable(site, path)
        elif text is None:
            yield from _no_file(site, path)
        elif bad := _not_utf8(text):
            yield _finding(
                site, path, bad, "is not UTF-8 here", "Save it as UTF-8; until then the bytes are kept as they are."
            )
        elif line := _conflict(text):
            yield _finding(site, path, line, "has conflict markers of git's in it", "Resolve them by hand.")


def _below(site: Site, directory: str) -> Iterator[str]:
    for name in site.tree.names(directory):
        path = f"{directory}/{name}"
        if is_runtime(path):
            continue
        if site.tree.is_dir(path):
            if name.endswith(_KINDS):
                yield path
            yield from _below(site, path)
        elif name.endswith(_KINDS):
            yield path


def _unreadable(site: Site, path: str) -> Finding:
    error = site.tree.problems[path]
    return _finding(site, path, error.line, error.expected, error.hint or "Mend it or take it out of the directory.")


def _no_file(site: Site, path: str) -> Iterator[Finding]:
    where = site.tree.where(path)
    if site.tree.is_dir(path):
        yield _finding(site, path, 0, "is a directory where a document is expected", "Rename or remove it.")
    elif os.path.islink(where):
        words = "is a link that leads nowhere or out of the state directory; it is not followed"
        yield _finding(site, path, 0, words, "Put the file itself there.")


def _finding(site: Site, path: str, line: int, words: str, hint: str) -> Finding:
    return Finding(
        code="unreadable_document",
        severity=Severity.ERROR,
        path=site.tree.shown(path),
        line=line,
        message=words,
        hint=hint,
    )


def _not_utf8(text: str) -> int:
    """The line of the first byte that is not UTF-8; 0 when all are."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        return text.count("\n", 0, error.start) + 1
    return 0


def _conflict(text: str) -> int:
    if _MARKER not in text or "\n>>>>>>> " not in text:
        return 0
    lines = enumerate(text.split("\n"), start=1)
    return next((number for number, line in lines if line.startswith(_MARKER)), 0)


CHECKS = (Check(name="documents", look=look),)
