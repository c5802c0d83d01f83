"""The user's checkout: what is half done there is reported, and left exactly as it is."""

import os
import sys
import time
from pathlib import Path

import pytest

from conftest import run_git
from doctor.project import codes, commit, fixed, head, look, of, write
from milepost.doctor.finding import Severity


def half_merged(root: Path) -> None:
    run_git(root, "switch", "-qc", "side")
    write(root, {"README.md": "side\n"})
    commit(root, "side")
    run_git(root, "switch", "-q", "main")
    write(root, {"README.md": "main\n"})
    commit(root, "main")
    os.system(f"git -C {root} merge -q side >/dev/null 2>&1")


def test_a_half_done_merge_is_left_as_it_is(sound: Path) -> None:
    half_merged(sound)
    write(sound, {"mine.txt": "not committed\n", ".gsd/STATE.md": None})
    found = of(sound, "corrupt_merge_state")
    assert (found.severity, found.fixable) == (Severity.ERROR, False)
    assert "git merge --abort" in found.hint
    text, at = (sound / "README.md").read_text(), head(sound)
    fixed(sound)
    assert (sound / ".git/MERGE_HEAD").is_file()
    assert (sound / "README.md").read_text() == text
    assert (sound / "mine.txt").is_file()
    assert head(sound) == at


def test_a_squash_message_alone_is_a_note(sound: Path) -> None:
    write(sound, {".git/SQUASH_MSG": "Squashed commit\n"})
    assert of(sound, "squash_message_left").severity is Severity.INFO
    fixed(sound)
    assert (sound / ".git/SQUASH_MSG").is_file()


@pytest.mark.parametrize("name", ["index.lock", "HEAD.lock"])
def test_an_old_lock_of_git_is_reported_and_left(sound: Path, name: str) -> None:
    write(sound, {f".git/{name}": ""})
    assert "git_lock_left" not in codes(sound)
    past = time.time() - 3600
    os.utime(sound / ".git" / name, (past, past))
    assert "1 h 0 min" in of(sound, "git_lock_left").message
    fixed(sound)
    assert (sound / ".git" / name).is_file()


def test_detached_head_and_no_commit(sound: Path, tmp_path: Path) -> None:
    run_git(sound, "switch", "-q", "--detach")
    assert of(sound, "detached_head").severity is Severity.ERROR
    run_git(tmp_path, "init", "-q", "-b", "main", "young")
    write(tmp_path / "young", {".gsd/milestones/": ""})
    assert of(tmp_path / "young", "no_commits").severity is Severity.ERROR


def test_bare(tmp_path: Path) -> None:
    run_git(tmp_path, "init", "-q", "--bare", "bare.git")
    write(tmp_path / "bare.git", {".gsd/milestones/": ""})
    assert "bare_repository" in codes(tmp_path / "bare.git")


def test_a_plan_below_the_top(sound: Path) -> None:
    write(sound, {"part/.gsd/milestones/M001/M001-CONTEXT.md": "# M001: A\n"})
    assert of(sound / "part", "not_at_top").severity is Severity.ERROR


def test_nobody_to_commit_as(sound: Path, private_machine: Path) -> None:
    (private_machine / ".gitconfig").write_text("")
    found = of(sound, "identity_missing")
    assert "user.email" in found.hint


def test_signing_that_fails_and_signing_that_works(sound: Path, tmp_path: Path) -> None:
    signer = tmp_path / "signer"
    signer.write_text("#!/bin/sh\necho 'no secret key' >&2\nexit 1\n")
    signer.chmod(0o755)
    run_git(sound, "config", "commit.gpgSign", "true")
    run_git(sound, "config", "gpg.program", str(signer))
    objects = sorted((sound / ".git/objects").rglob("*"))
    assert of(sound, "signing_fails").severity is Severity.ERROR
    made = (
        f"#!{sys.executable}\nimport sys\nsys.stdin.read()\nprint('-----BEGIN PGP SIGNATURE-----\\n')\n"
        "print('[GNUPG:] SIG_CREATED D 1 8 00 1 X', file=sys.stderr)\n"
    )
    signer.write_text(made)
    assert look(sound) == []
    assert sorted((sound / ".git/objects").rglob("*")) == objects


def test_repositories_inside_are_mentioned(sound: Path, tmp_path: Path) -> None:
    run_git(sound, "init", "-q", "inner")
    assert of(sound, "nested_repository").path == "inner"


def test_tracked_run_time_files_are_untracked_and_stay(sound: Path) -> None:
    write(sound, {".gsd/activity/001-x.jsonl": "{}\n", "mine.txt": "staged\n"})
    run_git(sound, "add", "-f", ".gsd/STATE.md", ".gsd/activity", "mine.txt")
    run_git(sound, "commit", "-qm", "too much")
    write(sound, {"README.md": "staged by me\n"})
    run_git(sound, "add", "README.md")
    assert "2 files" in fixed(sound).mended[0].done
    assert run_git(sound, "status", "--porcelain").splitlines() == [
        "D  .gsd/STATE.md",
        "D  .gsd/activity/001-x.jsonl",
        "M  README.md",
    ]
    assert (sound / ".gsd/activity/001-x.jsonl").is_file()
    assert look(sound) == []


def test_the_index_is_not_touched_in_the_middle_of_a_merge(sound: Path) -> None:
    run_git(sound, "add", "-f", ".gsd/STATE.md")
    run_git(sound, "commit", "-qm", "too much")
    half_merged(sound)
    staged = run_git(sound, "ls-files", "--stage")
    assert "half done" in fixed(sound).mended[0].refused
    assert run_git(sound, "ls-files", "--stage") == staged


def test_missing_patterns_are_appended_and_lines_of_the_user_stay(sound: Path) -> None:
    (sound / ".gitignore").write_bytes(b"# mine\r\n*.bak\r\n")
    assert of(sound, "gitignore_missing_patterns").fixable
    fixed(sound)
    text = (sound / ".gitignore").read_bytes()
    assert text.startswith(b"# mine\r\n*.bak\r\n")
    assert b".gsd/journal/\r\n" in text
    assert look(sound) == []


@pytest.mark.parametrize("line", [".gsd\n", ".gsd/\n", "/.gsd/*\n"])
def test_a_directory_that_is_ignored_as_a_whole_is_covered(sound: Path, line: str) -> None:
    (sound / ".gitignore").write_text(line)
    assert "gitignore_missing_patterns" not in codes(sound)
    fixed(sound)
    assert (sound / ".gitignore").read_text() == line


def test_gitignore_is_left_alone_when_the_settings_say_so_or_it_is_a_link(sound: Path, tmp_path: Path) -> None:
    (tmp_path / "shared-ignore").write_text("*.bak\n")
    (sound / ".gitignore").unlink()
    (sound / ".gitignore").symlink_to(tmp_path / "shared-ignore")
    assert fixed(sound).mended[0].refused
    assert (tmp_path / "shared-ignore").read_text() == "*.bak\n"
    write(sound, {".gsd/preferences.md": "---\ngit: {manage_gitignore: false}\n---\n"})
    assert "gitignore_missing_patterns" not in codes(sound)


def test_a_line_that_takes_a_pattern_back_is_said(sound: Path) -> None:
    with (sound / ".gitignore").open("a") as file:
        file.write("!.gsd/STATE.md\n")
    assert ".gsd/STATE.md" in of(sound, "gitignore_missing_patterns").message
    assert "check-ignore" in fixed(sound).mended[0].refused


def test_planning_files_that_shall_stay_local_are_ignored(sound: Path) -> None:
    write(sound, {".gsd/preferences.md": "---\ngit: {commit_docs: false}\n---\n"})
    fixed(sound)
    assert "\n.gsd/\n" in (sound / ".gitignore").read_text()
    assert "gitignore_missing_patterns" not in codes(sound)


def test_a_damaged_repository_is_said_and_files_are_checked(sound: Path) -> None:
    write(sound, {".git/index": b"DIRC garbage", ".gsd/milestones/M009/": ""})
    assert set(codes(sound)) == {"repository_unreadable", "ghost_milestone"}
