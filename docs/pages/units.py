"""`units.md`: what comes next and why, and what each kind of unit is given and owes."""

from milepost.agents.session import SessionSpec
from milepost.model.units import Unit, UnitKind
from milepost.prompts.manifest import LEVELS, MANIFEST, Item, Level
from milepost.rules import dispatch, done, gates, retry, tool_policy
from milepost.rules.models import PHASE_OF
from milepost.testing.trees import DictTree
from milepost.unit.session import POLICIES
from milepost.unit.verify import TIMEOUT_S
from pages.prose import code, line, members, plain, table

_OWES = {
    UnitKind.PLAN_MILESTONE: "it lists slices, whose dependencies exist and do not go round in a circle",
    UnitKind.PLAN_SLICE: "it lists tasks, and each open task has a plan of its own (`T##-PLAN.md`)",
    UnitKind.COMPLETE_SLICE: "`S##-UAT.md`",
    UnitKind.REPLAN_SLICE: "the slice's plan lists tasks, and each open task has a plan of its own",
    UnitKind.RUN_UAT: "it has a verdict",
    UnitKind.VALIDATE_MILESTONE: "it has a verdict",
    UnitKind.COMPLETE_MILESTONE: "it does not say of itself that the milestone failed",
    UnitKind.REWRITE_DOCS: "no override in `OVERRIDES.md` is open",
}
"""What is owed beside the file, in words; the predicates are in `rules.done`."""

_LEVELS = {level: name for name, level in LEVELS.items()}


_HEAD = """\
# Units

A unit is one session of an agent with one job, in a fresh context. It is named by its kind and its id:
`execute-task M001/S01/T02`.

## What comes next

A table of named rules; the first that answers counts. `gsd headless query` names it in `next.reason`.
"""
_DONE = """\
## What each unit is for

The file lies in the directory of its milestone, slice or task. A unit is done when its file is there with content,
what else it owes is there, and its gate passed; the program then ticks its box and commits.
"""
_TOUCH = """\
## What a session may touch

Checked before a tool call runs; a refused call is answered with the reason.
"""
_PROMPT = """\
## What goes into the prompt

What is in bold is noted in the prompt when it is missing; the rest is passed over then. A name in brackets is the
`token_profile` from which on it goes in: `budget` has what bears no name, `quality` has everything.
"""


def page() -> str:
    """The page."""
    parts = (_HEAD, _rules(), _DONE, _units(), _TOUCH, _policies(), "## Limits\n", _limits(), _PROMPT, _inlined())
    return "\n".join(parts)


def _rules() -> str:
    rows = [
        (str(number), code(rule.name), line(rule.answer.__doc__)) for number, rule in enumerate(dispatch.RULES, start=1)
    ]
    return table(("", "Rule", "Answers when"), rows)


def _units() -> str:
    rows = [
        (code(kind), code(_id(kind)), code(_file(kind)), _OWES.get(kind, ""), _phase(kind), code(POLICIES[kind]))
        for kind in UnitKind
    ]
    return table(("Kind", "Id", "File", "Also owed", "Model of phase", "Tools"), rows)


def _id(kind: UnitKind) -> str:
    if kind is UnitKind.REWRITE_DOCS:
        return "M001 or M001/S01"
    if kind is UnitKind.QUICK:
        return "quick-1-fix-the-typo"
    depth = {"milestone": "M001", "task": "M001/S01/T01"}
    return next((shape for word, shape in depth.items() if kind.endswith(word)), "M001/S01")


def _file(kind: UnitKind) -> str:
    path = done.artifact(Unit(kind, _id(kind)), DictTree({}))
    return path.rpartition("/")[2].replace("M001", "M###").replace("S01", "S##").replace("T01", "T##") if path else ""


def _phase(kind: UnitKind) -> str:
    return code(PHASE_OF[kind]) if kind in PHASE_OF else "the default model"


def _policies() -> str:
    says = members(tool_policy, "ToolPolicy")
    rows = [
        (code(policy), says[policy.name], ", ".join(code(tool) for tool in tool_policy.offered(policy)))
        for policy in tool_policy.ToolPolicy
    ]
    return table(("Policy", "", "Tools"), rows)


def _limits() -> str:
    requests = SessionSpec._field_defaults["max_requests"]
    rows = [
        ("attempts of one unit on the same inputs", str(retry.ATTEMPTS)),
        ("attempts of one unit on any inputs", str(retry.LIFETIME)),
        ("model requests in one session", str(requests)),
        ("seconds for one command of a gate", f"{TIMEOUT_S:g}"),
        ("scripts of package.json that are taken as a gate", ", ".join(gates.SCRIPTS)),
    ]
    return (
        table(("What", "Limit"), rows)
        + "\n"
        + " ".join(plain(retry.__doc__).split("\n\n")[1].split())
        + " Minutes per unit and retries of a failed gate are [preferences](preferences.md).\n"
    )


def _inlined() -> str:
    rows = [(code(kind), ", ".join(_item(item) for item in MANIFEST[kind])) for kind in UnitKind]
    return table(("Kind", "In this order"), rows)


def _item(item: Item) -> str:
    name = item.source.value.replace("documents/", "form of ")
    said = f"**{name}**" if item.required else name
    return said if item.since is Level.MINIMAL else f"{said} ({_LEVELS[item.since]})"
