"""`gsd prefs` and `gsd mode`: what holds and why, and changes that leave the rest of a file alone."""

import io
import json
import os
import pty
import stat
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from milepost.ui.cli.main import main
from scenarios.stage import DONE, ERROR, Stage

Out = pytest.CaptureFixture[str]

TEXT = """---
# ours
mode: solo  # one of us
git: {isolation: branch}
verification_commands: [make test]
---

Notes: `mode: team` was too slow.
"""


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("GSD_HOME", str(tmp_path / "global"))
    return tmp_path / "global"


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode())
    return path


def gsd(*argv: str) -> int:
    return main(["prefs", *argv], "gsd")


def shown(capsys: Out, *argv: str) -> dict[str, tuple[object, list[dict[str, object]]]]:
    capsys.readouterr()
    assert gsd("--json", *argv) == DONE
    found = json.loads(capsys.readouterr().out)
    return {row["key"]: (row["value"], row["origins"]) for row in found["settings"]}


@pytest.mark.covers("command:prefs", "key:mode")
def test_each_value_and_where_it_comes_from(project: Path, home: Path, capsys: Out) -> None:
    write(home / "PREFERENCES.md", "---\nmode: team\ntoken_profile: budget\nverification_commands: [lint]\n---\n")
    write(project / ".gsd/PREFERENCES.md", TEXT.replace("mode: solo", "auto_report: false"))
    here, there = str(home / "PREFERENCES.md"), ".gsd/PREFERENCES.md"
    found = shown(capsys)
    assert found["auto_report"] == (False, [{"kind": "project", "path": there, "line": 3}])
    assert found["mode"] == ("team", [{"kind": "global", "path": here, "line": 2}])
    assert found["git.isolation"] == ("branch", [{"kind": "project", "path": there, "line": 4}])
    assert found["git.push_branches"] == (True, [{"kind": "mode", "name": "team"}])
    assert found["phases.skip_research"] == (True, [{"kind": "token_profile", "name": "budget"}])
    assert found["git.remote"] == ("origin", [{"kind": "default"}])
    joined = [{"kind": "global", "path": here, "line": 4}, {"kind": "project", "path": there, "line": 5}]
    assert found["verification_commands"] == (["lint", "make test"], joined)
    changed = shown(capsys, "--changed")
    assert "git.remote" not in changed
    assert set(changed) < set(found)
    assert gsd("--changed") == DONE
    out = capsys.readouterr().out
    assert f"{there}:4" in out
    assert "mode: team" in out


@pytest.mark.covers("command:prefs")
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_value_is_set_and_taken_out_again(project: Path, home: Path, capsys: Out, newline: str) -> None:
    path = write(project / ".gsd/PREFERENCES.md", TEXT.replace("\n", newline))
    path.chmod(0o640)
    before = path.read_bytes()
    assert gsd("set", "git.isolation", "none") == DONE
    assert path.read_bytes() == before.replace(b"branch", b"none")
    assert ".gsd/PREFERENCES.md:4" in capsys.readouterr().out
    assert gsd("set", "git.isolation", "branch") == DONE
    assert path.read_bytes() == before
    assert gsd("unset", "mode") == DONE
    assert path.read_bytes() == before.replace(f"mode: solo  # one of us{newline}".encode(), b"")
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert gsd("get", "mode") == DONE
    assert capsys.readouterr().out.endswith("-\n")


@pytest.mark.covers("command:prefs", "key:version")
@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (("git.isolation", "non"), "git.isolation must be one of: worktree, branch, none"),
        (("version", "2"), "version must be one of: 1, not '2'"),
        (("parallel.max_workers", "9"), "parallel.max_workers must be a number between 1 and 4, not 9"),
        (("isolation", "none"), "Did you mean git.isolation?"),
        (("git.isolation",), "prefs set KEY VALUE"),
        (("mode.x", "1"), "no setting"),
    ],
)
def test_a_wrong_value_is_explained_and_not_written(project: Path, home: Path, capsys: Out, argv: tuple[str, ...], says: str) -> None:  # fmt: skip
    path = write(project / ".gsd/PREFERENCES.md", TEXT)
    before = path.stat()
    assert gsd("set", *argv) == ERROR
    assert says in capsys.readouterr().err
    assert path.read_text() == TEXT
    assert path.stat().st_mtime_ns == before.st_mtime_ns


def test_an_error_that_was_there_does_not_forbid_a_change(project: Path, home: Path, capsys: Out) -> None:
    path = write(project / ".gsd/PREFERENCES.md", "---\nmode: duo\nbudget_ceiling: x\n---\n")
    assert gsd("set", "mode", "team") == DONE
    assert path.read_text() == "---\nmode: team\nbudget_ceiling: x\n---\n"


def test_files_that_are_not_there_are_made(project: Path, home: Path, capsys: Out) -> None:
    (project / ".gsd/PREFERENCES.md").unlink()
    assert gsd("set", "mode", "team", "--global") == DONE
    assert (home / "PREFERENCES.md").read_text() == "---\nmode: team\n---\n"
    assert gsd("set", "git.remote", "up") == DONE
    assert (project / ".gsd/PREFERENCES.md").read_text() == "---\ngit:\n  remote: up\n---\n"


def test_outside_a_project_there_is_the_global_file(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: Out) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    assert gsd("set", "mode", "team") == ERROR
    assert "--global" in capsys.readouterr().err
    assert gsd("set", "mode", "team", "--global") == DONE
    assert shown(capsys)["mode"][0] == "team"


def test_a_global_change_says_that_the_project_disagrees(project: Path, home: Path, capsys: Out) -> None:
    write(project / ".gsd/PREFERENCES.md", TEXT)
    assert gsd("set", "mode", "team", "--global") == DONE
    assert "The project says so itself: .gsd/PREFERENCES.md:3" in capsys.readouterr().out


@pytest.mark.covers("command:prefs")
def test_an_edited_file_is_checked_before_it_counts(project: Path, home: Path, capsys: Out, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    path = write(project / ".gsd/PREFERENCES.md", TEXT)
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    monkeypatch.setenv("EDITOR", "sed -i s/solo/duo/")
    assert gsd("edit") == ERROR
    assert path.read_text() == TEXT
    assert "mode must be one of: solo, team, not 'duo'" in capsys.readouterr().err
    monkeypatch.setenv("EDITOR", "false")
    assert gsd("edit") == ERROR
    monkeypatch.setenv("EDITOR", "no-such-editor-here")
    assert gsd("edit") == ERROR
    assert path.read_text() == TEXT
    monkeypatch.setenv("EDITOR", "sed -i s/solo/team/")
    assert gsd("edit") == DONE
    assert path.read_text() == TEXT.replace("mode: solo", "mode: team")


def typed(project: Path, answers: str, *argv: str, **env: str) -> tuple[int, str]:
    """A command at a terminal where these lines are typed ahead."""
    master, slave = pty.openpty()
    code = "from milepost.ui.cli.main import gsd; gsd()"
    running = subprocess.Popen([sys.executable, "-c", code, *argv], cwd=project, stdin=slave, stdout=slave, stderr=slave, env={**os.environ, **env})  # fmt: skip
    os.close(slave)
    os.write(master, answers.encode())
    found: list[bytes] = []

    def read() -> None:
        with suppress(OSError):
            while data := os.read(master, 4096):
                found.append(data)

    reading = threading.Thread(target=read, daemon=True)
    reading.start()
    result = running.wait(120)
    reading.join(30)
    os.close(master)
    return result, b"".join(found).decode()


@pytest.mark.covers("command:prefs")
def test_the_wizard_asks_for_the_main_keys(project: Path, home: Path) -> None:
    path = write(project / ".gsd/PREFERENCES.md", TEXT)
    #          mode       profile  planning exec ceiling  commands   isolation push parallel workers
    answers = "duo\nteam\nbudget\n\n\n12.5\n[a, 'b c']\n-\n\ntrue\n3\n"
    code, said = typed(project, answers, "prefs", "wizard", GSD_HOME=str(home))
    assert code == DONE, said
    assert "mode must be one of: solo, team, not 'duo'" in said
    expected = TEXT.replace("mode: solo", "mode: team").replace("[make test]", "[a, b c]")
    expected = expected.replace("git: {isolation: branch}\n", "")
    more = "token_profile: budget\nbudget_ceiling: 12.5\nparallel:\n  enabled: true\n  max_workers: 3\n"
    assert path.read_text() == expected.replace("[a, b c]\n", f"[a, b c]\n{more}")


def test_the_wizard_writes_nothing_when_it_is_left(project: Path, home: Path) -> None:
    (project / ".gsd/PREFERENCES.md").unlink()
    code, said = typed(project, "team\n\x04", "prefs", "wizard", GSD_HOME=str(home))
    assert (code, "Nothing was written" in said) == (ERROR, True)
    assert not (project / ".gsd/PREFERENCES.md").exists()


@pytest.mark.covers("command:mode", "key:mode")
def test_a_mode_is_set_and_says_what_it_sets(project: Path, home: Path, capsys: Out) -> None:
    assert main(["mode"], "gsd") == DONE
    assert "No mode is set." in capsys.readouterr().out
    write(project / ".gsd/PREFERENCES.md", "---\n# mine\ngit: {push_branches: false}\n---\n")
    assert main(["/gsd mode team"], "gsd") == DONE
    out = capsys.readouterr().out
    assert "unique_milestone_ids: true\n" in out
    assert "git.push_branches: false  (not by the mode: .gsd/PREFERENCES.md:3)\n" in out
    assert (
        (project / ".gsd/PREFERENCES.md")
        .read_text()
        .startswith("---\n# mine\ngit: {push_branches: false}\nmode: team\n")
    )
    assert main(["mode", "duo"], "gsd") == ERROR
    assert main(["mode", "solo", "--global"], "gsd") == DONE
    assert (home / "PREFERENCES.md").read_text() == "---\nmode: solo\n---\n"
    assert "Mode team (.gsd/PREFERENCES.md:4)" in capsys.readouterr().out


@pytest.mark.covers("key:mode", "key:version")
def test_a_run_in_team_mode_pushes_branches_and_a_foreign_version_does_not_begin(tmp_path: Path) -> None:
    stage = Stage(root=tmp_path / "project").make()
    stage.git("init", "-q", "--bare", str(tmp_path / "remote.git"))
    stage.git("remote", "add", "origin", str(tmp_path / "remote.git"))
    stage.prefer("---\nversion: 2\nmode: team\n---\n")
    ran = stage.auto("--max-units", "1")
    assert ran.code == ERROR
    assert "version must be one of: 1, not '2'" in ran.err
    assert stage.gsd("prefs", "set", "version", "1").code == DONE
    assert stage.gsd("mode", "solo").code == DONE
    stage.git("commit", "-qam", "solo")
    stage.auto("--max-units", "1")
    assert "milestone/M001" not in stage.git("ls-remote", "--heads", "origin")
    assert stage.gsd("mode", "team").code == DONE
    stage.git("commit", "-qam", "team")
    stage.auto("--max-units", "1")
    assert "milestone/M001" in stage.git("ls-remote", "--heads", "origin")
