"""The classes of `preferences.py` read as a table of keys: for checking, the schema and the reference page.

Slow path only: nothing here is needed to work with settings that were checked before.
"""

from collections.abc import Mapping
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Final, Literal, NamedTuple, TypeAlias, Union, get_args, get_origin, get_type_hints

from milepost.formats.preferences import Key, ModelChoice, ModelPhase, Preferences, Price
from milepost.formats.preferences_layers import is_group

Kind: TypeAlias = Literal[
    "truth", "truth-or-text", "whole", "number", "text", "choice", "texts", "group", "groups", "map"
]

NOT_USED: Final = frozenset(
    {
        "cmux",
        "codebase",
        "compression_strategy",
        "context_management",
        "context_mode",
        "context_selection",
        "context_window_override",
        "discuss_depth",
        "discuss_preparation",
        "discuss_web_research",
        "dynamic_routing.capability_routing",
        "enhanced_verification",
        "enhanced_verification_post",
        "enhanced_verification_pre",
        "enhanced_verification_strict",
        "experimental",
        "flat_rate_providers",
        "forensics_dedup",
        "gate_evaluation",
        "git.absorb_snapshot_commits",
        "git.auto_pr",
        "git.collapse_cadence",
        "git.milestone_resquash",
        "git.pr_target_branch",
        "github",
        "language",
        "modelOverrides",
        "models.discuss",
        "models.validation",
        "phases.mid_execution_escalation",
        "phases.progressive_planning",
        "reactive_execution",
        "safety_harness",
        "search_provider",
        "service_tier",
        "show_token_cost",
        "slice_parallel",
        "stale_commit_threshold_minutes",
        "uok",
        "widget_mode",
    }
)
"""Keys of later GSD releases that are accepted and do nothing here. Source: in-the-wild 9, GSD v3 key list."""


OTHER_NAMES: Final[Mapping[str, Mapping[str, object]]] = {
    "token_profile": {"burn-max": "quality"},
    "git.pre_merge_check": {"auto": True},
}
"""Values of later GSD releases, and what they are read as."""


class Field(NamedTuple):
    """One row of the table."""

    path: str
    """Dotted key; `[]` stands for an entry of a list, `*` for any phase or name."""
    kind: Kind
    key: Key
    default: object
    choices: tuple[str | int, ...] = ()
    optional: bool = False
    """Whether unset is a value of its own (no default)."""
    fields: tuple["Field", ...] = ()
    """Keys of the object, or of each object in the list or map."""
    shorthand: bool = False
    """A plain text stands for an object with only its first key (`models`)."""

    @property
    def name(self) -> str:
        """The key without its parents."""
        return self.path.rpartition(".")[2]


@cache
def table() -> tuple[Field, ...]:
    """Every key, nested as in the file, in the order of the reference page."""
    return _fields(Preferences(), "")


def rows() -> tuple[Field, ...]:
    """Every key, parents before their children, flat."""
    return tuple(row for field in table() for row in _flat(field))


def _flat(field: Field) -> tuple[Field, ...]:
    return (field, *(row for child in field.fields for row in _flat(child)))


def _fields(default: NamedTuple, prefix: str) -> tuple[Field, ...]:
    hints = get_type_hints(type(default), include_extras=True)
    found = []
    for name in default._fields:
        if get_origin(hints[name]) is Annotated:
            plain, key = get_args(hints[name])
            found.append(_field(f"{prefix}{name}", plain, key, getattr(default, name)))
    return tuple(found)


def _field(path: str, hint: object, key: Key, default: object) -> Field:
    alternatives = _alternatives(hint)
    optional = NoneType in alternatives
    alternatives = tuple(kind for kind in alternatives if kind is not NoneType)
    if alternatives == (bool, str):
        return Field(path=path, kind="truth-or-text", key=key, default=default)
    only = alternatives[0]
    if isinstance(only, type) and only in _SIMPLE:
        return Field(path=path, kind=_SIMPLE[only], key=key, default=default, optional=optional)
    if get_origin(only) is Literal:
        return Field(path=path, kind="choice", key=key, default=default, choices=get_args(only), optional=optional)
    return _nested(path, only, key, default)


_SIMPLE: Final[Mapping[type, Kind]] = {bool: "truth", int: "whole", float: "number", str: "text"}


def _nested(path: str, hint: object, key: Key, default: object) -> Field:
    if get_origin(hint) is tuple:
        item = get_args(hint)[0]
        if item is str:
            return Field(path=path, kind="texts", key=key, default=default)
        return Field(path=path, kind="groups", key=key, default=default, fields=_fields(item(), f"{path}[]."))
    if is_group(default):
        return Field(path=path, kind="group", key=key, default=default, fields=_fields(default, f"{path}."))
    if get_args(hint)[1] is Price:
        return Field(path=path, kind="map", key=key, default=default, fields=_fields(Price(), f"{path}.*."))
    return Field(path=path, kind="group", key=key, default=default, fields=_phases(path))


def _phases(path: str) -> tuple[Field, ...]:
    """`models`: the same object under each phase's name."""
    says = "Model of this phase: a name, or an object."
    return tuple(
        Field(
            path=f"{path}.{phase}",
            kind="group",
            key=Key(says),
            default=None,
            optional=True,
            fields=_fields(ModelChoice(), f"{path}.{phase}."),
            shorthand=True,
        )
        for phase in get_args(ModelPhase)
    )


def _alternatives(hint: object) -> tuple[object, ...]:
    return get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
