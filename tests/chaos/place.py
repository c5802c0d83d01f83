"""A project of a story on disk, and commands typed in it."""

import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from chaos import processes
from chaos.story import Shape, Story
from milepost.testing import projects

CODES = {0, 1, 2, 3, 4, 130}
"""What a command may end with (spec auto 7.1)."""
DISK_MB = 24
SHARED = "src/app.txt"
"""The file whose second line the first two milestones both want, in a story with a clash."""


class Broken(AssertionError):
    """A promise was not kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """How a command ended."""

    name: str
    code: int
    out: str
    err: str

    @property
    def said(self) -> str:
        """Both streams."""
        return self.out + self.err


@dataclass(slots=True, kw_only=True)
class Running:
    """A command in the background."""

    name: str
    process: "subprocess.Popen[bytes]"
    files: tuple[Path, Path]
    began: float
    shot: bool = False
    """It was sent a signal, so that its exit code may be one."""


@dataclass(slots=True, kw_only=True)
class Place:
    """A project, its directory and the commands of one run."""

    base: Path
    shape: Shape
    agent: str
    mark: str
    began: float = field(default_factory=time.monotonic)
    log: list[str] = field(default_factory=list)
    tips: set[str] = field(default_factory=set)
    """Every commit that a milestone branch was seen at."""
    mains: list[str] = field(default_factory=list)
    """Every commit that main was seen at, in order."""
    shot: set[int] = field(default_factory=set)
    """Every process that was sent a signal, also one that had only just been typed."""
    hands: threading.Lock = field(default_factory=threading.Lock)
    """One person does one thing at a time."""
    fresh: list[Running] = field(default_factory=list)
    """What was typed that takes the branch the user stands on for its target, when it gets that far."""
    said: int = 0
    mounted: bool = False

    @property
    def root(self) -> Path:
        """Where it really is."""
        return self.base / "disk" / self.shape.name

    @property
    def door(self) -> Path:
        """Where commands are typed."""
        return self.base / "link" if self.shape.linked else self.root

    @property
    def state(self) -> Path:
        """Its state directory."""
        return self.root / self.shape.state_dir

    @property
    def roots(self) -> tuple[Path, ...]:
        """Directories below which every process is one of this run's."""
        return (self.base, self.base.resolve())

    def note(self, text: str) -> None:
        """Write to the log of the run."""
        self.log.append(f"{time.monotonic() - self.began:7.2f}  {text}")

    def processes(self) -> list[processes.Process]:
        """Every living process of this run."""
        return processes.of(self.mark, self.roots)

    def sample(self) -> None:
        """Remember where branches are; loose refs, read as files, since the product packs none."""
        heads = self.root / ".git" / "refs" / "heads"
        with suppress(OSError):
            for name in os.listdir(heads / "milestone"):
                with suppress(OSError):
                    self.tips |= {(heads / "milestone" / name).read_text().strip()} - {""}
        with suppress(OSError):
            tip = (heads / "main").read_text().strip()
            if tip and tip not in self.mains[-1:]:
                self.mains.append(tip)

    def begin(self, *words: str, cwd: Path | None = None) -> Running:
        """Type a command and let it run."""
        self.said += 1
        name = f"{self.said:02d}-{'-'.join(word.lstrip('-') for word in words[:3] if '/' not in word)}"
        directory = self.base / "said"
        directory.mkdir(exist_ok=True)
        out, err = directory / f"{name}.out", directory / f"{name}.err"
        with out.open("wb") as stdout, err.open("wb") as stderr:
            process = subprocess.Popen(
                self.argv(*words), cwd=cwd or self.door, env=self.environment(), stdin=subprocess.DEVNULL,
                stdout=stdout, stderr=stderr, start_new_session=True,
            )  # fmt: skip
        running = Running(name=name, process=process, files=(out, err), began=time.monotonic())
        if "start" in words or "auto" in words:
            self.fresh.append(running)
        return running

    def underway(self) -> bool:
        """Whether every fleet that was begun has said so or has ended, and every auto mode has ended."""
        said = "".join(file.read_text(errors="replace") for file in (self.state / "journal").glob("*.jsonl"))
        begun = {int(pid) for pid in re.findall(r'"event":"fleet-started".*?"pid":(\d+)', said)}
        self.fresh = [r for r in self.fresh if r.process.poll() is None and r.process.pid not in begun]
        return not self.fresh

    def end(self, running: Running, *, seconds: float = 90) -> Ran:
        """Wait for its end."""
        try:
            while True:
                self.sample()
                with suppress(subprocess.TimeoutExpired):
                    code = running.process.wait(0.05)
                    break
                if time.monotonic() - running.began > seconds:
                    raise Broken(f"{running.name} did not end in {seconds:.0f} s{self.tails()}")
        finally:
            if running.process.poll() is None:
                running.process.kill()
                running.process.wait()
        out, err = (file.read_text(errors="replace") for file in running.files)
        ran = Ran(name=running.name, code=code, out=out, err=err)
        self.note(f"{running.name} → {code} {_last(ran)}")
        if "Traceback" in ran.said:
            raise Broken(f"{running.name} shows a traceback:\n{ran.said[-3000:]}")
        if code not in CODES and not self.was_shot(running):
            raise Broken(f"{running.name} ended with {code}:\n{ran.said[-1500:]}")
        return ran

    def was_shot(self, running: Running) -> bool:
        """Whether its exit code may be that of a signal."""
        return running.shot or running.process.pid in self.shot

    def gsd(self, *words: str) -> Ran:
        """Type a command and wait; once more when it was killed, as a person would."""
        while True:
            running = self.begin(*words)
            ran = self.end(running)
            if ran.code in CODES:
                return ran

    def json(self, *words: str) -> object:
        """A command's answer as data; None when it had none."""
        ran = self.gsd(*words)
        if not ran.out.strip():
            return None
        return json.loads(ran.out)

    def argv(self, *words: str) -> list[str]:
        """The command line."""
        program = self.shape.program
        return [sys.executable, "-P", "-c", f"from milepost.ui.cli.main import {program}; {program}()", *words]

    def environment(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        """Ours, with the mark."""
        return {**os.environ, processes.MARK: self.mark, **(more or {})}

    def git(self, *words: str, where: Path | None = None, ok: Sequence[int] = (0,)) -> str:
        """Plain git, as a person types it."""
        done = subprocess.run(["git", "-C", str(where or self.root), *words], capture_output=True, stdin=subprocess.DEVNULL)  # fmt: skip # noqa: E501
        if done.returncode not in ok:
            raise GitSaidNo(done.stderr.decode(errors="replace"))
        return done.stdout.decode(errors="replace")

    def tails(self) -> str:
        """The last words of every worker and merge, for a failure."""
        found = []
        for file in sorted((self.state / "parallel" / "logs").glob("*.err")):
            with suppress(OSError):
                text = file.read_text(errors="replace").strip()
                if text:
                    found.append(f"--- {file.name}\n{text[-1500:]}")
        return "\n" + "\n".join(found) if found else ""


class GitSaidNo(Exception):
    """Git refused what a person typed."""


def make(story: Story, base: Path) -> Place:
    """Make the project of a story below `base`."""
    shape = story.shape
    script = base / "script.json"
    place = Place(base=base, shape=shape, agent=f"scripted:{script}", mark=f"{story.seed}-{os.getpid()}-{base.name}")
    (base / "disk").mkdir(parents=True)
    if shape.small_disk:
        _mount(place)
    projects.tiny(
        place.root,
        milestones=shape.milestones,
        slices=shape.slices,
        tasks=shape.tasks,
        depends=shape.depends,
        state_dir=shape.state_dir,
        preferences=_preferences(shape),
        plan_committed=shape.planned == "committed",
    )
    if shape.planned == "ignored":
        (place.root / ".gitignore").write_text(f"{shape.state_dir}/\n")
        place.git("add", ".gitignore")
        place.git("commit", "-qm", "ignore")
    if shape.slow:
        (place.root / ".gitattributes").write_text("work/*.txt filter=slow\n")
        place.git("config", "filter.slow.smudge", "sh -c 'sleep 0.2; cat'")
        place.git("config", "filter.slow.clean", "cat")
        place.git("add", ".gitattributes")
    projects.write(place.root, {f"notes/{n}.txt": f"note {n}\n" for n in range(4)})
    place.git("add", "notes")
    place.git("commit", "-qm", "notes")
    if shape.linked:
        (base / "link").symlink_to(place.root)
    script.write_text(json.dumps(_script(story)))
    place.sample()
    return place


def unmake(place: Place) -> None:
    """End what is left and remove everything."""
    processes.end(place.mark, place.roots)
    unmount(place)
    shutil.rmtree(place.base, ignore_errors=True)


def unmount(place: Place) -> None:
    """Let go of its file system."""
    if place.mounted:
        subprocess.run(["umount", "-l", str(place.base / "disk")], check=False, capture_output=True)
        place.mounted = False


def may_mount() -> bool:
    """Whether a small file system can be had here."""
    return os.geteuid() == 0 and shutil.which("mount") is not None and sys.platform == "linux"


def _mount(place: Place) -> None:
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m", "chaos", str(place.base / "disk")],
        check=True,
        capture_output=True,
    )
    place.mounted = True


def _preferences(shape: Shape) -> str:
    lines = {
        "enabled": "true",
        "max_workers": str(shape.workers),
        "auto_merge": shape.auto_merge,
        "merge_strategy": shape.strategy,
        "merge_order": shape.order,
    }
    block = "".join(f"  {key}: {value}\n" for key, value in lines.items())
    return projects.QUICK.replace("---\nphases", f"---\nparallel:\n{block}phases", 1)


def _script(story: Story) -> list[projects.Session]:
    shape = story.shape
    found = []
    for unit in projects.units(shape.milestones, shape.slices, shape.tasks):
        steps = projects.steps(unit, state_dir=shape.state_dir)
        kind, _, named = unit.partition("/")
        milestone = named.partition("/")[0]
        if shape.clash and kind == "execute-task" and milestone in shape.milestones[:2]:
            steps.insert(1, projects.tool("write", path=SHARED, content=f"one\n{milestone}\nthree\n"))
        if story.pauses[kind]:
            steps.insert(1, {"sleep": story.pauses[kind]})
        found.append(projects.session(unit, *steps))
    return found


def products(shape: Shape, milestone: str) -> list[str]:
    """The files without which a milestone is not on main."""
    made = [
        projects.product(milestone, f"S{s:02d}", f"T{t:02d}")
        for s in range(1, shape.slices + 1)
        for t in range(1, shape.tasks + 1)
    ]
    if shape.planned != "ignored":
        made.append(f"{shape.state_dir}/milestones/{milestone}/{milestone}-SUMMARY.md")
    return made


def wait_until(seen: Callable[[], bool], *, seconds: float) -> bool:
    """Wait until it is so; whether it became so."""
    deadline = time.monotonic() + seconds
    while not seen():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _last(ran: Ran) -> str:
    lines = (ran.err.strip() or ran.out.strip()).splitlines()
    return " / ".join(lines[-2:])[-240:]
