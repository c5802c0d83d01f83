"""What is due in a running session, from times alone."""

import pytest

from milepost.formats.preferences import AutoSupervisor
from milepost.model.outcome import TimedOut
from milepost.rules import supervision
from milepost.rules.supervision import End, Limits, Steer, Watched, Why

LIMITS = supervision.limits(AutoSupervisor())


def seen(ran: float, silent: float = 0, **facts: object) -> Watched:
    """Minutes here, seconds there."""
    return Watched(ran_s=ran * 60, silent_s=silent * 60, **facts)  # type: ignore[arg-type]


@pytest.mark.spec(id="PR-241")
@pytest.mark.parametrize(
    ("watched", "due"),
    [
        (seen(0), None),
        (seen(19.9, 9.9), None),
        (seen(20), Steer(Why.SOFT)),
        (seen(20, soft=True), None),
        (seen(10, 10), Steer(Why.IDLE)),
        (seen(12, 10, idle=1), Steer(Why.IDLE)),
        (seen(15, 9.9, idle=2), None),
        (seen(15, 10, idle=2), End(Why.IDLE, 600)),
        (seen(24.9, soft=True), None),
        (seen(25, soft=True), Steer(Why.HARD)),
        # The last message says all that the soft one would.
        (seen(25), Steer(Why.HARD)),
        (seen(25, hard_s=1500), None),
        (seen(29.9, soft=True, hard_s=1500), None),
        (seen(30, soft=True, hard_s=1500), End(Why.HARD, 1800)),
        # Nobody is ended without the last message.
        (seen(31), Steer(Why.HARD)),
        (seen(31, hard_s=31 * 60), None),
        (seen(36, hard_s=31 * 60), End(Why.HARD, 1800)),
        (seen(30, 10, soft=True, idle=2, hard_s=1500), End(Why.IDLE, 600)),
    ],
    ids=str,
)
def test_what_is_due(watched: Watched, due: object) -> None:
    assert supervision.due(watched, LIMITS) == due


@pytest.mark.parametrize(
    ("estimate", "minutes"),
    [
        ("", None),
        ("soon", None),
        ("5m", (20, 10, 30)),
        ("30m", (20, 10, 30)),
        ("1h", (40, 20, 60)),
        ("~1.5 hours", (60, 30, 90)),
        ("1h30m", (60, 30, 90)),
        ("30-45m", (30, 15, 45)),
        ("1d", (120, 60, 180)),
        ("40d", (120, 60, 180)),
    ],
)
def test_an_estimate_beyond_the_hard_limit_stretches_all_three(
    estimate: str, minutes: tuple[int, int, int] | None
) -> None:
    soft, idle, hard = minutes or (20, 10, 30)
    assert supervision.limits(AutoSupervisor(), estimate) == Limits(soft * 60, idle * 60, hard * 60)


@pytest.mark.parametrize(
    ("settings", "grace", "poll"),
    [
        (AutoSupervisor(), 300, 15),
        (AutoSupervisor(hard_timeout_minutes=5), 60, 15),
        (AutoSupervisor(idle_timeout_minutes=1), 300, 6),
        (AutoSupervisor(hard_timeout_minutes=0.001), 0.012, 0.05),
    ],
)
def test_how_long_the_last_word_is_and_how_often_one_looks(settings: AutoSupervisor, grace: float, poll: float) -> None:
    limit = supervision.limits(settings)
    assert (limit.grace_s, limit.poll_s) == (pytest.approx(grace), pytest.approx(poll))


@pytest.mark.parametrize(
    ("percent", "threshold", "told", "asks"),
    [
        (69, 0, None, None),
        (70, 0, None, Why.CONTEXT),
        (99, 0, Why.CONTEXT, None),
        (70, 90, None, Why.CONTEXT),
        (90, 90, Why.CONTEXT, Why.CONTEXT_PAUSE),
        (95, 90, Why.CONTEXT_PAUSE, None),
        (40, 40, None, Why.CONTEXT_PAUSE),
        (80, 40, Why.CONTEXT_PAUSE, None),
    ],
)
def test_what_a_full_window_asks_for(percent: float, threshold: float, told: Why | None, asks: Why | None) -> None:
    assert supervision.context(percent, threshold, told=told) is asks


@pytest.mark.parametrize("why", list(Why))
def test_every_message_names_what_is_owed_and_where_notes_go(why: Why) -> None:
    words = supervision.message(
        why, LIMITS, seen(20, 10), owed=["a.md: does not exist"], notes="S01-CONTINUE.md", percent=71
    )
    assert "- a.md: does not exist" in words
    assert "S01-CONTINUE.md" in words


def test_messages_say_the_numbers() -> None:
    assert "for 20 minutes; the session is ended in 10 minutes" in supervision.message(
        Why.SOFT, LIMITS, seen(20), owed=()
    )
    assert "for 10 minutes" in supervision.message(Why.IDLE, LIMITS, seen(12, 10), owed=())
    assert "in 5 minutes" in supervision.message(Why.HARD, LIMITS, seen(25), owed=())
    assert "71 % full" in supervision.message(Why.CONTEXT, LIMITS, seen(1), owed=(), percent=71)


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        (TimedOut(30), "the limit of 30 minutes passed"),
        (TimedOut(10, idle=True), "no progress for 10 minutes"),
        (TimedOut(1), "the limit of 1 minute passed"),
        (TimedOut(0.05), "the limit of 3 s passed"),
    ],
    ids=str,
)
def test_which_limit_it_was(outcome: TimedOut, words: str) -> None:
    assert supervision.ended(outcome) == words
