"""`preferences.md`: every setting, and whether anything acts on it."""

import re
from itertools import groupby

from milepost.formats.preferences_layers import MODES, TOKEN_PROFILES
from milepost.formats.preferences_schema import Entry, ignored, reference
from pages import in_use
from pages.prose import code, table

_PHASE = re.compile(r"^models\.[a-z_]+\.")
_INTRODUCTION = """\
# Preferences

Settings stand in the frontmatter of `.gsd/PREFERENCES.md` (`preferences.md` is read too), and for all projects in
`~/.gsd/PREFERENCES.md` (or below `GSD_HOME`):

```
---
token_profile: balanced
budget_ceiling: 10
verification_commands: [pytest -q, ruff check .]
---
```

What the project says goes over what the global file says: objects are joined key by key, lists of commands and skills
are put together, everything else is replaced. What neither says comes from `token_profile`, then from `mode`, then from
the defaults below. A wrong value is an error: all of them are listed with file and line, and nothing starts. An unknown
key is a warning. A JSON Schema is shipped with the package (`milepost/formats/preferences.schema.json`).
"""


def page() -> str:
    """The page."""
    entries = [entry for entry in reference() if not _repeated(entry)]
    alone = [entry for entry in entries if not _parent(entry.key)]
    top = [entry for entry in alone if entry.takes not in ("object", "list of objects")]
    parts = [_INTRODUCTION, "## At the top\n", _table(top)]
    for group, members in groupby((e for e in entries if _parent(e.key)), key=lambda e: e.key.split(".")[0]):
        head = next(entry for entry in alone if entry.key == group.removesuffix("[]"))
        ordered = sorted(members, key=lambda entry: shown(entry.key) != entry.key)
        parts += [f"## `{head.key}`\n", f"{head.says}{_note(head)}\n", _table(ordered)]
    return "\n".join([*parts, _defaults(), _ignored()])


def shown(key: str) -> str:
    """A key as it stands on the page: the objects of all phases are one."""
    return _PHASE.sub("models.PHASE.", key)


def _repeated(entry: Entry) -> bool:
    return bool(_PHASE.match(entry.key)) and not entry.key.startswith("models.research.")


def _parent(key: str) -> str:
    return key.rpartition(".")[0]


def _table(entries: list[Entry]) -> str:
    rows = [
        (code(shown(entry.key)), entry.takes, code(entry.default), f"{entry.says}{_note(entry)}") for entry in entries
    ]
    return table(("Key", "Takes", "Default", ""), rows)


def _note(entry: Entry) -> str:
    return "" if in_use.acts(entry.key) else " *Not yet.*"


def _defaults() -> str:
    rows = [
        (code(f"{name}: {value}"), ", ".join(code(f"{key}: {_yaml(set_)}") for key, set_ in _flat(raw)))
        for name, layer in (("mode", MODES), ("token_profile", TOKEN_PROFILES))
        for value, raw in layer.items()
    ]
    return (
        "## What `mode` and `token_profile` set\n\n"
        + table(("Setting", "Sets, where nobody else did"), rows)
        + "\nWithout `token_profile` it is `balanced`; without `mode` no mode is taken. Note that `solo` turns "
        "`git.auto_push` on. A model that only the profile chose is passed over when its provider has no key.\n"
    )


def _flat(raw: object, prefix: str = "") -> list[tuple[str, object]]:
    if not isinstance(raw, dict):
        return [(prefix, raw)]
    if set(raw) == {"model", "by_profile"}:
        return [(prefix, raw["model"])]
    return [pair for name, value in raw.items() for pair in _flat(value, f"{prefix}.{name}" if prefix else name)]


def _yaml(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _ignored() -> str:
    listed = ", ".join(code(name) for name in ignored())
    return f"## Accepted and ignored\n\nKeys of other releases of GSD that do nothing here: {listed}.\n"
