"""Which models a unit may use, best first, and what is known of models by name.

    prefs.models: {planning: {model: opus, fallbacks: [openai/gpt-5]}}
    plan-slice → ("opus", "openai/gpt-5", <default>)

What the token profile chooses is a class of models, written with Anthropic's name of it; who has only another
provider's key gets that provider's model of the class. Source: spec auto 5.14 (phase map), 2.9 (profiles, fallbacks).
"""

import re
from collections.abc import Container, Mapping
from typing import Final, NamedTuple

from milepost.formats.preferences import ModelChoice, Preferences
from milepost.formats.preferences_layers import HAIKU, SONNET
from milepost.rules.complexity import Tier

PHASE_OF: Final[Mapping[str, str]] = {
    "discuss-milestone": "planning",
    "discuss-slice": "planning",
    "research-milestone": "research",
    "research-slice": "research",
    "plan-milestone": "planning",
    "plan-slice": "planning",
    "replan-slice": "planning",
    "execute-task": "execution",
    "quick-task": "execution",
    "quick": "execution",
    "complete-slice": "completion",
    "run-uat": "completion",
    "triage-captures": "subagent",
    "hook": "subagent",
}
"""The phase whose model a kind of unit takes; kinds that are not here take the default model. What helps beside the
plan (triage, hooks without a model of their own) takes that of `subagent`.
"""

SIMPLE: Final = "execution_simple"
"""The phase whose model light tasks take."""


class Known(NamedTuple):
    """A model that may be chosen by itself."""

    name: str
    provider: str
    tier: Tier
    usd: float
    """List price of a million tokens in and a million out, for comparison only."""


KNOWN: Final = (
    Known("claude-haiku-5-5", "anthropic", Tier.LIGHT, 0.6),
    Known("claude-sonnet-5-5", "anthropic", Tier.STANDARD, 12),
    Known("claude-opus-5-5", "anthropic", Tier.HEAVY, 24),
    Known("openai/gpt-5.4-mini", "openai", Tier.LIGHT, 5.25),
    Known("openai/gpt-5.4", "openai", Tier.STANDARD, 17.5),
    Known("openai/gpt-5.5", "openai", Tier.HEAVY, 35),
    Known("gemini-3-flash-preview", "google", Tier.LIGHT, 3.5),
    Known("gemini-3.1-pro-preview", "google", Tier.STANDARD, 14),
)
"""In the order in which providers are preferred where prices are equal."""

_CLASSES: Final[Mapping[str, Tier]] = {SONNET: Tier.STANDARD, HAIKU: Tier.LIGHT}
_FAMILIES: Final = (
    (Tier.LIGHT, r"haiku|(?<!ge)mini(?!max)|nano|flash|lite"),
    (Tier.STANDARD, r"sonnet|gpt-4o|gpt-4\.1|gpt-5\.[0-4]\b(?!-pro)|gemini-[\d.]+-pro"),
)
_BARE: Final = ((r"claude-", "anthropic"), (r"(?:gpt|chatgpt|codex)-|o\d", "openai"), (r"gemini-", "google"))
_ALIASES: Final = {"gemini": "google", "google-gla": "google", "claude": "anthropic"}


def model_for(
    prefs: Preferences, kind: str, *, default: str = "", providers: Container[str] | None = None
) -> tuple[str, ...]:
    """Model names to try for a kind of unit, in order, each once; empty when nothing names one.

    default: the model of the command line or environment, always last. providers: those with a key, if the caller
    knows; where the token profile chose, the model is one of theirs.
    """
    return tuple(dict.fromkeys(name for name in (*of_phase(prefs, PHASE_OF.get(kind, ""), providers), default) if name))


def of_phase(prefs: Preferences, phase: str, providers: Container[str] | None = None) -> tuple[str, ...]:
    """The models of one phase, without the default; empty when it has none. providers: as in `model_for`."""
    choice = prefs.models.get(phase)
    if choice is None:
        return ()
    if not choice.by_profile or providers is None:
        return (full_name(choice), *choice.fallbacks)
    tier = _CLASSES.get(choice.model)
    return tuple(known.name for known in KNOWN if known.tier is tier and known.provider in providers)[:1]


def full_name(choice: ModelChoice) -> str:
    """`provider/model`; a model that has a `/` of its own is left as it is."""
    if choice.provider and "/" not in choice.model:
        return f"{choice.provider}/{choice.model}"
    return choice.model


def efforts(prefs: Preferences, kind: str) -> dict[str, str]:
    """Model → the reasoning effort asked of it (`models.PHASE.thinking`), for the phase's models of this kind."""
    phases = (SIMPLE, PHASE_OF.get(kind, "")) if kind == "execute-task" else (PHASE_OF.get(kind, ""),)
    chosen = [prefs.models[phase] for phase in phases if phase in prefs.models]
    return {
        name: choice.thinking for choice in chosen if choice.thinking for name in (full_name(choice), *choice.fallbacks)
    }


def tier_of(name: str) -> Tier:
    """What a model is good for, by its name; one that nobody knows counts as heavy."""
    known = next((known.tier for known in KNOWN if _bare(known.name) == _bare(name)), None)
    families = (tier for tier, words in _FAMILIES if re.search(words, _bare(name)))
    return known or next(families, Tier.HEAVY)


def provider_of(name: str) -> str:
    """Whose model it is; the name itself when nobody knows."""
    prefix, slash, _ = name.lower().partition("/")
    if slash:
        return _ALIASES.get(prefix, prefix)
    return next((owner for pattern, owner in _BARE if re.match(pattern, prefix)), prefix)


def price_of(name: str) -> float | None:
    """The list price that is compared; None: not known."""
    return next((known.usd for known in KNOWN if _bare(known.name) == _bare(name)), None)


def _bare(name: str) -> str:
    return name.lower().rpartition("/")[2]
