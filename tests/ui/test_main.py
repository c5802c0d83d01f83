"""The door: a command, its sentence and its exit code."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from milepost import __version__
from milepost.errors import MilepostError
from milepost.ui.cli import main as door
from milepost.ui.cli import pause
from milepost.ui.cli.main import COMMANDS, main
from ui.command import run

Out = pytest.CaptureFixture[str]


@pytest.mark.parametrize("argv", [[], ["help"], ["--help"], ["-h"]])
@pytest.mark.parametrize("program", ["gsd", "sf"])
def test_the_overview(argv: list[str], program: str, capsys: Out) -> None:
    assert main(argv, program) == 0
    out = capsys.readouterr().out
    assert out.startswith(f"usage: {program} COMMAND")
    for name in COMMANDS:
        assert f"  {name} " in out


@pytest.mark.parametrize("flag", ["--version", "-V"])
def test_the_version(flag: str, capsys: Out) -> None:
    assert main([flag], "sf") == 0
    assert capsys.readouterr().out == f"sf {__version__} (milepost)\n"


@pytest.mark.parametrize("name", list(COMMANDS))
def test_every_command_is_there_and_explains_itself(name: str, project: Path) -> None:
    found = run(name, "--help", cwd=project)
    assert (found.code, found.err) == (0, "")
    assert f"gsd {name}" in found.out


def test_a_command_that_is_not_one(capsys: Out) -> None:
    assert main(["staus"], "gsd") == 1
    err = capsys.readouterr().err
    assert err == "gsd: 'staus' is not a command\n  Did you mean `gsd status`?\n"
    assert main(["\x00"], "sf") == 1
    assert "`sf help` lists the commands." in capsys.readouterr().err


@pytest.mark.parametrize(
    "argv", [["auto", "--bogus"], ["status", "x"], ["stop", "--wait", "soon"], ["next", "--max-units", "0"]]
)
def test_a_bad_option_is_an_error_and_not_blocked(argv: list[str], project: Path, capsys: Out) -> None:
    assert main(argv, "gsd") == 1
    assert capsys.readouterr().err.startswith("gsd: ")


def raising(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def broken(argv: object, program: object) -> int:
        raise error

    monkeypatch.setattr(pause, "run", broken)


class Blocked(MilepostError):
    exit_code = door.ExitCode.BLOCKED


@pytest.mark.parametrize(
    ("error", "code", "says"),
    [
        (Blocked("no way", hint="gsd doctor"), 2, "gsd: no way\n  gsd doctor\n"),
        (MilepostError("no"), 1, "gsd: no\n"),
        (
            OSError(errno.ENOSPC, "No space left on device", "/p/x"),
            1,
            "gsd: /p/x: No space left on device\n  The disk is full.",
        ),
        (OSError(errno.EACCES, "Permission denied", "/p/y"), 1, "Permission denied\n  The file may not be written"),
        (OSError("odd"), 1, "gsd: odd\n"),
        (KeyboardInterrupt(), 130, "gsd: interrupted\n  gsd auto goes on from here.\n"),
    ],
)
def test_what_is_raised_becomes_a_sentence(
    error: BaseException, code: int, says: str, monkeypatch: pytest.MonkeyPatch, capsys: Out
) -> None:
    raising(monkeypatch, error)
    assert main(["pause"], "gsd") == code
    assert says in capsys.readouterr().err


def test_a_bug_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    raising(monkeypatch, ZeroDivisionError())
    with pytest.raises(ZeroDivisionError):
        main(["pause"], "gsd")


@pytest.mark.parametrize("argv", [["help"], ["status"], ["headless", "query"]])
def test_a_reader_that_goes_away_is_no_trouble(argv: list[str], project: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    code = "from milepost.ui.cli.main import gsd; gsd()"
    done = subprocess.run([sys.executable, "-c", code, *argv], stdout=writer, stderr=subprocess.PIPE, check=False)
    os.close(writer)
    assert b"Traceback" not in done.stderr
    assert b"Exception" not in done.stderr


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")
@pytest.mark.parametrize("argv", [["help"], ["status"], ["headless", "query"]])
def test_output_to_a_full_disk_is_an_error(argv: list[str], project: Path) -> None:
    code = "from milepost.ui.cli.main import gsd; gsd()"
    with open("/dev/full", "wb") as full:
        done = subprocess.run([sys.executable, "-c", code, *argv], stdout=full, stderr=subprocess.PIPE, check=False)
    assert b"Traceback" not in done.stderr
    assert b"Exception" not in done.stderr
    assert b"No space left on device" in done.stderr
    assert done.returncode == 1


@pytest.mark.parametrize("argv", [["status"], ["headless", "query"], ["status", "--json"]])
def test_titles_of_any_kind_can_be_printed_anywhere(argv: list[str], project: Path) -> None:
    roadmap = project / ".gsd/milestones/M001/M001-ROADMAP.md"
    roadmap.write_bytes(roadmap.read_bytes().replace(b"Small files", b"St\xc3\xb6re \xe2\x96\xb8 caf\xe9"))
    for encoding in ("utf-8", "ascii", "latin-1"):
        found = run(*argv, cwd=project, PYTHONIOENCODING=encoding)
        assert (found.code, found.err) == (0, "")
        assert "M001" in found.out


def test_a_hint_names_the_command_that_was_typed(monkeypatch: pytest.MonkeyPatch, capsys: Out) -> None:
    def fails(argv: object, program: str) -> int:
        raise MilepostError("no way", hint="Look at .gsd stuff, then gsd auto --retry M001; gsd doctor")

    monkeypatch.setattr(pause, "run", fails)
    assert main(["pause"], "sf") == 1
    assert capsys.readouterr().err.splitlines()[1] == "  Look at .gsd stuff, then sf auto --retry M001; sf doctor"


@pytest.mark.parametrize(("words", "collects"), [("probe", True), ("headless query", False)])
def test_garbage_is_collected_as_soon_as_a_command_is_loaded(words: str, collects: bool) -> None:
    code = (
        "import gc, sys, types\n"
        "from milepost.ui.cli import main as door\n"
        "probe = types.ModuleType('probe')\n"
        "probe.run = lambda rest, program: print(gc.isenabled(), gc.get_freeze_count() > 0) or 0\n"
        "sys.modules['probe'] = probe\n"
        "door.COMMANDS.update({'probe': ('probe', ''), 'headless': ('probe', '')})\n"
        "door.gsd()\n"
    )
    done = subprocess.run([sys.executable, "-c", code, *words.split()], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [str(collects)] * 2
