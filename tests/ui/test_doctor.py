"""`gsd doctor` as a person and as a script meets it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import run_git
from doctor.project import M1, ROADMAP, S1, SOUND, commit, write
from milepost.process import confine
from milepost.ui.cli import doctor
from milepost.ui.cli.main import main


@pytest.fixture
def project(repo: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write(repo, dict(SOUND))
    commit(repo, "plan")
    monkeypatch.chdir(repo)
    monkeypatch.setattr(confine, "available", lambda: "landlock")
    return repo


def test_nothing_found(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor"], "gsd") == 0
    assert capsys.readouterr().out == "Nothing found.\n"


def test_groups_hints_and_count(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(project, {f"{M1}/M001-ROADMAP.md": ROADMAP.replace("[S01]", "[S09]"), f"{S1}/S01-SUMMARY.md": None})
    write(project, {".gsd/STATE.md": None})
    assert main(["doctor"], "gsd") == 2
    assert (
        capsys.readouterr().out
        == f"""\
Errors
  unresolvable_dependency  {M1}/M001-ROADMAP.md:8: S02 depends on S09, which is not there; it waits for ever
      Correct `depends:[…]` of S02.

Warnings
  slice_checked_missing_summary  {M1}/M001-ROADMAP.md:7: S01 is ticked and has no summary

Notes
  state_file_missing  .gsd/STATE.md: is missing
      gsd doctor --fix writes it; nothing is decided from it.

1 error, 1 warning, 1 note. gsd doctor --fix can mend 1.
"""
    )


def test_warnings_alone_end_well(project: Path) -> None:
    write(project, {f"{S1}/S01-SUMMARY.md": None})
    assert main(["doctor"], "gsd") == 0


def test_many_of_one_kind_are_counted(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(project, {f".gsd/milestones/M{n}/": "" for n in range(100, 108)})
    main(["doctor"], "gsd")
    short = capsys.readouterr().out
    assert short.count("ghost_milestone") == doctor.SHOWN
    assert "and 3 more; --all lists them" in short
    main(["doctor", "--all"], "gsd")
    assert capsys.readouterr().out.count("ghost_milestone") == 8


def test_json_lists_every_finding(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(project, {".gsd/preferences.md": "---\nmode: teams\n---\n", ".gsd/STATE.md": None})
    assert main(["headless", "doctor", "--json"], "gsd") == 2
    rows = json.loads(capsys.readouterr().out)
    assert [row["code"] for row in rows] == ["invalid_preferences", "state_file_missing"]
    assert set(rows[0]) == {"code", "severity", "path", "line", "message", "hint", "fixable"}
    assert (rows[0]["severity"], rows[0]["path"], rows[0]["line"]) == ("error", ".gsd/preferences.md", 2)


@pytest.mark.covers("command:doctor")
@pytest.mark.parametrize("words", [["--fix"], ["fix"]])
def test_fix_says_what_was_done_and_refused(
    project: Path, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    scratch = project / ".gsd/worktrees/.check-M001"
    run_git(project, "worktree", "add", "-q", "--detach", str(scratch))
    write(project, {".gsd/STATE.md": None, ".gsd/worktrees/.check-M001/by-hand.py": "1"})
    assert main(["doctor", *words], "gsd") == 0
    out = capsys.readouterr().out
    assert "  state_file_missing  .gsd/STATE.md: written anew from the plan\n" in out
    assert "  not scratch_worktree_left  .gsd/worktrees/.check-M001: " in out
    assert out.endswith("1 note.\n")
    assert main(["doctor", "--fix", "--json"], "gsd") == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert row["code"] == "scratch_worktree_left"
    assert "by-hand.py" in row["refused"]


def test_from_inside_a_worktree_the_project_is_meant(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run_git(project, "worktree", "add", "-q", "-b", "milestone/M001", ".gsd/worktrees/M001")
    monkeypatch.chdir(project / ".gsd/worktrees/M001")
    assert main(["doctor"], "gsd") == 0
    assert capsys.readouterr().out == "Nothing found.\n"


def test_no_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["doctor"], "gsd") == 1
    assert "gsd init" in capsys.readouterr().err


def test_names_cannot_write_to_the_terminal(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(project, {".gsd/milestones/\x1b[2Jideas/a.md": "x"})
    main(["doctor"], "gsd")
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "ideas" in out


def test_bytes_that_are_no_text_can_be_shown(project: Path) -> None:
    write(project, {f"{M1}/M001-ROADMAP.md": ROADMAP.replace("S01]", "S\xff09]").encode("latin-1")})
    (project / ".gsd/milestones" / b"caf\xe9".decode("utf-8", "surrogateescape")).mkdir()
    code = "import sys; from milepost.ui.cli.main import main; sys.exit(main(['doctor'], 'gsd'))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, cwd=project, check=False)
    assert done.returncode == 2, done.stderr
    assert b"Traceback" not in done.stderr
    assert b"is not UTF-8 here" in done.stdout


def test_no_agent_library_is_loaded(project: Path) -> None:
    code = (
        "import sys; from milepost.ui.cli.main import main; main(['doctor'], 'gsd');"
        "print([m for m in sys.modules if m.split('.')[0] in ('pydantic_ai', 'anthropic', 'openai', 'anyio')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, cwd=project, check=True, text=True)
    assert done.stdout.endswith("[]\n")


@pytest.mark.spec(id="PR-151")
@pytest.mark.spec(id="DV-18")
@pytest.mark.parametrize(
    "words", [["--fix"], ["fix"], ["heal"], ["fix", "M001"], ["M001", "--fix"], ["fix", "M001/S02"]]
)
def test_every_way_to_ask_for_mending_mends(project: Path, words: list[str]) -> None:
    """GSD's parser took `--fix` for the name of a scope, and mended nothing."""
    write(project, {".gsd/parallel/M001.signal.json": '{"signal": "stop", "sentAt": 1, "from": "coordinator"}'})
    assert main(["doctor", *words], "gsd") == 0
    assert not (project / ".gsd/parallel/M001.signal.json").exists()


@pytest.mark.parametrize("words", [[], ["audit"], ["M001"], ["fix", "M002"]])
def test_nothing_else_mends(project: Path, words: list[str]) -> None:
    write(project, {".gsd/parallel/M001.signal.json": '{"signal": "stop", "sentAt": 1, "from": "coordinator"}'})
    main(["doctor", *words], "gsd")
    assert (project / ".gsd/parallel/M001.signal.json").exists()


def test_an_audit_lists_all(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(project, {f".gsd/milestones/M{n}/": "" for n in range(100, 108)})
    main(["doctor", "audit"], "gsd")
    assert capsys.readouterr().out.count("ghost_milestone") == 8


def test_a_scope_leaves_out_the_rest(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(project, {".gsd/milestones/M100/": "", ".gsd/milestones/M101/": ""})
    main(["doctor", "M101"], "gsd")
    out = capsys.readouterr().out
    assert "M101" in out
    assert "M100" not in out


@pytest.mark.parametrize("words", [["mend"], ["mend", "M001"], ["fix", "everything"]])
def test_a_word_that_nobody_knows(project: Path, words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", *words], "gsd") != 0
    assert capsys.readouterr().err


def test_the_other_name_of_the_command_is_used_in_hints(
    repo: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(confine, "available", lambda: "landlock")
    write(repo, {name.replace(".gsd/", ".sf/", 1): text for name, text in SOUND.items()})
    write(repo, {".sf/parallel/M001.signal.json": '{"signal": "stop", "sentAt": 1, "from": "coordinator"}'})
    monkeypatch.chdir(repo)
    main(["doctor"], "sf")
    out = capsys.readouterr().out
    assert "  stale_signal  .sf/parallel/M001.signal.json: " in out
    assert "sf doctor --fix removes it" in out
    assert "gsd doctor" not in out
    main(["doctor", "--json"], "sf")
    assert "gsd doctor" not in capsys.readouterr().out
