"""Which package indexes the user's own configuration names: that of pip, or that of uv. Nothing is asked here.

    pip   PIP_INDEX_URL, PIP_EXTRA_INDEX_URL, PIP_NO_INDEX, else pip.conf (PIP_CONFIG_FILE, environment, user, machine)
    uv    UV_DEFAULT_INDEX, UV_INDEX_URL, UV_INDEX, UV_EXTRA_INDEX_URL, UV_NO_INDEX, else uv.toml (UV_CONFIG_FILE, …)

Only where none of them says anything it is the public index. Source: parallel PR-223.
"""

import configparser
import os
import sys
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from milepost.errors import MilepostError

PUBLIC: Final = "https://pypi.org/simple"
"""What pip and uv ask when nobody told them otherwise."""


class BadConfiguration(MilepostError):
    """A file of pip or uv that cannot be read."""


class Indexes(NamedTuple):
    """In the order in which they are asked."""

    urls: tuple[str, ...]
    first_wins: bool
    """Whether the first that has the package counts alone (uv), or the newest of all (pip)."""
    off: str = ""
    """What says that no index is to be asked; empty: nothing does."""
    cert: str = ""
    """The file of certificates that an index is known by; empty: those of the machine."""


class Machine(NamedTuple):
    """Where to look; all of it differs between machines."""

    env: Mapping[str, str]
    home: Path
    prefix: Path
    """Of the Python environment."""


def of(tool: str, machine: Machine) -> Indexes:
    """The indexes that `pip` or `uv` would ask. Raises BadConfiguration."""
    return _uv(machine) if tool == "uv" else _pip(machine)


def _pip(machine: Machine) -> Indexes:
    said = _pip_settings(machine)
    for key in ("index-url", "extra-index-url", "no-index", "cert"):
        if value := machine.env.get(f"PIP_{key.upper().replace('-', '_')}"):
            said[key] = value
    if _true(said.get("no-index", "")):
        return Indexes((), first_wins=False, off="no-index of pip")
    urls = (said.get("index-url", PUBLIC), *said.get("extra-index-url", "").split())
    cert = said.get("cert") or machine.env.get("REQUESTS_CA_BUNDLE") or machine.env.get("CURL_CA_BUNDLE") or ""
    return Indexes(tuple(dict.fromkeys(urls)), first_wins=False, cert=cert)


def _pip_settings(machine: Machine) -> dict[str, str]:
    """What pip's files say of `pip install`: a later file over an earlier one, `[install]` over `[global]`."""
    sections: dict[str, dict[str, str]] = {"global": {}, "install": {}}
    for path in _pip_files(machine):
        read = configparser.RawConfigParser()
        try:
            with path.open(encoding="utf-8") as file:
                read.read_file(file)
        except OSError:
            continue
        except (configparser.Error, UnicodeDecodeError) as error:
            raise BadConfiguration(f"{path}: {str(error).splitlines()[0]}", hint="pip config debug") from None
        for name, found in sections.items():
            if read.has_section(name):
                found.update({key.replace("_", "-"): value for key, value in read.items(name)})
    return {**sections["global"], **sections["install"]}


def _pip_files(machine: Machine) -> Iterable[Path]:
    """pip's configuration, the weakest first."""
    named = machine.env.get("PIP_CONFIG_FILE", "")
    if named == os.devnull:
        return
    shared = machine.env.get("XDG_CONFIG_DIRS", "") or "/etc/xdg"
    yield from (Path(place, "pip", "pip.conf") for place in shared.split(os.pathsep))
    if sys.platform == "darwin":
        yield Path("/Library/Application Support/pip/pip.conf")
    yield Path("/etc/pip.conf")
    if not (named and Path(named).exists()):
        yield machine.home / ".pip" / "pip.conf"
        own = machine.home / "Library/Application Support/pip/pip.conf"
        yield own if sys.platform == "darwin" and own.parent.is_dir() else _config(machine) / "pip" / "pip.conf"
    yield machine.prefix / "pip.conf"
    if named:
        yield Path(named)


def _uv(machine: Machine) -> Indexes:
    env, said = machine.env, _uv_settings(machine)
    if _true(env.get("UV_NO_INDEX", "")) or _true(env.get("UV_OFFLINE", "")) or said.get("no-index") is True:
        return Indexes((), first_wins=True, off="no-index or offline of uv")
    listed = [entry for entry in said.get("index", ()) if isinstance(entry, dict) and not entry.get("explicit")]
    named = [str(entry.get("url", "")) for entry in listed if not entry.get("default")]
    default = next((str(entry.get("url", "")) for entry in listed if entry.get("default")), "")
    extra = [_url(each) for name in ("UV_INDEX", "UV_EXTRA_INDEX_URL") for each in env.get(name, "").split()]
    more = said.get("extra-index-url", ())
    first = env.get("UV_DEFAULT_INDEX") or env.get("UV_INDEX_URL") or default or said.get("index-url") or PUBLIC
    found = (*extra, *named, *(map(str, more) if isinstance(more, list) else ()), _url(str(first)))
    return Indexes(tuple(dict.fromkeys(filter(None, found))), first_wins=True)


def _uv_settings(machine: Machine) -> dict[str, Any]:
    """The tables of uv.toml, the user's over the machine's."""
    if _true(machine.env.get("UV_NO_CONFIG", "")):
        return {}
    named = machine.env.get("UV_CONFIG_FILE", "")
    files = [Path(named)] if named else [Path("/etc/uv/uv.toml"), _config(machine) / "uv" / "uv.toml"]
    said: dict[str, Any] = {}
    for path in files:
        try:
            said.update(tomllib.loads(path.read_text("utf-8")))
        except OSError:
            continue
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise BadConfiguration(f"{path}: {error}") from None
    return said


def _config(machine: Machine) -> Path:
    return Path(machine.env.get("XDG_CONFIG_HOME") or machine.home / ".config")


def _url(said: str) -> str:
    """Without the name that uv lets one give an index: `mine=https://…`."""
    name, sign, url = said.partition("=")
    return url if sign and "/" not in name else said


def _true(said: str) -> bool:
    return said.strip().casefold() in ("1", "true", "yes", "on", "t", "y")
