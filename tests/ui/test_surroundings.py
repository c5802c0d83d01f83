"""What a run needs to know of the machine's environment."""

from pathlib import Path

import pytest

from milepost.ui.cli import surroundings

KEY = "sk-0123456789"


@pytest.mark.parametrize(
    ("env", "secrets"),
    [
        ({"ANTHROPIC_API_KEY": KEY}, (KEY,)),
        ({"GITHUB_TOKEN": KEY, "AWS_SECRET_ACCESS_KEY": KEY + "x"}, (KEY, KEY + "x")),
        ({"ANTHROPIC_API_KEY": "short"}, ()),
        ({"ANTHROPIC_BASE_URL": "http://127.0.0.1:8080"}, ()),
        ({"HOME": "/home/ada/long/path", "PATH": "/usr/bin:/bin", "LANG": "en_GB.UTF-8"}, ()),
    ],
)
def test_secret_values(env: dict[str, str], secrets: tuple[str, ...]) -> None:
    assert surroundings.secret_values(env) == secrets


def test_caches_are_those_that_are_there(tmp_path: Path) -> None:
    for name in (".cache", "go/pkg", "elsewhere"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / ".npm").write_text("a file")
    env = {"HOME": str(tmp_path), "PIP_CACHE_DIR": str(tmp_path / "elsewhere"), "GOCACHE": str(tmp_path / "none")}
    assert surroundings.caches(env) == tuple(tmp_path / name for name in (".cache", "go/pkg", "elsewhere"))
    assert surroundings.caches({}) == ()


def test_the_home_directory_itself_is_never_writable(tmp_path: Path) -> None:
    (tmp_path / ".ssh").mkdir()
    assert surroundings.caches({"HOME": str(tmp_path)}) == ()


def test_what_is_enforced_is_said() -> None:
    assert surroundings.enforced(sandbox=False) == "Commands are not confined: --no-sandbox was given."
    assert surroundings.enforced(sandbox=True)
    assert surroundings.enforced(sandbox=True) != surroundings.enforced(sandbox=False)


def test_instructions_the_global_one_first(tmp_path: Path) -> None:
    home, state = tmp_path / "home", tmp_path / "state"
    assert surroundings.instructions(str(home), state) == ()
    for where, data in ((home, b"global"), (state, b"caf\xe9")):
        where.mkdir()
        (where / "agent-instructions.md").write_bytes(data)
    assert surroundings.instructions(str(home), state) == ("global", "caf\ufffd")
