"""`PREFERENCES.md` from text to checked settings, with every problem at once and the line it stands on.

Scalars are read as YAML 1.2 does (GSD's parser): `yes` is a text and not true, a leading zero or `12:30` is not a
number. What would mean two things is refused. `null` or nothing, anywhere, means: not set. A wrong value is an
error and the key counts as not set; an unknown key is a warning. Source: spec auto 2.9, parallel 1.6.
"""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Final, Literal, NamedTuple

import yaml

from milepost.formats import _yaml, preferences_block
from milepost.formats.preferences_keys import key_lines
from milepost.formats.preferences_layers import Problem, Raw, merge
from milepost.formats.preferences_table import NOT_USED, OTHER_NAMES, Field, rows, table
from milepost.formats.preferences_values import Refused, is_unset, value
from milepost.model.units import UnitKind

_LARGEST: Final = 1_000_000
"""Characters; a file beyond that is not settings."""


class Parsed(NamedTuple):
    """One file."""

    raw: Raw
    """What is set, checked; JSON-like."""
    problems: tuple[Problem, ...]
    lines: Mapping[str, int]
    """The line of each key that is set."""


class Merged(NamedTuple):
    """Global and project file together."""

    raw: Raw
    problems: tuple[Problem, ...]


def parse(text: str, path: str) -> Parsed:
    """The settings in a file's text; path is only shown. Never raises: what is wrong is in `problems`."""
    text = text.removeprefix("\ufeff")
    reader = _Reader(path)
    if len(text) > _LARGEST:
        reader.error("", 0, f"larger than {_LARGEST} characters, so these are not settings")
        return reader.parsed({})
    block = preferences_block.find(text, (field.name for field in table()))
    reader.first_line, reader.loose = block.line + 1, block.loose
    if block.shape == "prose":
        if text.strip():
            reader.warn("", 0, "no settings found; they belong between two `---` lines at the top")
        return reader.parsed({})
    if block.loose:
        reader.warn("", 0, "settings belong between two `---` lines at the top; GSD reads them nowhere else")
    for line in key_lines(text):
        reader.warn("", line, "looks like a key: it does not belong here; take it out, and use `gsd keys set`")
    return reader.parsed(reader.root(block.text))


def combine(below: Parsed, above: Parsed, paths: tuple[str, str]) -> Merged:
    """A global file with a project's over it, and what is wrong only with the two together.

    paths: of the two files, as shown in problems.
    """
    raw = dict(merge(below.raw, above.raw))
    problems = [*below.problems, *above.problems]
    parallel = raw.get("parallel")
    if isinstance(parallel, Mapping):
        workers, limit = parallel.get("max_workers", 0), parallel.get("max_workers_limit", 4)
        if isinstance(workers, int) and isinstance(limit, int) and workers > limit:
            key = "parallel.max_workers"
            path, parsed = (paths[1], above) if key in above.lines else (paths[0], below)
            message = f"must be a number between 1 and {limit}, not {workers}; `{key}_limit` may raise that"
            problems.append(Problem(path, parsed.lines.get(key, 0), key, message, "error"))
            raw["parallel"] = {name: value for name, value in parallel.items() if name != "max_workers"}
    return Merged(raw=raw, problems=tuple(problems))


class _Reader:
    """Walks one file's nodes beside the table and notes what is wrong."""

    def __init__(self, path: str) -> None:
        self.first_line = 1
        self.loose = False
        self._path = path
        self._problems: list[Problem] = []
        self._lines: dict[str, int] = {}

    def parsed(self, raw: Raw) -> Parsed:
        return Parsed(raw=raw, problems=tuple(self._problems), lines=self._lines)

    def warn(self, key: str, line: int, message: str) -> None:
        self._problems.append(Problem(self._path, line, key, message, "warning"))

    def error(self, key: str, line: int, message: str) -> None:
        severity: Literal["error", "warning"] = "warning" if self.loose else "error"
        self._problems.append(Problem(self._path, line, key, message, severity))

    def root(self, text: str) -> Raw:
        try:
            node = _yaml.compose(text)
        except _yaml.NotYaml as error:
            self.error("", 0 if error.line is None else self.first_line + error.line, str(error))
            return {}
        if node is None or is_unset(node):
            return {}
        if not isinstance(node, yaml.MappingNode):
            self.error("", self.first_line, "must be `key: value` lines")
            return {}
        return self._group(table(), node, "")

    def _line(self, node: yaml.Node) -> int:
        return self.first_line + node.start_mark.line

    def _group(self, fields: Iterable[Field], node: yaml.MappingNode, prefix: str) -> dict[str, object]:
        known = {field.name: field for field in fields}
        found: dict[str, object] = {}
        seen: set[str] = set()
        for name_node, value_node in node.value:
            name = name_node.value if isinstance(name_node, yaml.ScalarNode) else "?"
            path = f"{prefix}{name}"
            if name in seen:
                self.error(path, self._line(name_node), "is set twice; the first one counts")
            elif name not in known:
                self._unknown(path, known, self._line(name_node))
            elif not is_unset(value_node):
                self._set(found, known[name], value_node, path, self._line(name_node))
            seen.add(name)
        return found

    def _set(self, found: dict[str, object], field: Field, node: yaml.Node, path: str, line: int) -> None:
        try:
            read = self._read(field, node, path)
        except Refused as refusal:
            self.error(path, line, str(refusal))
            return
        if read is None:
            return
        self._remark(field, node, path, read, line)
        if path == "budget_ceiling" and read == 0:
            return
        found[field.name] = read
        self._lines[path] = line

    def _read(self, field: Field, node: yaml.Node, path: str) -> object:
        if field.kind == "groups":
            return self._entries(field, node, path)
        if field.kind == "map":
            return self._map(field, node, path)
        if field.kind != "group":
            return value(field, node)
        if field.shorthand and isinstance(node, yaml.ScalarNode):
            return {field.fields[0].name: value(field.fields[0], node)}
        if not isinstance(node, yaml.MappingNode):
            raise Refused(f"must be an object with {', '.join(child.name for child in field.fields)}")
        group = self._group(field.fields, node, f"{path}.")
        return group if self._complete(field, group, path, self._line(node)) else None

    def _map(self, field: Field, node: yaml.Node, path: str) -> object:
        """Objects of one shape under names that the user chooses."""
        if not isinstance(node, yaml.MappingNode):
            raise Refused("must be an object with a name for each entry")
        found: dict[str, object] = {}
        for name_node, entry in node.value:
            name = name_node.value if isinstance(name_node, yaml.ScalarNode) else "?"
            where, line = f"{path}.{name}", self._line(name_node)
            if not isinstance(entry, yaml.MappingNode):
                self.error(where, line, f"must be an object with {', '.join(child.name for child in field.fields)}")
            elif name in found:
                self.error(where, line, "is set twice; the first one counts")
            else:
                self._add(found, field, name, self._group(field.fields, entry, f"{where}."), where, line)
        return found

    def _add(
        self, found: dict[str, object], field: Field, name: str, entry: Mapping[str, object], path: str, line: int
    ) -> None:
        missing = [child.name for child in field.fields if child.key.required and child.name not in entry]
        if missing:
            self.error(path, line, f"needs {', '.join(missing)}; left out")
        else:
            found[name] = entry

    def _entries(self, field: Field, node: yaml.Node, path: str) -> object:
        if field.key.single and isinstance(node, yaml.MappingNode):
            node = yaml.SequenceNode(node.tag, [node], node.start_mark, node.end_mark)
        if not isinstance(node, yaml.SequenceNode):
            raise Refused("must be a list of objects")
        kept: dict[object, dict[str, object]] = {}
        for number, item in enumerate(node.value):
            where, line = f"{path}[{number}]", self._line(item)
            if not isinstance(item, yaml.MappingNode):
                self.error(where, line, "must be an object")
                continue
            entry = self._group(field.fields, item, f"{where}.")
            identity = entry.get("name", number)
            if identity in kept:
                self.error(where, line, f"a second {identity!r}; the first one counts")
            elif self._complete(field, entry, where, line):
                kept[identity] = entry
        return list(kept.values())

    def _complete(self, field: Field, group: Mapping[str, object], path: str, line: int) -> bool:
        """Whether everything is there that an entry must have; otherwise it is dropped, and said so."""
        missing = [child.name for child in field.fields if child.key.required and not group.get(child.name)]
        if field.path == "skill_rules" and not any(group.get(action) for action in ("use", "prefer", "avoid")):
            missing.append("use, prefer or avoid")
        if group.get("action") == "replace" and not group.get("prompt"):
            missing.append("prompt")
        if missing:
            self.error(path, line, f"needs {', '.join(missing)}; left out")
        return not missing

    def _remark(self, field: Field, node: yaml.Node, path: str, read: object, line: int) -> None:
        """Warnings about values that are taken, but perhaps not meant."""
        if path == "budget_ceiling" and read == 0:
            self.warn(path, line, "0 sets no ceiling, as in GSD; leave the key out to say that, or give USD")
        if isinstance(node, yaml.ScalarNode) and node.value in OTHER_NAMES.get(field.path, {}):
            self.warn(path, line, f"{node.value!r} is read as {read!r}")
        if field.name in ("after", "before") and isinstance(read, list):
            strange = [kind for kind in read if kind not in _UNIT_KINDS]
            if strange:
                self.warn(path, line, f"no unit type is called {', '.join(strange)}")

    def _unknown(self, path: str, known: Mapping[str, Field], line: int) -> None:
        if path in NOT_USED:
            self.warn(path, line, "known, not used by Milepost")
        elif path == "git.merge_to_main":
            self.warn(path, line, "no longer used: milestones are merged into the integration branch")
        elif (hint := _suggestion(path, known)) or not self.loose:
            self.warn(path, line, f"unknown key{hint}")


_UNIT_KINDS: Final = frozenset(kind.value for kind in UnitKind)


def _suggestion(path: str, known: Mapping[str, Field]) -> str:
    """What was perhaps meant: a neighbour of nearly that name, or the same name in its right place."""
    name = path.rpartition(".")[2]
    elsewhere = [row.path for row in rows() if row.name == name and row.path.count(".") == 1 and "[" not in row.path]
    if "." not in path and len(elsewhere) == 1:
        return f"; did you mean `{elsewhere[0]}`?"
    close = get_close_matches(name, list(known), n=1)
    return f"; did you mean `{path.removesuffix(name)}{close[0]}`?" if close else ""
