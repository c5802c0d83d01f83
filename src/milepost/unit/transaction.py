"""One unit, from intent to commit. Read it top to bottom; each step is one room.

    isolation proved → budget reserved → attempt journaled → session
    → put right → artifacts → gate → box → commit → closed

A crash between any two steps leaves an attempt without an end. Everything after the session may run twice, so
`recover` finishes it at the next start, before anybody derives.
Source: DESIGN "The way through the house", style R6, R7.
"""

from dataclasses import dataclass

from milepost.agents.session import Stop
from milepost.formats.journal import AttemptEnded, AttemptStarted, Result
from milepost.formats.tree import Tree
from milepost.git import commits, snapshot_refs, worktrees
from milepost.model.outcome import (
    Committed,
    Inconclusive,
    Interrupted,
    Outcome,
    OverBudget,
    ProviderFailed,
    TimedOut,
    Unfinished,
    VerifyFailed,
)
from milepost.model.units import Unit
from milepost.prompts.compose import Prompt
from milepost.rules import billing, budget, done, messages, provider_errors, retry, secrets, staging, supervision
from milepost.rules.fingerprint import fingerprint
from milepost.rules.routing import Route
from milepost.unit import before as books_before
from milepost.unit import (
    books,
    by_session,
    ceilings,
    in_their_name,
    leftovers,
    linted,
    noted,
    routing,
    session,
    skills,
    sorted_out,
)
from milepost.unit.bench import Bench
from milepost.unit.converse import Conversation, converse
from milepost.unit.gate import gate
from milepost.unit.leaks import leaks
from milepost.unit.put_right import anchored, others, put_right, shelf_of, tell, tree_of
from milepost.unit.transcript import Transcript
from milepost.unit.unseen import unseen


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What settling needs to know of an attempt; the journal's `AttemptStarted` holds the same."""

    id: str
    unit: Unit
    base: str
    number: int


async def run_unit(unit: Unit, bench: Bench, *, diagnostic: str = "") -> Outcome:
    """Do one unit: one fresh session, then settle what it left. `diagnostic`: why it is tried again, for the prompt."""
    base = worktrees.prove_place(bench.workspace.cwd, bench.workspace.branch, isolation=bench.workspace.isolation)
    tree = tree_of(bench)
    marks = fingerprint(unit, tree)
    past = retry.history(bench.journal.everything(), unit, marks)
    attempt = Attempt(id=session.attempt_id(unit, bench), unit=unit, base=base, number=past.total + 1)

    chosen = routing.route(unit, tree, bench, pin=bench.told.model)
    free = billing.all_flat(bench.preferences, chosen.models)
    if refused := await ceilings.reserve(attempt.id, attempt.unit.type, bench, free=free):
        return refused
    books_before.keep(bench.workspace.root_state, attempt.id, _before(unit, tree, bench))
    with Transcript(bench.workspace.root_state, unit, known_secrets=bench.secrets) as transcript:
        prompt = session.prompt(unit, tree, attempt.number, bench, diagnostic=diagnostic)
        bench.journal.append(_started(attempt, marks, transcript, prompt, chosen, bench))
        linted.put_back(unit, bench)
        bench.watcher.unit_started(unit, attempt.id, attempt.number)
        session.note_unit(unit, attempt.id, transcript.path, bench)
        spec = session.spec(unit, prompt, attempt.id, bench, chosen)
        transcript.begin(attempt=attempt.id, unit=unit, cwd=spec.cwd, at_ms=bench.now_ms(), prompt=prompt.text)
        talk = await converse(spec, attempt.id, bench, transcript)
    skills.note_used(attempt.id, transcript.path, bench)

    if talk.interrupted:
        return _leave(attempt, bench)
    outcome = await settle(attempt, bench)
    return close(attempt, _explained(outcome, talk), bench)


def _before(unit: Unit, tree: Tree, bench: Bench) -> books_before.Before:
    links = in_their_name.links_of(bench.workspace.state)
    return books_before.take(tree, unit.milestone, others(bench), links)


def committed(attempt: Attempt, bench: Bench) -> Committed | None:
    """The commit of an attempt that got as far and was not closed; None: there is none."""
    place = bench.workspace
    commit = commits.find_attempt(place.cwd, place.branch, attempt.base, attempt.id)
    return Committed(commit) if commit else None


async def settle(attempt: Attempt, bench: Bench) -> Outcome:
    """What did the agent really leave on disk? Only then tick, only then commit. May run any number of times."""
    unit, place = attempt.unit, bench.workspace
    books.bring_back(place.state, shelf_of(bench, attempt.id) / "held")
    before = books_before.recall(place.root_state, attempt.id)
    changes = put_right(unit, before, attempt=attempt.id, base=attempt.base, bench=bench)
    if owed := done.missing(unit, tree_of(bench)) or by_session.owed(unit, attempt.id, bench):
        return Unfinished(tuple(f"{o.path}: {o.problem}" for o in owed))
    if problems := linted.refused(unit, before, bench):
        return Unfinished(problems)
    faults = leaks(changes, bench) + unseen(attempt.id, changes, bench)
    faults += tuple(in_their_name.claims(unit, before, bench))
    refused = Unfinished(faults) if faults else await gate(unit, attempt.id, changes, bench)
    for correction in anchored(attempt.id, bench):  # The gate ran what the agent wrote.
        tell(correction, attempt.id, bench)
    if refused is not None:
        books.set_aside(unit, tree_of(bench), place.state, shelf_of(bench, attempt.id) / "held")
        return refused
    books.settle_box(unit, tree_of(bench), place.state)
    sorted_out.book(unit, attempt.id, bench)
    return Committed(_commit(attempt, bench))


def close(attempt: Attempt, outcome: Outcome, bench: Bench) -> Outcome:
    """Journal the end of an attempt, once. An inconclusive one stays open: the next start settles it again."""
    if isinstance(outcome, Inconclusive):
        session.publish(attempt.unit, bench)
        return outcome
    result, reason = ending(outcome)
    commit = outcome.commit if isinstance(outcome, Committed) else ""
    if bench.workspace.isolation != "worktree":
        leftovers.note(bench.workspace.cwd, bench.workspace.state_dir, bench.workspace.milestone)
    bench.journal.append(
        AttemptEnded(
            at_ms=bench.now_ms(), run=bench.run, attempt=attempt.id, result=result, reason=reason, commit=commit
        )
    )
    books_before.drop(bench.workspace.root_state, attempt.id)
    session.publish(attempt.unit, bench)
    return outcome


def ending(outcome: Outcome) -> tuple[Result, str]:
    """The journal's word for an outcome, and why in one line."""
    match outcome:
        case Committed():
            return Result.COMMITTED, ""
        case Unfinished(missing=missing):
            return Result.UNFINISHED, "\n".join(missing)
        case VerifyFailed(failed=failed):
            return Result.VERIFY_FAILED, "\n".join(failed)
        case Inconclusive(reason=reason):
            return Result.INCONCLUSIVE, reason
        case OverBudget(committed=spent, ceiling=limit, scope=scope):
            return Result.OVER_BUDGET, f"{budget.whose(scope)}: {spent} of {limit} micro-USD"
        case ProviderFailed(kind=kind, text=text):
            return Result.PROVIDER_ERROR, f"{kind}: {text}"
        case TimedOut(missing=missing):
            return Result.TIMED_OUT, "\n".join((supervision.ended(outcome), *missing))
        case Interrupted(by=who):
            return Result.INTERRUPTED, who


def _started(
    attempt: Attempt, marks: str, transcript: Transcript, prompt: Prompt, chosen: Route, bench: Bench
) -> AttemptStarted:
    return AttemptStarted(
        at_ms=bench.now_ms(),
        run=bench.run,
        attempt=attempt.id,
        kind=attempt.unit.type,
        unit=attempt.unit.id,
        base=attempt.base,
        branch=bench.workspace.branch,
        fingerprint=marks,
        number=attempt.number,
        agent=bench.agent.name,
        transcript=str(transcript.path.relative_to(bench.workspace.root_state)),
        prompt_chars=len(prompt.system) + len(prompt.text),
        model=chosen.model,
        tier=chosen.tier,
        routed=chosen.why,
        ceiling=chosen.ceiling,
        tags=chosen.tags,
    )


def _leave(attempt: Attempt, bench: Bench) -> Outcome:
    """A person wants to stop now. Finished work stays open for the next start to verify; the rest is closed."""
    outcome = Interrupted("stopped by a person or a signal")
    before = books_before.recall(bench.workspace.root_state, attempt.id)
    put_right(attempt.unit, before, attempt=attempt.id, base=attempt.base, bench=bench)
    if done.missing(attempt.unit, tree_of(bench)) or by_session.owed(attempt.unit, attempt.id, bench):
        return close(attempt, outcome, bench)
    session.publish(attempt.unit, bench)
    return outcome


def _cut_short(talk: Conversation, missing: tuple[str, ...]) -> Outcome | None:
    """The outcome of a session that was ended for it; None: it ended by itself."""
    if talk.over is not None:
        return ceilings.over_budget(talk.over)
    if talk.late is not None:
        return TimedOut(talk.late.seconds / 60, missing, talk.late.why is supervision.Why.IDLE)
    if talk.ended.stop is Stop.ERROR and talk.ended.error is not None:
        error = talk.ended.error
        if provider_errors.charged(error.kind):
            return Unfinished((*missing, error.text))
        return ProviderFailed(str(error.kind), error.text, provider_errors.passing(error.kind))
    return None


def _explained(outcome: Outcome, talk: Conversation) -> Outcome:
    """An unfinished unit says why, when the session shows it; work that is there counts, however the session ended."""
    if not isinstance(outcome, Unfinished):
        return outcome
    if cut := _cut_short(talk, outcome.missing):
        return cut
    if talk.ended.stop is Stop.MAX_REQUESTS:
        return Unfinished((*outcome.missing, f"the session used up its {talk.ended.requests} requests"))
    if talk.ended.tool_calls == 0:
        return Unfinished((*outcome.missing, "the agent called no tool"))
    return outcome


def _commit(attempt: Attempt, bench: Bench) -> str:
    place, unit = bench.workspace, attempt.unit
    told, kind = session.summary_of(unit, tree_of(bench)), bench.preferences.git.commit_type or ""
    message = messages.unit_commit(unit, summary=told, attempt=attempt.id, kind=kind, wish=noted.wish(unit, bench))
    message = secrets.redact(message, bench.secrets)

    def excluded(path: str) -> str | None:
        return staging.excluded(
            path, milestone=unit.milestone, commit_docs=bench.preferences.git.commit_docs, state_dir=place.state_dir
        )

    if bench.preferences.git.snapshots:
        snapshot_refs.take(place.root, place.branch, commits.head(place.cwd), bench.now_ms())
    commit = commits.commit_unit(place.cwd, branch=place.branch, message=message, excluded=excluded)
    return commit or commits.head(place.cwd)
