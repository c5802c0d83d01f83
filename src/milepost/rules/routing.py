"""The model of one unit: the configured one, or a cheaper one where less will do.

    tier of the plan → what was learnt (up) → pressure on the budget (down) → after a failure (up)
    tier ≥ that of the configured model: it stays
    else: the tier's model, with the configured ones behind it

The configured model is the ceiling: routing never asks for more than that. A model of the command line or of a hook
is absolute. Without routing only `models.execution_simple` is looked at, for light tasks. Source: spec auto 5.14.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

from milepost.formats.preferences import DynamicRouting
from milepost.rules.complexity import Complexity, Tier
from milepost.rules.models import KNOWN, price_of, provider_of, tier_of

_OWN_MACHINE: Final = frozenset({"ollama", "local"})
"""Who works with such a model pays nothing: no other is chosen for it unless a person named it."""


class Means(NamedTuple):
    """What the command line and the environment say about models."""

    pinned: bool = False
    """A person named one model for every unit."""
    reachable: frozenset[str] | None = None
    """Models that could be asked, of those that may be chosen; None: all."""

    def has(self, name: str) -> bool:
        """Whether the model could be asked."""
        return self.reachable is None or name in self.reachable


class Evidence(NamedTuple):
    """What the journal says about the unit at hand."""

    failing: bool = False
    """Units like it failed too often at the tier of its plan."""
    floor: Tier | None = None
    """One above the highest tier at which earlier attempts of this very unit failed; None: none did."""
    percent: int = 0
    """How much of the tightest ceiling is spent."""


ANY: Final = Means()
NONE: Final = Evidence()


class Route(NamedTuple):
    """Which models a unit is given, and why."""

    models: tuple[str, ...]
    """The first preferred, the rest fallbacks."""
    tier: str = ""
    why: str = ""
    """In words; empty: the tier had no say in it."""
    ceiling: str = ""
    """The model that would have been asked without routing."""
    tags: tuple[str, ...] = ()

    @property
    def model(self) -> str:
        """The model that is asked first; empty when none is named."""
        return self.models[0] if self.models else ""


def route(
    found: Complexity,
    line: tuple[str, ...],
    dynamic_routing: DynamicRouting,
    *,
    means: Means = ANY,
    evidence: Evidence = NONE,
    simple: tuple[str, ...] = (),
) -> Route:
    """The models of a unit.

    line: the models without routing, best first. simple: those of `models.execution_simple` for a task, else empty.
    """
    plain = Route(line, str(found.tier), ceiling=line[0] if line else "", tags=found.tags)
    if means.pinned or not line:
        return plain
    tier, why = weighed(found, dynamic_routing, evidence)
    reasons = f"{tier}: {', '.join(why)}"
    if not dynamic_routing.enabled:
        if not simple or tier is not Tier.LIGHT:
            # A failure at a cheap model is a reason to say why it is not asked again.
            return plain._replace(tier=str(tier), why=reasons if simple else "")
        return plain._replace(models=_joined(*simple, *line), why=f"{reasons}; models.execution_simple")
    if tier.height >= tier_of(line[0]).height:
        return plain._replace(tier=str(tier), why=f"{reasons}; {line[0]} is the ceiling")
    chosen, said = _chosen(tier, line[0], dynamic_routing, means, simple)
    return plain._replace(models=_joined(*chosen, *line), tier=str(tier), why=f"{reasons}; {said}")


def weighed(found: Complexity, dynamic_routing: DynamicRouting, evidence: Evidence) -> tuple[Tier, tuple[str, ...]]:
    """The tier that counts, and the reasons for it."""
    tier, why = found.tier, found.reasons
    if dynamic_routing.enabled and evidence.failing and tier is not Tier.HEAVY:
        tier, why = tier.up, (*why, f"such units fail too often as {tier}")
    if (
        dynamic_routing.enabled
        and dynamic_routing.budget_pressure
        and (lower := pressed(tier, evidence.percent)) is not tier
    ):
        tier, why = lower, (*why, f"{evidence.percent} % of the budget is spent")
    if dynamic_routing.escalate_on_failure and evidence.floor and evidence.floor.height > tier.height:
        tier, why = evidence.floor, (*why, "the attempt before failed")
    return tier, why


def pressed(tier: Tier, percent: int) -> Tier:
    """The tier under pressure of the budget; percent of the ceiling that is spent."""
    if percent >= 90:
        return Tier.STANDARD if tier is Tier.HEAVY else Tier.LIGHT
    return Tier.LIGHT if percent >= 50 and tier is Tier.STANDARD else tier


def _chosen(
    tier: Tier, ceiling: str, dynamic_routing: DynamicRouting, means: Means, simple: tuple[str, ...]
) -> tuple[tuple[str, ...], str]:
    """The models to put before the configured ones, and a word on them."""
    missed = ""
    named = {
        Tier.LIGHT: dynamic_routing.tier_models.light,
        Tier.STANDARD: dynamic_routing.tier_models.standard,
        Tier.HEAVY: dynamic_routing.tier_models.heavy,
    }[tier]
    for models, key in (((named,) if named else (), f"tier_models.{tier}"), (simple, "models.execution_simple")):
        if not models or (key != f"tier_models.{tier}" and tier is not Tier.LIGHT):
            continue
        if not dynamic_routing.cross_provider and provider_of(models[0]) != provider_of(ceiling):
            missed = f" ({key} is of another provider)"
        elif not means.has(models[0]):
            missed = f" ({key} cannot be asked)"
        else:
            return models, f"{key}{missed}"
    cheapest = min(_cheaper(tier, ceiling, dynamic_routing, means), default=None)
    if cheapest is None:
        return (), f"{ceiling}, for want of a model of that tier{missed}"
    return (cheapest[1],), f"the cheapest of its tier{missed}"


def _cheaper(tier: Tier, ceiling: str, dynamic_routing: DynamicRouting, means: Means) -> Iterator[tuple[float, str]]:
    owner, limit = provider_of(ceiling), price_of(ceiling)
    if owner in _OWN_MACHINE:
        return
    for known in KNOWN:
        ours = known.provider == owner or dynamic_routing.cross_provider
        if known.tier is tier and ours and means.has(known.name) and (limit is None or known.usd < limit):
            yield known.usd, known.name


def _joined(*names: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))
