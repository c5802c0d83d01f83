"""The demo project through a model server on loopback, over real HTTP, streaming. Issue acceptance 2."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import run_git
from fakemodel.replies import ByPrompt, Call, Counted, Reply
from fakemodel.server import FakeModel
from milepost.testing.demo import project, script

TITLES = {
    "execute-task": "# Execute task {2} of slice {1}, milestone {0}\n",
    "complete-slice": "# Complete slice {1} of milestone {0}\n",
    "reassess-roadmap": "# Reassess the roadmap of {0} after {1}\n",
    "validate-milestone": "# Validate milestone {0}\n",
    "complete-milestone": "# Complete milestone {0}\n",
}
"""The first line of each kind's prompt, which tells the server what is asked."""


def _replies() -> ByPrompt:
    found = {}
    for session in script.sessions():
        kind, _, unit = str(session["unit"]).partition("/")
        steps = [step for step in session["steps"] if "usage" not in step]  # type: ignore[attr-defined]
        found[TITLES[kind].format(*unit.split("/"))] = [_reply(step, turn) for turn, step in enumerate(steps)]
    return ByPrompt(found)


def _reply(step: dict[str, object], turn: int) -> Reply:
    usage = Counted(input=1000 + turn, output=100 + turn, cache_read=50 * turn, cache_write=0)
    if "text" in step:
        return Reply(text=str(step["text"]), usage=usage)
    return Reply(text="Next.", calls=[Call(str(step["tool"]), step["args"])], usage=usage)  # type: ignore[arg-type]


@pytest.mark.parametrize(("provider", "model"), [("openai", "openai/gpt-5.5"), ("anthropic", "claude-sonnet-5-5")])
def test_demo_project(tmp_path: Path, provider: str, model: str) -> None:
    root = tmp_path / "wordtally"
    root.mkdir()
    project.make(root)
    with FakeModel(_replies()) as server:
        done = subprocess.run(
            [
                sys.executable,
                "-c",
                "from milepost.ui.cli.main import gsd; gsd()",
                "headless",
                "--json",
                "auto",
                "--model",
                model,
            ],
            cwd=root,
            env={**os.environ, **server.env(provider)},
            capture_output=True,
            text=True,
            check=False,
        )
        seen, usage = list(server.seen), server.usage
    assert done.returncode == 0, done.stdout + done.stderr
    assert run_git(root, "log", "--format=%s").splitlines()[0] == "feat(M001): Word counts"
    assert run_git(root, "status", "--porcelain") == ""
    subprocess.run(project.VERIFY.split(), cwd=root, check=True, capture_output=True)
    assert all(entry.asked.stream for entry in seen)
    rows = json.loads((root / ".gsd/metrics.json").read_text())["units"]
    for field, counted in (
        ("input", usage.input),
        ("output", usage.output),
        ("cacheRead", usage.cache_read),
        ("cacheWrite", usage.cache_write),
    ):
        assert sum(row["tokens"][field] for row in rows) == counted, field
    assert sum(row["apiRequests"] for row in rows) == len(seen)
    summary = json.loads(done.stdout.splitlines()[-1])
    assert summary["exitCode"] == 0
    assert summary["cost"] == pytest.approx(sum(row["cost"] for row in rows))
    assert summary["cost"] > 0
