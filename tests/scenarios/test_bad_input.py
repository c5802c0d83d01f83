"""Whatever is wrong ends in a named state with what to do next: no traceback, nothing lost."""

import contextlib
import json
import os
import resource
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from milepost.testing import projects
from milepost.testing.projects import steps, tool
from scenarios.stage import BLOCKED, DONE, ERROR, PAUSED, TIMEOUT_S, Ran, Stage, picture

TASK = "execute-task/M001/S01/T01"
COMMANDS = (("auto",), ("next",), ("status",), ("headless", "query"), ("doctor",))


def complains(ran: Ran, *words: str) -> None:
    """It failed with one sentence that has these words, and a hint below it."""
    assert ran.code not in (DONE, -6, -11), ran.said
    for word in words:
        assert word in ran.said, ran.said
    assert "Errno" not in ran.said
    assert len(ran.err.strip().splitlines() or ran.out.strip().splitlines()) >= 2, f"no hint: {ran.said}"


# Repositories


def test_not_a_repository(tmp_path: Path) -> None:
    stage = Stage(root=tmp_path / "project")
    projects.write(stage.root, {f".gsd/{path}": text for path, text in projects.files().items()})
    complains(stage.gsd("auto", "--agent", stage.agent()), "not in a git repository", "git init")


def test_no_project(tmp_path: Path) -> None:
    stage = Stage(root=tmp_path)
    for command in COMMANDS[:4]:
        complains(stage.gsd(*command), ".gsd/", "gsd init")


def test_no_commit_yet(tmp_path: Path) -> None:
    stage = Stage(root=tmp_path / "project")
    projects.write(stage.root, {f".gsd/{path}": text for path, text in projects.files().items()})
    stage.git("init", "-q", "-b", "main")
    ran = stage.auto().require(BLOCKED)
    complains(ran, "has no commit yet", "git commit")
    complains(stage.gsd("init"), "has no commit yet")


def test_a_bare_repository(tmp_path: Path) -> None:
    stage = Stage(root=tmp_path / "bare.git")
    subprocess.run(["git", "init", "-q", "--bare", str(stage.root)], check=True)
    complains(stage.gsd("init"), "bare")
    (stage.root / ".gsd").mkdir()
    complains(stage.auto(), "bare", "git worktree add")


def test_a_detached_head(stage: Stage) -> None:
    stage.make()
    stage.git("checkout", "-q", "--detach")
    before = picture(stage.root)
    complains(stage.auto().require(BLOCKED), "HEAD is detached", "git switch")
    assert picture(stage.root) == before
    assert stage.attempts() == 0


def test_an_unborn_branch(stage: Stage) -> None:
    stage.make()
    stage.git("checkout", "-q", "--orphan", "fresh")
    complains(stage.auto().require(BLOCKED), "fresh", "has no commit yet")


def test_nobody_to_commit_as(stage: Stage, tmp_path: Path) -> None:
    stage.make()
    (tmp_path / "nobody").mkdir()
    ran = stage.auto(HOME=str(tmp_path / "nobody"), EMAIL="").require(BLOCKED)
    complains(ran, "who commits here", "git config user.name")
    assert stage.attempts() == 0


def test_a_milestones_branch_that_is_checked_out_elsewhere(stage: Stage) -> None:
    stage.make()
    stage.git("worktree", "add", "-q", "-b", "milestone/M001", str(stage.root.parent / "mine"))
    complains(stage.auto().require(BLOCKED), "milestone/M001 is checked out at", "git -C")
    assert stage.attempts() == 0


def test_something_else_where_the_worktree_belongs(stage: Stage) -> None:
    stage.make()
    projects.write(stage.worktree, {"mine.txt": "mine\n"})
    complains(stage.auto().require(BLOCKED), "worktrees/M001", "mv ")
    assert (stage.worktree / "mine.txt").read_text() == "mine\n"
    assert stage.attempts() == 0


def test_a_worktree_that_somebody_deleted(stage: Stage) -> None:
    stage.make(tasks=2)
    stage.auto("--max-units", "1").require(DONE)
    shutil.rmtree(stage.worktree)
    stage.auto().require(DONE)
    stage.require_landed()
    assert stage.attempts() == 4


def test_the_current_directory_is_gone(stage: Stage) -> None:
    stage.make()
    gone = stage.root / "gone"
    gone.mkdir()
    script = f'cd "{gone}" && rmdir "{gone}" && exec "$@"'
    for command in COMMANDS[:4]:
        done = subprocess.run(
            ["sh", "-c", script, "sh", *stage.argv(*command)], capture_output=True, env=stage.environment({})
        )
        gone.mkdir()
        assert done.returncode == ERROR
        assert b"does not exist any more" in done.stderr
        assert b"Traceback" not in done.stderr


# Disks


@contextlib.contextmanager
def mounted(where: Path, *options: str) -> Iterator[None]:
    """A small file system, where this user may mount one."""
    where.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(["mount", *options, str(where)], capture_output=True)
    if done.returncode:
        pytest.skip(f"this user cannot mount: {done.stderr.decode().strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(where)], check=True)


def test_a_read_only_state_directory(stage: Stage) -> None:
    stage.make()
    with mounted(stage.state, "--bind", str(stage.state)):
        subprocess.run(["mount", "-o", "remount,bind,ro", str(stage.state)], check=True)
        ran = stage.auto()
        complains(ran, "read-only", ".gsd")
        for command in COMMANDS[2:4]:
            stage.gsd(*command).require(DONE)
    assert stage.attempts() == 0
    stage.auto().require(DONE)


@pytest.mark.parametrize("kilobytes", [0, 8, 40, 120])
def test_a_full_disk(tmp_path: Path, kilobytes: int) -> None:
    """The disk fills up sooner or later in the run; after there is room again, the project is finished."""
    place = tmp_path / "disk"
    with mounted(place, "-t", "tmpfs", "-o", "size=6m", "tmpfs"):
        stage = Stage(root=place / "project").make(tasks=2)
        script = stage.agent()
        (tmp_path / "script.json").write_text((place / "script.json").read_text())
        script = f"scripted:{tmp_path / 'script.json'}"
        log = stage.log()
        filler = place / "filler"
        _fill(filler, place, leave=kilobytes * 1024)

        ran = stage.gsd("auto", "--agent", script)
        if ran.code == DONE:
            pytest.skip("it had room enough")
        complains(ran, "space")
        filler.unlink()
        assert stage.git("status", "--porcelain", "--", ".", ":!.gsd") == ""
        assert stage.log() == log or "feat(M001)" in stage.log()[0]

        stage.gsd("auto", "--agent", script).require(DONE)
        assert len(stage.log()) == 2
        assert (stage.root / "work/M001-S01-T02.txt").exists()
        assert stage.git("status", "--porcelain") == ""
        stage.git("fsck", "--strict")


def _fill(filler: Path, place: Path, *, leave: int) -> None:
    free = os.statvfs(place)
    size = max(0, free.f_bavail * free.f_frsize - leave)
    filler.write_bytes(b"x" * size)


def test_a_limit_on_the_size_of_files(stage: Stage) -> None:
    """The same error where nobody may mount: a file that may not grow."""
    stage.make()
    stage.agent()

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (3_000, 3_000))

    done = subprocess.run(
        stage.argv("auto", "--agent", stage.agent()), cwd=stage.root, env=stage.environment({}),
        capture_output=True, timeout=TIMEOUT_S, preexec_fn=limited,
    )  # fmt: skip
    assert done.returncode not in (DONE, -25), done.stdout + done.stderr
    assert b"Traceback" not in done.stderr + done.stdout
    stage.auto().require(DONE)
    stage.require_landed()


# Shapes of the state directory


def linked(stage: Stage) -> Path:
    elsewhere = stage.root.parent / "plan"
    stage.state.rename(elsewhere)
    stage.state.symlink_to(elsewhere)
    return elsewhere


def test_the_state_directory_is_a_link(stage: Stage) -> None:
    stage.make(plan_committed=False)
    linked(stage)
    stage.gsd("headless", "query").require(DONE)
    complains(stage.auto().require(BLOCKED), ".gsd is a symbolic link", "commit_docs: false")
    assert stage.attempts() == 0


def test_the_state_directory_is_a_link_that_git_need_not_follow(stage: Stage) -> None:
    preferences = projects.QUICK.replace("---\n", "---\ngit: {commit_docs: false}\n", 1)
    stage.make(plan_committed=False, preferences=preferences)
    (stage.root / ".gitignore").write_text(".gsd\n")
    stage.git("add", ".gitignore")
    stage.git("commit", "-qm", "ignore")
    elsewhere = linked(stage)
    stage.auto().require(DONE)
    stage.require_landed(before=2)
    assert stage.state.is_symlink()
    assert (elsewhere / "milestones/M001/M001-SUMMARY.md").exists()


def test_a_link_to_nowhere(stage: Stage) -> None:
    stage.make()
    shutil.rmtree(stage.state)
    stage.state.symlink_to(stage.root.parent / "nowhere")
    complains(stage.auto(), ".gsd")


def test_the_state_directory_is_a_file(stage: Stage) -> None:
    stage.make()
    shutil.rmtree(stage.state)
    stage.state.write_text("not a directory\n")
    for command in COMMANDS[:4]:
        complains(stage.gsd(*command), ".gsd")


DIRECTORIES = (
    "milestones/M001/M001-ROADMAP.md",
    "milestones/M001/M001-CONTEXT.md",
    "milestones/M001/slices/S01/S01-PLAN.md",
    "PREFERENCES.md",
    "metrics.json",
    "auto.lock",
    "STATE.md",
    "QUEUE-ORDER.json",
    "journal/project.jsonl",
    "parallel/auto.signal.json",
    "parallel/auto.lease",
)


@pytest.mark.parametrize("path", DIRECTORIES)
def test_a_directory_where_a_file_is_expected(stage: Stage, path: str) -> None:
    stage.make()
    place = stage.state / path
    if place.exists():
        place.unlink()
    projects.write(place, {"inside.txt": "mine\n"})
    for command in COMMANDS[2:4]:
        ran = stage.gsd(*command)
        assert ran.code in (DONE, ERROR, BLOCKED), ran.said
    ran = stage.auto("--max-units", "1")
    assert "Errno" not in ran.said
    if ran.code != DONE:
        assert Path(path).stem in ran.said or "M001" in ran.said or "context" in ran.said, ran.said
    assert {file.read_text() for file in stage.state.rglob("inside.txt")} == {"mine\n"}


FILES = ("milestones", "milestones/M001", "milestones/M001/slices", "journal", "runtime", "activity", "worktrees")


@pytest.mark.parametrize("path", FILES)
def test_a_file_where_a_directory_is_expected(stage: Stage, path: str) -> None:
    stage.make()
    place = stage.state / path
    shutil.rmtree(place, ignore_errors=True)
    place.write_text("mine\n")
    for command in COMMANDS[2:4]:
        ran = stage.gsd(*command)
        assert ran.code in (DONE, ERROR, BLOCKED), ran.said
    ran = stage.auto("--max-units", "1")
    assert ran.code not in (DONE, PAUSED) or path.endswith("slices"), ran.said
    assert "Errno" not in ran.said
    assert place.read_text() == "mine\n"


def test_an_empty_directory_named_like_a_milestone(stage: Stage) -> None:
    stage.make(milestones=("M001", "M002"))
    shutil.rmtree(stage.state / "milestones/M001")
    (stage.state / "milestones/M001").mkdir()
    stage.auto().require(DONE)
    assert stage.log()[0].startswith("feat(M002)")


def test_no_milestones_at_all(stage: Stage) -> None:
    stage.make()
    shutil.rmtree(stage.state / "milestones")
    ran = stage.auto()
    complains(ran, "No milestones found")
    (stage.state / "milestones").mkdir()
    complains(stage.auto(), "No milestones found")


@pytest.mark.parametrize(
    "text", ["", "\n\n", "# M001: Nothing\n", "no markdown at all", "# M001\n\n## Slices\n\nTBD\n"]
)
def test_a_roadmap_without_slices(stage: Stage, text: str) -> None:
    stage.make()
    stage.path("M001-ROADMAP.md").write_text(text)
    ran = stage.auto("--max-units", "1")
    assert stage.log() == ["first"] or stage.log()[0].startswith("docs")
    assert not stage.path("M001-SUMMARY.md").exists()
    assert "complete" not in ran.out.lower() or ran.code != DONE
    assert stage.gsd("headless", "query").require(DONE).out.startswith("{")


@pytest.mark.parametrize("name", ["M001-ROADMAP.md", "M001-CONTEXT.md", "slices/S01/S01-PLAN.md"])
def test_a_document_of_50_megabytes(stage: Stage, name: str) -> None:
    stage.make()
    path = stage.path(name)
    with path.open("a") as file:
        for _ in range(50):
            file.write("- [ ] words and words\n" * 45_000)
    size = path.stat().st_size
    ran = stage.auto()
    complains(ran, Path(name).name, "larger than")
    assert path.stat().st_size == size
    complains(stage.gsd("headless", "query"), Path(name).name)


def test_bytes_that_are_not_utf8(stage: Stage) -> None:
    stage.make()
    for name in ("M001-ROADMAP.md", "M001-CONTEXT.md", "slices/S01/S01-PLAN.md", "slices/S01/tasks/T01-PLAN.md"):
        path = stage.path(name)
        path.write_bytes(path.read_bytes() + b"\nGr\xfc\xdfe \xff\xfe caf\xe9\n")
    (stage.state / "DECISIONS.md").write_bytes(b"# D\xe9cisions\n")
    stage.gsd("headless", "query").require(DONE)
    stage.gsd("status").require(DONE)
    stage.auto().require(DONE)
    assert b"Gr\xfc\xdfe \xff\xfe caf\xe9" in stage.path("M001-ROADMAP.md").read_bytes()
    assert b"- [x] **S01" in stage.path("M001-ROADMAP.md").read_bytes()


def test_bytes_that_are_no_text(stage: Stage) -> None:
    stage.make()
    stage.path("M001-ROADMAP.md").write_bytes(b"\0\1\2" * 100)
    complains(stage.auto(), "M001-ROADMAP.md", "not a text file")
    assert stage.path("M001-ROADMAP.md").read_bytes() == b"\0\1\2" * 100


ESCAPES: dict[str, Callable[[Stage], None]] = {
    "slice id": lambda s: _swap(s.path("M001-ROADMAP.md"), "S01: Slice", "../../S01: Slice"),
    "depends": lambda s: _swap(s.path("M001-ROADMAP.md"), "depends:[]", "depends:[../../../etc]"),
    "task id": lambda s: _swap(s.path("slices/S01/S01-PLAN.md"), "T01: Write", "../../../T01: Write"),
    "queue": lambda s: (s.state / "QUEUE-ORDER.json").write_text('{"order": ["../../M001", "/etc", "M001"]}') and None,
    "depends_on": lambda s: _swap(s.path("M001-CONTEXT.md"), "# M001", "---\ndepends_on: [../M000]\n---\n# M001"),
    "worktree": lambda s: s.path("M001-META.json").write_text('{"integrationBranch": "../../../evil"}') and None,
}


def _swap(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


@pytest.mark.parametrize("where", ESCAPES)
def test_an_id_that_leads_out(stage: Stage, where: str) -> None:
    stage.make()
    ESCAPES[where](stage)
    outside = {path for path in stage.root.parent.iterdir() if path.name != "script.json"}
    before = picture(stage.root)
    stage.gsd("headless", "query")
    ran = stage.auto()
    assert {path for path in stage.root.parent.iterdir() if path.name != "script.json"} == outside
    if ran.code != DONE:
        complains(ran)
        assert picture(stage.root) == before


@pytest.mark.parametrize("unit", ["../../../etc/passwd", "M001/../../x", ""])
def test_a_unit_to_retry_that_is_none(stage: Stage, unit: str) -> None:
    stage.make()
    ran = stage.auto("--retry", unit, "--max-units", "1")
    assert "Errno" not in ran.said
    assert not (stage.root.parent / "etc").exists()


def test_a_file_that_is_not_there_is_said_in_words(stage: Stage) -> None:
    stage.make()
    ran = stage.gsd("headless", "new-milestone", "--context", "nowhere.md").require(ERROR)
    assert json.loads(ran.out)["reason"] == "nowhere.md: No such file or directory"
    assert "Errno" not in ran.said


# Settings, keys and providers


def test_no_key(stage: Stage) -> None:
    stage.make()
    ran = stage.gsd("auto")
    complains(ran, "ANTHROPIC_API_KEY", "no model is configured")
    assert stage.attempts() == 0
    assert not stage.worktree.exists()


def test_no_key_for_the_model_that_is_wanted(stage: Stage) -> None:
    stage.make()
    ran = stage.gsd("auto", "--model", "claude-sonnet-4-5")
    complains(ran, "ANTHROPIC_API_KEY")
    assert stage.attempts() == 0


def test_a_model_nobody_knows(stage: Stage) -> None:
    stage.make()
    ran = stage.gsd("auto", "--model", "nosuchprovider/gpt-99")
    complains(ran, "nosuchprovider")
    assert stage.attempts() == 0


def test_an_unreachable_provider(stage: Stage) -> None:
    stage.make(preferences=projects.QUICK)
    ran = stage.gsd(
        "auto", "--model", "openai/gpt-5.1", OPENAI_API_KEY="sk-secret-secret", OPENAI_BASE_URL="http://127.0.0.1:9/v1"
    ).require(PAUSED)
    assert "the model failed" in ran.out
    assert "127.0.0.1:9" in ran.out or "onnect" in ran.out
    assert "sk-secret" not in ran.said
    assert stage.log() == ["first"]
    stage.auto().require(DONE)


@pytest.mark.parametrize("kind", ["auth", "quota"])
def test_a_provider_that_refuses(stage: Stage, kind: str) -> None:
    stage.make()
    stage.replay(TASK, [{"error": kind, "text": "401 the key is not valid"}], steps(TASK))
    ran = stage.auto()
    ran.require(PAUSED)
    assert "401 the key is not valid" in ran.out
    stage.auto().require(DONE)


def test_preferences_with_errors_say_all_of_them_at_once(stage: Stage) -> None:
    stage.make()
    text = (
        "---\nmode: teem\ngit:\n  isolation: worktre\n  auto_push: maybe\nbudget_ceiling: lots\nunknown_key: 1\n---\n"
    )
    (stage.state / "PREFERENCES.md").write_text(text)
    ran = stage.auto()
    complains(ran, "mode", "git.isolation", "git.auto_push", "budget_ceiling", "PREFERENCES.md:2", "PREFERENCES.md:4")
    assert "worktree" in ran.err
    assert "unknown_key" in ran.err
    assert stage.attempts() == 0
    assert (stage.state / "PREFERENCES.md").read_text() == text
    told = stage.gsd("status").require(DONE)
    assert "git.isolation" in told.err


@pytest.mark.parametrize(
    "text", ["---\n: : [\n---\n", "---\n\tmode: solo\n---\n", "---\n- a\n- b\n---\n", "---\nmode: solo\n"]
)
def test_preferences_that_are_no_yaml(stage: Stage, text: str) -> None:
    stage.make()
    (stage.state / "PREFERENCES.md").write_text(text)
    ran = stage.auto("--max-units", "1")
    if ran.code != DONE:
        complains(ran, "PREFERENCES.md")
    stage.gsd("headless", "query").require(DONE)


CORRUPT = {
    "metrics.json": ["{", "[]", '{"version": 1, "units": 5}', "\0\0\0", ""],
    "auto.lock": ["{", "[]", "\0", ""],
    "parallel/auto.signal.json": ["{", '{"signal": "dance"}', "\0", "[]"],
    "parallel/auto.lease": ["{", "garbage"],
    "journal/M001.jsonl": [
        "{\n",
        '{"event":"from-the-future","atMs":1}\n',
        '\xff\xfe\n{"event":\n',
        '{"event":"attempt-end',
    ],
    "journal/project.jsonl": ["not json\n", '{"event":"attempt-started"}\n'],
    "QUEUE-ORDER.json": ["{", "[1,2]", '{"order": "M001"}'],
    "milestones/M001/M001-META.json": ["{", "[]", '{"integrationBranch": 5}'],
}


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, texts in CORRUPT.items() for text in texts])
def test_a_corrupt_file_of_the_program(stage: Stage, name: str, text: str) -> None:
    stage.make()
    place = stage.state / name
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(text.encode("latin-1"))
    for command in COMMANDS[2:4]:
        assert stage.gsd(*command).code in (DONE, ERROR)
    ran = stage.auto()
    if ran.code == DONE:
        stage.require_landed(before=len(stage.log()) - 1)
    else:
        complains(ran, Path(name).name)
        assert place.read_bytes() == text.encode("latin-1")
        assert stage.attempts() == 0, "it said so only after it had spent money"


# Command lines


def test_an_unknown_command(stage: Stage) -> None:
    stage.make()
    complains(stage.gsd("atuo"), "'atuo' is not a command", "Did you mean `gsd auto`?")
    complains(stage.gsd("headless", "querry"), "querry")


@pytest.mark.parametrize("command", ["auto", "next", "status", "stop", "pause", "init", "doctor"])
def test_an_unknown_option(stage: Stage, command: str) -> None:
    stage.make()
    ran = stage.gsd(command, "--no-such-option")
    assert ran.code not in (DONE, BLOCKED), f"{ran.code}: 2 is blocked"
    assert "--no-such-option" in ran.err


def test_an_option_that_is_almost_right(stage: Stage) -> None:
    stage.make()
    ran = stage.gsd("auto", "--max-unit", "1")
    assert ran.code == ERROR
    assert "--max-units" in ran.err


@pytest.mark.parametrize("args", [("--max-units", "0"), ("--max-units", "many"), ("--timeout", "-1")])
def test_a_value_that_makes_no_sense(stage: Stage, args: tuple[str, str]) -> None:
    stage.make()
    ran = stage.auto(*args)
    assert ran.code == ERROR
    assert args[0] in ran.err
    assert stage.attempts() == 0


@pytest.mark.parametrize("agent", ["nobody", "scripted:missing.json", "replay:missing.jsonl", "scripted:"])
def test_an_agent_that_is_not_there(stage: Stage, agent: str) -> None:
    stage.make()
    ran = stage.gsd("auto", "--agent", agent)
    assert ran.code == ERROR, ran.said
    assert agent.partition(":")[2] in ran.err
    assert stage.attempts() == 0


def test_a_reader_that_went_away(stage: Stage) -> None:
    stage.make()
    for command in COMMANDS[2:4]:
        piped = " ".join(f"'{word}'" for word in stage.argv(*command)) + " | head -c 0"
        done = subprocess.run(["sh", "-c", piped], cwd=stage.root, env=stage.environment({}), capture_output=True)
        assert b"Traceback" not in done.stderr
        assert b"BrokenPipe" not in done.stderr


def test_a_reader_that_goes_away_does_not_stop_the_work(stage: Stage) -> None:
    stage.make()
    piped = " ".join(f"'{word}'" for word in stage.argv("auto", "--agent", stage.agent())) + " | head -n 1"
    done = subprocess.run(["sh", "-c", piped], cwd=stage.root, env=stage.environment({}), capture_output=True)
    assert b"Traceback" not in done.stderr
    stage.require_landed()


@pytest.mark.parametrize("stream", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams(stage: Stage, stream: str) -> None:
    stage.make()
    words = " ".join(f"'{word}'" for word in stage.argv("auto", "--agent", stage.agent()))
    done = subprocess.run(
        ["sh", "-c", f"{words} {stream}"], cwd=stage.root, env=stage.environment({}), capture_output=True
    )
    assert done.returncode == DONE, done.stderr
    stage.require_landed()


def test_a_terminal_that_cannot_show_everything(stage: Stage) -> None:
    stage.make()
    ran = stage.auto(LC_ALL="C", PYTHONIOENCODING="ascii", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
    ran.require(DONE)
    stage.require_landed()


# Models


def test_a_model_that_returns_nothing(stage: Stage) -> None:
    stage.make()
    stage.replay(TASK, [])
    ran = stage.auto().require(BLOCKED)
    assert "the agent called no tool" in ran.out
    assert stage.attempts() == 3


def test_a_model_that_calls_garbage(stage: Stage) -> None:
    stage.make()
    garbage = [
        tool("no_such_tool", x=1),
        tool("write"),
        tool("write", path=5, content=["a"]),
        tool("write", path="a\0b", content="x"),
        tool("write", path="x" * 5_000, content="x"),
        tool("write", path=".", content="x"),
        tool("edit", path="README.md", old="", new="x"),
        tool("read", path="/dev/zero"),
        tool("read", path="."),
        tool("shell", command=""),
        tool("shell", command="exit 3", timeout=-5),
        tool("search", pattern="(", path="."),
        tool("list", path="README.md"),
    ]
    stage.replay(TASK, [*garbage, *steps(TASK)])
    stage.auto().require(DONE)
    assert len(stage.refusals("M001-S01-T01")) >= 10
    assert (stage.root / "README.md").read_text() == "# A project\n"
