"""How this program was installed, and the exact command that brings it up to date. Reads what the installers leave.

    uv tool   <environment>/uv-receipt.toml          uv tool upgrade NAME
    pipx      <environment>/pipx_metadata.json       pipx upgrade NAME
    uv, pip   INSTALLER beside its metadata          uv pip install … --upgrade, python -m pip install --upgrade
    a checkout or an address                         direct_url.json (PEP 610): no index has its releases

Source: parallel PR-223.
"""

import json
import re
import site
import sys
import sysconfig
from collections.abc import Iterable
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Final, NamedTuple

from milepost import __version__

NAME: Final = "milepost"
"""Of the distribution."""
SOURCE: Final = "source"
"""How something is installed that no index has a newer release for."""
_NEED: Final = re.compile(r"\s*(?P<name>[A-Za-z0-9._-]+)\s*(?:\[(?P<extras>[^\]]*)\])?[^;]*(?:;(?P<when>.*))?")
_EXTRA: Final = re.compile(r"extra\s*==\s*['\"](?P<name>[^'\"]+)['\"]")


class Installed(NamedTuple):
    """What is there."""

    version: str
    how: str
    """`pip`, `pipx`, `uv tool`, `uv pip`, SOURCE, or the name of another installer."""
    tool: str
    """Whose configuration names the index: `pip` or `uv`."""
    command: tuple[str, ...]
    """Brings it up to date; empty: nothing does that can be named."""
    why: str = ""
    """Why there is no command."""


class Place(NamedTuple):
    """A Python environment."""

    prefix: Path
    python: str
    """The interpreter."""
    alone: bool
    """Whether it is a virtual environment."""


def here() -> Place:
    """The one that this process runs in."""
    return Place(prefix=Path(sys.prefix), python=sys.executable, alone=sys.prefix != sys.base_prefix)


def look(place: Place, found: metadata.Distribution | None = None, *, pre: bool = False) -> Installed:
    """How. found: its metadata; None: what Python finds under its name, if anything. pre: releases to try out too."""
    if found is None:
        try:
            found = metadata.distribution(NAME)
        except metadata.PackageNotFoundError:
            return Installed(__version__, SOURCE, "pip", (), "it runs from source files; update those")
    version, name = found.version, place.prefix.name
    origin = _origin(found)
    if origin is not None:
        return Installed(version, SOURCE, "pip", (), f"it was installed from {origin}, so update it there")
    if (place.prefix / "uv-receipt.toml").is_file():
        early: tuple[str, ...] = ("--prerelease", "allow") if pre else ()
        return Installed(version, "uv tool", "uv", ("uv", "tool", "upgrade", *early, name))
    if (place.prefix / "pipx_metadata.json").is_file():
        within = () if _main_of_pipx(place.prefix) == NAME else ("--include-injected",)
        early = ("--pip-args=--pre",) if pre else ()
        return Installed(version, "pipx", "pip", ("pipx", "upgrade", *within, *early, name))
    return _in_environment(version, found, place, pre=pre)


def _in_environment(version: str, found: metadata.Distribution, place: Place, *, pre: bool) -> Installed:
    """One of the packages of an environment, or of the Python of the machine."""
    installer = (found.read_text("INSTALLER") or "").strip() or "an unknown installer"
    wanted = NAME + (f"[{','.join(extras)}]" if (extras := _extras(found)) else "")
    if installer == "uv":
        early: tuple[str, ...] = ("--prerelease", "allow") if pre else ()
        target = ("uv", "pip", "install", "--python", place.python)
        return Installed(version, "uv pip", "uv", (*target, "--upgrade", *early, wanted))
    if installer != "pip":
        return Installed(version, installer, "pip", (), f"it was installed by {installer}, which also updates it")
    if find_spec("pip") is None:
        return Installed(version, "pip", "pip", (), f"{place.prefix} has no pip any more")
    if not place.alone and Path(sysconfig.get_path("stdlib"), "EXTERNALLY-MANAGED").exists():
        return Installed(version, "pip", "pip", (), f"{place.python} is managed by the system's packages")
    early = (*(("--user",) if _of_user(found) else ()), "--upgrade", *(("--pre",) if pre else ()))
    return Installed(version, "pip", "pip", (place.python, "-m", "pip", "install", *early, wanted))


def _origin(found: metadata.Distribution) -> str | None:
    """Where it came from when that was no index; None: it was one."""
    text = found.read_text("direct_url.json")
    try:
        said = json.loads(text) if text else None
    except ValueError:
        return None
    url = said.get("url") if isinstance(said, dict) else None
    return str(url).removeprefix("file://") if url else None


def _main_of_pipx(prefix: Path) -> str:
    """What pipx made the environment for."""
    try:
        said = json.loads((prefix / "pipx_metadata.json").read_text("utf-8"))
        return str(said["main_package"]["package"])
    except (OSError, ValueError, KeyError, TypeError):
        return NAME


def _of_user(found: metadata.Distribution) -> bool:
    own = site.getusersitepackages()
    return bool(site.ENABLE_USER_SITE) and Path(str(found.locate_file(""))) == Path(own)


def _extras(found: metadata.Distribution) -> list[str]:
    """The extras whose packages are all there: an update that does not name them would leave those behind."""
    listed = found.metadata.get_all("Provides-Extra") or []
    there = [extra for extra in listed if _complete(found, extra, seen=frozenset())]
    covered = {inner for extra in there for need, inners in _needs(found, extra) if need == NAME for inner in inners}
    return sorted(set(there) - covered)


def _complete(found: metadata.Distribution, extra: str, seen: frozenset[tuple[str, str]]) -> bool:
    """Whether everything that an extra adds is installed, and what that adds in turn."""
    here = (found.metadata["Name"], extra)
    needs = list(_needs(found, extra))
    return here not in seen and bool(needs) and all(_there(name, more, seen | {here}) for name, more in needs)


def _there(name: str, extras: Iterable[str], seen: frozenset[tuple[str, str]]) -> bool:
    try:
        found = metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return False
    return all(_complete(found, extra, seen) for extra in extras)


def _needs(found: metadata.Distribution, extra: str) -> Iterable[tuple[str, list[str]]]:
    """The packages that an extra adds, each with its own extras."""
    for line in found.requires or []:
        need = _NEED.fullmatch(line)
        asked = _EXTRA.search(need["when"] or "") if need else None
        if need and asked and asked["name"] == extra:
            yield need["name"], [each.strip() for each in (need["extras"] or "").split(",") if each.strip()]
