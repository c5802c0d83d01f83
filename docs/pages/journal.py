"""`journal.md`: the events of a run, field by field."""

from typing import get_args

from milepost.formats import journal
from pages.prose import code, described, line, members, plain, table, types

_BELOW = """\

Lines are appended to `.gsd/journal/<writer>.jsonl`, one file per writer: `project.jsonl` for the run itself and one per
milestone. Field names on disk are in camel case (`at_ms` is `atMs`); a field at its default may be missing. Money is in
millionths of a US dollar. A line torn by a crash is passed over and counted.
"""


def page() -> str:
    """The page."""
    common = _fields("Event")
    events = [_event(kind) for kind in get_args(journal.AnyEvent)]
    results = table(
        ("Result", ""),
        ((code(journal.Result[name].value), says) for name, says in members(journal, "Result").items()),
    )
    return "\n".join(
        [
            "# The journal\n",
            described(plain(journal.__doc__)),
            _BELOW,
            "## Every event\n",
            common,
            *events,
            "## How an attempt can end\n",
            results,
        ]
    )


def _event(kind: type) -> str:
    tag = kind.__struct_config__.tag  # type: ignore[attr-defined]
    return f"## `{tag}`\n\n{line(kind.__doc__)}\n\n{_fields(kind.__name__)}"


def _fields(name: str) -> str:
    annotations = types(journal, name)
    rows = [(code(field), annotations[field], says) for field, says in members(journal, name).items()]
    return table(("Field", "Type", ""), rows)
