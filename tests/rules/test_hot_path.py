"""What a query imports stays small: it is what every status line and every poll pays."""

import subprocess
import sys
from pathlib import Path

HEAVY = {
    "argparse",
    "asyncio",
    "dataclasses",
    "datetime",
    "hashlib",
    "inspect",
    "logging",
    "msgspec",
    "pathlib",
    "subprocess",
    "tempfile",
    "threading",
    "yaml",
}
NEEDED = (
    "from milepost.store.snapshot import Snapshot; from milepost.rules.derive import derive; "
    "from milepost.rules.dispatch import decide; from milepost.formats.preferences import Preferences; "
    "from milepost.ui.views import state; tree = Snapshot('.'); found = derive(tree); "
    "state.query(found, decide(found, tree, Preferences()))"
)


def test_reading_deciding_and_showing_import_nothing_heavy(tmp_path: Path) -> None:
    source = Path(__file__).parents[2] / "src"
    before = f"import sys; sys.path.insert(0, {str(source)!r}); old = set(sys.modules)"
    code = f"{before}; {NEEDED}; print(*set(sys.modules) - old)"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert not HEAVY & set(done.stdout.split())
