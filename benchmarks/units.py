"""The whole demo project at a model server without latency: what Milepost itself costs, in time, bytes and memory."""

import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path

from benchmarks import loopback
from benchmarks.figures import Figure, Section
from benchmarks.loopback import Asking, Gap, Run
from benchmarks.timing import Command, Ran, interleaved, middle

# Without the end of the interpreter: taking that much apart takes long, and no run waits for it.
_LIBRARY = (
    "import os; from milepost.agents.builtin import library; "
    "library.preload(('{model}',), {{'OPENAI_BASE_URL': 'http://x'}}); os._exit(0)"
)


def measure(place: Path, env: Mapping[str, str], *, runs: int) -> list[Section]:
    """Run it `runs` times each way, and say what was seen."""
    library = {"library": Command((sys.executable, "-c", _LIBRARY.format(model=loopback.MODEL)), place)}
    library["bare"] = Command((sys.executable, "-c", "pass"), place)
    by_http, imports = list[Run](), dict[str, list[Ran]](library=[], bare=[])
    for n in range(runs):
        by_http.append(loopback.run(place / f"http-{n}", env))
        for name, ran in interleaved(library, rounds=1, env=env).items():
            imports[name] += ran
    with resources.as_file(resources.files("milepost.testing.demo") / "cassette.jsonl") as cassette:
        replayed = [loopback.replayed(place / f"replay-{n}", cassette, env) for n in range(runs)]
    return [
        _between(by_http),
        _start(by_http, imports),
        _sent(by_http[0]),
        _kinds(by_http[0]),
        _whole(by_http, replayed),
    ]


def _between(runs: Sequence[Run]) -> Section:
    gaps = [gap for run in runs for gap in loopback.gaps(run)]
    figures = [
        _of(gaps, "ours, beside its processes", "own_ms", aim=60.0),
        _of(gaps, "  of it on the processor", "cpu_ms"),
        _of(gaps, "  of it in the queue for one", "queued_ms"),
        _of(gaps, "  of it waiting for the disk", "disk_ms"),
        _of(gaps, "writes that wait for the disk", "syncs", unit="a unit"),
        _of(gaps, "git processes", "gits", unit="a unit", aim=8.0),
        _of(gaps, "git running", "git_ms"),
        _of(gaps, "gates running", "other_ms"),
        _of(gaps, "wall time", "wall_ms"),
    ]
    for kind in dict.fromkeys(gap.after.split("/")[0] for gap in gaps):
        here = [gap for gap in gaps if gap.after.startswith(kind)]
        own, gits = middle(g.own_ms for g in here), middle(g.gits for g in here)
        figures.append(
            Figure(name=f"  after {kind}", value=own, unit="ms ours", note=f"{gits:g} git, {len(here)} passages")
        )
    return Section(
        title=f"Between units: last byte to next first request ({len(gaps)} passages)", figures=tuple(figures)
    )


def _of(gaps: Sequence[Gap], name: str, field: str, *, unit: str = "ms", aim: float | None = None) -> Figure:
    samples = tuple(float(getattr(gap, field)) for gap in gaps)
    worst = f"largest {max(samples, default=0.0):.0f}"
    return Figure(name=name, value=middle(samples), unit=unit, aim=aim, note=worst, samples=samples)


def _start(runs: Sequence[Run], imports: Mapping[str, Sequence[Ran]]) -> Section:
    library = middle(r.ms for r in imports["library"]) - middle(r.ms for r in imports["bare"])
    cpu = middle(r.cpu_ms for r in imports["library"]) - middle(r.cpu_ms for r in imports["bare"])
    own_cpu = middle(run.asked[0].came.cpu / 1e6 for run in runs) - cpu
    first = [run.to_first_ms for run in runs]
    opening = runs[0].asked[0].came.at
    gits = sum(1 for child in runs[0].children if child.git and child.began < opening)
    figures = (
        Figure(
            name="gsd auto to first request", value=middle(first), unit="ms", aim=500 + library, samples=tuple(first)
        ),
        Figure(name="provider library alone", value=library, unit="ms", note=f"{cpu:.0f} ms on the processor"),
        Figure(name="the rest", value=middle(first) - library, unit="ms", aim=500, note="first request less library"),
        Figure(name="the rest, on the processor", value=own_cpu, unit="ms"),
        Figure(name="git processes before it", value=gits, unit=""),
    )
    return Section(title="Start of auto mode (worktree made on the way)", figures=figures)


def _sent(run: Run) -> Section:
    total = sum(asking.size for asking in run.asked)
    figures = (
        Figure(name="system prompt and tools", value=max(a.fixed for a in run.asked), unit="bytes", aim=12_000),
        Figure(name="requests", value=len(run.asked), unit=""),
        Figure(name="sent in all", value=total, unit="bytes", aim=2_400_000),
        Figure(name="sent a request", value=middle(a.size for a in run.asked), unit="bytes"),
    )
    return Section(title="Sent for the whole demo project", figures=figures)


def _kinds(run: Run) -> Section:
    opened = [a for a in run.asked if a.first]
    figures = [_kind(kind, run.asked) for kind in dict.fromkeys(a.unit.split("/")[0] for a in opened)]
    return Section(title="Prompt by kind of unit", figures=tuple(figures))


def _kind(kind: str, asked: Sequence[Asking]) -> Figure:
    here = [a for a in asked if a.unit.startswith(f"{kind}/")]
    requests = list(Counter(a.unit for a in here).values())
    prompts = tuple(float(a.prompt) for a in here if a.first)
    note = f"{middle(requests):g} requests a unit, {sum(a.size for a in here):,} bytes sent in all"
    return Figure(name=kind, value=middle(prompts), unit="bytes", note=note, samples=prompts)


def _whole(by_http: Sequence[Run], replayed: Sequence[Run]) -> Section:
    def figure(name: str, samples: list[float], unit: str, aim: float | None, note: str = "") -> Figure:
        return Figure(name=name, value=middle(samples), unit=unit, aim=aim, note=note, samples=tuple(samples))

    loaded, played = by_http[0], replayed[0]
    git = sum(1 for child in loaded.children if child.git)
    figures = (
        figure("peak memory, built-in agent", [r.peak_mb for r in by_http], "MB", 150, _loaded(loaded)),
        figure("peak memory, replay", [r.peak_mb for r in replayed], "MB", 45, _loaded(played)),
        figure("wall time, built-in agent", [r.wall_ms for r in by_http], "ms", None, f"{git} git processes"),
        figure("wall time, replay", [r.wall_ms for r in replayed], "ms", None),
    )
    return Section(title="The whole demo project, of the process itself", figures=figures)


def _loaded(run: Run) -> str:
    return f"loaded: {', '.join(run.heavy)}"
