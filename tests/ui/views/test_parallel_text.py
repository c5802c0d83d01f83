"""The documented texts, byte for byte."""

import pytest

from milepost.fleet.merge_queue import Result
from milepost.formats.journal import LandingEnded
from milepost.ui.views import parallel_text
from milepost.ui.views.parallel_text import Row


def result(mid: str, outcome: str = "landed", *, pushed: bool = False, **more: object) -> Result:
    ended = LandingEnded(at_ms=1, run="r", milestone=mid, outcome=outcome, target="main", **more)  # type: ignore[arg-type]
    return Result(milestone=mid, ended=ended, pushed=pushed)


@pytest.mark.spec(id="PR-081")
def test_the_status() -> None:
    rows = [
        Row(milestone="M001", title="Auth System", state="running", units=3, micro_usd=420_000),
        Row(milestone="M003", title="Dashboard", state="paused", units=0, micro_usd=1_005_000),
    ]
    assert parallel_text.status(rows) == (
        "# Parallel Workers\n"
        "\n"
        "- **M001** (Auth System) — running — 3 units — $0.42\n"
        "- **M003** (Dashboard) — paused — 0 units — $1.00\n"
        "\n"
        "Total cost: $1.43"
    )


@pytest.mark.spec(id="PR-125")
@pytest.mark.spec(id="PR-123")
def test_the_merge_report() -> None:
    results = [
        result("M001", pushed=True),
        result("M002"),
        result("M003", "conflict", files=("src/types.ts", "src/a.ts")),
        result("M004", "refused", reason="No roadmap found for M004"),
    ]
    assert parallel_text.merge_report(results) == (
        "# Merge Results\n"
        "\n"
        "- **M001** — merged successfully (pushed)\n"
        "- **M002** — merged successfully\n"
        "- **M003** — CONFLICT (2 file(s)):\n"
        "  - `src/types.ts`\n"
        "  - `src/a.ts`\n"
        "  Resolve conflicts manually and run `/gsd parallel merge M003` to retry.\n"
        "- **M004** — failed: No roadmap found for M004"
    )
    assert parallel_text.merge_report([]) == "No completed milestones to merge."


@pytest.mark.spec(id="PR-212")
def test_the_sf_edition_types_it_without_the_name() -> None:
    told = parallel_text.merge_report([result("M001", "conflict", files=("a",))], "sf")
    assert told.endswith("run `/parallel merge M001` to retry.")


@pytest.mark.parametrize(
    ("said", "text"),
    [
        (parallel_text.stopped(), "All parallel workers stopped."),
        (parallel_text.stopped("M001"), "Stopped worker for M001."),
        (parallel_text.paused(), "All parallel workers paused."),
        (parallel_text.paused("M001"), "Paused worker for M001."),
        (parallel_text.resumed(), "All parallel workers resumed."),
        (parallel_text.resumed("M001"), "Resumed worker for M001."),
        (parallel_text.INACTIVE, "No parallel orchestration is currently active."),
        (parallel_text.NO_WORKERS, "No parallel workers to merge."),
        (parallel_text.NONE_ELIGIBLE, "No milestones are eligible for parallel execution."),
        (
            parallel_text.DISABLED,
            "Parallel mode is not enabled. Set `parallel.enabled: true` in your preferences.",
        ),
    ],
)
def test_sentences(said: str, text: str) -> None:
    assert said == text


def test_the_start() -> None:
    assert parallel_text.started(["M001", "M003"]) == "Parallel orchestration started.\nWorkers: M001, M003"
    errors = [("M002", "no plan"), ("all", "no disk")]
    assert parallel_text.started(["M001"], errors) == (
        "Parallel orchestration started.\nWorkers: M001\nErrors: M002: no plan; all: no disk"
    )


@pytest.mark.spec(id="PR-322")
@pytest.mark.parametrize(
    ("micro_usd", "shown"), [(6_000_000, "6"), (2_500_000, "2.5"), (10_000_000, "10"), (2_000, "0.002")]
)
def test_who_is_skipped_over_budget(micro_usd: int, shown: str) -> None:
    assert parallel_text.over_budget(micro_usd) == f"Budget ceiling (${shown}) reached — skipping"


def test_an_unknown_word() -> None:
    """The documented list, then ours."""
    assert parallel_text.unknown("halt") == (
        'Unknown parallel subcommand "halt". '
        "Usage: /gsd parallel [start|status|stop|pause|resume|merge]\nAlso: watch, rebase, panic."
    )
    assert "Usage: /parallel [start|" in parallel_text.unknown("halt", "sf")


def test_a_title_does_not_command_the_terminal() -> None:
    row = Row(milestone="M001", title="A\x1b[2Jb\nc", state="running", units=0, micro_usd=0)
    assert "\x1b" not in parallel_text.status([row])
    assert "(A [2Jb c)" in parallel_text.status([row])
