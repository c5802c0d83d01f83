"""Measure Milepost: start, overhead between units, bytes sent, memory, merge, fleet. One command: `make bench`.

    python benchmarks/run.py [--json FILE] [--quick] [--only PART …] [--first]

Everything that is compared is measured in the same run and in turns, so that ratios hold on a busy machine too.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

_ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(_ROOT), str(_ROOT / "tests")]

from benchmarks import ageing, fleet, imports, landing, project, starts, units  # noqa: E402
from benchmarks.figures import Section, as_json, machine, table  # noqa: E402
from benchmarks.timing import surroundings  # noqa: E402

PARTS = ("start", "units", "ageing", "imports", "merge", "fleet")


def measure(parts: Iterable[str], place: Path, *, quick: bool, tell: Callable[[Section], None]) -> list[Section]:
    """Measure `parts` in the empty directory `place`. `tell` gets every section as soon as it is there."""
    env = surroundings(place / "home")
    os.environ.clear()
    os.environ.update(env)
    found: list[Section] = []
    for part in parts:
        for section in _measure(part, place, env, quick=quick):
            tell(section)
            found.append(section)
    return found


def _measure(part: str, place: Path, env: dict[str, str], *, quick: bool) -> Iterable[Section]:
    match part:
        case "start":
            return [starts.measure(place, env, rounds=5 if quick else 21)]
        case "units":
            return units.measure(place, env, runs=1 if quick else 4)
        case "ageing":
            return [ageing.measure(place, env, rounds=1 if quick else 5)]
        case "imports":
            project.write(place / "imports", project.TINY)
            return [imports.measure(place / "imports", env)]
        case "fleet":
            return fleet.measure(place, env, quick=quick)
        case _:
            return [landing.measure(place, rounds=2 if quick else 7)]


def main() -> int:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", metavar="FILE", help="write everything there, with every sample; - is stdout")
    parser.add_argument("--quick", action="store_true", help="few rounds, to see that it works")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, help="these parts")
    parser.add_argument("--first", action="store_true", help="go before all else on this machine (real time; root)")
    options = parser.parse_args()
    if options.first:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    out = sys.stderr if options.json == "-" else sys.stdout
    print(" ".join(f"{name} {value}" for name, value in machine().items()), file=out, flush=True)

    def tell(section: Section) -> None:
        print("\n" + table([section]), end="", file=out, flush=True)

    with tempfile.TemporaryDirectory(prefix="milepost-bench-") as place:
        found = measure(options.only, Path(place), quick=options.quick, tell=tell)
    if options.json == "-":
        sys.stdout.write(as_json(found))
    elif options.json:
        Path(options.json).write_text(as_json(found), encoding="utf-8")
    missed = [f"{figure.name}" for section in found for figure in section.figures if figure.met is False]
    print(f"\n{len(missed)} aims missed" + (f": {'; '.join(missed)}" if missed else ""), file=out)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
