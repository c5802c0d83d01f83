"""The reference is what the code says, and the other pages name only what is there."""

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from functools import cache
from io import StringIO
from pathlib import Path

import pytest

from milepost.formats.journal import AnyEvent
from milepost.formats.preferences_schema import ignored, reference
from milepost.rules.dispatch import RULES
from milepost.ui.cli.main import COMMANDS, main

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
REFERENCE = DOCS / "reference"
WRITTEN = ("README.md", "ARCHITECTURE.md", "CHANGELOG.md")
FORMATS = ROOT / "src/milepost/formats"
INTERNAL = {"journal", "context_edit", "plan_edit", "project_edit"} | {
    path.stem for path in FORMATS.glob("preferences*.py") if path.stem != "preferences_block"
}
"""Modules of `formats` that describe no file of their own, or one with a page of its own."""
FORBIDDEN = re.compile(
    r"/(?:work|tmp|root|home)/\w|\bpypi\.org|\bnpmjs\.|\bcrates\.io|\bproxy\.golang|\bhelpers?\b"
    r"|(?i:written|built|made|generated|authored) (?:by|with) (?:an? )?(?:AI|LLM|language model|Claude|assistant)",
)
"""Paths of a machine, hosts of registries, and how this repository came to be."""


def pages() -> list[Path]:
    return [*(ROOT / name for name in WRITTEN), *sorted(DOCS.rglob("*.md"))]


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def everything() -> str:
    return "\n".join(page.read_text("utf-8") for page in pages())


each_page = pytest.mark.parametrize("page", pages(), ids=name_of)


def generate(into: Path, **env: str) -> dict[str, str]:
    """What the generator writes, by file name."""
    command = [sys.executable, str(DOCS / "generate.py"), str(into)]
    subprocess.run(command, check=True, env={"PATH": "", "HOME": str(into), **env})
    return {path.name: path.read_text("utf-8") for path in into.iterdir()}


@pytest.mark.parametrize(
    "terminal",
    [
        {"COLUMNS": "300", "FORCE_COLOR": "1", "PYTHONHASHSEED": "1"},
        {"COLUMNS": "40", "NO_COLOR": "1", "PYTHONHASHSEED": "2", "LC_ALL": "C"},
    ],
    ids=["wide", "narrow"],
)
def test_the_reference_is_up_to_date_whatever_the_terminal(terminal: dict[str, str], tmp_path: Path) -> None:
    committed = {path.name: path.read_text("utf-8") for path in REFERENCE.iterdir()}
    made = generate(tmp_path / "made", **terminal)
    assert made.keys() == committed.keys()
    old = sorted(name for name in made if made[name] != committed[name])
    assert not old, f"{', '.join(old)} in docs/reference/ no longer say what the code says: run `make docs`"


def test_the_commands_of_the_readme_are_in_the_makefile() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    named = set(re.findall(r"(?:^|`)make ([a-z]+)", readme, re.MULTILINE))
    assert {"demo", "test"} <= named <= targets


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_documented(command: str) -> None:
    assert f"gsd {command}" in everything()


@cache
def options(*command: str) -> frozenset[str]:
    """The long options that `--help` shows."""
    with redirect_stdout(StringIO()) as said:
        try:
            code: object = main([*command, "--help"], "gsd")
        except SystemExit as ended:
            code = ended.code
    assert code == 0
    return frozenset(re.findall(r"--[a-z][a-z-]+", said.getvalue()))


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_of_help_is_in_the_reference(command: str) -> None:
    page = (REFERENCE / "commands.md").read_text("utf-8")
    section = re.split(r"^## ", page, flags=re.MULTILINE)
    text = next(part for part in section if part.startswith(f"gsd {command}\n"))
    shown = options(command)
    assert shown
    assert shown <= set(re.findall(r"--[a-z][a-z-]+", text))


def test_every_preference_is_in_the_reference() -> None:
    page = (REFERENCE / "preferences.md").read_text("utf-8")
    missing = [entry.key for entry in reference() if f"`{one_phase(entry.key)}`" not in page]
    assert not missing
    assert all(f"`{key}`" in page for key in ignored())


def one_phase(key: str) -> str:
    """The object of every phase's model is shown once."""
    return re.sub(r"^models\.[a-z_]+\.", "models.PHASE.", key)


def test_every_rule_and_every_event_is_in_the_reference() -> None:
    units = (REFERENCE / "units.md").read_text("utf-8")
    journal = (REFERENCE / "journal.md").read_text("utf-8")
    assert all(f"`{rule.name}`" in units for rule in RULES)
    assert all(f"## `{kind.__struct_config__.tag}`" in journal for kind in AnyEvent.__args__)


def test_every_rule_says_when_it_answers() -> None:
    assert [rule.name for rule in RULES if not rule.answer.__doc__] == []


def test_every_format_is_in_the_reference() -> None:
    listed = (DOCS / "pages" / "formats.py").read_text("utf-8")
    modules = {path.stem for path in FORMATS.glob("*.py") if not path.stem.startswith("_")} - INTERNAL
    assert [name for name in sorted(modules) if f'"formats.{name}"' not in listed] == []


@each_page
def test_links_lead_somewhere(page: Path) -> None:
    broken = [target for target in links(page) if not resolves(page, target)]
    assert not broken


def links(page: Path) -> Iterator[str]:
    text = re.sub(r"```.*?```|`[^`\n]*`", "", page.read_text("utf-8"), flags=re.DOTALL)
    yield from (target for target in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in target)


def resolves(page: Path, target: str) -> bool:
    path, _, anchor = target.partition("#")
    other = (page.parent / path).resolve() if path else page
    if not other.exists():
        return False
    return not anchor or anchor in {
        slug(head) for head in re.findall(r"^#+ (.*)$", other.read_text("utf-8"), re.MULTILINE)
    }


def slug(heading: str) -> str:
    """The anchor that the usual renderers make of a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


@each_page
def test_pages_say_nothing_of_machines_and_makers(page: Path) -> None:
    assert [found.group() for found in FORBIDDEN.finditer(page.read_text("utf-8"))] == []


@each_page
def test_what_a_page_calls_a_command_is_one(page: Path) -> None:
    fences = re.findall(r"^```sh\n(.*?)^```", page.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    used = {word for text in fences for word in re.findall(r"^(?:\$ )?gsd ([a-z-]+)", text, re.MULTILINE)}
    assert used <= COMMANDS.keys() | {"help"}


@each_page
def test_options_that_a_page_gives_to_gsd_exist(page: Path) -> None:
    lines = re.findall(r"^(?:\$ )?gsd (\w+)(.*)$", page.read_text("utf-8"), re.MULTILINE)
    for command, rest in lines:
        if command in COMMANDS and command != "headless":
            words = (command, *re.findall(r"^ ([a-z]+)", rest)) if command == "parallel" else (command,)
            assert set(re.findall(r"--[a-z][a-z-]+", rest)) <= options(*words), (command, rest)


def test_decisions_are_numbered_without_gaps() -> None:
    numbers = sorted(int(path.name[:4]) for path in (DOCS / "decisions").glob("[0-9]*.md"))
    assert numbers == list(range(1, len(numbers) + 1))
