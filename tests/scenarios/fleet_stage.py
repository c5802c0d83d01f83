"""A project and the fleet that works on it: real coordinator, workers and merges, of which nothing outlives the test."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from milepost.store import lease
from milepost.testing import projects
from scenarios.stage import Ran, Stage, finish, wait_until

PATIENCE_S = 150
"""Several processes share a small machine with other tests."""
PAIR = ("M001", "M002")
TRIO = ("M001", "M002", "M003")
Process = subprocess.Popen[bytes]


def task(mid: str, number: int = 1) -> str:
    """The key of a task of the milestone's first slice."""
    return f"execute-task/{mid}/S01/T{number:02d}"


def settings(parallel: Mapping[str, object] | None = None, git: Mapping[str, object] | None = None, more: str = "") -> str:  # fmt: skip # noqa: E501
    """`QUICK` with parallel mode on; merges happen by themselves unless `parallel` says otherwise."""
    blocks = {"parallel": {"enabled": "true", "auto_merge": "auto", **(parallel or {})}, "git": dict(git or {})}
    lines = [
        f"{name}:\n" + "".join(f"  {key}: {value}\n" for key, value in block.items())
        for name, block in blocks.items()
        if block
    ]
    return projects.QUICK.replace("---\n", f"---\n{''.join(lines)}{more}", 1)


@dataclass(frozen=True, slots=True)
class Gate:
    """Where a session waits: `begun` is there when it does, and it goes on when `open` was called."""

    begun: Path
    go: Path

    def wait(self) -> None:
        """Until the session waits."""
        wait_until(self.begun.exists, seconds=PATIENCE_S)

    def open(self) -> None:
        """Let it go on."""
        self.go.touch()

    @property
    def step(self) -> projects.Step:
        """The step of the session."""
        waits = 'touch "$0"; until test -f "$1"; do sleep 0.05; done'
        return projects.raw_shell("sh", "-c", waits, str(self.begun), str(self.go))


@dataclass(slots=True, kw_only=True)
class FleetStage(Stage):
    """One project, and the commands of a fleet on it."""

    door: Path | None = None
    """Where commands are typed; None: in the project."""
    running: list[Process] = field(default_factory=list)
    mark: str = ""

    def plan(
        self, milestones: Sequence[str] = PAIR, *, parallel: Mapping[str, object] | None = None,
        git: Mapping[str, object] | None = None, more: str = "", **shape: object,
    ) -> None:  # fmt: skip
        """Make the project with these settings, and script the honest agent for it."""
        self.make(milestones=milestones, preferences=settings(parallel, git, more), **shape)
        self.mark = f"{os.getpid()}-{self.root}"
        self.env["FIELD_REPORT"] = self.mark

    def hold(self, unit: str, *before: projects.Step, after: Sequence[projects.Step] | None = None) -> Gate:
        """Let the unit's session wait, after `before`; then it does `after`, by default the honest work."""
        name = unit.replace("/", "-")
        gate = Gate(self.root.parent / f"begun-{name}", self.root.parent / f"go-{name}")
        self.replay(unit, [*before, gate.step, *(projects.steps(unit) if after is None else after)])
        return gate

    def also(self, unit: str, *steps: projects.Step) -> None:
        """Let the unit's session do this before the honest work."""
        self.replay(unit, [*steps, *projects.steps(unit)])

    def begin(self, *args: str, cwd: Path | None = None, **env: str) -> Process:
        """`gsd parallel start` in the background. The agent is the scripted one unless a model is named."""
        agent = () if "--model" in args else ("--agent", self.agent())
        process = subprocess.Popen(
            self.argv("parallel", "start", *agent, *args), cwd=cwd or self.door or self.root,
            env=self.environment(env), stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
            start_new_session=True,
        )  # fmt: skip
        self.running.append(process)
        return process

    def fleet(self, *args: str, cwd: Path | None = None, **env: str) -> Ran:
        """`gsd parallel start` to its end."""
        return self.end(self.begin(*args, cwd=cwd, **env))

    def end(self, process: Process) -> Ran:
        """Wait for a coordinator that is in the background."""
        return finish(process, seconds=PATIENCE_S)

    def read(self, process: Process) -> Callable[[], str]:
        """What a coordinator in the background has said so far; nothing of it is left for its end."""
        assert process.stdout is not None
        number, said = process.stdout.fileno(), bytearray()
        os.set_blocking(number, False)

        def so_far() -> str:
            with suppress(BlockingIOError):
                while part := os.read(number, 65_536):
                    said.extend(part)
            return said.decode()

        return so_far

    def parallel(self, *args: str, cwd: Path | None = None, **env: str) -> Ran:
        """Another of the `gsd parallel` commands."""
        return self.gsd("parallel", *args, cwd=cwd or self.door or self.root, **env)

    def merges(self, *args: str) -> list[dict[str, object]]:
        """`gsd parallel merge --json`."""
        found: list[dict[str, object]] = json.loads(self.parallel("merge", "--json", *args).out)
        return found

    def look(self) -> dict[str, object]:
        """`gsd parallel status --json`."""
        found: dict[str, object] = json.loads(self.parallel("status", "--json").out)
        return found

    def worker(self, mid: str) -> dict[str, object]:
        """What status says of one worker."""
        workers = self.look()["workers"]
        assert isinstance(workers, list)
        return next((worker for worker in workers if worker["milestoneId"] == mid), {})

    def waits(self) -> list[dict[str, object]]:
        """`gsd inbox --json`."""
        found: list[dict[str, object]] = json.loads(self.gsd("inbox", "--json").out)
        return found

    def status(self, mid: str) -> dict[str, object]:
        """The status file of a worker; empty while there is none."""
        try:
            found: dict[str, object] = json.loads(self.status_file(mid).read_text())
        except FileNotFoundError:
            return {}
        return found

    def status_file(self, mid: str) -> Path:
        return self.state / "parallel" / f"{mid}.status.json"

    def holder(self, mid: str) -> lease.Holder | None:
        """Who holds the milestone, by the kernel's word."""
        return lease.holder(self.state / "parallel" / f"{mid}.lease", self.state / "journal" / f"{mid}.jsonl")

    def tree(self, mid: str) -> Path:
        """The worktree of a milestone."""
        return self.state / "worktrees" / mid

    def landed(self, ref: str = "main") -> list[str]:
        """Milestones on main, in order, by the subjects of its commits."""
        subjects = [subject.partition(":")[0] for subject in reversed(self.log(ref))]
        return [subject[5:-1] for subject in subjects if subject.startswith("feat(") and "/" not in subject]

    def require_done(self, *milestones: str) -> None:
        """These are on main, whole, each once; nothing is left over, and no unit was committed twice."""
        self.require_landed_whole(*milestones)
        units = [str(e["unit"]) + str(e["kind"]) for e in self.events("attempt-started")]
        committed = [e["attempt"] for e in self.events("attempt-ended") if e["result"] == "committed"]
        assert len(committed) == len(set(units)), "a unit was committed twice, or never"

    def require_landed_whole(self, *milestones: str) -> None:
        """The same, whatever the journal says."""
        assert sorted(self.landed()) == sorted(milestones)
        for mid in milestones:
            assert self.git("show", f"main:work/{mid}-S01-T01.txt") == f"made by {mid}/S01/T01\n"
            assert not self.tree(mid).exists()
        assert not [branch for branch in self.branches() if branch.startswith("milestone/")]
        assert self.git("status", "--porcelain") == ""

    def spawned(self, mid: str) -> int:
        """Workers that were started for a milestone."""
        return sum(1 for e in self.events("worker-spawned") if e["milestone"] == mid)

    def pids(self) -> list[int]:
        """Every living process that was started for this project, however it was orphaned."""
        found = [int(name) for name in os.listdir("/proc") if name.isdigit()]
        return [pid for pid in found if pid != os.getpid() and self._ours(pid)]

    def kill_everything(self) -> None:
        """`kill -9` of coordinator, workers, merges and all they started, until nothing is left."""
        deadline = time.monotonic() + PATIENCE_S
        while found := self.pids():
            assert time.monotonic() < deadline, f"they do not die: {found}"
            for pid in found:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.02)
        for process in self.running:
            process.communicate()
        self.running.clear()

    def _ours(self, pid: int) -> bool:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
            environ = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
        except OSError:
            return False
        return state not in "ZX" and f"FIELD_REPORT={self.mark}".encode() in environ


@contextmanager
def fleet_stage(root: Path, **more: object) -> Iterator[FleetStage]:
    """A stage for a fleet; whatever runs at the end is killed."""
    found = FleetStage(root=root, **more)  # type: ignore[arg-type]
    try:
        yield found
    finally:
        if found.mark:
            found.kill_everything()
