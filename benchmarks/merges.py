"""Twenty milestones that are ready: merges per minute, against git doing the same by hand, one after the other.

Three ways, each on its own fresh repository: `git merge --squash`, `commit` and the removal of worktree and branch;
`gsd parallel merge`, one process for all; and `gsd parallel start`, whose coordinator starts a process for each.
"""

import shutil
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from benchmarks import crew
from benchmarks.crew import Work
from benchmarks.figures import Figure, Section
from benchmarks.timing import middle, ratio
from milepost.testing import projects

READY = 20
FILES = 500
_GSD = ".gsd/milestones"


def measure(place: Path, env: Mapping[str, str], *, rounds: int, ready: int = READY, files: int = FILES) -> Section:
    """Each way in turns."""
    ways: dict[str, Callable[[Path, tuple[str, ...], Mapping[str, str]], None]] = {
        "git by hand": _by_hand,
        "gsd parallel merge": _merge,
        "gsd parallel start": _start,
    }
    times: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(rounds):
        for name, way in ways.items():
            root = place / f"merges-{name.replace(' ', '-')}-{number}"
            ids = make(root, ready, files)
            began = time.monotonic()
            way(root, ids, env)
            times[name].append((time.monotonic() - began) * 1e3)
            _require_merged(root, ready)
            shutil.rmtree(root)
    return _section(times, ready, files)


def _section(times: Mapping[str, list[float]], ready: int, files: int) -> Section:
    floor = times["git by hand"]
    figures = []
    for name, samples in times.items():
        each = middle(samples) / ready
        note = f"{each:.0f} ms each; {ratio(samples, floor):.2f} × git"
        figures.append(Figure(name=name, value=60_000 / each, unit="a minute", note=note, samples=tuple(samples)))
    return Section(title=f"Merges, {ready} ready, {files} files, {len(floor)} rounds in turns", figures=tuple(figures))


def make(root: Path, ready: int, files: int) -> tuple[str, ...]:
    """A repository in which so many milestones are complete in their worktrees; their ids."""
    work = Work(milestones=ready, slices=1, tasks=2)
    crew.make(root, work, 4)
    projects.write(root, {f"part{n % 23:02d}/file{n:04d}.txt": f"line of {n}\n" * 20 for n in range(files)})
    projects.write(root, {".gitignore": ".gsd/worktrees/\n.gsd/runtime/\n.gsd/journal/\n.gsd/parallel/\n"})
    _git(root, "add", "-A")
    _git(root, "commit", "-q", "-m", "files")
    for mid in work.ids:
        where = root / ".gsd" / "worktrees" / mid
        _git(root, "worktree", "add", "-q", "-b", f"milestone/{mid}", str(where), "main")
        for key in projects.units((mid,), work.slices, work.tasks):
            projects.write(where, dict(_written(key)))
        for path in (where / _GSD / mid).rglob("*.md"):
            path.write_text(path.read_text().replace("- [ ] **", "- [x] **"))
        projects.write(where, {f"{_GSD}/{mid}/{mid}-META.json": '{"integrationBranch": "main"}\n'})
        _git(where, "add", "-A")
        _git(where, "commit", "-q", "-m", f"all of {mid}")
    return work.ids


def _written(key: str) -> list[tuple[str, str]]:
    args = [step["args"] for step in projects.steps(key) if step.get("tool") == "write"]
    return [(str(a["path"]), str(a["content"])) for a in args if isinstance(a, dict)]


def _by_hand(root: Path, ids: tuple[str, ...], env: Mapping[str, str]) -> None:
    del env
    for mid in ids:
        _git(root, "merge", "-q", "--squash", f"milestone/{mid}")
        _git(root, "commit", "-q", "-m", f"feat({mid}): all of it")
        _git(root, "worktree", "remove", f".gsd/worktrees/{mid}")
        _git(root, "branch", "-q", "-D", f"milestone/{mid}")


def _merge(root: Path, ids: tuple[str, ...], env: Mapping[str, str]) -> None:
    del ids
    subprocess.run(crew.gsd("parallel", "merge"), cwd=root, env=dict(env), check=True, stdout=subprocess.DEVNULL)


def _start(root: Path, ids: tuple[str, ...], env: Mapping[str, str]) -> None:
    del ids
    with crew.started(root, env) as fleet:
        fleet.wait()


def _require_merged(root: Path, ready: int) -> None:
    """A merge that did not happen is fast, and its time means nothing."""
    done = subprocess.run(["git", "-C", str(root), "rev-list", "--count", "main"], capture_output=True, check=True)
    left = list((root / ".gsd" / "worktrees").glob("M*"))
    if int(done.stdout) != ready + 2 or left:
        raise ValueError(f"{int(done.stdout) - 2} of {ready} milestones were merged in {root}; left: {left}")


def _git(where: Path, *args: str) -> None:
    subprocess.run(["git", "-C", str(where), *args], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
