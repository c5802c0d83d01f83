"""Where each setting comes from: a line of a file, the mode, the token profile, or nowhere (the default).

Precedence as in `preferences_layers`: what is written (project over global; joined lists come from both), then the
token profile, then the mode, then the default. Source: spec auto 2.9.
"""

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple, TypeAlias

from milepost.formats.preferences import ModelChoice, Preferences
from milepost.formats.preferences_layers import MODES, TOKEN_PROFILES, Raw, is_group
from milepost.formats.preferences_table import Field
from milepost.formats.preferences_words import leaves
from milepost.formats.preferences_yaml import Parsed

Kind: TypeAlias = Literal["project", "global", "token_profile", "mode", "default"]


class Origin(NamedTuple):
    """One place that a value comes from."""

    kind: Kind
    path: str = ""
    """The file, as shown; of the mode or the profile its name."""
    line: int = 0

    def __str__(self) -> str:
        match self.kind:
            case "project" | "global":
                return f"{self.path}:{self.line}" if self.line else self.path
            case "default":
                return "default"
            case _:
                return f"{self.kind}: {self.path}"


class Setting(NamedTuple):
    """One key."""

    key: str
    value: object
    """What holds, as JSON would hold it; None: not set."""
    origins: tuple[Origin, ...]
    """Global before project where a list is joined; never empty."""
    says: str

    @property
    def is_default(self) -> bool:
        """Nobody set it, not even by a mode."""
        return self.origins[0].kind == "default"


def settings(
    preferences: Preferences, raw: Raw, files: tuple[Parsed, Parsed], paths: tuple[str, str]
) -> tuple[Setting, ...]:
    """Every key that holds a value. files: the global one and the project's; raw: the two merged; paths: as shown."""
    return tuple(
        Setting(row.path, plain(_at(preferences, row.path)), _origins(row, raw, files, paths), row.key.says)
        for row in leaves()
    )


def plain(value: object) -> object:
    """A setting's value as JSON would hold it; a model without more than its name is that name."""
    if isinstance(value, ModelChoice):
        name = f"{value.provider}/{value.model}" if value.provider and "/" not in value.model else value.model
        more = {
            key: plain(part) for key, part in (("fallbacks", value.fallbacks), ("thinking", value.thinking)) if part
        }
        return {"model": name, **more} if more else name
    if is_group(value):
        return {name: plain(getattr(value, name)) for name in value._fields}
    if isinstance(value, Mapping):
        return {str(name): plain(part) for name, part in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [plain(part) for part in value]
    return value


def _at(preferences: Preferences, path: str) -> object:
    found: object = preferences
    for name in path.split("."):
        found = found.get(name) if isinstance(found, Mapping) else getattr(found, name)
    return found


def _origins(row: Field, raw: Raw, files: tuple[Parsed, Parsed], paths: tuple[str, str]) -> tuple[Origin, ...]:
    if _has(raw, row.path):
        below, above = (parsed.lines.get(row.path, 0) for parsed in files)
        joined = row.key.join in ("unique", "append", "by-name")
        found = list[Origin]()
        if below and (joined or not above):
            found.append(Origin("global", paths[0], below))
        if above:
            found.append(Origin("project", paths[1], above))
        return tuple(found) or (Origin("default"),)
    profile, mode = str(raw.get("token_profile")), str(raw.get("mode"))
    if _has(TOKEN_PROFILES.get(profile, {}), row.path):
        return (Origin("token_profile", profile),)
    return (Origin("mode", mode),) if _has(MODES.get(mode, {}), row.path) else (Origin("default"),)


def _has(raw: Raw, path: str) -> bool:
    found: object = raw
    for name in path.split("."):
        if not isinstance(found, Mapping) or name not in found:
            return False
        found = found[name]
    return True
