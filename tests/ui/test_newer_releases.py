"""Which release is newest, which index says so, and how an installation is brought up to date."""

import json
import os
from importlib import metadata
from pathlib import Path

import pytest

from milepost import __version__
from milepost.ui.cli.main import main
from milepost.ui.update import installed, notice, releases, versions
from milepost.ui.update.indexes import PUBLIC, BadConfiguration, Indexes, Machine, of
from milepost.ui.update.installed import Place
from ui.package_index import HTML, JSON, Index, serving

Out = pytest.CaptureFixture[str]
IN_ORDER = (
    "1.0.dev1 1.0a1.dev2 1.0a1 1.0a2 1.0b1 1.0rc1 1.0 1.0.post1.dev1 1.0.post1 1.0.1 1.1.dev1 1.1 1.9 1.10 2.0 1!0.1"
)


def test_versions_in_the_order_of_their_age() -> None:
    listed = [version for text in IN_ORDER.split() if (version := versions.parse(text))]
    mixed = [*listed[1::2], *listed[::2]]
    assert [version.text for version in sorted(mixed)] == IN_ORDER.split()
    assert [version.text for version in listed if not version.settled] == [
        text for text in IN_ORDER.split() if any(mark in text for mark in ("dev", "a", "b", "rc"))
    ]


@pytest.mark.parametrize(
    ("one", "other"),
    [("1.0", "1"), ("1.0c1", "1.0rc1"), ("v1.0-alpha.2", "1.0a2"), ("1.0-1", "1.0.post1"), ("1+x", "1")],
)
def test_one_version_written_in_two_ways(one: str, other: str) -> None:
    first, second = versions.parse(one), versions.parse(other)
    assert first is not None and second is not None and first.key == second.key


@pytest.mark.parametrize("text", ["", "one", "1.0-", "1..0", "1.0 final"])
def test_no_version(text: str) -> None:
    assert versions.parse(text) is None


@pytest.mark.parametrize(
    ("wanted", "passes"),
    [
        ("", True), (">=3.11", True), (">=3.12", False), (">=3.9,<4", True), ("<3.11", False), ("!=3.11.*", False),
        ("==3.11.*", True), ("==3.11.4", True), ("~=3.10", True), ("~=3.10.0", False), (">3.11.4", False), ("odd", True),
    ],
)  # fmt: skip
def test_for_which_python(wanted: str, passes: bool) -> None:
    assert versions.allows(wanted, "3.11.4") is passes


def machine(tmp_path: Path, **env: str) -> Machine:
    return Machine(
        env={"XDG_CONFIG_DIRS": str(tmp_path / "etc"), **env}, home=tmp_path / "home", prefix=tmp_path / "venv"
    )


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_the_index_is_that_of_pip(tmp_path: Path) -> None:
    """Each step is stronger than the one before."""
    first = of("pip", machine(tmp_path, PIP_CONFIG_FILE=os.devnull))
    assert first.urls == (PUBLIC,)
    write(tmp_path / "home/.config/pip/pip.conf", "[global]\nindex-url = https://user.example/simple\n")
    here = machine(tmp_path)
    assert of("pip", here).urls[0] == "https://user.example/simple"
    write(
        tmp_path / "venv/pip.conf",
        "[global]\nindex_url = https://venv.example/simple\nextra-index-url = https://a https://b\n",
    )
    assert of("pip", here).urls == ("https://venv.example/simple", "https://a", "https://b")
    write(
        tmp_path / "venv/pip.conf", "[global]\nindex-url = https://x\n[install]\nindex-url = https://install.example\n"
    )
    assert of("pip", here).urls[0] == "https://install.example"
    named = write(tmp_path / "mine.conf", "[install]\nindex-url = https://named.example\n")
    assert of("pip", machine(tmp_path, PIP_CONFIG_FILE=str(named))).urls[0] == "https://named.example"
    env = {"PIP_CONFIG_FILE": str(named), "PIP_INDEX_URL": "https://env.example", "PIP_EXTRA_INDEX_URL": "https://c"}
    assert of("pip", machine(tmp_path, **env)).urls == ("https://env.example", "https://c")
    assert of("pip", machine(tmp_path, PIP_NO_INDEX="1")).off
    write(tmp_path / "venv/pip.conf", "no section\n")
    with pytest.raises(BadConfiguration, match=r"pip\.conf"):
        of("pip", here)


def test_the_index_is_that_of_uv(tmp_path: Path) -> None:
    first = machine(tmp_path, UV_NO_CONFIG="1")
    assert of("uv", first).urls == (PUBLIC,)
    write(
        tmp_path / "home/.config/uv/uv.toml",
        'extra-index-url = ["https://extra"]\n[[index]]\nurl = "https://first"\n[[index]]\nurl = "https://last"\n'
        'default = true\n[[index]]\nname = "torch"\nurl = "https://torch"\nexplicit = true\n',
    )
    assert of("uv", machine(tmp_path)).urls == ("https://first", "https://extra", "https://last")
    given = machine(tmp_path, UV_DEFAULT_INDEX="mine=https://mine", UV_INDEX="https://one")
    assert of("uv", given).urls == ("https://one", "https://first", "https://extra", "https://mine")
    assert of("uv", machine(tmp_path, UV_OFFLINE="1")).off
    assert of("pip", machine(tmp_path, PIP_CONFIG_FILE=os.devnull, UV_INDEX_URL="https://uv")).urls == (PUBLIC,)


WANTED = releases.Wanted("milepost", "3.11.4")
OFFERED: dict[str, dict[str, object]] = {
    "milepost-0.1.0.tar.gz": {},
    "milepost-0.2.0-py3-none-any.whl": {"requires-python": ">=3.11"},
    "milepost-0.10.0-py3-none-any.whl": {"requires-python": ">=3.11"},
    "milepost-0.11.0-py3-none-any.whl": {"requires-python": ">=3.12"},
    "milepost-0.12.0-py3-none-any.whl": {"yanked": True},
    "milepost-0.13.0rc1.tar.gz": {},
    "milepost_extra-9.0-py3-none-any.whl": {},
    "milepost-9.0.exe": {},
}


@pytest.mark.parametrize("kind", [JSON, HTML])
def test_the_newest_release_that_can_be_had(kind: str) -> None:
    with serving(Index(files=dict(OFFERED), kind=kind)) as index:
        asked = Indexes((index.url,), first_wins=False)
        found = releases.newest(WANTED, asked)
        assert found.version is not None and found.version.text == "0.10.0"
        early = releases.newest(WANTED._replace(pre=True), asked)
        assert early.version is not None and early.version.text == "0.13.0rc1"


def test_of_several_indexes() -> None:
    with (
        serving(Index(files={"milepost-0.2.0.tar.gz": {}})) as old,
        serving(Index(files={"milepost-0.3.0.tar.gz": {}})) as new,
    ):
        for first_wins, version in ((False, "0.3.0"), (True, "0.2.0")):
            found = releases.newest(WANTED, Indexes((old.url, new.url), first_wins=first_wins))
            assert found.version is not None and found.version.text == version
        empty = old.url.replace("/simple", "/other")
        found = releases.newest(WANTED, Indexes((empty, new.url), first_wins=True))
        assert found.where == releases.shown(new.url)


def test_an_index_that_is_a_directory(tmp_path: Path) -> None:
    write(tmp_path / "milepost/index.html", '<a href="milepost-0.4.0.tar.gz">x</a>')
    found = releases.newest(WANTED, Indexes((f"file://{tmp_path}",), first_wins=False))
    assert found.version is not None and found.version.text == "0.4.0"
    nothing = releases.newest(WANTED._replace(name="other"), Indexes((f"file://{tmp_path}",), first_wins=False))
    assert nothing.version is None


def test_a_password_reaches_the_index_and_nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(Index(files={"milepost-0.2.0.tar.gz": {}}, password="ada:s3cret")) as index:
        asked = Indexes((index.url,), first_wins=False)
        found = releases.newest(WANTED, asked)
        assert found.version is not None
        assert "s3cret" not in found.where and "ada" not in found.where
        write(Path(os.environ["HOME"], ".netrc"), "machine 127.0.0.1 login ada password s3cret\n").chmod(0o600)
        bare = Indexes((f"http://{index.address}/simple",), first_wins=False)
        assert releases.newest(WANTED, bare).version is not None
        with pytest.raises(releases.NotAsked) as refused:
            releases.newest(WANTED, Indexes((index.url.replace("s3cret", "wr0ng"),), first_wins=False))
        assert "401" in str(refused.value) and "wr0ng" not in str(refused.value)


def test_an_index_that_cannot_be_asked() -> None:
    with serving(Index(status=500)) as index:
        address = index.url
        with pytest.raises(releases.NotAsked, match="500"):
            releases.newest(WANTED, Indexes((address,), first_wins=False))
        index.status, index.kind, index.files = 200, JSON, {"milepost-1.tar.gz": {"filename": None}}
    with pytest.raises(releases.NotAsked, match="cannot be asked"):
        releases.newest(WANTED, Indexes((address,), first_wins=False))
    for odd in ("ftp://x/simple", "file:///nowhere/at/all"):
        with pytest.raises(releases.NotAsked, match="cannot be asked"):
            releases.newest(WANTED, Indexes((odd,), first_wins=False))
    with pytest.raises(releases.NotAsked, match="no-index"):
        releases.newest(WANTED, Indexes((), first_wins=False, off="no-index of pip"))


def distribution(tmp_path: Path, **files: str) -> metadata.Distribution:
    box = tmp_path / "site" / "milepost-0.1.0.dist-info"
    write(box / "METADATA", files.pop("METADATA", "Metadata-Version: 2.1\nName: milepost\nVersion: 0.1.0\n"))
    for name, text in files.items():
        write(box / name.replace("__", "."), text)
    return metadata.Distribution.at(box)


HOW = {
    "uv tool": ({}, {"uv-receipt.toml": ""}, ("uv", "tool", "upgrade", "env")),
    "pipx": ({}, {"pipx_metadata.json": '{"main_package": {"package": "milepost"}}'}, ("pipx", "upgrade", "env")),
    "pipx of another": (
        {}, {"pipx_metadata.json": '{"main_package": {"package": "nox"}}'}, ("pipx", "upgrade", "--include-injected", "env"),
    ),
    "uv pip": (
        {"INSTALLER": "uv\n"}, {}, ("uv", "pip", "install", "--python", "/py", "--upgrade", "milepost"),
    ),
    "pip": ({"INSTALLER": "pip\n"}, {}, ("/py", "-m", "pip", "install", "--upgrade", "milepost")),
    "conda": ({"INSTALLER": "conda\n"}, {}, ()),
    "source": ({"INSTALLER": "pip\n", "direct_url__json": '{"url": "file:///code", "dir_info": {"editable": true}}'}, {}, ()),
}  # fmt: skip


@pytest.mark.parametrize("how", HOW)
def test_the_command_for_how_it_was_installed(how: str, tmp_path: Path) -> None:
    files, beside, command = HOW[how]
    for name, text in beside.items():
        write(tmp_path / "env" / name, text)
    found = installed.look(Place(tmp_path / "env", "/py", alone=True), distribution(tmp_path, **files))
    assert found.command == command
    assert found.how == how.removesuffix(" of another")
    assert bool(found.why) is not bool(command)


def test_extras_that_are_there_are_named(tmp_path: Path) -> None:
    """msgspec and PyYAML are installed wherever this runs; the other one nowhere."""
    needs = [
        "msgspec; extra == 'quick'",
        "PyYAML; extra == 'quick'",
        "no-such-thing-9; extra == 'gone'",
        "milepost[quick]; extra == 'all'",
    ]
    told = "".join(f"Requires-Dist: {line}\n" for line in needs)
    extras = "".join(f"Provides-Extra: {name}\n" for name in ("quick", "gone"))
    made = distribution(
        tmp_path, INSTALLER="pip", METADATA=f"Metadata-Version: 2.1\nName: milepost\nVersion: 0.1.0\n{told}{extras}"
    )
    found = installed.look(Place(tmp_path, "/py", alone=True), made, pre=True)
    assert found.command[-3:] == ("--upgrade", "--pre", "milepost[quick]")


@pytest.fixture
def index(monkeypatch: pytest.MonkeyPatch) -> Index:
    """The index of this machine's pip, and a home where the check is switched on."""
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.delenv("PIP_NO_INDEX", raising=False)
    monkeypatch.delenv("PIP_EXTRA_INDEX_URL", raising=False)
    write(home() / "PREFERENCES.md", "---\nupdate_check: true\n---\n")
    return Index(files={"milepost-99.0.tar.gz": {}})


def home() -> Path:
    return Path(os.environ["HOME"], ".gsd")


def lines_of(now_ms: int) -> list[str]:
    """What a session that begins now comes to say."""
    import threading

    made = notice.begin("gsd", home(), os.environ, now_ms)
    for thread in threading.enumerate():
        if thread.daemon and thread.name.endswith("(_ask)"):
            thread.join()
    return made.lines()


DAY_MS = 86_400_000


@pytest.mark.spec(id="PR-223")
@pytest.mark.covers("key:update_check")
def test_once_a_day_and_only_when_it_is_wanted(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(index):
        monkeypatch.setenv("PIP_INDEX_URL", index.url)
        told = lines_of(DAY_MS)
        assert told == [f"milepost 99.0 is out; this is {__version__}. /update says how to get it."]
        assert lines_of(2 * DAY_MS - 1) == told, "from the file"
        assert len(index.asked) == 1
        index.files = {"milepost-0.0.1.tar.gz": {}}
        assert lines_of(2 * DAY_MS) == []
        assert len(index.asked) == 2
        index.status = 500
        assert lines_of(3 * DAY_MS) == []
        assert lines_of(3 * DAY_MS + 1) == [], "one that cannot be reached is not asked again at once"
        assert len(index.asked) == 3
        for name in notice.OFF:
            with monkeypatch.context() as switched:
                switched.setenv(name, "1")
                assert lines_of(9 * DAY_MS) == []
        write(home() / "PREFERENCES.md", "---\nupdate_check: false\n---\n")
        assert lines_of(9 * DAY_MS) == []
        assert len(index.asked) == 3


@pytest.mark.spec(id="PR-223")
@pytest.mark.covers("command:update", "key:update_check")
def test_a_project_does_not_switch_it_on(
    index: Index, project: Path, monkeypatch: pytest.MonkeyPatch, capsys: Out
) -> None:
    (home() / "PREFERENCES.md").unlink()
    (project / ".gsd/PREFERENCES.md").write_text("---\nupdate_check: true\n---\n")
    with serving(index):
        monkeypatch.setenv("PIP_INDEX_URL", index.url)
        assert lines_of(DAY_MS) == []
        assert index.asked == []
        assert main(["update", "--check"], "gsd") == 3
        assert len(index.asked) == 1
    assert f"http://{index.address}/simple has 99.0" in capsys.readouterr().out


@pytest.mark.covers("command:update")
def test_check_for_programs(index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Out) -> None:
    monkeypatch.chdir(tmp_path)
    with serving(index):
        monkeypatch.setenv("PIP_INDEX_URL", index.url)
        assert main(["update", "--json"], "gsd") == 3
        said = json.loads(capsys.readouterr().out)
        assert (said["newest"], said["newer"], said["installed"]) == ("99.0", True, __version__)
        index.files = {f"milepost-{__version__}.tar.gz": {}}
        assert main(["update", "--check"], "gsd") == 0
        assert "nothing newer" in capsys.readouterr().out
        index.files = {}
        assert main(["update", "--check"], "gsd") == 1
    assert main(["update", "--check", "--json"], "gsd") == 1
    said = capsys.readouterr()
    assert "cannot be asked" in said.err and json.loads(said.out.splitlines()[-1])["newer"] is None
