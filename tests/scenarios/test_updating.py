"""`gsd update` with a real pip, a real environment and an index on loopback; the notice in a session."""

import io
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import milepost
from milepost.store.lease import Holder, Lease
from scenarios.sitting import CTRL_D, sitting
from scenarios.stage import BLOCKED, DONE, ERROR, PAUSED, Ran, Stage
from ui.package_index import Index, serving

pytest.importorskip("pip", reason="this environment has no pip")


def wheel(version: str, box: Path) -> str:
    """This very program as a wheel of another version; its file's name."""
    package = Path(milepost.__file__).parent
    facts = f"milepost-{version}.dist-info"
    said = {
        f"{facts}/METADATA": f"Metadata-Version: 2.1\nName: milepost\nVersion: {version}\nRequires-Python: >=3.11\n",
        f"{facts}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{facts}/entry_points.txt": "[console_scripts]\ngsd = milepost.ui.cli.main:gsd\n",
    }
    for path in package.rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts:
            said[f"milepost/{path.relative_to(package)}"] = path.read_text("utf-8")
    said["milepost/__init__.py"] = f'__version__ = "{version}"\n'
    said[f"{facts}/RECORD"] = "".join(f"{name},,\n" for name in said)
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, text in said.items():
            archive.writestr(name, text)
    name = f"milepost-{version}-py3-none-any.whl"
    (box / name).write_bytes(made.getvalue())
    return name


class Environment:
    """A virtual environment with the release 0.1.0 in it, put there by pip from the index."""

    def __init__(self, tmp_path: Path, index: Index) -> None:
        self.root = tmp_path / "venv"
        self.python = self.root / "bin" / "python"
        self.env = {"PIP_CONFIG_FILE": os.devnull, "PIP_INDEX_URL": index.url, "PIP_NO_CACHE_DIR": "1"}
        plain = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "PYTHON", "UV_"))}
        self.env = {**plain, **self.env, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
        self._run([sys.executable, "-m", "venv", "--without-pip", str(self.root)])
        # What the program needs, and pip, are there already, where this test runs; nothing else is fetched.
        beside = Path(pytest.__file__).parents[1]
        next(self.root.glob("lib/python*/site-packages")).joinpath("beside.pth").write_text(f"{beside}\n")
        self._run(
            [str(self.python), "-m", "pip", "install", "-q", "--no-deps", "--ignore-installed", "milepost==0.1.0"]
        )

    def gsd(self, *args: str, cwd: Path) -> Ran:
        return self._run([str(self.root / "bin" / "gsd"), *args], cwd=cwd, ok=False)

    def _run(self, argv: list[str], cwd: Path | None = None, *, ok: bool = True) -> Ran:
        done = subprocess.run(argv, env=self.env, cwd=cwd, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        ran = Ran(code=done.returncode, out=done.stdout, err=done.stderr)
        assert "Traceback" not in ran.said, ran.said
        return ran.require(DONE) if ok else ran


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    made = Index(box=tmp_path / "wheels")
    made.box.mkdir()
    made.files = {wheel("0.1.0", made.box): {}}
    with serving(made):
        yield made


@pytest.mark.spec(id="PR-223")
@pytest.mark.covers("command:update")
def test_a_newer_release_is_found_and_installed(index: Index, tmp_path: Path) -> None:
    there = Environment(tmp_path, index)
    assert "has nothing newer (0.1.0)" in there.gsd("update", cwd=tmp_path).require(DONE).out
    index.files[wheel("0.2.0", index.box)] = {}
    told = there.gsd("update", cwd=tmp_path).require(BLOCKED)
    command = f"{there.python} -m pip install --upgrade milepost"
    assert "milepost 0.1.0, installed with pip" in told.out
    assert f"{index.url} has 0.2.0\n  {command}\n" in told.out
    assert "gsd update --yes runs it" in told.err
    assert there.gsd("update", "--check", cwd=tmp_path).code == PAUSED
    assert "gsd 0.1.0" in there.gsd("--version", cwd=tmp_path).out
    done = there.gsd("update", "--yes", "--json", cwd=tmp_path).require(DONE)
    before, after = map(json.loads, done.out.splitlines())
    assert before["command"] == command.split()
    assert after == {"updated": "0.2.0", "before": "0.1.0"}
    assert "gsd 0.2.0" in there.gsd("--version", cwd=tmp_path).out
    assert there.gsd("update", "--check", cwd=tmp_path).code == DONE


@pytest.mark.covers("command:update")
def test_not_under_a_run_and_not_when_the_installer_fails(index: Index, tmp_path: Path, stage: Stage) -> None:
    stage.make()
    there = Environment(tmp_path, index)
    index.files[wheel("0.2.0", index.box)] = {}
    (stage.state / "parallel").mkdir(exist_ok=True)
    with Lease(stage.state / "parallel" / "auto.lease", "here", Holder(pid=os.getpid(), run="r1")):
        told = there.gsd("update", "--yes", cwd=stage.root).require(BLOCKED)
        assert f"auto mode is at work here (pid {os.getpid()})" in told.err
    (index.box / "milepost-0.2.0-py3-none-any.whl").write_bytes(b"no archive")
    told = there.gsd("update", "--yes", cwd=stage.root).require(ERROR)
    assert "ended with 1" in told.err
    assert "gsd 0.1.0" in there.gsd("--version", cwd=stage.root).out


@pytest.mark.spec(id="PR-223")
@pytest.mark.covers("key:update_check")
def test_a_session_tells_of_it(index: Index, stage: Stage) -> None:
    stage.make()
    index.files = {"milepost-77.0.tar.gz": {}}
    settings = Path(os.environ["HOME"], ".gsd", "PREFERENCES.md")
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text("---\nupdate_check: true\n---\n")
    env = {"PIP_CONFIG_FILE": os.devnull, "PIP_INDEX_URL": index.url, "PIP_NO_INDEX": "", "PIP_EXTRA_INDEX_URL": ""}
    with sitting(stage, **env) as person:
        person.sees("milepost 77.0 is out")
        person.press(CTRL_D)
        assert person.end() == DONE
    assert index.asked == ["/simple/milepost/"]
    stage.gsd("headless", "query").require(DONE)
    stage.auto(**env).require(DONE)
    assert index.asked == ["/simple/milepost/"], "nothing else asks"
