"""Settings files on disk, and the cache of what they say."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from milepost.formats.preferences import Preferences
from milepost.store import preferences


@pytest.fixture
def home(private_machine: Path) -> Path:
    return private_machine / ".gsd"


def write(path: Path, *lines: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(["---", *lines, "---", ""]))
    return path


def load(root: Path, home: Path) -> preferences.Loaded:
    return preferences.load(str(root), str(home))


def test_no_file_is_all_defaults(tmp_path: Path, home: Path) -> None:
    loaded = load(tmp_path, home)
    assert loaded.preferences == Preferences()
    assert (loaded.problems, loaded.sources) == ((), ())


def test_no_file_means_no_yaml_is_imported(tmp_path: Path, home: Path) -> None:
    program = (
        "import sys; from milepost.store.preferences import load; "
        f"load({str(tmp_path)!r}, {str(home)!r}); "
        "heavy = ('yaml', 'msgspec', 'dataclasses', 'pathlib', 'subprocess', 'logging', 'datetime'); "
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env={
            "PYTHONPATH": str(Path(preferences.__file__).parents[2]),
        },
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.spec(id="PR-060")
@pytest.mark.spec(id="PR-352")
def test_project_over_global(tmp_path: Path, home: Path) -> None:
    write(
        home / "preferences.md",
        "mode: team",
        "git: {auto_push: true, remote: upstream}",
        "verification_commands: [a, b]",
    )
    write(tmp_path / ".gsd/PREFERENCES.md", "git: {remote: fork}", "verification_commands: [b, c]")
    loaded = load(tmp_path, home)
    assert loaded.preferences.git.remote == "fork"
    assert loaded.preferences.git.auto_push is True
    assert loaded.preferences.git.push_branches is True, "the mode fills what nobody wrote"
    assert loaded.preferences.verification_commands == ("a", "b", "c")
    assert [os.path.basename(path) for path in loaded.sources] == ["preferences.md", "PREFERENCES.md"]


@pytest.mark.spec(id="PR-060")
def test_upper_case_wins_and_the_other_is_named(tmp_path: Path, home: Path) -> None:
    write(tmp_path / ".gsd/preferences.md", "mode: team")
    write(tmp_path / ".gsd/PREFERENCES.md", "mode: solo")
    loaded = load(tmp_path, home)
    assert loaded.preferences.mode == "solo"
    assert [problem.message for problem in loaded.problems] == ["not read: PREFERENCES.md is there too"]
    assert loaded.errors == ()


def test_legacy_global_file(tmp_path: Path, home: Path) -> None:
    write(home.parent / ".pi/agent/gsd-preferences.md", "budget_ceiling: 7.5")
    assert load(tmp_path, home).preferences.budget_ceiling == 7.5
    write(home / "PREFERENCES.md", "uat_dispatch: true")
    loaded = load(tmp_path, home)
    assert (loaded.preferences.budget_ceiling, loaded.preferences.uat_dispatch) == (None, True)


def test_a_project_that_is_the_home_is_read_once(home: Path) -> None:
    write(home / "PREFERENCES.md", "custom_instructions: [be brief]")
    loaded = load(home.parent, home)
    assert len(loaded.sources) == 1
    assert loaded.preferences.custom_instructions == ("be brief",)


@pytest.mark.spec(id="PR-060")
@pytest.mark.spec(id="PR-210")
def test_the_sf_dialect(tmp_path: Path, home: Path) -> None:
    write(tmp_path / ".sf/PREFERENCES.md", "mode: solo")
    assert preferences.load(str(tmp_path), str(home.parent / ".sf"), state_dir=".sf").preferences.mode == "solo"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"---\nmode: solo\xff\n---\n", "not UTF-8 at byte 14"),
        (b"---\nmode: [\n---\n", "not YAML"),
        (b"---\nmode: teem\n---\n", "must be one of: solo, team"),
    ],
)
def test_a_wrong_file_is_an_error_and_never_raises(tmp_path: Path, home: Path, content: bytes, message: str) -> None:
    path = tmp_path / ".gsd/PREFERENCES.md"
    path.parent.mkdir()
    path.write_bytes(content)
    loaded = load(tmp_path, home)
    assert len(loaded.errors) == 1
    assert message in str(loaded.errors[0])
    assert str(loaded.errors[0]).startswith(".gsd/PREFERENCES.md")
    assert loaded.preferences == Preferences()


def test_a_directory_of_that_name_is_an_error(tmp_path: Path, home: Path) -> None:
    (tmp_path / ".gsd/PREFERENCES.md").mkdir(parents=True)
    assert "cannot be read" in str(load(tmp_path, home).errors[0])


class TestCache:
    def cache(self, root: Path) -> Path:
        return root / ".gsd/runtime/preferences.cache.json"

    def test_load_writes_nothing(self, tmp_path: Path, home: Path) -> None:
        write(tmp_path / ".gsd/PREFERENCES.md", "mode: solo")
        load(tmp_path, home)
        assert sorted(path.name for path in tmp_path.rglob("*")) == [".gsd", "PREFERENCES.md"]

    def test_no_file_no_cache(self, tmp_path: Path, home: Path) -> None:
        assert preferences.write_cache(str(tmp_path), str(home)) is False
        assert not self.cache(tmp_path).exists()

    def test_it_says_the_same_as_the_files(self, tmp_path: Path, home: Path) -> None:
        write(
            home / "PREFERENCES.md",
            "models: {planning: {model: opus, fallbacks: [x]}}",
            "skill_rules: [{when: w, use: [u]}]",
        )
        write(
            tmp_path / ".gsd/PREFERENCES.md",
            "mode: teem",
            "post_unit_hooks: [{name: r, after: [execute-task], prompt: p}]",
            "parallel: {max_workers: 3}",
        )
        fresh = load(tmp_path, home)
        assert preferences.write_cache(str(tmp_path), str(home)) is True
        assert load(tmp_path, home) == fresh
        assert fresh.preferences.post_unit_hooks[0].after == ("execute-task",)

    def test_it_is_really_read(self, tmp_path: Path, home: Path) -> None:
        write(tmp_path / ".gsd/PREFERENCES.md", "mode: solo")
        preferences.write_cache(str(tmp_path), str(home))
        content = json.loads(self.cache(tmp_path).read_text())
        content["raw"]["mode"] = "team"
        self.cache(tmp_path).write_text(json.dumps(content))
        assert load(tmp_path, home).preferences.mode == "team"

    @pytest.mark.parametrize("change", ["edit", "touch", "replace", "global", "shadow"])
    def test_any_change_makes_it_void(self, tmp_path: Path, home: Path, change: str) -> None:
        path = write(tmp_path / ".gsd/PREFERENCES.md", "mode: solo")
        preferences.write_cache(str(tmp_path), str(home))
        content = json.loads(self.cache(tmp_path).read_text())
        content["raw"]["mode"] = "team"
        self.cache(tmp_path).write_text(json.dumps(content))
        match change:
            case "edit":
                path.write_text(path.read_text() + "more\n")
            case "touch":
                os.utime(path, ns=(1, 1))
            case "replace":
                stat = path.stat()
                other = path.with_name("other")
                other.write_text(path.read_text())
                os.utime(other, ns=(stat.st_atime_ns, stat.st_mtime_ns))
                other.replace(path)
            case "global":
                write(home / "PREFERENCES.md", "uat_dispatch: true")
            case _:
                write(tmp_path / ".gsd/preferences.md", "mode: team")
        assert load(tmp_path, home).preferences.mode == "solo"

    @pytest.mark.parametrize("content", ["", "{", "[]", '{"program": "0"}'])
    def test_a_broken_one_is_passed_over(self, tmp_path: Path, home: Path, content: str) -> None:
        write(tmp_path / ".gsd/PREFERENCES.md", "mode: solo")
        self.cache(tmp_path).parent.mkdir()
        self.cache(tmp_path).write_text(content)
        assert load(tmp_path, home).preferences.mode == "solo"
