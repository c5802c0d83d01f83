"""`gsd notify`: targets, their names, their secrets, and what is said when one cannot be reached."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from milepost.ui.cli.main import main
from scenarios.receiver import Receiver

Out = pytest.CaptureFixture[str]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver().listening() as made:
        yield made


def urls(home: Path, text: str, mode: int = 0o600) -> Path:
    path = home / ".gsd" / "notify.urls"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    return path


@pytest.mark.covers("command:notify")
def test_a_test_reaches_every_target(project: Path, private_machine: Path, receiver: Receiver, capsys: Out) -> None:
    urls(private_machine, f"# mine\nphone = {receiver.url}\n{receiver.url}\n")
    assert main(["notify", "--test"], "gsd") == 0
    assert capsys.readouterr().out.splitlines() == ["phone: sent", "json: sent"]
    assert [(each["title"], each["type"]) for each in receiver.got] == [("project", "info")] * 2
    assert "It works" in receiver.got[0]["message"]


@pytest.mark.covers("command:notify")
def test_a_message_to_one_target_from_the_environment(
    project: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, capsys: Out
) -> None:
    monkeypatch.setenv("GSD_NOTIFY_URLS", f"a={receiver.url} b=json://127.0.0.1:1/x")
    assert main(["notify", "The", "machine is back", "--target", "a"], "gsd") == 0
    assert [each["message"] for each in receiver.got] == ["The machine is back"]
    assert main(["notify", "x", "--target", "c"], "gsd") == 1
    assert "no target is named c" in capsys.readouterr().err


def test_nobody_is_configured(project: Path, capsys: Out) -> None:
    assert main(["notify", "--test"], "gsd") == 1
    err = capsys.readouterr().err
    assert "no target is configured" in err and "notify.urls" in err and "GSD_NOTIFY_URLS" in err


def test_one_target_refuses(project: Path, private_machine: Path, receiver: Receiver, capsys: Out) -> None:
    receiver.status = 403
    urls(private_machine, f"bad = {receiver.url}\nworse = slack://abcdef12345/x\n")
    assert main(["notify", "--test"], "gsd") == 1
    err = capsys.readouterr().err
    assert "bad: FAILED: " in err and "403" in err
    assert "worse: FAILED: " in err and "not reached: bad, worse" in err
    assert "s3cretpart" not in err and "abcdef12345" not in err


def test_nothing_listens(project: Path, private_machine: Path, capsys: Out) -> None:
    urls(private_machine, "gone = json://user:verysecret@127.0.0.1:1/x\nodd = nosuch://address\n")
    assert main(["notify", "--test"], "gsd") == 1
    err = capsys.readouterr().err
    assert "gone: FAILED: A Connection error" in err and "odd: FAILED: " in err and "verysecret" not in err


def test_a_file_that_others_may_read_is_not_used(
    project: Path, private_machine: Path, receiver: Receiver, capsys: Out
) -> None:
    path = urls(private_machine, f"phone = {receiver.url}\n", 0o644)
    assert main(["notify", "--test"], "gsd") == 1
    assert f"chmod 600 {path}" in capsys.readouterr().err
    assert receiver.got == []


def test_a_line_that_is_no_address_is_said_without_repeating_it(
    project: Path, private_machine: Path, receiver: Receiver, capsys: Out
) -> None:
    urls(private_machine, f"phone = {receiver.url}\nhunter2hunter2\n")
    assert main(["notify", "--test"], "gsd") == 1
    told = capsys.readouterr()
    assert "phone: sent" in told.out and "entry 2 is no address" in told.err and "hunter2" not in told.err


@pytest.mark.covers("key:notifications.targets")
def test_a_project_names_its_targets_and_never_an_address(
    project: Path, private_machine: Path, receiver: Receiver, capsys: Out
) -> None:
    urls(private_machine, f"phone = {receiver.url}\nteam = {receiver.url}\n")
    prefs = project / ".gsd" / "PREFERENCES.md"
    prefs.write_text("---\nnotifications:\n  targets: [team]\n---\n")
    assert main(["notify", "hello"], "gsd") == 0
    assert capsys.readouterr().out == "team: sent\n"
    assert main(["notify", "--list"], "gsd") == 0
    assert capsys.readouterr().out.splitlines() == ["phone   json   (not used in this project)", "team   json"]
    prefs.write_text(f"---\nnotifications:\n  targets: ['{receiver.url}', team, nobody]\n---\n")
    assert main(["notify", "hello"], "gsd") == 1
    told = capsys.readouterr()
    assert told.out == "team: sent\n"
    assert "holds an address, which is a secret" in told.err and "no target is named nobody" in told.err
    assert "s3cretpart" not in told.err
    assert len(receiver.got) == 2


@pytest.mark.parametrize("there", [True, False], ids=["desktop", "no-desktop"])
def test_the_desktop_is_told_where_there_is_one(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Out, there: bool
) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    program = tmp_path / "bin" / "notify-send"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > "{tmp_path}/shown"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "DBUS_SESSION_BUS_ADDRESS"):
        monkeypatch.delenv(name, raising=False)
    if there:
        monkeypatch.setenv("DISPLAY", ":0")
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere")
    assert main(["notify", "--list"], "gsd") == 0
    assert ("desktop" in capsys.readouterr().out) is there
    assert main(["notify", "hello"], "gsd") == (0 if there else 1)
    if there:
        assert (tmp_path / "shown").read_text().splitlines()[-2:] == ["project", "hello"]


def test_nothing_to_say(project: Path, capsys: Out) -> None:
    assert main(["notify"], "gsd") == 1
    assert "nothing to say" in capsys.readouterr().err


def test_a_module_of_the_project_is_not_imported(project: Path, private_machine: Path, receiver: Receiver) -> None:
    (project / "apprise.py").write_text("raise SystemExit('the project was imported')\n")
    urls(private_machine, f"phone = {receiver.url}\n")
    assert main(["notify", "--test"], "gsd") == 0
