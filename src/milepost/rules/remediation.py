"""What follows a verdict: of a slice's acceptance test, and of a milestone's validation.

A test that failed gets a slice of its own behind the one that it tested, with one task that has the findings; when
that is done the test is carried out again. Both are counted by what lies on disk: the slices that say in their
context what they remedy, and the reports of earlier validations. What a person has to judge waits for a person's
word (`gsd verdict`), which stands in the same files. Pure. Source: spec auto 2.20, 4.3, 8.12; field-reports 197.
"""

import re
from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple

from milepost.errors import FormatError
from milepost.formats import roadmap, uat, validation
from milepost.formats.tree import (
    Tree,
    milestone_dir,
    milestone_file,
    milestone_path,
    read,
    slice_file,
    slice_path,
    task_path,
)
from milepost.rules import done

ROUNDS = 3
"""Remedies for one test, and for one milestone's validation, before a person is asked."""
_MOST_QUOTED = 12_000
"""Characters of a result that a remedy's task carries."""


class Stand(StrEnum):
    """Where the acceptance test of a finished slice stands."""

    UNTESTED = "untested"
    PASSED = "passed"
    FAILED = "failed"
    """A remedy is to be planned."""
    MENDING = "mending"
    """A slice that remedies it is open."""
    WAITS = "waits"
    """A person's word is needed."""
    EXHAUSTED = "exhausted"
    """It failed, and as many remedies as may be were tried."""


class Test(NamedTuple):
    """The acceptance test of one slice."""

    slice: str
    stand: Stand
    said: str
    """The verdict, empty when there is none."""
    rounds: int
    """Remedies so far."""


class Remedy(NamedTuple):
    """A slice with one task, planned by rule. writes: (path, text, reason), in the order to be written."""

    slice: str
    task: str
    writes: tuple[tuple[str, str, str], ...]


def remedied(tree: Tree, mid: str, sid: str) -> str:
    """The slice whose test this one is a remedy for; empty when it is an ordinary one."""
    return uat.remedied(read(tree, slice_file(tree, mid, sid, "CONTEXT")))


def last_done(tree: Tree, mid: str, slices: tuple[roadmap.Slice, ...]) -> str:
    """The last finished slice in the roadmap's order that is no remedy; empty when none is."""
    finished = (entry.id for entry in reversed(slices) if entry.done)
    return next((sid for sid in finished if not remedied(tree, mid, sid)), "")


def tests(tree: Tree, mid: str, slices: tuple[roadmap.Slice, ...]) -> Iterator[Test]:
    """The tests that matter now: of the slice finished last, and of those that were remedied or judged by a person."""
    remedies = {entry.id: tested for entry in slices if (tested := remedied(tree, mid, entry.id))}
    ordinary = [entry.id for entry in slices if entry.done and entry.id not in remedies]
    for sid in ordinary:
        judged = uat.by_person(result(tree, mid, sid)[1])
        if sid == ordinary[-1] or sid in remedies.values() or judged:
            own = [entry for entry in slices if remedies.get(entry.id) == sid]
            if found := _test(tree, mid, sid, judged, own):
                yield found


def result(tree: Tree, mid: str, sid: str) -> tuple[str, str]:
    """Path and text of the test's result, from either place one is kept."""
    for suffix in ("UAT-RESULT", "ASSESSMENT"):
        path = slice_file(tree, mid, sid, suffix)
        if path and uat.verdict(text := read(tree, path)):
            return path, text
    return slice_path(tree, mid, sid, "UAT-RESULT"), read(tree, slice_file(tree, mid, sid, "UAT-RESULT"))


def _test(tree: Tree, mid: str, sid: str, judged: bool, remedies: list[roadmap.Slice]) -> Test | None:
    script, said = read(tree, slice_file(tree, mid, sid, "UAT")), done.uat_verdict(tree, mid, sid) or ""
    if not script and not said:
        return None
    if any(not entry.done for entry in remedies):
        stand = Stand.MENDING
    elif not said:
        stand = Stand.UNTESTED
    elif judged:
        stand = Stand.PASSED if said == "pass" else Stand.FAILED
    else:
        stand = _by_session(said, uat.with_people(uat.mode(script)), len(remedies))
    return Test(sid, stand, said, len(remedies))


def _by_session(said: str, with_people: bool, rounds: int) -> Stand:
    if said == "fail" or (said == "partial" and not with_people):
        return Stand.FAILED if rounds < ROUNDS else Stand.EXHAUSTED
    return Stand.WAITS if with_people or said != "pass" else Stand.PASSED


def remedy(tree: Tree, mid: str, test: Test) -> Remedy | None:
    """The slice for a test that failed; None when the roadmap is written in a way that cannot take one."""
    plan_path = milestone_path(tree, mid, "ROADMAP")
    text = read(tree, plan_path)
    new, task = _free_id(tree, mid, text), "T01"
    title = f"Mend what the acceptance test of {test.slice} found" + (f" ({test.rounds + 1})" if test.rounds else "")
    entry = roadmap.Slice(
        id=new, title=title, risk="medium", depends=(test.slice,), done=False,
        demo=f"the acceptance test of {test.slice} passes.",
    )  # fmt: skip
    try:
        listed = roadmap.add(text, entry, after=test.slice)
    except FormatError:
        return None
    path, said = result(tree, mid, test.slice)
    reason = f"the acceptance test of {mid}/{test.slice} ended {test.said}; {new} mends that"
    return Remedy(new, task, (
        (slice_path(tree, mid, new, "CONTEXT"), _context(mid, new, test), reason),
        (task_path(tree, mid, new, task, "PLAN"), _task_plan(task, title, test.slice, said), reason),
        (slice_path(tree, mid, new, "PLAN"), _plan(new, task, title, test.slice), reason),
        (path, uat.reopen(said), f"the acceptance test of {mid}/{test.slice} is carried out again after {new}"),
        # Last: without it nothing of the above counts, and a run that was killed before it tests once more.
        (plan_path, listed, reason),
    ))  # fmt: skip


def _free_id(tree: Tree, mid: str, text: str) -> str:
    home = milestone_dir(tree, mid) or f"milestones/{mid}"
    known = [entry.id for entry in roadmap.slices(text)] + list(tree.names(f"{home}/slices"))
    used = [int(found[1]) for name in known if (found := re.match(r"S(\d+)", name))]
    return f"S{max(used, default=0) + 1:02d}"


def _context(mid: str, sid: str, test: Test) -> str:
    return (
        f"---\nid: {sid}\nmilestone: {mid}\nstatus: complete\nremediates: {test.slice}\nround: {test.rounds + 1}\n---\n"
        f"# {sid}: Context\n\nThe acceptance test of {test.slice} ended {test.said}. This slice mends what it found, "
        "and nothing else; then the test is carried out again.\n"
    )


def _plan(sid: str, task: str, title: str, tested: str) -> str:
    return (
        f"# {sid}: {title}\n\n**Goal:** The acceptance test of {tested} passes.\n"
        f"**Demo:** {tested}-UAT.md, carried out again.\n\n"
        f"## Must-Haves\n\n- Everything that the test reports as failed works.\n\n## Tasks\n\n"
        f"- [ ] **{task}: {title}** `est:30m`\n  - Do: mend each finding in {task}-PLAN.md\n"
        f"  - Done when: every step of {tested}-UAT.md holds\n"
    )


def _task_plan(task: str, title: str, tested: str, said: str) -> str:
    quoted = "\n".join(f"> {line}".rstrip() for line in said[:_MOST_QUOTED].splitlines())
    return (
        f"# {task}: {title}\n\n## Description\n\nThe acceptance test of {tested} did not pass. Find the cause of each "
        f"finding below in the code and mend it. Change neither the test's script nor its result.\n\n"
        f"## Steps\n\n1. Reproduce each finding.\n2. Mend its cause.\n3. Carry out the steps that failed again.\n\n"
        f"## Must-Haves\n\n- [ ] Every step of {tested}-UAT.md holds\n\n## Findings\n\n{quoted}\n"
    )


def validations(tree: Tree, mid: str) -> int:
    """How many reports asked for remediation and were followed by slices for it."""
    home = milestone_dir(tree, mid) or f"milestones/{mid}"
    return sum(1 for name in tree.names(home) if re.fullmatch(rf"{re.escape(mid)}-VALIDATION-R\d+\.md", name))


def revalidation(tree: Tree, mid: str) -> tuple[tuple[str, str, str], ...]:
    """What is written when there are slices for a verdict that asked for remediation: it is spent, the report kept."""
    path = milestone_path(tree, mid, "VALIDATION")
    text = read(tree, path)
    if validation.verdict(text) != validation.NEEDS_REMEDIATION:
        return ()
    home, rounds = path.rpartition("/")[0], validations(tree, mid)
    # A run that was killed between the two has kept it already.
    if read(tree, f"{home}/{mid}-VALIDATION-R{rounds}.md") != text:
        rounds += 1
    return (
        (f"{home}/{mid}-VALIDATION-R{rounds}.md", text, "the report that asked for remediation is kept"),
        (path, validation.reopen(text), "remediation slices are planned; the milestone is validated again"),
    )


def validated_in_vain(tree: Tree, mid: str) -> bool:
    """Whether a session asks for remediation once more than may be. A person may ask as often as wanted."""
    text = read(tree, milestone_file(tree, mid, "VALIDATION"))
    asks = validation.verdict(text) == validation.NEEDS_REMEDIATION and not validation.by_person(text)
    return asks and validations(tree, mid) >= ROUNDS
