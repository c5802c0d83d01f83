"""What a typed line means."""

import pytest

from milepost.ui.cli.main import COMMANDS
from milepost.ui.session import natures
from milepost.ui.session.job import Nature
from milepost.ui.session.words import Kind, understood


@pytest.mark.spec(id="PR-212")
@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("/gsd parallel start", ["parallel", "start"]),
        ("/sf parallel start", ["parallel", "start"]),
        ("/parallel start", ["parallel", "start"]),
        ("  parallel   start ", ["parallel", "start"]),
        ("gsd auto", ["auto"]),
        ("/gsd", ["next"]),
        ("/gsd --dry-run", ["next", "--dry-run"]),
        ("/doctor", ["doctor"]),
        ('/queue add "Export to CSV" --draft', ["queue", "add", "Export to CSV", "--draft"]),
        ("/capture don't; can't", ["capture", "don't; can't"]),
        ('/steer "use tabs"', ["steer", '"use tabs"']),
        ("/steer --help", ["steer", "--help"]),
    ],
)
def test_commands(line: str, words: list[str]) -> None:
    said = understood(line, COMMANDS)
    assert (said.kind, list(said.words)) == (Kind.COMMAND, words)


@pytest.mark.parametrize("name", list(COMMANDS))
def test_every_command_is_one(name: str) -> None:
    for typed in (f"/gsd {name}", f"/{name}", name):
        assert understood(typed, COMMANDS).words == (name,)


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("", Kind.NOTHING),
        ("/exit", Kind.LEAVE),
        ("quit", Kind.LEAVE),
        ("/gsd exit", Kind.LEAVE),
        ("?", Kind.HELP),
        ("/gsd help", Kind.HELP),
        ("please use tabs", Kind.TALK),
        ("/please use tabs", Kind.WRONG),
        ("stauts of it", Kind.WRONG),
        ("nonsense", Kind.WRONG),
        ("/queue 'M001", Kind.WRONG),
    ],
)
def test_all_else(line: str, kind: Kind) -> None:
    assert understood(line, COMMANDS).kind is kind


@pytest.mark.parametrize(
    ("words", "nature"),
    [
        ("auto", Nature.WORK),
        ("next --dry-run", None),
        ("discuss M001", Nature.WORK),
        ("dispatch research", Nature.WORK),
        ("quick fix it", Nature.WORK),
        ("quick --list", None),
        ("headless", Nature.WORK),
        ("headless query", None),
        ("parallel", Nature.FLEET),
        ("parallel --retry M001", Nature.FLEET),
        ("parallel start --detach", None),
        ("parallel status", None),
        ("parallel status --watch", Nature.WATCH),
        ("parallel watch", Nature.WATCH),
        ("logs", None),
        ("logs M001 -f", Nature.WATCH),
        ("status --watch", Nature.WATCH),
        ("forensics --ask", Nature.WATCH),
        ("undo", None),
        ("auto --help", None),
    ],
)
def test_what_runs_beside_the_prompt(words: str, nature: Nature | None) -> None:
    assert natures.of(words.split(), "gsd") is nature


@pytest.mark.parametrize(
    ("words", "wants"),
    [
        ("new-milestone", True),
        ("new-project --model x", True),
        ("new-milestone A reader", False),
        ("new-milestone --context idea.md", False),
        ("new-milestone --context-text=x", False),
        ("auto", False),
    ],
)
def test_a_new_milestone_needs_words(words: str, wants: bool) -> None:
    assert natures.wants_text(words.split()) is wants
