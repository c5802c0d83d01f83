"""What a report's page shows of a night that did not go well, and how large it gets. The journal is made up."""

import json
from collections.abc import Sequence

import pytest

from milepost.formats.captures import Capture
from milepost.formats.decisions import Decision
from milepost.formats.journal import (
    AnyEvent,
    BudgetWaiting,
    Corrected,
    Landed,
    Redone,
    Result,
    UnitSkipped,
    UnitsUndone,
    UsageReported,
    WaitBegan,
)
from milepost.formats.knowledge import Entry, Kind
from milepost.formats.reports import Entry as Listed
from milepost.formats.reports import Index, add
from milepost.model.state import RegistryEntry
from milepost.ui.report import document, graph, html, index, markdown, words
from milepost.ui.report.graph import Node
from milepost.ui.report.markup import tag
from milepost.ui.views import history, report
from milepost.ui.views.history import Asked
from milepost.ui.views.report import Besides, Commit, Health, Report
from ui.circumstances import NOW, STATE, attempt, began, ended, here

AGES = 3_600_000


def made(events: Sequence[AnyEvent], milestone: RegistryEntry | None = None, **besides: object) -> Report:
    asked = Asked(latest=9999, milestone=milestone.id if milestone else "")
    money = history.history(events, asked, slices_left=3, ceiling=9_000_000)
    around = here(events, captures=(Capture("CAP-1", "be quick", "2026", "pending"),))
    given = Besides(name="feeds", path="/p", version="1", money=money, **besides)  # type: ignore[arg-type]
    return report.report(around, given, milestone)


def night() -> list[AnyEvent]:
    at = NOW - AGES
    return [
        began(at_ms=at),
        *attempt("a1", result=Result.VERIFY_FAILED, reason="2 tests fail", prices=(700_000, None), at_ms=at + 1_000),
        Corrected(at_ms=at + 31_500, run="r1", attempt="a1", what="a box was ticked", paths=("plan.md",)),
        WaitBegan(at_ms=at + 40_000, run="r1", unit="execute-task/M001/S01/T01", kind="rate-limit", text="slow down",
                  resume_at_ms=at + 100_000, number=1),
        *attempt("a2", number=2, at_ms=at + 100_000, tier="heavy", routed="failed before", prices=(300_000,)),
        BudgetWaiting(at_ms=at + 140_000, run="r1", unit="execute-task/M002/S01/T01", until_ms=at + 200_000,
                      reason="the window is used up"),
        UnitSkipped(at_ms=at + 150_000, run="r1", kind="research-slice", unit="M001/S02", reason="known"),
        UnitsUndone(at_ms=at + 160_000, run="r1", units=("execute-task/M001/S01/T01",), commits=("c",), commit="fedc" * 4),
        Redone(at_ms=at + 170_000, run="r1", unit="execute-task/M002/S01/T01", hook="review", attempt="a3"),
        *attempt("a3", "M002/S01/T01", at_ms=at + 210_000, prices=(1_000_000,)),
        UsageReported(at_ms=at + 250_000, run="r1", attempt="lost", model="m", input=5, output=5, micro_usd=40_000),
        ended("budget", "the ceiling is reached", at_ms=at + 300_000),
    ]  # fmt: skip


@pytest.mark.covers("command:export")
def test_a_night_that_went_wrong() -> None:
    told = made(
        night(),
        commits=(Commit(id="abcdef0123456789", at_ms=NOW, author="Ada", subject="feat: x", body="- S01: one"),),
        decisions=(Decision("D001", decision="Where", choice="Here", superseded_by="D002"),),
        knowledge=(Entry("K001", Kind.RULE, "Never log tokens", "global"),),
        health=(Health(severity="error", code="x", message="it is torn", hint="gsd doctor --fix"),),
        needs={"M002": ("M001",)},
    )
    page, said = html.text_of(told), markdown.text(told)
    for text in (page, said):
        for words_ in (
            "budget", "the ceiling is reached", "2 tests fail", "slow down", "the window is used up", "known",
            "a box was ticked", "review", "$2.04 and 1 request of unknown price", "be quick", "Never log tokens",
            "it is torn", "feat: x", "S01: one", "1 error", "undone",
        ):  # fmt: skip
            assert words_ in text, words_
    assert "(failed before)" in page
    assert "$0.040, 10 tokens of unknown units" in page
    assert "Which milestone waits for which" in page
    assert "Where (replaced by D002)" in page
    numbers = json.loads(document.text(told, Asked(latest=9999), ()))
    assert [work["state"] for work in numbers["work"]] == ["undone", "done"]
    assert numbers["totals"]["unpricedRequests"] == 1
    assert numbers["waits"][0]["about"] == "execute-task/M001/S01/T01"


def test_one_milestone_has_its_own_part_of_it() -> None:
    told = made(night(), STATE.registry[1])
    assert [work.named for work in told.works] == ["execute-task M002/S01/T01"]
    assert [fact.says[:25] for fact in told.waits] == ["waited for the budget unt"]
    assert [fact.about for fact in told.undone] == ["execute-task/M002/S01/T01"]
    assert (told.skipped, told.spent.micro_usd, told.beside) == ((), 1_000_000, {})
    assert [row.milestone for row in told.timeline.rows] == ["M002"]
    assert ("Project", "$2.04 in all, with every other milestone") in words.figures(told)


def test_three_hundred_units_are_a_page_of_sensible_size() -> None:
    events: list[AnyEvent] = [began(at_ms=NOW - 400 * 60_000)]
    for number in range(300):
        unit = f"M001/S{number // 10 + 1:02d}/T{number % 10 + 1:02d}"
        at = NOW - (400 - number) * 60_000
        if number % 10 == 0:
            events += attempt(
                f"x{number}", unit, Result.VERIFY_FAILED, at_ms=at - 30_000, took_ms=20_000, reason="no " * 40
            )
        events += attempt(
            f"a{number}", unit, at_ms=at, number=1 + (number % 10 == 0), routed="4 steps, 3 files", tier="light"
        )
    events.append(Landed(at_ms=NOW, run="r1", milestone="M001", target="main", commit="c" * 40, tip="t"))
    told = made(events, STATE.registry[0])
    page = html.text_of(told)
    assert len(told.works) == 300
    assert page.count("execute-task M001/") >= 300
    assert len(page.encode()) < 300_000


def test_nothing_yet() -> None:
    told = made([], health=())
    page = html.text_of(told)
    assert "The doctor found nothing." in page
    assert "Timeline" not in page
    assert "$0.00" in page
    assert "could not look" in html.text_of(made([]))


def test_a_circle_of_dependencies_is_drawn_all_the_same() -> None:
    nodes = [Node(id=a, title=a * 40, needs=(b, "S9"), look="") for a, b in (("A", "B"), ("B", "C"), ("C", "A"))]
    assert graph.picture(nodes, "round").count("<rect") == 3
    assert graph.picture(nodes[:1], "alone") == ""


def test_what_is_not_markup_is_text() -> None:
    assert (
        tag("p", '<b title="x">', title='"><i>') == '<p title="&quot;&gt;&lt;i&gt;">&lt;b title=&quot;x&quot;&gt;</p>'
    )


def test_a_list_leads_nowhere_else() -> None:
    """Whoever wrote `reports.json`."""
    entries = Index(project_name="p", entries=())
    for name in ("javascript:alert(1)", "https://evil.example/x.html", "../../secret.html", '"><script>.html'):
        entries = add(entries, Listed(filename=name, generated_at="2026", label="<b>", unpriced_requests=2))
    page = index.text_of(entries)
    links = [part.split('"')[0] for part in page.split('href="')[1:]]
    assert links == ["./javascript%3Aalert%281%29", "./x.html", "./secret.html", "./%22%3E%3Cscript%3E.html"]
    assert "<b>" not in page
    assert "2 unpriced" in page
