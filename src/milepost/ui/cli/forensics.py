"""`gsd forensics`: what was out of the ordinary, with evidence, in a report below `.gsd/forensics/`.

No model is asked, and nothing is spent, unless `--ask` says so. Source: parallel PR-240; spec auto 7.
"""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from milepost.doctor import forensics, trace
from milepost.doctor.forensics import Anomaly
from milepost.doctor.trace import Entry
from milepost.errors import ExitCode
from milepost.rules import secrets
from milepost.rules.attempts import Attempt
from milepost.store import atomic
from milepost.ui.cli import arguments, context, credentials, looking
from milepost.ui.views import forensics as view
from milepost.ui.views.situation import Situation

_UNITS = {"m": 60_000, "h": 3_600_000, "d": 86_400_000}


def parser(program: str) -> argparse.ArgumentParser:
    """The options."""
    made = arguments.Parser(
        prog=f"{program} forensics",
        description="What was out of the ordinary: loops, cost spikes, timeouts, crashes, broken tool calls.",
    )
    made.add_argument("--since", type=_span, default=0, metavar="SPAN", help="only the last 30m, 12h or 7d")
    made.add_argument("--json", action="store_true", help="the anomalies as one JSON object")
    made.add_argument("--ask", action="store_true", help="let an agent look for the root cause; this costs money")
    made.add_argument("--agent", metavar="SPEC", default="builtin", help="who is asked: builtin (default), replay:FILE")
    made.add_argument("--model", metavar="NAME", help="the model; else auto_supervisor.model, else the default one")
    made.add_argument("--no-report", action="store_true", help="write no file")
    return made


def run(argv: Sequence[str], program: str) -> int:
    """Look, write the report, show it."""
    options = parser(program).parse_args(argv)
    where = context.find(program)
    state = Path(where.root, where.state_dir)
    here = looking.around(where, program)

    def read(attempt: Attempt) -> tuple[Entry, ...]:
        return trace.read(state / attempt.started.transcript) if attempt.started.transcript else ()

    found = forensics.examine(_material(here, read, options.since))
    text = secrets.redact(view.markdown(found, here, read), credentials.of_project(where))
    if not options.json:
        # Whatever an agent and the disk do afterwards, what was found is said.
        sys.stdout.write(text)
        sys.stdout.flush()
    cause = _asked(text, found, here, where, options) if options.ask else ""
    more = f"\n{cause}" if cause else ""
    kept = _Kept() if options.no_report else _keep(text + more, state, here.now_ms)
    if options.json:
        document = json.dumps(view.document(found, here, kept.report, cause) | kept.failure)
        sys.stdout.write(secrets.redact(document, credentials.of_project(where)) + "\n")
    else:
        sys.stdout.write(more + kept.words)
    return ExitCode.DONE


def _material(here: Situation, read: forensics.Reader, since_ms: int) -> forensics.Material:
    hard_ms = round(here.preferences.auto_supervisor.hard_timeout_minutes * 60_000)
    return forensics.Material(
        events=here.events,
        attempts=here.attempts,
        runs=here.runs,
        alive=here.alive,
        trace=read,
        since_ms=here.now_ms - since_ms if since_ms else 0,
        silence_ms=hard_ms * 3 // 2,
    )


def _asked(
    report: str, found: Sequence[Anomaly], here: Situation, where: context.Where, options: argparse.Namespace
) -> str:
    """What an agent makes of it, under a heading that says who was asked."""
    # A library, or the agent loop, is loaded only by who asks.
    import anyio

    from milepost.doctor import root_cause
    from milepost.ui.cli import agents

    env = credentials.environ(where.home)
    model = options.model or here.preferences.auto_supervisor.model or agents.default_model(env)
    wanted = agents.Wanted(agent=options.agent, model=model or None, record=None, pace_s=0.0)
    agents.require(wanted, here.preferences, env)
    maker = agents.maker(wanted, agents.models(wanted, here.preferences, env), env)
    inquiry = root_cause.Inquiry(
        state=Path(where.root, where.state_dir),
        agent=maker({}),
        models=(model,) if model else (),
        preferences=here.preferences,
        report=report,
        transcripts=tuple(dict.fromkeys(one.evidence for one in found if one.evidence.startswith("activity/"))),
        carried=here.carried,
        now_ms=lambda: time.time_ns() // 1_000_000,
        secrets=credentials.of_project(where),
    )
    answer = anyio.run(root_cause.ask, inquiry)
    return f"## Root cause, as {', '.join(filter(None, (inquiry.agent.name, model)))} sees it\n\n{answer}\n"


class _Kept(NamedTuple):
    """What became of the file."""

    report: str = ""
    """Its path as a person would type it at the root; empty: there is none."""
    error: str = ""
    """Why it could not be written."""

    @property
    def words(self) -> str:
        """The last line."""
        failed = f"\nThe report could not be written: {self.error}\n" if self.error else ""
        return f"\nReport: {self.report}\n" if self.report else failed

    @property
    def failure(self) -> dict[str, object]:
        """The same for programs; nothing when all went well."""
        return {"reportError": self.error} if self.error else {}


def _keep(text: str, state: Path, now_ms: int) -> _Kept:
    """Write it. A disk that is full or read-only is a reason to look for trouble, and none to keep quiet about it."""
    name = f"report-{time.strftime('%Y-%m-%dT%H-%M-%SZ', time.gmtime(now_ms / 1000))}.md"
    try:
        atomic.replace(state / "forensics" / name, text.encode("utf-8", "replace"), within=state)
    except (OSError, atomic.LeadsOut) as error:
        said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        return _Kept(error=f"{state.name}/forensics/{name}: {said}")
    return _Kept(report=f"{state.name}/forensics/{name}")


def _span(text: str) -> int:
    """Milliseconds of `30m`, `12h`, `7d`."""
    number, unit = text[:-1], text[-1:]
    if unit not in _UNITS or not number.isdigit() or not int(number):
        raise argparse.ArgumentTypeError("must be a span like 30m, 12h or 7d")
    return int(number) * _UNITS[unit]
