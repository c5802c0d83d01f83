"""The tools: what they do, what they refuse, how much they say."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from agents.conftest import MakeSpec
from milepost.agents.session import ToolPolicy
from milepost.agents.tools.catalogue import schemas
from milepost.agents.tools.outputs import LIMIT
from milepost.agents.tools.toolbox import Answer, Toolbox
from milepost.process.confine import Confinement
from milepost.process.spawn import Finished, run

pytestmark = pytest.mark.anyio


@pytest.fixture
def box(make_spec: MakeSpec) -> Toolbox:
    return Toolbox(make_spec())


@pytest.mark.parametrize(
    "path",
    [
        "../outside.txt",
        "src/../../outside.txt",
        "/etc/passwd",
        "/etc/milepost-test",
        "link-out/outside.txt",
        "link-file",
        "dangling",
        ".git/config",
        ".git",
        "sub/.git/hooks/pre-commit",
        "link-git/config",
        ".gsd/milestones/M002/M002-ROADMAP.md",
        ".gsd/milestones/M001/link-sibling/M002-ROADMAP.md",
        ".gsd/journal/main.jsonl",
        ".gsd/auto.lock",
        ".gsd/metrics.json",
        ".gsd/preferences.md",
        "",
        "a\0b",
        "x" * 5000,
    ],
)
async def test_writes_that_must_not_happen(box: Toolbox, repo: Path, tmp_path: Path, path: str) -> None:
    outside = tmp_path / "outside.txt"
    outside.write_text("untouched")
    (repo / "link-out").symlink_to(tmp_path)
    (repo / "link-file").symlink_to(outside)
    (repo / "dangling").symlink_to(tmp_path / "new.txt")
    (repo / "link-git").symlink_to(repo / ".git")
    (repo / ".gsd/milestones/M001/link-sibling").symlink_to(repo / ".gsd/milestones/M002")
    before = _tree(tmp_path)
    for answer in (
        await box.call("write", {"path": path, "content": "evil"}),
        await box.call("edit", {"path": path, "old": "untouched", "new": "evil"}),
    ):
        assert not answer.ok
        assert answer.text
    assert _tree(tmp_path) == before


@pytest.mark.parametrize("path", ["../outside.txt", "/etc/passwd", "link-out/outside.txt", ".git/config"])
@pytest.mark.parametrize("tool", ["read", "list", "search"])
async def test_looks_that_must_not_happen(box: Toolbox, repo: Path, tmp_path: Path, tool: str, path: str) -> None:
    (tmp_path / "outside.txt").write_text("secret-word")
    (repo / "link-out").symlink_to(tmp_path)
    answer = await box.call(tool, {"path": path, "pattern": "secret-word|bare|root"})
    assert answer.refused
    assert "secret-word" not in answer.text


async def test_refusal_says_what_is_open(make_spec: MakeSpec) -> None:
    box = Toolbox(make_spec(policy=ToolPolicy.PLANNING))
    answer = await box.call("write", {"path": "src/a.py", "content": ""})
    assert answer == Answer(
        ok=False,
        text="Refused: src/a.py is outside of what this unit plans; write below .gsd/milestones/M001/ only.",
        refused=True,
    )
    assert (await box.call("shell", {"command": "touch made"})).refused
    assert not (make_spec().cwd / "made").exists()


async def test_write_read_edit_list(box: Toolbox, repo: Path) -> None:
    assert (await box.call("write", {"path": "src/app.py", "content": "A = 1\nB = 2\n"})).ok
    assert (repo / "src/app.py").read_text() == "A = 1\nB = 2\n"
    assert (
        await box.call("edit", {"path": "src/app.py", "old": "B = 2", "new": "B = 3"})
    ).text == "Edited app.py at line 2."
    assert (await box.call("read", {"path": "src/app.py"})).text == "A = 1\nB = 3\n"
    assert (await box.call("read", {"path": "src/app.py", "start": 2, "end": 2})).text == "B = 3\n"
    assert (await box.call("list", {})).text == ".gsd/\nREADME.md\nsrc/"
    assert (await box.call("read", {"path": str(repo / "src/app.py")})).ok


async def test_edit_wants_one_place(box: Toolbox, repo: Path) -> None:
    (repo / "a.txt").write_text("x\ny\nx\n")
    twice = await box.call("edit", {"path": "a.txt", "old": "x", "new": "z"})
    assert not twice.ok
    assert "2 times in a.txt (lines 1, 3)" in twice.text
    assert not (await box.call("edit", {"path": "a.txt", "old": "w", "new": "z"})).ok
    assert not (await box.call("edit", {"path": "a.txt", "old": "", "new": "z"})).ok
    assert (repo / "a.txt").read_text() == "x\ny\nx\n"


async def test_edit_keeps_every_other_byte(box: Toolbox, repo: Path) -> None:
    (repo / "dos.txt").write_bytes(b"one\r\ntwo\r\n\xff\xfe three\r\n")
    os.chmod(repo / "dos.txt", 0o750)
    assert (await box.call("edit", {"path": "dos.txt", "old": "one\ntwo", "new": "1\n2"})).ok
    assert (repo / "dos.txt").read_bytes() == b"1\r\n2\r\n\xff\xfe three\r\n"
    assert (repo / "dos.txt").stat().st_mode & 0o777 == 0o750


async def test_files_without_text(box: Toolbox, repo: Path) -> None:
    (repo / "logo.png").write_bytes(b"\x89PNG\0\0")
    os.mkfifo(repo / "pipe")
    assert "binary (6 bytes)" in (await box.call("read", {"path": "logo.png"})).text
    assert "no regular file" in (await box.call("read", {"path": "pipe"})).text
    assert "no regular file" in (await box.call("write", {"path": "pipe", "content": "x"})).text
    assert "use list" in (await box.call("read", {"path": ".gsd"})).text
    assert "There is no file" in (await box.call("read", {"path": "nowhere"})).text
    assert (await box.call("read", {"path": "README.md", "start": 9})).text == "README.md has no line 9."
    assert not (await box.call("write", {"path": "README.md/below", "content": "x"})).ok


async def test_a_huge_file_shows_its_ends(box: Toolbox, repo: Path) -> None:
    with (repo / "huge.log").open("w") as file:
        file.writelines(f"line {number}\n" for number in range(400_000))
    text = (await box.call("read", {"path": "huge.log"})).text
    assert text.startswith("line 0\n")
    assert text.endswith("line 399999\n")
    assert len(text) < LIMIT + 300
    assert (
        await box.call("read", {"path": "huge.log", "start": 300_000, "end": 300_001})
    ).text == "line 299999\nline 300000\n"


async def test_shell(box: Toolbox, repo: Path) -> None:
    assert await box.call("shell", {"command": "pwd && echo err >&2"}) == Answer(ok=True, text=f"{repo}\nerr")
    assert await box.call("shell", {"command": "echo no; exit 3"}) == Answer(ok=False, text="no\n[exit status 3]")
    assert (await box.call("shell", {"command": "true"})).text == "(no output)"
    assert (await box.call("shell", {"command": "cat"})).ok  # no input to wait for


async def test_shell_is_ended_with_all_it_started(box: Toolbox, repo: Path) -> None:
    answer = await box.call("shell", {"command": "(sleep 5; touch late) & sleep 30", "timeout": 1})
    assert not answer.ok
    assert "[ended after 1 s, the time limit]" in answer.text
    left = await box.call("shell", {"command": "sleep 60 >/dev/null 2>&1 & echo started"})
    assert left.ok
    assert "background processes were ended" in left.text


@pytest.mark.parametrize("lines", [5_000, 100_000], ids=["in memory", "spooled"])
async def test_long_output_is_kept_whole(box: Toolbox, make_spec: MakeSpec, lines: int) -> None:
    answer = await box.call("shell", {"command": f"seq 1 {lines}"})
    assert answer.ok
    assert answer.text.startswith("1\n2\n")
    assert f"\n{lines}\n[whole output: " in answer.text
    assert len(answer.text) < LIMIT + 500
    (kept,) = make_spec().output_dir.iterdir()
    assert answer.text.endswith(f"[whole output: {kept}]")
    assert kept.read_text().splitlines() == [str(n) for n in range(1, lines + 1)]
    assert (await box.call("read", {"path": str(kept), "start": 777, "end": 777})).text == "777\n"
    assert (await box.call("write", {"path": str(kept), "content": ""})).refused
    assert kept.stat().st_size


@pytest.mark.parametrize("ripgrep", [True, False])
async def test_search(make_spec: MakeSpec, repo: Path, tmp_path: Path, ripgrep: bool) -> None:
    (repo / "src").mkdir()
    (repo / "src/a.py").write_text("import os\nNEEDLE = 1\n")
    (repo / "src/b.txt").write_text("NEEDLE too\n")
    (repo / ".gsd/milestones/M001/M001-ROADMAP.md").write_text("the NEEDLE slice\n")
    (repo / "ignored.log").write_text("NEEDLE\n")
    (repo / ".gitignore").write_text("*.log\n")
    env = {**make_spec().env}
    if ripgrep and not any((Path(p) / "rg").exists() for p in env["PATH"].split(":")):
        pytest.skip("ripgrep is not installed")
    if not ripgrep:
        (tmp_path / "bin").mkdir()
        for program in ("git", "bash", "sh"):
            real = next(Path(p) / program for p in env["PATH"].split(":") if (Path(p) / program).exists())
            (tmp_path / "bin" / program).symlink_to(real)
        env["PATH"] = str(tmp_path / "bin")
    box = Toolbox(make_spec(env=env))
    found = (await box.call("search", {"pattern": "NEEDLE( =|$)|NEEDLE too"})).text
    assert [line.removeprefix("./") for line in found.splitlines()] == [
        "src/a.py:2:NEEDLE = 1",
        "src/b.txt:1:NEEDLE too",
    ]
    assert ".gsd/milestones/M001/M001-ROADMAP.md:1:" in (await box.call("search", {"pattern": "the NEEDLE"})).text
    only = (await box.call("search", {"pattern": "NEEDLE", "path": "src", "glob": "*.py"})).text
    assert only.splitlines() == ["src/a.py:2:NEEDLE = 1"]
    assert await box.call("search", {"pattern": "not there"}) == Answer(ok=True, text="No match.")
    assert not (await box.call("search", {"pattern": "(unclosed"})).ok
    dash = await box.call("search", {"pattern": "--output=x"})
    assert dash == Answer(ok=True, text="No match.")


@pytest.mark.parametrize(
    ("name", "args", "part"),
    [
        ("teleport", {}, "no tool 'teleport'"),
        ("read", {}, "missing required field `path`"),
        ("read", {"path": 7}, "Expected `str`"),
        ("read", {"path": "README.md", "start": "many"}, "Expected `int`"),
        ("write", {"path": "a", "content": ["x"]}, "Expected `str`"),
        ("shell", {"command": "echo \0"}, "NUL"),
        ("write", {"path": "a", "content": "\ud800"}, "surrogate"),
        ("shell", {"command": "true " + "x" * 3_000_000}, ""),
    ],
)
async def test_calls_a_model_got_wrong(box: Toolbox, name: str, args: dict[str, object], part: str) -> None:
    answer = await box.call(name, args)
    assert not answer.ok
    assert not answer.refused
    assert part in answer.text


async def test_numbers_may_come_as_text_and_extra_arguments_are_ignored(box: Toolbox) -> None:
    assert (await box.call("read", {"path": "README.md", "start": "1", "reason": "curious"})).ok


@pytest.mark.parametrize("policy", ToolPolicy)
def test_schemas_are_small(policy: ToolPolicy) -> None:
    assert len(msgspec.json.encode([tool._asdict() for tool in schemas(policy)])) < 2_000


def _tree(root: Path) -> dict[str, str]:
    skip = {"outputs"}
    return {
        str(path.relative_to(root)): (
            f"-> {path.readlink()}" if path.is_symlink() else path.read_text(errors="replace")
        )
        for path in sorted(root.rglob("*"))
        if (path.is_symlink() or path.is_file()) and not skip & set(path.parts)
    }


async def test_everything_that_starts_a_process_is_confined(make_spec: MakeSpec) -> None:
    asked: list[tuple[tuple[str, ...], Confinement | None]] = []

    async def runner(argv: Sequence[str], *, confine: Confinement | None = None, **rest: Any) -> Finished:
        asked.append((tuple(argv), confine))
        return await run(("true",), cwd=rest["cwd"], env=rest["env"], timeout_s=rest["timeout_s"])

    confine = Confinement(writable=(make_spec().cwd,), network=False)
    box = Toolbox(make_spec(confine=confine), shell_runner=runner)
    await box.call("shell", {"command": "echo 'one argument' && true"})
    await box.call("search", {"pattern": "x"})
    assert asked[0] == (("bash", "-c", "echo 'one argument' && true"), confine)
    assert [confinement for _, confinement in asked] == [confine, confine]
