"""Make the cassette that the demo ships, from what `script.py` says.

    python -m milepost.testing.demo.record [FILE]

The scripted agent works through the milestones one after the other in `gsd auto`; what it does is recorded.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from milepost.testing.demo import project, script

CASSETTE = Path(__file__).with_name("cassette.jsonl")


def record(into: Path) -> None:
    """Write the cassette anew. Raises CalledProcessError when the run does not come to its end."""
    with tempfile.TemporaryDirectory(prefix="milepost-record-") as directory:
        place = Path(directory)
        root, said, made = place / "wordtally", place / "script.json", place / "cassette.jsonl"
        root.mkdir()
        project.make(root, project.ALL)
        said.write_text(json.dumps(script.sessions(project.ALL)), encoding="utf-8")
        argv = [sys.executable, "-c", "from milepost.ui.cli.main import gsd; gsd()", "auto"]
        argv += ["--agent", f"scripted:{said}", "--record", str(made)]
        subprocess.run(argv, cwd=root, env={**os.environ, "GSD_HOME": str(place / "home")}, check=True)
        into.write_bytes(made.read_bytes())


if __name__ == "__main__":
    record(Path(sys.argv[1]) if len(sys.argv) > 1 else CASSETTE)
