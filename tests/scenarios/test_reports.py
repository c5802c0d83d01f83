"""The pages of `gsd export --html`, and the one that is written when a milestone is on its branch.

A page is read with a parser: every element is closed, nothing is loaded, and nobody's words become an element.
"""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from milepost.testing.projects import QUICK, steps, usage
from scenarios.fleet_stage import FleetStage
from scenarios.stage import DONE, Stage

TASK = "execute-task/M001/S01/T01"
EVIL = '<script src="http://evil.example/x.js">alert(1)</script><img src=x onerror=y> & "quoted" \u202egnp'
EMPTY = {"meta", "br", "hr"}
LOADS = {"script", "link", "img", "iframe", "object", "embed", "audio", "video", "source", "image", "use", "base"}


class Page(HTMLParser):
    """What a browser would make of it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.said: list[str] = []
        self.links: list[str] = []
        self.policy = ""
        self.feed(text)
        self.close()
        assert self.open == [], "an element is not closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        given = dict(attrs)
        assert not [name for name in given if name.startswith("on") or name in ("src", "srcset", "xlink:href")], attrs
        assert tag == "a" or "href" not in given, attrs
        if tag == "a":
            self.links.append(str(given["href"]))
        if given.get("http-equiv") == "Content-Security-Policy":
            self.policy = str(given["content"])
        assert "url(" not in str(given.get("style", ""))
        if tag not in EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" in self.open:
            assert not re.search(r"url\(|@import|https?:", data), "the style loads something"
        self.said.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.said).split())


def read(path: Path) -> Page:
    """A page that needs nothing else."""
    page = Page(path.read_text())
    assert page.tags.isdisjoint(LOADS)
    assert page.policy.startswith("default-src 'none'; style-src 'unsafe-inline'; img-src data:")
    for link in page.links:
        assert re.fullmatch(r"#[a-z-]+|index\.html|\./[\w%.-]+\.html", link), link
    return page


def index(stage: Stage) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads((stage.state / "reports/reports.json").read_text())["entries"]
    return found


def pages(stage: Stage, mid: str = "") -> list[Path]:
    return sorted(path for path in (stage.state / "reports").glob(f"{mid}*.html") if path.name != "index.html")


@pytest.mark.covers("command:export")
def test_words_of_others_stay_words(stage: Stage) -> None:
    """Titles, decisions and captures of whoever wrote them, in the page, the list and the markdown."""
    stage.make()
    roadmap = stage.path("M001-ROADMAP.md")
    roadmap.write_text(roadmap.read_text().replace("Slice S01", f"Slice {EVIL}").replace("Small files", EVIL))
    rows = "| # | When | Scope | Decision | Choice | Rationale | Revisable? |\n|---|---|---|---|---|---|---|\n"
    (stage.state / "DECISIONS.md").write_text(f"# Decisions\n\n{rows}| D001 | M001 | x | {EVIL} | y | z | No |\n")
    stage.gsd("capture", EVIL).require(DONE)
    path = Path(stage.gsd("export", "--html").require(DONE).out.strip())
    page = read(path)
    assert path.name.startswith("M001-")
    assert page.text.count('<script src="http://evil.example/x.js">alert(1)</script>') >= 3
    assert "\u202e" not in page.text
    stage.gsd("export", "--html", "--milestone", "M001").require(DONE)
    assert EVIL[:30] in read(stage.state / "reports/index.html").text
    said = stage.gsd("export", "--output", "-").require(DONE).out
    assert "<script" not in said.replace("\\<script", "")
    alone = stage.root.parent / "alone.html"
    stage.gsd("export", "--html", "--output", str(alone)).require(DONE)
    assert "index.html" not in read(alone).links
    assert [entry["kind"] for entry in index(stage)] == ["manual", "manual"]


@pytest.mark.covers("key:auto_report", "promise:auto-report", "command:export")
def test_a_page_for_each_milestone_that_is_on_its_branch(stage: Stage) -> None:
    """Written in the project's root while the run goes on; the numbers are those of history, never $0 for unknown."""
    stage.make(milestones=("M001", "M002"), slices=2, depends={"M002": ["M001"]})
    stage.replay(TASK, [usage(micro_usd=None), *steps(TASK)[:1]], steps(TASK))
    said = stage.auto().require(DONE).out
    assert [path.name[:5] for path in pages(stage)] == ["M001-", "M002-"]
    assert f"M001: the report is .gsd/reports/{pages(stage, 'M001')[0].name}" in said
    assert said.index("M001: the report is") < said.index("execute-task M002/S01/T01")
    for entry, mid in zip(index(stage), ("M001", "M002"), strict=True):
        total = json.loads(stage.gsd("history", "--json", "--milestone", mid, "999").out)["total"]
        assert (entry["milestoneId"], entry["kind"], entry["label"]) == (mid, "milestone", f"{mid}: Small files")
        assert (entry["totalCost"], entry["totalTokens"]) == (total["cost"], total["tokens"]["total"])
        assert (entry["doneSlices"], entry["totalSlices"], entry["totalMilestones"]) == (2, 2, 2)
    assert [entry["doneMilestones"] for entry in index(stage)] == [1, 2]
    first = read(pages(stage, "M001")[0])
    assert "M001: Small files merged" in first.text
    assert "$0.0060 and 1 request of unknown price" in first.text
    assert f"feat(M001): Small files {stage.git('log', '-2', '--format=%h', '--abbrev=10').split()[1]}" in first.text
    assert "because the attempt before ended as unfinished" in first.text
    for title in ("Health", "Progress", "Dependencies", "Timeline", "By model", "By tier", "Changelog"):
        assert title in first.text, title
    assert stage.git("status", "--porcelain") == ""
    assert len(read(stage.state / "reports/index.html").links) == 2

    for path in pages(stage, "M002"):
        path.unlink()
    assert Path(stage.gsd("export", "--html", "--all").require(DONE).out.strip()).name.startswith("M002-")
    assert stage.gsd("/gsd export --html --all").require(DONE).out == "Every merged milestone has its report.\n"
    final = Path(stage.gsd("export", "--html").require(DONE).out.strip())
    assert final.name.startswith("final-")
    assert index(stage)[-1]["kind"] == "final"
    everything = read(final).text
    for event in stage.events("attempt-started"):
        assert f"{event['kind']} {event['unit']}" in everything
    assert "--all goes with --html" in stage.gsd("export", "--all").err


@pytest.mark.covers("key:auto_report")
def test_no_page_when_none_is_wanted(stage: Stage) -> None:
    stage.make(preferences=QUICK.replace("---\nphases", "---\nauto_report: false\nphases"))
    assert "report" not in stage.auto().require(DONE).said
    assert not (stage.state / "reports").exists()


@pytest.mark.covers("key:auto_visualize")
@pytest.mark.parametrize("wanted", [True, False], ids=["on", "off"])
def test_the_plan_is_drawn_after_a_milestone(stage: Stage, *, wanted: bool) -> None:
    value = str(wanted).lower()
    stage.make(preferences=QUICK.replace("---\nphases", f"---\nauto_visualize: {value}\nphases"))
    said = stage.auto().require(DONE).out
    assert ("[x] M001: Small files  1/1 slices" in said) is wanted
    assert ("⇢ merged" in said) is wanted


@pytest.mark.covers("promise:auto-report")
def test_a_page_that_cannot_be_written_is_said_and_holds_up_nothing(stage: Stage) -> None:
    stage.make()
    (stage.state / "reports").write_text("in the way\n")
    stage.git("add", "-f", ".gsd/reports")
    stage.git("commit", "-qm", "in the way")
    said = stage.auto().require(DONE).out
    assert "M001: no report was written: " in said
    assert "gsd export --html --all tries again" in said
    stage.require_landed(before=2)


@pytest.mark.covers("promise:auto-report")
def test_a_list_that_nobody_can_read_is_not_replaced(stage: Stage) -> None:
    stage.make()
    (stage.state / "reports").mkdir()
    listed = stage.state / "reports/reports.json"
    listed.write_text("{ half")
    said = stage.auto().require(DONE).out
    assert "M001: no report was written: " in said
    assert listed.read_text() == "{ half"


@pytest.mark.covers("key:auto_report")
def test_without_a_worktree_a_complete_milestone_is_reported_too(stage: Stage) -> None:
    stage.make(preferences=QUICK.replace("---\nphases", "---\ngit: {isolation: none}\nphases"))
    stage.auto().require(DONE)
    (path,) = pages(stage, "M001")
    assert "complete" in read(path).text
    assert "execute-task M001/S01/T01" in read(path).text
    assert stage.gsd("export", "--html", "--all").require(DONE).out == "Every merged milestone has its report.\n"
    assert stage.git("status", "--porcelain") == ""


@pytest.mark.covers("promise:auto-report", "key:auto_report")
def test_pages_of_a_fleet(fleet: FleetStage) -> None:
    """Each merge of the queue writes one; together they are what was paid for."""
    fleet.plan()
    fleet.fleet().require(DONE)
    fleet.require_done("M001", "M002")
    assert {path.name[:5] for path in pages(fleet)} == {"M001-", "M002-"}
    asked = fleet.events("usage-reported")
    known = sum(int(str(event["microUsd"])) for event in asked)
    assert round(sum(float(str(entry["totalCost"])) for entry in index(fleet)) * 1_000_000) == known
    made = json.loads(fleet.gsd("export", "--json", "--output", "-").require(DONE).out)
    history = json.loads(fleet.gsd("history", "--json", "999").out)
    assert (made["totals"]["requests"], made["byUnit"]) == (len(asked), history["byUnit"])
    assert made["totals"]["cost"] == json.loads(fleet.gsd("status", "--json").out)["spent"]
    final = read(Path(fleet.gsd("export", "--html").require(DONE).out.strip())).text
    for mid in ("M001", "M002"):
        assert f"feat({mid}): Small files" in final
    assert "At once: " in final
