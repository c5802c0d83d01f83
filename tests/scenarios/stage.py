"""A project, the `gsd` command as its own process, and what is to be seen of a run afterwards."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from milepost.testing import projects

TIMEOUT_S = 60
DONE, ERROR, BLOCKED, PAUSED, BUDGET, INTERRUPTED = 0, 1, 2, 3, 4, 130


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def said(self) -> str:
        """Both streams."""
        return self.out + self.err

    def require(self, code: int) -> "Ran":
        """The exit code is this one; the failure shows what was said."""
        assert self.code == code, f"exit {self.code}, expected {code}\n{self.said}"
        return self


@dataclass(slots=True, kw_only=True)
class Stage:
    """One project and the commands run on it."""

    root: Path
    program: str = "gsd"
    state_dir: str = ".gsd"
    env: dict[str, str] = field(default_factory=dict)
    script: list[projects.Session] = field(default_factory=list)

    @property
    def state(self) -> Path:
        return self.root / self.state_dir

    @property
    def worktree(self) -> Path:
        return self.state / "worktrees" / "M001"

    def make(self, **shape: object) -> "Stage":
        """Make the project and script the honest agent for it."""
        projects.tiny(self.root, state_dir=self.state_dir, **shape)  # type: ignore[arg-type]
        size = {key: shape[key] for key in ("milestones", "slices", "tasks") if key in shape}
        self.script = projects.sessions(**size, state_dir=self.state_dir)  # type: ignore[arg-type]
        return self

    def replay(self, unit: str, *plays: Sequence[projects.Step]) -> None:
        """Let the sessions of one unit be these, one after the other, instead of the honest one."""
        at = next(i for i, session in enumerate(self.script) if session["unit"] == unit)
        self.script[at : at + 1] = [projects.session(unit, *steps) for steps in plays]

    def gsd(self, *args: str, cwd: Path | None = None, **env: str) -> Ran:
        """Run a command to its end. Whatever happens, nobody sees a traceback."""
        done = subprocess.run(
            self.argv(*args), cwd=cwd or self.root, env=self.environment(env), capture_output=True,
            timeout=TIMEOUT_S, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        ran = Ran(code=done.returncode, out=done.stdout.decode(), err=done.stderr.decode())
        assert "Traceback" not in ran.said, ran.said
        return ran

    def auto(self, *args: str, cwd: Path | None = None, **env: str) -> Ran:
        """`gsd auto` with the scripted agent."""
        return self.gsd("auto", "--agent", self.agent(), *args, cwd=cwd, **env)

    def start(self, *args: str, **env: str) -> "subprocess.Popen[bytes]":
        """`gsd auto` in the background, in a process group of its own."""
        return self.begin("auto", "--agent", self.agent(), *args, **env)

    def begin(self, *args: str, **env: str) -> "subprocess.Popen[bytes]":
        """A command in the background, in a process group of its own."""
        return subprocess.Popen(
            self.argv(*args), cwd=self.root, env=self.environment(env),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip

    def agent(self) -> str:
        """The agent's name on the command line; its script is written beside the project."""
        path = self.root.parent / "script.json"
        path.write_text(json.dumps(self.script))
        return f"scripted:{path}"

    def argv(self, *args: str) -> list[str]:
        return [sys.executable, "-c", f"from milepost.ui.cli.main import {self.program}; {self.program}()", *args]

    def environment(self, more: Mapping[str, str]) -> dict[str, str]:
        return {**os.environ, **self.env, **more}

    def git(self, *args: str, where: Path | None = None, ok: Iterable[int] = (0,)) -> str:
        """Plain git, for arranging and looking."""
        done = subprocess.run(
            ["git", "-C", str(where or self.root), *args], capture_output=True, stdin=subprocess.DEVNULL
        )
        assert done.returncode in ok, done.stderr.decode()
        return done.stdout.decode()

    def log(self, ref: str = "main") -> list[str]:
        """Subjects along the first parents, newest first."""
        return self.git("log", "--first-parent", "--format=%s", ref).splitlines()

    def branches(self) -> list[str]:
        return self.git("for-each-ref", "--format=%(refname:short)", "refs/heads").split()

    def backups(self) -> list[str]:
        return self.git("for-each-ref", "--format=%(refname)", "refs/gsd/backup").split()

    def path(self, suffix: str, mid: str = "M001", where: Path | None = None) -> Path:
        """A document of a milestone, in the worktree when `where` says so."""
        return (where or self.root) / self.state_dir / "milestones" / mid / suffix

    def prefer(self, text: str) -> None:
        """Replace the preferences and commit them."""
        (self.state / "PREFERENCES.md").write_text(text)
        self.git("add", "-f", f"{self.state_dir}/PREFERENCES.md")
        self.git("commit", "-qm", "preferences")

    def events(self, kind: str = "") -> list[dict[str, object]]:
        """The journal, all writers, by time; only events of one kind when it is named."""
        found = []
        for file in sorted((self.state / "journal").glob("*.jsonl")):
            for line in file.read_text(errors="replace").splitlines():
                try:
                    found.append(json.loads(line))
                except ValueError:
                    continue
        events = sorted((e for e in found if isinstance(e, dict)), key=lambda e: e.get("at_ms", e.get("atMs", 0)))
        return [e for e in events if not kind or kind in e.values()]

    def attempts(self, unit: str = "") -> int:
        """Sessions that were paid for, of one unit (`M001/S01/T01`) or of all."""
        return sum(1 for e in self.events("attempt-started") if not unit or unit in e.values())

    def prompts(self, unit: str) -> list[str]:
        """The prompts of a unit's sessions, in order; `unit` as in the file names (`M001-S01-T01`)."""
        found = []
        for file in sorted((self.state / "activity").glob(f"*-{unit}.jsonl")):
            for line in file.read_text().splitlines():
                entry = json.loads(line)
                if entry.get("type") == "message" and entry["message"]["role"] == "user":
                    found.append(entry["message"]["content"][0]["text"])
                    break
        return found

    def transcript(self, unit: str) -> str:
        """All transcripts of a unit as text."""
        return "".join(file.read_text() for file in sorted((self.state / "activity").glob(f"*-{unit}.jsonl")))

    def refusals(self, unit: str) -> list[str]:
        """What the tools answered with an error."""
        found = []
        for line in self.transcript(unit).splitlines():
            message = json.loads(line).get("message", {})
            if message.get("role") == "toolResult" and message["isError"]:
                found.append(message["content"][0]["text"])
        return found

    def require_landed(self, *, target: str = "main", mid: str = "M001", before: int = 1) -> None:
        """One commit for the milestone on top of `before`, nothing left over, backups there."""
        log = self.log(target)
        assert len(log) == before + 1, log
        assert log[0].startswith(f"feat({mid}): "), log
        assert not (self.state / "worktrees" / mid).exists()
        assert f"milestone/{mid}" not in self.branches()
        assert [ref for ref in self.backups() if f"/{mid}/" in ref]


def wait_until(seen: object, *, seconds: float = 20) -> None:
    """Wait until a callable is true."""
    deadline = time.monotonic() + seconds
    while not seen():  # type: ignore[operator]
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


def finish(process: "subprocess.Popen[bytes]", *, seconds: float = 30) -> Ran:
    """Wait for a background command."""
    try:
        out, err = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        out, err = process.communicate()
        raise AssertionError(f"it did not end\n{out.decode()}{err.decode()}") from None
    ran = Ran(code=process.returncode, out=out.decode(), err=err.decode())
    assert "Traceback" not in ran.said, ran.said
    return ran


@dataclass(frozen=True, slots=True)
class Picture:
    """Everything of a checkout that belongs to its user: files, index, and where HEAD is."""

    files: Mapping[str, tuple[int, bytes]]
    staged: str
    index: str


def picture(root: Path, *, without: Sequence[str] = (".gsd", ".git")) -> Picture:
    """Take it. `without`: top-level names that are not the user's."""
    files = {}
    for path in sorted(root.rglob("*")):
        relative = path.relative_to(root)
        if relative.parts[0] in without or (path.is_dir() and not path.is_symlink()):
            continue
        data = os.readlink(path).encode() if path.is_symlink() else path.read_bytes()
        files[str(relative)] = (path.lstat().st_mode, data)
    run = ["git", "-C", str(root)]
    staged = subprocess.run([*run, "diff", "--cached", "--", ".", ":!.gsd"], check=True, capture_output=True).stdout
    index = subprocess.run([*run, "ls-files", "-s", "--", ".", ":!.gsd"], check=True, capture_output=True).stdout
    return Picture(files, staged.decode(), index.decode())


@contextmanager
def git_lock(where: Path, lock: Path) -> Iterator[None]:
    """A lock file as of a git that is at work in `where`, which is killed at the end and leaves it."""
    with subprocess.Popen(["git", "-C", str(where), "cat-file", "--batch"], stdin=subprocess.PIPE) as holder:
        wait_until(lambda: Path(f"/proc/{holder.pid}/cwd").readlink() == where)
        lock.parent.mkdir(parents=True, exist_ok=True)
        lock.touch()
        yield
        assert lock.exists(), "it was held"
        holder.kill()
