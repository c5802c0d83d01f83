"""The post-mortem as a document: what was out of the ordinary, unit traces, who is at work. Markdown and JSON."""

from collections import Counter
from collections.abc import Sequence

from milepost.doctor import forensics_trace
from milepost.doctor.forensics import Anomaly, Reader
from milepost.doctor.forensics_trace import Trace
from milepost.model.words import counted
from milepost.rules.attempts import Attempt
from milepost.ui.views import why_project, why_unit
from milepost.ui.views.parallel_text import plain
from milepost.ui.views.situation import Situation

_TRACED = 5
"""Units that are traced, those with the most trouble first."""


def markdown(found: Sequence[Anomaly], here: Situation, trace: Reader) -> str:
    """The report."""
    standing = why_project.standing(here)
    lines = [
        "# Forensics",
        "",
        f"The project is {standing.word}: {plain(standing.cause).rstrip('.')}.",
        "",
        _sum(found),
        "",
    ]
    if found:
        lines += ["## Out of the ordinary", "", *(_row(one, here) for one in found), ""]
    traced = _traced(found, here)
    if traced:
        lines += ["## Unit traces", ""]
    for attempt in traced:
        lines += _trace(attempt, forensics_trace.of(trace(attempt)), here)
    lines += ["## Who is at work", "", *_at_work(here), ""]
    return "\n".join(lines)


def document(found: Sequence[Anomaly], here: Situation, report: str, cause: str = "") -> dict[str, object]:
    """The same for programs."""
    standing = why_project.standing(here)
    return {
        "state": standing.word,
        "cause": standing.cause,
        "anomalies": [
            {
                "code": one.code,
                "trouble": str(one.trouble),
                "unit": one.unit or None,
                "says": one.says,
                "at": one.at_ms,
                "attempts": list(one.attempts),
                "evidence": one.evidence or None,
            }
            for one in found
        ],
        "rootCause": cause or None,
        "report": report or None,
    }


def _sum(found: Sequence[Anomaly]) -> str:
    if not found:
        return "Nothing was out of the ordinary."
    kinds = ", ".join(f"{number} {kind}" for kind, number in Counter(str(one.trouble) for one in found).most_common())
    return f"{counted(len(found), 'anomaly') if len(found) == 1 else f'{len(found)} anomalies'}, by trouble: {kinds}."


def _row(one: Anomaly, here: Situation) -> str:
    about = f"{one.unit.replace('/M', ' M', 1)}: " if one.unit else ""
    where = f" ({one.evidence})" if one.evidence else ""
    return f"- {here.clock(one.at_ms)} **{one.code}** [{one.trouble}] {plain(about + one.says)}{where}"


def _traced(found: Sequence[Anomaly], here: Situation) -> list[Attempt]:
    """The latest attempt of each unit that had trouble."""
    units = [unit for unit, _ in Counter(one.unit for one in found if one.unit).most_common(_TRACED)]
    latest = {attempt.key: attempt for attempt in here.attempts}
    return [latest[unit] for unit in units if unit in latest]


def _trace(attempt: Attempt, trace: Trace, here: Situation) -> list[str]:
    lines = [f"### {attempt.named}, attempt {attempt.started.number}", ""]
    lines += [f"- Result: {why_unit.result(attempt, here)}", f"- Cost: {why_unit.cost(attempt)}"]
    if trace.calls:
        lines.append(f"- Tools: {', '.join(f'{tool} {times}x' for tool, times in trace.calls)}")
    lines += [f"- Written: {', '.join(trace.written)}"] if trace.written else []
    lines += [f"- Command {'ok' if ok else 'FAILED'}: `{plain(command)}`" for command, ok in trace.commands]
    lines += [f"- Error: {plain(error)}" for error in trace.errors]
    lines += [f"- Never answered: {plain(call)}" for call in trace.pending]
    lines += [f"- Last words: {plain(trace.words)}"] if trace.words else []
    return [*map(plain, lines), ""]


def _at_work(here: Situation) -> list[str]:
    found = [f"- auto mode, pid {here.pid}, run {here.runner}"] if here.pid else []
    found += [f"- {runner.named}, run {runner.run or 'unknown'}" for runner in here.look.runners]
    flying = [f"- in flight: {attempt.named}, attempt {attempt.started.number}" for attempt in here.at_work]
    open_ = [a for a in here.attempts if a.ended is None and not here.open(a)]
    left = [f"- open, and nobody is at it: {a.named}, attempt {a.started.number}" for a in open_]
    return [*found, *flying, *left] or ["- Nobody."]
