"""The models of one attempt: what is configured, what the plan looks like, and what the journal says, put together.

Source: spec auto 5.14.
"""

from collections.abc import Sequence

from milepost.formats.journal import AnyEvent
from milepost.formats.tree import Tree
from milepost.model.units import Unit
from milepost.rules import models, routing, routing_history
from milepost.rules.accounts import Accounts
from milepost.rules.complexity import classify
from milepost.rules.routing import Evidence, Route
from milepost.store import routing_file
from milepost.unit.bench import Bench

_HOOK = "hook"
_TASK = "execute-task"


def route(unit: Unit, tree: Tree, bench: Bench, *, pin: str = "") -> Route:
    """The models for the next attempt at a unit. pin: a model that a hook names, which is absolute."""
    line = bench.models.get(unit.kind, ())
    found = classify(unit, tree)
    if pin or (unit.kind == _HOOK and not bench.preferences.dynamic_routing.hooks):
        return Route((pin,) if pin else line, str(found.tier), ceiling=pin, tags=found.tags)
    events = bench.journal.everything()
    known = routing_history.patterns(events)
    evidence = Evidence(
        failing=routing_history.failing(known, unit.type, found.tags, found.tier),
        floor=routing_history.floor(events, unit),
        percent=spent_percent(events, bench),
    )
    simple = bench.models.get(models.SIMPLE, ()) if unit.kind == _TASK else ()
    settings = bench.preferences.dynamic_routing
    return routing.route(found, line, settings, means=bench.means, evidence=evidence, simple=simple)


def spent_percent(events: Sequence[AnyEvent], bench: Bench) -> int:
    """How much of the tightest ceiling is spent, in percent; 0 where there is none."""
    accounts = Accounts(events)
    return max(
        (
            accounts.books(limit.of, carried=limit.carried).counted * 100 // limit.micro_usd
            for limit in bench.ceilings
            if limit.micro_usd
        ),
        default=0,
    )


def publish(bench: Bench) -> None:
    """Bring `routing-history.json` up to date; a project that does not route has none."""
    if bench.preferences.dynamic_routing.enabled:
        routing_file.publish(bench.workspace.root_state, bench.journal.everything())
