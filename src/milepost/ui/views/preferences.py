"""Settings as a table: what holds, and where that comes from."""

import json
from collections.abc import Mapping, Sequence

from milepost.formats.preferences_layers import Problem
from milepost.formats.preferences_origins import Origin, Setting


def text(settings: Sequence[Setting], problems: Sequence[Problem], files: Sequence[str]) -> str:
    """One line a setting, then what is wrong."""
    rows = [(setting.key, shown(setting.value), origins(setting.origins)) for setting in settings]
    width, middle = (max((len(row[column]) for row in rows), default=0) for column in (0, 1))
    middle = min(middle, 36)
    lines = [f"{key.ljust(width)}  {value.ljust(middle)}  {origin}" for key, value, origin in rows]
    read = f"Read: {', '.join(files)}." if files else "There is no settings file; these are the defaults."
    return "\n".join([*lines, "" if lines else "Nothing is set.", read, *map(str, problems)]) + "\n"


def document(settings: Sequence[Setting], problems: Sequence[Problem], files: Sequence[str]) -> Mapping[str, object]:
    """The same for programs."""
    return {
        "settings": [entry(setting) for setting in settings],
        "files": list(files),
        "problems": [problem._asdict() for problem in problems],
    }


def entry(setting: Setting) -> Mapping[str, object]:
    """One setting for programs."""
    return {
        "key": setting.key,
        "value": setting.value,
        "origins": [
            {"kind": origin.kind}
            | ({"name": origin.path} if origin.kind in ("mode", "token_profile") else {})
            | ({"path": origin.path, "line": origin.line} if origin.line else {})
            for origin in setting.origins
        ],
        "says": setting.says,
    }


def shown(value: object) -> str:
    """A value as a person would write it."""
    if value is None:
        return "-"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def origins(found: Sequence[Origin]) -> str:
    """All the places that a value comes from."""
    return ", ".join(map(str, found))
