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
from scenarios.stage import DONE, ERROR, PAUSED, Stage

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
