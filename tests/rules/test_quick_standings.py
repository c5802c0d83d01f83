"""What became of a quick task, as the journal tells it."""

import pytest

from milepost.formats.journal import (
    AnyEvent,
    AttemptEnded,
    AttemptStarted,
    Landed,
    LandingEnded,
    QuickAsked,
    QuickDiscarded,
    Result,
    Verified,
)
from milepost.model.work import branch_of
from milepost.rules import quick
from milepost.rules.quick import NoSuchTask, Standing

ONE, TWO = "quick-1-fix-it", "quick-2-more"
COMMIT, TIP = "c" * 40, "d" * 40


def asked(key: str = ONE, text: str = "fix it") -> QuickAsked:
    return QuickAsked(at_ms=1, run="r", quick=key, text=text, target="main")


def started(attempt: str = "a", key: str = ONE, branch: str = "") -> AttemptStarted:
    branch = branch or branch_of(key)
    return AttemptStarted(
        at_ms=2, run="r", attempt=attempt, kind="quick", unit=key, base="", branch=branch, fingerprint="f", number=1
    )


def ended(result: Result, attempt: str = "a", reason: str = "") -> AttemptEnded:
    commit = TIP if result is Result.COMMITTED else ""
    return AttemptEnded(at_ms=3, run="r", attempt=attempt, result=result, reason=reason, commit=commit)


def judged() -> Verified:
    told = "no test ran"
    return Verified(at_ms=3, run="r", attempt="a", verdict="inconclusive", source="preference", checks=1, reason=told)


def landed(key: str = ONE) -> Landed:
    return Landed(at_ms=4, run="r", milestone=key, target="main", commit=COMMIT, tip=TIP)


def landing(outcome: str, reason: str = "", hint: str = "") -> LandingEnded:
    return LandingEnded(at_ms=4, run="r", milestone=ONE, outcome=outcome, target="main", reason=reason, hint=hint)


def discarded(reason: str = "") -> QuickDiscarded:
    return QuickDiscarded(at_ms=5, run="r", quick=ONE, reason=reason)


BEGUN = (asked(), started())
FAILED = (*BEGUN, ended(Result.VERIFY_FAILED, reason="make: exit code 1"))
DONE = (*BEGUN, ended(Result.COMMITTED))


@pytest.mark.parametrize(
    ("events", "standing", "attempts", "is_open", "reason", "commit"),
    [
        pytest.param((asked(),), Standing.WAITING, 0, False, "", "", id="asked"),
        pytest.param(BEGUN, Standing.WAITING, 1, True, "", "", id="cut-off"),
        pytest.param(FAILED, Standing.WAITING, 1, False, "make: exit code 1", "", id="gate"),
        pytest.param((*BEGUN, judged()), Standing.WAITING, 1, True, "gate inconclusive: no test ran", "", id="unjudged"),
        pytest.param((*FAILED, started("b")), Standing.WAITING, 2, True, "make: exit code 1", "", id="again"),
        pytest.param(DONE, Standing.DONE, 1, False, "", TIP, id="done"),
        pytest.param((*DONE, landing("conflict", "conflicts")), Standing.DONE, 1, False, "conflicts", TIP, id="conflict"),
        pytest.param((*DONE, landing("kept", "busy"), landed()), Standing.LANDED, 1, False, "", COMMIT, id="landed"),
        pytest.param(
            (asked(), started(branch="main"), ended(Result.COMMITTED)), Standing.LANDED, 1, False, "", TIP, id="in-place"
        ),
        pytest.param((*BEGUN, discarded()), Standing.DISCARDED, 1, False, "", "", id="discarded"),
        pytest.param((*DONE, landed(TWO)), Standing.DONE, 1, False, "", TIP, id="another-landed"),
        pytest.param((*BEGUN, ended(Result.INTERRUPTED)), Standing.WAITING, 1, False, "interrupted", "", id="stopped"),
    ],
)  # fmt: skip
def test_standing(
    events: tuple[AnyEvent, ...], standing: Standing, attempts: int, is_open: bool, reason: str, commit: str
) -> None:
    one = quick.fold(events)[0]
    assert (one.standing, one.attempts, one.open, one.reason, one.commit) == (
        standing,
        attempts,
        is_open,
        reason,
        commit,
    )
    assert one.waits == (standing in (Standing.WAITING, Standing.DONE))


def test_order_and_strangers() -> None:
    told = quick.fold([asked("quick-10-j"), asked(TWO), asked("M001"), started(key="quick-9-unknown"), asked()])
    assert [one.number for one in told] == [1, 2, 10]
    assert (quick.wish([asked(TWO), asked()], ONE), quick.wish([], ONE)) == ("fix it", "")


@pytest.mark.parametrize(
    ("events", "number", "said"),
    [
        ((), None, "no quick task waits"),
        ((), 3, "there is no quick task 3"),
        ((asked(), asked(TWO, "more")), None, "2 quick tasks wait: 1 (fix it), 2 (more)"),
        ((*DONE, landed()), 1, "quick task 1 is landed"),
        ((*DONE, landed()), None, "no quick task waits"),
        ((asked(), discarded()), 1, "quick task 1 is discarded"),
    ],
)
def test_none_to_go_on_with(events: tuple[AnyEvent, ...], number: int | None, said: str) -> None:
    with pytest.raises(NoSuchTask, match=said.replace("(", r"\(").replace(")", r"\)")) as refused:
        quick.chosen(quick.fold(events), number)
    assert refused.value.hint
    assert refused.value.exit_code == 2


@pytest.mark.parametrize(
    ("events", "number", "key"),
    [
        ((asked(),), None, ONE),
        ((asked(), asked(TWO)), 2, TWO),
        ((*DONE, landed(), asked(TWO)), None, TWO),
        (DONE, 1, ONE),
    ],
)
def test_the_one_to_go_on_with(events: tuple[AnyEvent, ...], number: int | None, key: str) -> None:
    assert quick.chosen(quick.fold(events), number).key == key


@pytest.mark.parametrize(
    ("hint", "typed"),
    [
        ("gsd auto goes on from here.", "gsd quick --resume 1 goes on from here."),
        (f"Mend it, then gsd auto --retry {ONE}", "Mend it, then gsd quick --resume 1 --retry"),
        (f"Resolve it there, then gsd parallel merge {ONE}", "Resolve it there, then gsd quick --resume 1"),
        ("gsd doctor", "gsd doctor"),
        ("", ""),
    ],
)
def test_hints_speak_of_the_task(hint: str, typed: str) -> None:
    assert quick.onward(ONE, hint) == typed
