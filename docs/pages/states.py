"""`exit-codes-and-states.md`: every word that a run or a status can answer with."""

from enum import Enum
from types import ModuleType

from milepost import errors
from milepost.agents import session
from milepost.doctor import finding
from milepost.formats import evidence, journal, signal, status
from milepost.model import state
from milepost.rules import dispatch, lifecycle, provider_errors
from pages.prose import code, line, members, table

_CODES = {
    "DONE": "Nothing is left to do, or the command did what it was asked.",
    "ERROR": "The command line, the settings, the repository or the disk is not as it has to be; or a time limit "
    "(`--timeout`) passed.",
    "BLOCKED": "A person has to decide or mend something; the hint says what. `gsd doctor`: errors were found.",
    "PAUSED": "Work can go on when something outside is mended, or because somebody asked for a pause.",
    "BUDGET": "The next unit does not fit below `budget_ceiling`.",
    "INTERRUPTED": "Stopped by a signal or `gsd stop`; the next start goes on from here.",
}
_SECTIONS: tuple[tuple[str, ModuleType, type[Enum]], ...] = (
    ("Phases of the active milestone", state, state.Phase),
    ("Milestones in the registry", state, state.Status),
    ("Endings of an attempt", journal, journal.Result),
    ("Verdicts of a gate", evidence, evidence.Verdict),
    ("Stops of a session", session, session.Stop),
    ("Failures of a model provider", provider_errors, provider_errors.ErrorKind),
    ("Halts of the dispatch table", dispatch, dispatch.Level),
    ("Findings of the doctor", finding, finding.Severity),
    ("Orders", signal, signal.Order),
    ("A worker, inside", lifecycle, lifecycle.Worker),
    ("A worker, as published", status, status.WorkerState),
)


def page() -> str:
    """The page."""
    rows = [(str(errors.ExitCode[name].value), name.lower(), says) for name, says in _CODES.items()]
    if {name for _, name, _ in rows} != {each.name.lower() for each in errors.ExitCode}:
        raise LookupError("an exit code has no sentence in docs/pages/states.py")
    return "\n".join(
        [
            "# Exit codes and states\n",
            (
                "The same codes for every command. The word is `status` in the JSON summary of `gsd headless`, "
                "and `state` in the journal.\n"
            ),
            table(("Code", "Word", "Meaning"), rows),
            *(_section(*section) for section in _SECTIONS),
        ]
    )


def _section(heading: str, module: ModuleType, kind: type[Enum]) -> str:
    says = members(module, kind.__name__)
    rows = [(code(str(each.value)), says[each.name]) for each in kind]
    listed = table(("Word", ""), rows) if any(text for _, text in rows) else ", ".join(word for word, _ in rows) + ".\n"
    return f"## {heading}\n\n{line(kind.__doc__)}\n\n{listed}"
