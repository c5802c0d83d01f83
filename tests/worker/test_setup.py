"""A worktree is made ready by what its lock files ask for, once, before anything is paid for."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import anyio
import pytest

from conftest import run_git
from milepost.errors import ExitCode
from milepost.formats.journal import AttemptStarted, SetUp, Verified
from milepost.formats.preferences import Parallel
from milepost.process import confine, ladder, table
from milepost.testing import projects
from milepost.unit.bench import Workspace
from milepost.worker import loop, places
from milepost.worker.setup import NotReady, Ready, prepare
from milepost.worker.shift import Shift
from worker.shifts import QUICK, prefer, said, shift_for

pytestmark = pytest.mark.anyio
NPM = {"package.json": '{"name": "x"}\n', "package-lock.json": "{}\n"}


class Tools:
    """Programs on PATH that write down how they were called, in `calls` beside them."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory / "bin"
        self.directory.mkdir()
        self.log = self.directory / "calls"

    def add(self, name: str, body: str = "") -> None:
        path = self.directory / name
        path.write_text(f'#!/bin/sh\necho "$(basename "$0") $* ($(basename "$PWD"))" >> "{self.log}"\n{body}\n')
        path.chmod(0o755)

    def calls(self) -> list[str]:
        return self.log.read_text().splitlines() if self.log.exists() else []


@pytest.fixture
def tools(tmp_path: Path) -> Tools:
    made = Tools(tmp_path)
    made.add("npm", "mkdir -p node_modules/x && echo 1 > node_modules/x/index.js")
    return made


Make = Callable[..., Shift]


@pytest.fixture
def shift(project: Path, tools: Tools) -> Make:
    """A run on a project with more files, with a PATH of the fake tools and the system's own."""

    def make(files: dict[str, str] | None = None, *, commands: object = None, **changes: object) -> Shift:
        if files:
            projects.write(project, files)
            run_git(project, "add", "-f", *files)
            run_git(project, "commit", "-qm", "files")
        settings = QUICK._replace(parallel=Parallel()._replace(setup_commands=commands))  # type: ignore[arg-type]
        made = shift_for(project, preferences=settings, **changes)
        return replace(made, env={**made.env, "PATH": f"{tools.directory}:/usr/bin:/bin"})

    return make


async def enter(shift: Shift) -> Workspace:
    return await places.enter("M001", shift)


def events(shift: Shift) -> list[SetUp]:
    return [event for event in shift.journal("M001").own() if isinstance(event, SetUp)]


def dirty(place: Workspace) -> str:
    return run_git(place.cwd, "status", "--porcelain", "--untracked-files=all", "--", ":!.gsd")


@pytest.mark.spec(id="FM-74")
async def test_once_for_its_lock_file_before_anything_is_paid(shift: Make, tools: Tools) -> None:
    run = shift(NPM)
    place = await enter(run)
    assert isinstance(await prepare(place, run), Ready)
    assert tools.calls() == ["npm ci (M001)"]
    assert (place.cwd / "node_modules/x/index.js").exists()
    assert [(e.milestone, e.recipe, e.ok, e.reason) for e in events(run)] == [("M001", "npm", True, "")]
    again = shift()
    assert isinstance(await prepare(await enter(again), again), Ready)
    assert tools.calls() == ["npm ci (M001)"]
    assert said(again) == ""


async def test_every_lock_file_of_a_tree_at_the_top_and_one_below(shift: Make, tools: Tools) -> None:
    for name in ("uv", "go"):
        tools.add(name)
    run = shift({"uv.lock": "1", "frontend/package-lock.json": "{}", "go.sum": "", "frontend/deep/uv.lock": ""})
    await prepare(await enter(run), run)
    assert tools.calls() == ["uv sync --frozen (M001)", "go mod download (M001)", "npm ci (frontend)"]


async def test_a_changed_lock_file_is_set_up_again_and_only_that(shift: Make, tools: Tools) -> None:
    tools.add("uv")
    run = shift(NPM | {"uv.lock": "1"})
    place = await enter(run)
    await prepare(place, run)
    (place.cwd / "uv.lock").write_text("2")
    await prepare(place, run)
    assert tools.calls() == ["uv sync --frozen (M001)", "npm ci (M001)", "uv sync --frozen (M001)"]


async def test_what_somebody_deleted_is_made_again(shift: Make, tools: Tools) -> None:
    run = shift(NPM)
    place = await enter(run)
    await prepare(place, run)
    (place.cwd / "node_modules/x/index.js").unlink()
    (place.cwd / "node_modules/x").rmdir()
    (place.cwd / "node_modules").rmdir()
    await prepare(place, run)
    assert len(tools.calls()) == 2


async def test_another_worktree_under_the_same_name_is_set_up(shift: Make, tools: Tools) -> None:
    run = shift(NPM)
    place = await enter(run)
    await prepare(place, run)
    run_git(place.root, "worktree", "remove", "--force", str(place.cwd))
    run_git(place.root, "branch", "-D", place.branch)
    await prepare(await enter(run), run)
    assert len(tools.calls()) == 2


@pytest.mark.parametrize("text", ["", "{", "[]", '{"madeNs": 1, "steps": []}'])
async def test_a_record_that_nobody_can_read_costs_a_set_up(text: str, shift: Make, tools: Tools) -> None:
    run = shift(NPM)
    place = await enter(run)
    await prepare(place, run)
    (run.state / "runtime/places/M001.setup.json").write_text(text)
    assert isinstance(await prepare(place, run), Ready)
    assert len(tools.calls()) == 2


@pytest.mark.spec(id="FM-74")
async def test_a_tool_that_fails_keeps_the_milestone_from_starting(shift: Make, tools: Tools) -> None:
    tools.add("npm", 'echo fetching; echo "npm error code E404 left-pad" >&2; echo "npm error" >&2; exit 1')
    run = shift(NPM, secrets=("left-pad-secret",))
    place = await enter(run)
    ended = await prepare(place, run)
    assert isinstance(ended, NotReady)
    assert ended.reason == "setting up M001 failed: npm ci: exit code 1: npm error code E404 left-pad"
    assert ended.last_lines == ("fetching", "npm error code E404 left-pad")
    assert "npm: fetching\nnpm: npm error code E404 left-pad" in said(run)
    assert ended.log == ".gsd/runtime/setup/M001.log"
    assert "parallel.setup_commands" in ended.hint
    log = (place.root / ended.log).read_text()
    assert log.startswith("$ npm ci\nfetching\nnpm error code E404 left-pad\n")
    assert "(exit code 1, " in log
    assert [(e.ok, e.reason) for e in events(run)] == [(False, "npm ci: exit code 1: npm error code E404 left-pad")]
    tools.add("npm")
    assert isinstance(await prepare(place, run), Ready)


async def test_one_that_hangs_is_ended(shift: Make, tools: Tools) -> None:
    tools.add("npm", "echo waiting; sleep 600")
    run = shift(NPM)
    ended = await prepare(await enter(run), run, timeout_s=0.4)
    assert isinstance(ended, NotReady)
    assert ended.reason == "setting up M001 failed: npm ci: ended after 0.4 s: waiting"


async def test_a_tool_that_is_not_here_is_said_and_passed_over(shift: Make, tools: Tools) -> None:
    run = shift(NPM | {"poetry.lock": ""})
    assert isinstance(await prepare(await enter(run), run), Ready)
    assert tools.calls() == ["npm ci (M001)"]
    assert "poetry is not on PATH, so poetry.lock was not set up; the gates will show what is missing" in said(run)


async def test_no_secret_comes_into_log_or_reason(shift: Make, tools: Tools) -> None:
    tools.add("npm", 'echo "token abc-my-secret-xyz"; exit 1')
    run = shift(NPM, secrets=("abc-my-secret-xyz",))
    place = await enter(run)
    ended = await prepare(place, run)
    assert isinstance(ended, NotReady)
    everything = repr(ended) + (place.root / ended.log).read_text() + repr(events(run)) + said(run)
    assert "abc-my-secret-xyz" not in everything


async def test_the_environment_of_a_set_up(shift: Make, tools: Tools, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NPM_TOKEN", "VIRTUAL_ENV", "NODE_ENV"):
        monkeypatch.setenv(name, "/elsewhere")
    tools.add("npm", f'env > "{tools.directory}/env"')
    run = shift(NPM)
    run = replace(run, env={**run.env, "GSD_PORT_BASE": "20010", "GSD_WORKTREE_NAME": "x"})
    place = await enter(run)
    await prepare(place, run)
    seen = dict(line.split("=", 1) for line in (tools.directory / "env").read_text().splitlines() if "=" in line)
    assert seen.keys().isdisjoint({"NPM_TOKEN", "VIRTUAL_ENV", "NODE_ENV"})
    wanted = {"CI": "1", "HUSKY": "0", "GSD_PORT_BASE": "20010", "GSD_WORKTREE_NAME": "x"}
    assert wanted.items() <= seen.items()
    assert seen["GIT_CEILING_DIRECTORIES"] == str(place.cwd.parent)


async def test_what_it_made_is_hidden_from_git_where_the_project_does_not(shift: Make, project: Path) -> None:
    run = shift({"fr[on]t end/package-lock.json": "{}"} | NPM)
    place = await enter(run)
    await prepare(place, run)
    assert dirty(place) == ""
    exclude = (project / ".git/info/exclude").read_text().splitlines()
    assert exclude[-1] == r"/fr\[on\]t end/node_modules/"
    assert "/node_modules/" in exclude
    assert "npm made node_modules, which .gitignore does not name: added to .git/info/exclude" in said(run)


async def test_what_the_project_ignores_is_left_to_it(shift: Make, project: Path) -> None:
    run = shift(NPM | {".gitignore": "node_modules\n"})
    place = await enter(run)
    await prepare(place, run)
    assert "node_modules" not in (project / ".git/info/exclude").read_text()
    assert ".gitignore" not in said(run)


async def test_a_lock_file_that_a_tool_changed_is_put_back(shift: Make, tools: Tools) -> None:
    tools.add("npm", "echo changed > package-lock.json; mkdir -p node_modules; echo new > made.txt")
    run = shift(NPM)
    place = await enter(run)
    assert isinstance(await prepare(place, run), Ready)
    assert (place.cwd / "package-lock.json").read_text() == NPM["package-lock.json"]
    assert "npm changed package-lock.json; put back as it was" in said(run)
    assert "npm left made.txt, which the first unit would commit" in said(run)
    await prepare(place, run)
    assert len(tools.calls()) == 1


@pytest.mark.parametrize("how", ["link", "tracked"])
async def test_a_directory_that_is_not_the_tools_own_is_left_alone(
    how: str, shift: Make, tools: Tools, tmp_path: Path
) -> None:
    run = shift(NPM | ({"node_modules/mine.js": "1"} if how == "tracked" else {}))
    place = await enter(run)
    if how == "link":
        (tmp_path / "modules").mkdir()
        (place.cwd / "node_modules").symlink_to(tmp_path / "modules")
    assert isinstance(await prepare(place, run), Ready)
    assert tools.calls() == []
    assert "so package-lock.json was not set up" in said(run)


async def test_the_users_own_checkout_is_left_alone(shift: Make, tools: Tools) -> None:
    run = shift(NPM)
    run = replace(run, preferences=prefer(isolation="branch"))
    place = await enter(run)
    assert await prepare(place, run) == Ready()
    assert tools.calls() == []


async def test_without_lock_files_there_is_nothing_to_do(shift: Make, tools: Tools) -> None:
    run = shift()
    assert await prepare(await enter(run), run) == Ready()
    assert not (run.state / "runtime/setup").exists()


async def test_commands_of_the_settings_instead(shift: Make, tools: Tools) -> None:
    tools.add("make")
    lines = ("make deps", "cd web && FAST=1 npm ci 'a b'")
    run = shift(NPM | {"web/x": ""}, commands=lines)
    place = await enter(run)
    assert isinstance(await prepare(place, run), Ready)
    assert tools.calls() == ["make deps (M001)", "npm ci a b (web)"]
    assert [event.recipe for event in events(run)] == ["configured"]
    await prepare(place, run)
    (place.cwd / "package-lock.json").write_text("{ }")
    await prepare(place, run)
    assert len(tools.calls()) == 4


async def test_settings_that_want_nothing(shift: Make, tools: Tools) -> None:
    run = shift(NPM, commands=())
    assert isinstance(await prepare(await enter(run), run), Ready)
    assert tools.calls() == []


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("npm ci; rm -rf x", "needs a shell (;)"),
        ("npm ci $(cat x)", "needs a shell"),
        ("cd .. && npm ci", "leaves the worktree"),
        ("npm ci 'x", "unbalanced quote"),
        ("npm i *.tgz", "file pattern"),
        ("! npm ci", "begins with !"),
    ],
)
async def test_a_command_that_cannot_be_run_as_it_stands(line: str, says: str, shift: Make, tools: Tools) -> None:
    run = shift(commands=(line,))
    ended = await prepare(await enter(run), run)
    assert isinstance(ended, NotReady)
    assert ended.reason.startswith("parallel.setup_commands: ")
    assert says in ended.reason
    assert tools.calls() == []


async def test_a_command_of_the_settings_that_is_not_here_is_a_failure(shift: Make) -> None:
    run = shift(commands=("no-such-tool --x",))
    ended = await prepare(await enter(run), run)
    assert isinstance(ended, NotReady)
    assert ended.reason == "setting up M001 failed: no-such-tool --x did not start: no such program"


async def test_a_stop_ends_it_and_the_next_start_does_it_again(shift: Make, tools: Tools) -> None:
    tools.add("npm", f'mkdir node_modules; echo 1 > node_modules/x; echo $$ > "{tools.directory}/pid"; sleep 600')
    run = shift(NPM)
    place = await enter(run)
    ended: list[Ready | NotReady] = []

    async def work() -> None:
        ended.append(await prepare(place, run))

    with anyio.fail_after(60):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(work)
            while not _number(tools.directory / "pid"):  # noqa: ASYNC110
                await anyio.sleep(0.02)
            run.stop.set()
    (result,) = ended
    assert isinstance(result, NotReady)
    assert result.stopped
    row = table.row(_number(tools.directory / "pid"))
    assert row is None or row.state in table.GONE
    assert events(run) == []
    assert dirty(place) == ""  # What it left half done must not come into a snapshot of the work.
    tools.add("npm", "mkdir -p node_modules")
    assert isinstance(await prepare(place, shift()), Ready)


def _number(path: Path) -> int:
    text = path.read_text().strip() if path.exists() else ""
    return int(text or 0)


async def test_set_ups_of_several_workers_wait_for_each_other(shift: Make, tools: Tools, tmp_path: Path) -> None:
    lock = tools.directory / "busy"
    tools.add("npm", f'mkdir "{lock}" || exit 9; sleep 0.1; rmdir "{lock}"; mkdir -p node_modules')
    run = shift(NPM)
    place = await enter(run)
    others = [replace(place, milestone=f"M00{number}") for number in (2, 3)]
    ended: list[Ready | NotReady] = []

    async def work(one: Workspace) -> None:
        ended.append(await prepare(one, run, home=tmp_path / "home"))

    async with anyio.create_task_group() as tasks:
        for one in (place, *others):
            tasks.start_soon(work, one)
    assert [type(one) for one in ended] == [Ready] * 3
    assert len(tools.calls()) == 3
    assert "another set-up uses npm; waiting" in said(run)


async def test_a_global_directory_that_cannot_be_written_keeps_nobody(
    shift: Make, tools: Tools, tmp_path: Path
) -> None:
    (tmp_path / "home").write_text("")
    run = shift(NPM)
    assert isinstance(await prepare(await enter(run), run, home=tmp_path / "home"), Ready)


@pytest.mark.skipif(not confine.available(), reason="nothing confines commands here")
async def test_it_may_write_to_worktree_and_caches_and_nowhere_else(shift: Make, tools: Tools, project: Path) -> None:
    home = Path(os.environ["HOME"])
    tools.log = Path("/dev/null")
    tools.add("npm", f'mkdir -p node_modules && echo 1 > "{home}/.npm/x" && echo 1 > "{project}/README.md"')
    run = shift(NPM, sandbox=True)
    ended = await prepare(await enter(run), run)
    assert isinstance(ended, NotReady)
    assert "may have been refused by" in ended.reason
    assert (home / ".npm/x").exists()
    assert (project / "README.md").read_text() != "1\n"


async def test_pip_for_real_without_network(shift: Make, tools: Tools) -> None:
    tools.add("python3", f'exec "{sys.executable}" "$@"')
    run = shift({"requirements.txt": "# nothing is needed\n", ".gitignore": ".venv/\n"})
    place = await enter(run)
    ready = await prepare(place, run)
    assert isinstance(ready, Ready), ready
    assert ready.env["VIRTUAL_ENV"] == str(place.cwd / ".venv")
    assert ready.env["PATH"].split(":")[0] == str(place.cwd / ".venv/bin")
    assert (place.cwd / ".venv/bin/python").exists()
    log = (run.state / "runtime/setup/M001.log").read_text()
    assert "$ .venv/bin/python -m pip install -r requirements.txt\n" in log
    assert "$ .venv/bin/python -c ''\n" in log
    assert dirty(place) == ""
    assert (await prepare(place, run)) == ready
    marker = json.loads((run.state / "runtime/places/M001.setup.json").read_text())
    assert list(marker["steps"]) == ["pip"]


async def test_pip_for_real_that_finds_nothing(shift: Make, tools: Tools) -> None:
    tools.add("python3", f'exec "{sys.executable}" "$@"')
    run = shift({"requirements.txt": "--no-index\nno-such-package==1.0\n"})
    ended = await prepare(await enter(run), run)
    assert isinstance(ended, NotReady)
    assert "No matching distribution found for no-such-package==1.0" in ended.reason


async def test_an_environment_that_does_not_start_is_found_by_the_check(shift: Make, tools: Tools) -> None:
    body = "mkdir -p .venv/bin; printf '#!/bin/sh\\nexit 5\\n' > .venv/bin/python; chmod +x .venv/bin/python"
    tools.add("uv", body)
    run = shift({"uv.lock": ""})
    ended = await prepare(await enter(run), run)
    assert isinstance(ended, NotReady)
    assert ended.reason == "setting up M001 failed: .venv/bin/python -c '': exit code 5"


@pytest.mark.spec(id="FM-74")
async def test_a_worker_that_cannot_be_set_up_pays_nothing_and_says_where_to_look(shift: Make, tools: Tools) -> None:
    tools.add("npm", "echo 'npm error code E404' >&2; exit 1")
    run = shift(NPM, lock="M001")
    ending = await loop.work(run, os.getpid())
    assert ending.code is ExitCode.BLOCKED
    assert "setting up M001 failed: npm ci: exit code 1: npm error code E404" in ending.reason
    assert ".gsd/runtime/setup/M001.log" in ending.hint
    assert not [event for event in run.journal("M001").own() if isinstance(event, AttemptStarted)]


@pytest.mark.spec(id="FM-74")
async def test_gates_of_a_worker_find_what_the_set_up_installed(shift: Make, tools: Tools, project: Path) -> None:
    tools.add("uv", "mkdir -p .venv/bin; for name in python checker; do ln -sf /bin/true .venv/bin/$name; done")
    run = shift({"uv.lock": "", ".gitignore": ".venv/\n"}, lock="M001")
    run = replace(run, preferences=run.preferences._replace(verification_commands=("checker",)))
    ending = await loop.work(run, os.getpid())
    assert ending.code is ExitCode.DONE, ending
    assert tools.calls() == ["uv sync --frozen (M001)"]
    gates = [event for event in run.journal("M001").own() if isinstance(event, Verified)]
    assert gates
    assert {event.verdict for event in gates} == {"pass"}


@pytest.mark.spec(id="FM-74")
async def test_a_set_up_that_was_killed_is_done_again(shift: Make, tools: Tools, project: Path) -> None:
    tools.add("npm", f'mkdir -p node_modules; echo $PPID > "{tools.directory}/pid"; sleep 600')
    run = shift(NPM)
    place = await enter(run)
    child = _preparing(project, run.env["PATH"])
    with anyio.fail_after(60):
        while not _number(tools.directory / "pid"):  # noqa: ASYNC110
            await anyio.sleep(0.02)
    child.kill()
    child.wait()
    await ladder.end_orphans()
    tools.add("npm", "mkdir -p node_modules/x")
    assert isinstance(await prepare(place, run), Ready)
    assert (place.cwd / "node_modules/x").is_dir()


def _preparing(project: Path, path: str) -> "subprocess.Popen[bytes]":
    """A process of its own that sets up M001."""
    code = (
        "import anyio, sys; from pathlib import Path; from worker.shifts import shift_for\n"
        "from milepost.worker import places; from milepost.worker.setup import prepare\n"
        "shift = shift_for(Path(sys.argv[1]))\n"
        "async def work():\n"
        "    await prepare(await places.enter('M001', shift), shift)\n"
        "anyio.run(work)\n"
    )
    env = {**os.environ, "PATH": path, "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.Popen([sys.executable, "-c", code, str(project)], env=env)
