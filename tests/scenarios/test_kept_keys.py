"""`gsd keys`: kept for the provider, and for nobody else."""

import json
import os
import pty
import subprocess
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from fakemodel.replies import ByPrompt, Call, Counted, Reply
from fakemodel.server import FakeModel
from scenarios.stage import DONE, ERROR, Stage

KEY = "sk-ant-kept-for-one-provider-wxyz"
NAME = "ANTHROPIC_API_KEY"


@pytest.fixture
def made(tmp_path: Path) -> Stage:
    return Stage(root=tmp_path / "project", env={"GSD_HOME": str(tmp_path / "global")}).make()


def keep(stage: Stage, key: str, name: str = NAME) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(stage.argv("keys", "set", name), cwd=stage.root, env=stage.environment({}), input=f"{key}\n".encode(), capture_output=True)  # fmt: skip


def row(stage: Stage, provider: str, **env: str) -> dict[str, str]:
    rows = json.loads(stage.gsd("keys", "--json", **env).require(DONE).out)
    found: dict[str, str] = next(row for row in rows if row["provider"] == provider)
    return found


@pytest.mark.covers("command:keys", "command:config")
def test_where_each_key_comes_from_and_never_what_it_is(made: Stage) -> None:
    assert row(made, "anthropic")["source"] == "missing"
    done = keep(made, KEY)
    assert (done.returncode, KEY.encode() in done.stdout + done.stderr) == (DONE, False)
    assert row(made, "anthropic") == {"provider": "anthropic", "variable": NAME, "source": "file", "ending": "wxyz"}
    assert row(made, "anthropic", ANTHROPIC_API_KEY="sk-ant-of-the-environment")["source"] == "environment"
    assert row(made, "google", GEMINI_API_KEY="short")["ending"] == ""
    for argv in (("keys",), ("config",), ("/gsd config",)):
        said = made.gsd(*argv).require(DONE).said
        assert KEY not in said
        assert "…wxyz" in said
    made.gsd("keys", "remove", "anthropic").require(DONE)
    assert row(made, "anthropic")["source"] == "missing"
    made.gsd("keys", "remove", NAME).require(ERROR)


@pytest.mark.covers("command:keys")
@pytest.mark.parametrize("words", [(NAME, KEY), (KEY,), ("PATH",), (f"{NAME}={KEY}",), ()])
def test_a_key_is_no_argument_and_not_repeated(made: Stage, words: tuple[str, ...]) -> None:
    ran = made.gsd("keys", "set", *words).require(ERROR)
    assert KEY not in ran.said
    assert not Path(made.env["GSD_HOME"], "keys").exists()


@pytest.mark.covers("command:keys")
def test_a_key_that_is_typed_is_not_shown(made: Stage) -> None:
    master, slave = pty.openpty()
    running = subprocess.Popen(made.argv("keys", "set", NAME), cwd=made.root, env=made.environment({}), stdin=slave, stdout=slave, stderr=slave, start_new_session=True, preexec_fn=_own_terminal)  # fmt: skip
    os.close(slave)
    said = bytearray()

    def read() -> None:
        with suppress(OSError):
            while data := os.read(master, 4096):
                said.extend(data)

    reading = threading.Thread(target=read, daemon=True)
    reading.start()
    deadline = threading.Event()
    while b"not shown" not in said and running.poll() is None:
        deadline.wait(0.02)
    os.write(master, f"{KEY}\n".encode())
    assert running.wait(120) == DONE, said
    reading.join(30)
    os.close(master)
    assert KEY.encode() not in said
    assert row(made, "anthropic")["source"] == "file"


def _own_terminal() -> None:
    import fcntl
    import termios

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def replies() -> ByPrompt:
    """The agent prints its environment, writes what it owes, and says the key aloud."""
    usage = Counted(input=10, output=5, cache_read=0, cache_write=0)
    summary = "---\nid: T01\nkey_files: [m1_s1_t1.py]\nblocker_discovered: false\n---\n# T01: Add\n\n**Added.**\n\n## What Happened\n\nDone.\n"
    return ByPrompt(
        {
            "# Execute task T01 of slice S01, milestone M001\n": [
                Reply(text=f"I was told {KEY}.", calls=[Call("bash", {"command": "env | sort; echo done"})], usage=usage),
                Reply(text="Now.", calls=[Call("write", {"path": ".gsd/milestones/M001/slices/S01/tasks/T01-SUMMARY.md", "content": summary})], usage=usage),
                Reply(text="Done.", usage=usage),
            ]
        }
    )  # fmt: skip


@pytest.mark.covers("command:keys")
def test_the_provider_gets_it_and_nobody_else(made: Stage) -> None:
    keep(made, KEY)
    with FakeModel(replies()) as server:
        url = {name: value for name, value in server.env("anthropic").items() if name.endswith("_URL")}
        ran = made.gsd("auto", "--max-units", "1", **url)
        seen = [KEY in " ".join(entry.headers.values()) for entry in server.seen]
    assert seen, ran.said
    assert all(seen)
    said = made.transcript("M001-S01-T01")
    assert "done" in said
    assert NAME not in said
    kept = [path for path in made.root.rglob("*") if path.is_file() and KEY.encode() in path.read_bytes()]
    assert kept == []
    assert KEY not in ran.said


@pytest.mark.covers("command:keys")
def test_a_file_that_others_can_read_is_not_used(made: Stage) -> None:
    keep(made, KEY)
    file = Path(made.env["GSD_HOME"], "keys")
    file.chmod(0o644)
    ran = made.gsd("auto").require(ERROR)
    assert f"chmod 600 {file}" in ran.err
    assert made.attempts() == 0
    file.chmod(0o600)
    assert "chmod" not in made.gsd("auto", "--agent", made.agent(), "--max-units", "1").said


@pytest.mark.covers("command:keys")
def test_no_key_in_a_project(made: Stage) -> None:
    made.env["GSD_HOME"] = str(made.state)
    done = keep(made, KEY)
    assert (done.returncode, b"lies in the project" in done.stderr) == (ERROR, True)
    assert not (made.state / "keys").exists()
    made.env["GSD_HOME"] = str(made.root.parent / "global")
    made.prefer(f"---\nmode: solo\nanthropic_api_key: {KEY}\n---\n")
    said = made.gsd("prefs").require(DONE).said
    assert ".gsd/PREFERENCES.md:3: looks like a key" in said
    assert KEY not in said
