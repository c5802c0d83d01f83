"""`gsd parallel`: which module a sub-command is, and slash commands as they are typed inside a session."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from milepost.ui.cli import main as door
from milepost.ui.cli import parallel, parallel_merge, parallel_orders, parallel_start, parallel_status
from milepost.ui.cli.main import main
from ui.command import run

Out = pytest.CaptureFixture[str]


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """What the sub-commands would have been given."""
    found: list[tuple[str, ...]] = []

    def note(module: str) -> object:
        def run(argv: Sequence[str], program: str, *command: str) -> int:
            found.append((module, program, *command, *argv))
            return 0

        return run

    for module in (parallel_start, parallel_merge, parallel_status, parallel_orders):
        monkeypatch.setattr(module, "run", note(module.__name__.rpartition(".")[2]))
    return found


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        ([], ("parallel_start", "gsd")),
        (["--dry-run"], ("parallel_start", "gsd", "--dry-run")),
        (["start", "--yes"], ("parallel_start", "gsd", "--yes")),
        (["merge", "M001"], ("parallel_merge", "gsd", "M001")),
        (["status", "--json"], ("parallel_status", "gsd", "status", "--json")),
        (["watch"], ("parallel_status", "gsd", "watch")),
        (["stop", "M001"], ("parallel_orders", "gsd", "stop", "M001")),
        (["pause"], ("parallel_orders", "gsd", "pause")),
        (["resume"], ("parallel_orders", "gsd", "resume")),
        (["rebase"], ("parallel_orders", "gsd", "rebase")),
        (["panic"], ("parallel_orders", "gsd", "panic")),
    ],
)
@pytest.mark.spec(id="PR-080")
def test_each_sub_command_has_its_module(
    argv: list[str], expected: tuple[str, ...], called: list[tuple[str, ...]]
) -> None:
    assert main(["parallel", *argv], "gsd") == 0
    assert called == [expected]


@pytest.mark.parametrize(
    "argv",
    [
        ["/gsd parallel status --json"], ["/gsd", "parallel", "status", "--json"], ["/parallel status", "--json"],
        ["/parallel", "status", "--json"], ["/sf parallel status --json"], ["/sf", "parallel", "status", "--json"],
        ["parallel", "status", "--json"], ["/", "parallel", "status", "--json"],
    ],
)  # fmt: skip
@pytest.mark.parametrize("program", ["gsd", "sf"])
@pytest.mark.spec(id="PR-212")
@pytest.mark.spec(id="PR-213")
def test_slash_commands(argv: list[str], program: str, called: list[tuple[str, ...]]) -> None:
    assert main(argv, program) == 0
    assert called == [("parallel_status", program, "status", "--json")]


def test_a_slash_and_no_command(capsys: Out) -> None:
    assert main(["/telepathy"], "gsd") == 1
    assert "'telepathy' is not a command" in capsys.readouterr().err
    assert main(["/gsd"], "gsd") == 0
    assert capsys.readouterr().out == door.overview("gsd")
    assert main(["/gsd", "--version"], "gsd") == 0


@pytest.mark.covers("command:parallel status")
@pytest.mark.spec(id="PR-212")
def test_a_slash_command_as_a_process(project: Path) -> None:
    found = run("/gsd parallel status", cwd=project)
    assert found == (0, "No parallel orchestration is currently active.\n", "")


def test_an_unknown_word(capsys: Out, project: Path) -> None:
    assert main(["parallel", "halt"], "gsd") == 1
    assert capsys.readouterr().err == (
        'Unknown parallel subcommand "halt". '
        "Usage: /gsd parallel [start|status|stop|pause|resume|merge]\nAlso: watch, rebase, panic.\n"
    )


@pytest.mark.parametrize("word", ["--help", "-h", "help"])
def test_help_lists_them_all(word: str, capsys: Out) -> None:
    assert main(["parallel", word], "sf") == 0
    out = capsys.readouterr().out
    assert out.startswith("usage: sf parallel")
    assert all(f"  {name} " in out for name in parallel.SUBCOMMANDS)


@pytest.mark.parametrize("name", list(parallel.SUBCOMMANDS))
def test_every_sub_command_explains_itself(name: str, project: Path) -> None:
    found = run("parallel", name, "--help", cwd=project)
    assert (found.code, found.err) == (0, "")
    assert f"gsd parallel {name}" in found.out
