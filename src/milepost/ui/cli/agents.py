"""Who works in a run, and with which models: from options, preferences and environment to one agent.

What is missing (a key, a library, a file) is said here, before any unit is started or paid for.
Source: spec auto 5.14; issue "The agent".
"""

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from milepost.agents import choose
from milepost.agents.session import Agent
from milepost.errors import MilepostError
from milepost.formats.preferences import Preferences
from milepost.model.units import UnitKind
from milepost.rules.models import KNOWN, SIMPLE, model_for, of_phase
from milepost.rules.routing import Means
from milepost.unit import executor

DEFAULTS = (
    ("anthropic", ("ANTHROPIC_API_KEY",), "claude-sonnet-5-5"),
    ("openai", ("OPENAI_API_KEY",), "openai/gpt-5.5"),
    ("google", ("GEMINI_API_KEY", "GOOGLE_API_KEY"), "gemini-3.1-pro-preview"),
    ("ollama", ("OLLAMA_MODEL",), "ollama/"),
)
"""Provider, the variables that say it can be used, and the model taken when nobody names one."""


class NoModel(MilepostError):
    """Nothing says which model to use, and no provider's key is there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the command line says."""

    agent: str
    """`builtin`, `replay:FILE` or `scripted:FILE`."""
    model: str | None
    record: Path | None
    pace_s: float


def providers(env: Mapping[str, str]) -> frozenset[str]:
    """Providers whose key is in the environment."""
    return frozenset(name for name, variables, _ in DEFAULTS if any(env.get(v) for v in variables))


def default_model(env: Mapping[str, str]) -> str:
    """The model of the first provider that has a key; empty when none has."""
    known = providers(env)
    name, model = next(((name, model) for name, _, model in DEFAULTS if name in known), ("", ""))
    return model + env["OLLAMA_MODEL"] if name == "ollama" else model


def models(wanted: Wanted, settings: Preferences, env: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """Unit kind → models to try, best first, empty where nothing names one; and those of light tasks, if there are."""
    if wanted.model:
        return {str(kind): (wanted.model,) for kind in UnitKind}
    default, known = default_model(env), providers(env)
    found = {str(kind): model_for(settings, kind, default=default, providers=known) for kind in UnitKind}
    simple = of_phase(settings, SIMPLE, known)
    return {**found, SIMPLE: simple} if simple else found


def executor_window(settings: Preferences, env: Mapping[str, str]) -> int:
    """The context window of the model that a run without options would execute tasks with; 0: none is named."""
    return executor.window(models(Wanted(agent="builtin", model=None, record=None, pace_s=0), settings, env))


def means(wanted: Wanted, settings: Preferences, env: Mapping[str, str]) -> Means:
    """Whether the model is pinned, and which of those that routing may choose could be asked. Loads no library."""
    if wanted.agent != "builtin":
        return Means(pinned=bool(wanted.model))
    from milepost.agents.builtin.agent import BuiltinAgent

    def can(name: str) -> bool:
        with suppress(MilepostError):
            BuiltinAgent(env).check([name])
            return True
        return False

    tiers, simple = settings.dynamic_routing.tier_models, of_phase(settings, SIMPLE, providers(env))
    names = {*(known.name for known in KNOWN), *simple, *(name for name in tiers if name)}
    return Means(pinned=bool(wanted.model), reachable=frozenset(filter(can, names)))


def require(wanted: Wanted, settings: Preferences, env: Mapping[str, str]) -> None:
    """Raise what would keep every session from beginning, before a worker finds out. Loads no library.

    Raises UnknownAgent; FormatError or OSError for a script or recording; NoModel, UnknownModel or NotConfigured.
    """
    if wanted.agent != "builtin":
        choose.choose(wanted.agent, env, {}, pace_s=wanted.pace_s)
    elif error := _missing(models(wanted, settings, env), env):
        raise error


def maker(
    wanted: Wanted, models: Mapping[str, tuple[str, ...]], env: Mapping[str, str]
) -> Callable[[Mapping[str, int]], Agent]:
    """What makes the agent of a milestone; it begins to load what will be needed.

    A script or a recording that cannot be read is an error now. A missing model or key is one when an agent is asked
    for: landing what is finished needs none.
    """
    first = choose.choose(wanted.agent, env, {}, pace_s=wanted.pace_s)
    missing = _get_ready(models, env) if wanted.agent == "builtin" else None

    def make(played: Mapping[str, int]) -> Agent:
        if missing is not None:
            raise missing
        # The built-in agent plays nothing, and remembers for the whole run which models are not served.
        anew = played and wanted.agent != "builtin"
        agent = choose.choose(wanted.agent, env, played, pace_s=wanted.pace_s) if anew else first
        if wanted.record is None:
            return agent
        from milepost.agents.replay import Recorder

        return Recorder(agent, wanted.record)

    return make


def _get_ready(models: Mapping[str, tuple[str, ...]], env: Mapping[str, str]) -> MilepostError | None:
    """Load what the models need, in a thread; why that cannot be, when it cannot."""
    from milepost.agents.builtin.agent import BuiltinAgent

    if error := _missing(models, env):
        return error
    threading.Thread(target=BuiltinAgent(env).preload, args=(_names(models),), daemon=True, name="preload").start()
    return None


def _missing(models: Mapping[str, tuple[str, ...]], env: Mapping[str, str]) -> MilepostError | None:
    from milepost.agents.builtin.agent import BuiltinAgent

    if not all(models.values()):
        return NoModel(
            "no model is configured and no provider's key is there",
            hint="gsd keys set ANTHROPIC_API_KEY (or OPENAI_…, GEMINI_API_KEY), or name one: --model ollama/qwen3",
        )
    try:
        BuiltinAgent(env).check(_names(models))
    except MilepostError as error:
        return error
    return None


def _names(models: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for several in models.values() for name in several))
