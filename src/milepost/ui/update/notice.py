"""The notice of a newer release: looked for at most once a day, beside a session, where somebody wants that.

`update_check: true` in the global preferences switches it on; a project cannot. `GSD_NO_UPDATE_CHECK` and `CI` switch
it off, and what runs without a person (`headless`, workers) never gets here. What was found is kept in the directory
of global settings; an index that cannot be reached is asked again on the next day. Source: parallel PR-223.
"""

import json
import os
import platform
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from milepost import __version__
from milepost.errors import MilepostError
from milepost.store import atomic, preferences, regular
from milepost.ui.update import indexes, installed, releases, versions

FILE: Final = "update-check.json"
OFF: Final = ("GSD_NO_UPDATE_CHECK", "CI", "GSD_PARALLEL_WORKER", "SF_PARALLEL_WORKER")
"""Variables that switch it off, whatever their value."""
_DAY_MS: Final = 86_400_000
_TIMEOUT_S: Final = 5.0


class Notice:
    """What there is to say in one session, once it is known."""

    def __init__(self, program: str, found: Callable[[], str]) -> None:
        """found: the version that is newest, as far as it is known; empty: it is not."""
        self._program = program
        self._found = found
        self._told = False

    def lines(self) -> list[str]:
        """One line, once, when there is something newer."""
        newest = "" if self._told else self._found()
        if not newest or not newer(newest, __version__):
            return []
        self._told = True
        return [f"milepost {newest} is out; this is {__version__}. /update says how to get it."]


def begin(program: str, home: Path, env: Mapping[str, str], now_ms: int) -> Notice:
    """Look into the file, and ask the index beside everything else when that is a day old."""
    if not wanted(home, env):
        return Notice(program, lambda: "")
    checked_ms, newest = _kept(home)
    known = [newest]
    if not 0 <= now_ms - checked_ms < _DAY_MS:
        threading.Thread(target=_ask, args=(home, env, now_ms, known), daemon=True).start()
    return Notice(program, lambda: known[-1])


def wanted(home: Path, env: Mapping[str, str]) -> bool:
    """Whether the person asked for it, in the preferences of all projects, and nothing switches it off."""
    if any(env.get(name) for name in OFF):
        return False
    settings = preferences.load(os.path.join(home, "none"), str(home)).preferences
    return settings.update_check


def look(*, pre: bool, env: Mapping[str, str], timeout_s: float) -> tuple[installed.Installed, releases.Newest]:
    """What is installed, and what is newest. Raises NotAsked or BadConfiguration."""
    place = installed.here()
    found = installed.look(place, pre=pre)
    machine = indexes.Machine(env=env, home=Path.home(), prefix=place.prefix)
    asked = releases.Wanted(installed.NAME, platform.python_version(), pre=pre, timeout_s=timeout_s)
    return found, releases.newest(asked, indexes.of(found.tool, machine))


def newer(found: str, have: str) -> bool:
    """Whether `found` is newer than `have`."""
    one, other = versions.parse(found), versions.parse(have)
    return one is not None and other is not None and one.key > other.key


def keep(home: Path, now_ms: int, newest: str) -> None:
    """Note what was found, and when. A disk that is full costs only the note."""
    said = json.dumps({"checkedAt": now_ms, "newest": newest, "python": sys.prefix})
    try:
        atomic.replace(home / FILE, f"{said}\n".encode(), durable=False)
    except OSError:
        return


def _ask(home: Path, env: Mapping[str, str], now_ms: int, known: list[str]) -> None:
    """In a thread of its own, which nobody waits for."""
    keep(home, now_ms, known[-1])
    try:
        _, found = look(pre=False, env=env, timeout_s=_TIMEOUT_S)
    except MilepostError:
        return
    newest = found.version.text if found.version else ""
    keep(home, now_ms, newest)
    known.append(newest)


def _kept(home: Path) -> tuple[int, str]:
    """When it was looked last, epoch milliseconds, and what was found; of another installation nothing counts."""
    try:
        said = json.loads(regular.read(home / FILE, most=10_000))
        known = (int(said["checkedAt"]), str(said["newest"])) if said["python"] == sys.prefix else (0, "")
    except (OSError, ValueError, KeyError, TypeError):
        return 0, ""
    return known
