"""Where notices go: addresses of the Apprise library, kept outside every project, and their names.

    ~/.gsd/notify.urls, mode 0600          GSD_NOTIFY_URLS
    # one a line                           phone=tgram://TOKEN/CHAT slack://A/B/C
    phone = tgram://TOKEN/CHAT
    team = slack://TOKEN-A/TOKEN-B/TOKEN-C

An address is a secret. A project may say which of them it uses, by name (`notifications.targets`), and nothing else;
without any, the desktop is told where there is one. Source: DESIGN rule 10; decision 0026.
"""

import os
import re
import stat
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from milepost.rules import secrets

VARIABLE: Final = "GSD_NOTIFY_URLS"
FILE: Final = "notify.urls"
DESKTOP: Final = "desktop"
_ENTRY: Final = re.compile(r"(?:(?P<name>[A-Za-z][\w-]*)\s*=\s*)?(?P<url>(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://\S*)")
_PART: Final = re.compile(r"[^\w-]+")
_SHORTEST_SECRET: Final = 6
"""A part of an address that is shorter would take ordinary words with it."""
_LARGEST: Final = 100_000


class Target(NamedTuple):
    """Somewhere that notices can be sent to."""

    name: str
    url: str
    """A secret."""

    @property
    def scheme(self) -> str:
        """`slack`, `mailto`, …: what may be shown of the address."""
        return self.url.partition("://")[0]

    def redacted(self, text: str) -> str:
        """`text` without what is secret in the address."""
        parts = {part for part in _PART.split(self.url.partition("://")[2]) if len(part) >= _SHORTEST_SECRET}
        return secrets.redact(text, {self.url, *parts})


class Targets(NamedTuple):
    """What a run may use."""

    chosen: tuple[Target, ...] = ()
    problems: tuple[str, ...] = ()
    """Sentences for people; never with an address."""
    known: tuple[Target, ...] = ()
    """All that are configured, also those that the project does not use."""


def load(home: Path, env: Mapping[str, str], named: Sequence[str]) -> Targets:
    """Read the file and the environment. home: the global state directory; named: `notifications.targets`."""
    problems: list[str] = []
    entries = [*_from_file(home / FILE, problems), *_from_text(env.get(VARIABLE, "").split(), VARIABLE, problems)]
    known = _named(entries)
    if not known and not problems and _desktop(env):
        known = (Target(DESKTOP, f"{DESKTOP}://"),)
    chosen = tuple(_chosen(known, named, problems, home)) if named else known
    return Targets(chosen, tuple(problems), known)


def _from_file(path: Path, problems: list[str]) -> list[tuple[str, str]]:
    try:
        with path.open("rb") as handle:
            loose = stat.S_IMODE(os.fstat(handle.fileno()).st_mode) & 0o077
            text = "" if loose else handle.read(_LARGEST).decode("utf-8", "replace")
    except FileNotFoundError:
        return []
    except OSError as error:
        problems.append(f"{path} cannot be read: {error.strerror}")
        return []
    if loose:
        problems.append(f"{path} is not used: others may read it; chmod 600 {path}")
    lines = (line.strip() for line in text.splitlines())
    return _from_text((line for line in lines if line and not line.startswith("#")), str(path), problems)


def _from_text(words: Iterable[str], where: str, problems: list[str]) -> list[tuple[str, str]]:
    found = []
    for number, word in enumerate(words, 1):
        entry = _ENTRY.fullmatch(word)
        if entry is None:
            problems.append(f"{where}: entry {number} is no address; it must be NAME = SCHEME://…")
            continue
        found.append((entry["name"] or "", entry["url"]))
    return found


def _named(entries: Iterable[tuple[str, str]]) -> tuple[Target, ...]:
    """Each with a name of its own: the given one, else its scheme, with a number where that is taken."""
    found: dict[str, Target] = {}
    for given, url in entries:
        wanted = given or url.partition("://")[0].lower()
        name, number = wanted, 1
        while name in found:
            number += 1
            name = f"{wanted}{number}"
        found[name] = Target(name, url)
    return tuple(found.values())


def _chosen(known: Sequence[Target], named: Sequence[str], problems: list[str], home: Path) -> Iterator[Target]:
    by_name = {target.name: target for target in known}
    for name in dict.fromkeys(named):
        if "://" in name:
            # The address is not repeated: what says this may be kept in a log.
            problems.append(
                "notifications.targets holds an address, which is a secret and is not used; "
                f"put it into {home / FILE} (mode 0600) or {VARIABLE}, and its name here"
            )
        elif name in by_name:
            yield by_name[name]
        else:
            problems.append(f"notifications.targets: no target is named {name}; there are: {', '.join(by_name) or '-'}")


def _desktop(env: Mapping[str, str]) -> bool:
    """Whether somebody sits before a screen that this process can reach."""
    if sys.platform == "darwin":
        return not env.get("SSH_CONNECTION")
    return bool(env.get("DBUS_SESSION_BUS_ADDRESS") and (env.get("DISPLAY") or env.get("WAYLAND_DISPLAY")))
