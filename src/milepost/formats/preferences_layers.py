"""Settings from several places become one value: global and project files, token profile, mode, defaults.

A *raw* mapping holds only what somebody really wrote, checked, as JSON would hold it. Precedence, first wins:
written by the user (project over global), token profile, mode, default. Source: spec auto 2.9.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final, Literal, NamedTuple, TypeAlias, TypeGuard, TypeVar, get_args, get_type_hints

from milepost.formats.preferences import (
    BudgetWindow,
    Key,
    ModelChoice,
    PostUnitHook,
    PreDispatchHook,
    Preferences,
    Price,
    SkillRule,
)

Raw: TypeAlias = Mapping[str, object]
_Value = TypeVar("_Value", bound=NamedTuple)


class Problem(NamedTuple):
    """Something about a settings file that its author should know."""

    path: str
    line: int
    """From 1; 0 means the whole file."""
    key: str
    """Dotted key, empty for the whole file."""
    message: str
    severity: Literal["error", "warning"]

    def __str__(self) -> str:
        where = f"{self.path}:{self.line}" if self.line else self.path
        if not self.key:
            return f"{where}: {self.message}"
        # `parallel.enabled must be a boolean` is how GSD says it (parallel PR-350).
        return f"{where}: {self.key}{' ' if self.message.startswith('must be ') else ': '}{self.message}"


MODES: Final[Mapping[str, Raw]] = {
    "solo": {
        "git": {
            "auto_push": True,
            "push_branches": False,
            "pre_merge_check": False,
            "merge_strategy": "squash",
            "isolation": "worktree",
            "commit_docs": True,
        },
        "unique_milestone_ids": False,
    },
    "team": {
        "git": {
            "auto_push": False,
            "push_branches": True,
            "pre_merge_check": True,
            "merge_strategy": "squash",
            "isolation": "worktree",
            "commit_docs": True,
        },
        "unique_milestone_ids": True,
    },
}
"""What each `mode` sets where nothing else does. Source: spec auto 2.9."""

SONNET: Final = "claude-sonnet-5-5"
HAIKU: Final = "claude-haiku-5-5"

TOKEN_PROFILES: Final[Mapping[str, Raw]] = {
    "budget": {
        "phases": {
            "skip_research": True,
            "skip_slice_research": True,
            "skip_reassess": True,
            "skip_milestone_validation": True,
        },
        "models": {
            "planning": {"model": SONNET, "by_profile": True},
            "execution": {"model": SONNET, "by_profile": True},
            "execution_simple": {"model": HAIKU, "by_profile": True},
            "completion": {"model": HAIKU, "by_profile": True},
            "subagent": {"model": HAIKU, "by_profile": True},
        },
    },
    "balanced": {
        "phases": {"skip_slice_research": True},
        "models": {"subagent": {"model": SONNET, "by_profile": True}},
    },
    "quality": {"phases": {"skip_slice_research": False}},
}
"""What each `token_profile` sets where the user has not. Source: spec auto 2.9, the intended table."""

INLINE_LEVELS: Final[Mapping[str, str]] = {"budget": "minimal", "balanced": "standard", "quality": "full"}
"""How much of each document a prompt carries, by token profile. Source: spec auto 2.9."""

_ENTRIES: Final[Mapping[str, NamedTuple]] = {
    "post_unit_hooks": PostUnitHook(),
    "pre_dispatch_hooks": PreDispatchHook(),
    "skill_rules": SkillRule(),
    "budget_window": BudgetWindow(),
}


def merge(below: Raw, above: Raw) -> Raw:
    """Global settings with a project's over them: lists joined, objects key by key, hooks by name.

    Neither argument is changed. How a key joins stands in its `Key.join`. Source: spec auto 2.9.
    """
    ways = _ways()
    joined = dict(below)
    for name, value in above.items():
        joined[name] = _join(ways.get(name, "replace"), below[name], value) if name in below else value
    return joined


def resolve(raw: Raw) -> Preferences:
    """The value that the program works with: what `raw` leaves open comes from profile, mode and defaults.

    The default profile is `balanced`, as documented; what it sets is what the defaults of the table say, so
    `resolve({}) == Preferences()`.
    """
    mode, profile = MODES.get(str(raw.get("mode")), {}), TOKEN_PROFILES.get(str(raw.get("token_profile")), {})
    return _filled(Preferences(), _over(_over(mode, profile), raw))


def _over(below: Raw, above: Raw) -> Raw:
    layered = dict(below)
    for name, value in above.items():
        under = layered.get(name)
        layered[name] = {**under, **value} if isinstance(under, Mapping) and isinstance(value, Mapping) else value
    return layered


def _filled(default: _Value, raw: Raw) -> _Value:
    known = {name: _typed(name, getattr(default, name), raw[name]) for name in default._fields if name in raw}
    return default._replace(**known)


def _typed(name: str, default: object, value: object) -> object:
    """`value` as the tuple, mapping or nested value that a field of this name holds."""
    if isinstance(value, Mapping):
        if name == "models":
            return MappingProxyType({phase: _filled(ModelChoice(), _raw(choice)) for phase, choice in value.items()})
        if name == "prices":
            return MappingProxyType({model: _filled(Price(), _raw(price)) for model, price in value.items()})
        return _filled(default, value) if is_group(default) else value
    if isinstance(value, Sequence) and not isinstance(value, str):
        entry = _ENTRIES.get(name)
        return tuple(value) if entry is None else tuple(_filled(entry, _raw(one)) for one in value)
    return value


def is_group(default: object) -> TypeGuard[NamedTuple]:
    """Whether a default is an object of keys."""
    return hasattr(default, "_fields")


def _raw(value: object) -> Raw:
    return value if isinstance(value, Mapping) else {}


def _ways() -> dict[str, str]:
    """How each key joins, read off the table (slow: only where files are really read)."""
    hints = get_type_hints(Preferences, include_extras=True)
    return {name: key.join for name, hint in hints.items() for key in get_args(hint)[1:] if isinstance(key, Key)}


def _join(way: str, below: object, above: object) -> object:
    if way == "keys" and isinstance(below, Mapping) and isinstance(above, Mapping):
        return {**below, **above}
    if way == "replace" or not (isinstance(below, Sequence) and isinstance(above, Sequence)):
        return above
    if way == "by-name":
        return _by_name(below, above)
    return [*below, *above] if way == "append" else list(dict.fromkeys([*below, *above]))


def _by_name(below: Sequence[object], above: Sequence[object]) -> list[object]:
    named = {str(_raw(hook).get("name")): hook for hook in below}
    return list((named | {str(_raw(hook).get("name")): hook for hook in above}).values())
