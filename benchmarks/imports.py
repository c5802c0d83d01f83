"""What each command that runs no unit loads. The model's library must not be among it."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.figures import Figure, Section

COMMANDS = (
    ("--version",),
    ("--help",),
    ("headless", "query"),
    ("status",),
    ("status", "--json"),
    ("doctor",),
    ("stop",),
    ("pause",),
    ("auto", "--help"),
)


def measure(where: Path, env: Mapping[str, str]) -> Section:
    """Modules and peak memory of each command in the project at `where`; aim: none of the model's library."""
    return Section(title="Commands that run no unit", figures=tuple(_one(argv, where, env) for argv in COMMANDS))


def _one(argv: tuple[str, ...], where: Path, env: Mapping[str, str]) -> Figure:
    noted = recorded(argv, where, env)
    heavy = [
        name for name in noted["heavy"] if name in ("pydantic_ai", "openai", "anthropic", "google.genai", "httpx2")
    ]
    rest = [name for name in noted["heavy"] if name not in heavy]
    note = f"{noted['modules']} modules, {noted['peak_kb'] / 1024:.1f} MB" + (f", {', '.join(rest)}" if rest else "")
    if heavy:
        note += f"; LOADS {', '.join(heavy)}"
    return Figure(name=" ".join(argv), value=len(heavy), unit="libraries", aim=0, note=note)


def recorded(argv: tuple[str, ...], where: Path, env: Mapping[str, str]) -> dict[str, Any]:
    """What the probe saw of one command; its exit code does not matter here."""
    record = where.parent / "imports.json"
    record.unlink(missing_ok=True)
    subprocess.run(
        [sys.executable, str(Path(__file__).with_name("probe.py")), str(record), *argv],
        cwd=where,
        env=dict(env),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    noted: dict[str, Any] = json.loads(record.read_text())
    return noted
