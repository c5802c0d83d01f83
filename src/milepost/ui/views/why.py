"""`gsd why`: find what a question is about, and tell it.

    (nothing)                          the project: why it is paused, blocked, waiting, running, done
    paused, blocked, …                 the same, and whether it is
    cost [M001]                        the money
    M001                               a milestone
    M001/S01/T02, execute-task/M001/S01/T02, T02, S01     the unit, or all units of that id
    quick/1, quick-1                   a quick task
    an attempt's id                    its unit

Source: DESIGN rule 10; issue "Knowing what happened".
"""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches

from milepost.errors import MilepostError
from milepost.rules.dispatch import Dispatch
from milepost.ui.views import why_cost, why_milestone, why_project, why_unit
from milepost.ui.views.inbox import Row
from milepost.ui.views.situation import Situation
from milepost.ui.views.story import Section, Story


class NothingSuch(MilepostError):
    """A question about something that neither plan nor journal knows."""


def explain(words: Sequence[str], here: Situation, waiting: tuple[Row, ...]) -> Story:
    """The answer. waiting: the inbox. Raises NothingSuch."""
    about, state = _split(words)
    if about == "cost":
        return why_cost.story(here, _milestone(state, here) if state else "")
    if not about:
        return why_project.story(here, waiting, state)
    if about in _titles(here):
        return why_milestone.story(about, here, tuple(row for row in waiting if row.milestone == about))
    keys = units(about, here)
    if not keys:
        raise _unknown(about, here)
    return _together(about, [why_unit.story(key, here) for key in keys])


def units(about: str, here: Situation) -> list[str]:
    """Keys of the units that a word names, in the order they were first tried; also of a planned one without a try."""
    known = {a.key: a.started.unit for a in here.attempts}
    for one in here.quick:
        known.setdefault(one.unit.key, one.key)
        if about in (f"quick/{one.number}", f"quick-{one.number}"):
            return [one.unit.key]
    if isinstance(here.decision, Dispatch):
        known.setdefault(here.decision.unit.key, here.decision.unit.id)
    if about in known:
        return [about]
    named = [a.key for a in here.attempts if a.id == about]
    found = named or [key for key, unit in known.items() if unit == about] or _planned(about, here)
    return found or _part(about, known, here)


def _part(about: str, known: Mapping[str, str], here: Situation) -> list[str]:
    """Units of a slice or task that is named without its milestone: of the active one, else of the latest."""
    same = {key: unit for key, unit in known.items() if unit.endswith(f"/{about}")}
    active = here.state.active_milestone
    ids = [unit for unit in same.values() if active and unit.startswith(f"{active.id}/")] or list(same.values())
    if ids:
        return [key for key, unit in same.items() if unit == ids[-1]]
    return _planned(f"{active.id}/{about}", here) if active else []


def _planned(about: str, here: Situation) -> list[str]:
    """A unit that only the plan knows, by its id with or without its kind."""
    _, slash, unit = about.partition("/M")
    unit = f"M{unit}" if slash else about
    if unit not in here.planned():
        return []
    return [about] if slash else [f"{'execute-task' if unit.count('/') == 2 else 'plan-slice'}/{unit}"]


def _split(words: Sequence[str]) -> tuple[str, str]:
    """What is asked about, and the state that the person believes it to be in: `M003 paused`, `cost M001`."""
    states = {"stopped": "interrupted", "failed": "error", **{word: word for word in why_project.STATES}}
    state = next((states[word] for word in words if word in states), "")
    rest = [word for word in words if word not in states and word not in ("is", "it", "did")]
    if rest[:1] == ["cost"]:
        return "cost", rest[1] if len(rest) > 1 else ""
    # `execute-task M001/S01/T02` is written like that everywhere else.
    return "/".join(rest), state


def _milestone(word: str, here: Situation) -> str:
    if word not in _titles(here):
        raise _unknown(word, here)
    return word


def _titles(here: Situation) -> list[str]:
    return [entry.id for entry in here.state.registry]


def _unknown(about: str, here: Situation) -> NothingSuch:
    known = [*_titles(here), *dict.fromkeys(a.started.unit for a in here.attempts), "cost"]
    close = get_close_matches(about, known, n=1)
    hint = f"Did you mean {close[0]}?" if close else f"{here.program} status names what there is."
    return NothingSuch(f"{about}: no unit and no milestone of that name was planned or tried", hint=hint)


def _together(about: str, told: list[Story]) -> Story:
    """Several units of one id, one after the other."""
    if len(told) == 1:
        return told[0]
    sections = []
    for one in told:
        sections += [Section(title="", facts=(("unit", one.says),)), *one.sections]
    return Story(
        says=f"{about} has {len(told)} units.",
        sections=tuple(sections),
        next=next((one.next for one in reversed(told) if one.next), ""),
        document={"about": "units", "id": about, "units": [one.document for one in told]},
    )
