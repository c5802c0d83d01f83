"""The file of keys: its owner's alone, changed whole, other lines kept."""

import os
import stat
from pathlib import Path

import pytest

from milepost.errors import FormatError
from milepost.store import keys


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def mode(file: Path) -> int:
    return stat.S_IMODE(file.stat().st_mode)


def test_no_file_keeps_nothing(home: Path) -> None:
    assert keys.read(str(home)) == {}
    assert not keys.remove(str(home), "A_KEY")
    assert not home.exists()


def test_a_key_is_kept_replaced_and_forgotten(home: Path) -> None:
    keys.put(str(home), "A_KEY", " first \n")
    keys.put(str(home), "B_KEY", "other")
    keys.put(str(home), "A_KEY", "second=with=signs")
    assert keys.read(str(home)) == {"A_KEY": "second=with=signs", "B_KEY": "other"}
    assert mode(home / "keys") == 0o600
    assert keys.remove(str(home), "A_KEY")
    assert not keys.remove(str(home), "A_KEY")
    assert (home / "keys").read_text() == "B_KEY=other\n"
    assert os.listdir(home) == ["keys"]


def test_what_a_person_wrote_is_read_and_stays(home: Path) -> None:
    home.mkdir()
    file = home / "keys"
    file.write_text("# mine\nexport A_KEY='quoted'\r\nnonsense\nB_KEY = \"b\" \nC_KEY=")
    file.chmod(0o400)
    assert keys.read(str(home)) == {"A_KEY": "quoted", "B_KEY": "b"}
    keys.put(str(home), "D_KEY", "d")
    assert file.read_bytes() == b"# mine\nexport A_KEY='quoted'\r\nnonsense\nB_KEY = \"b\" \nC_KEY=\nD_KEY=d\n"
    assert mode(file) == 0o600


@pytest.mark.parametrize("others", [0o640, 0o604, 0o660, 0o644, 0o620])
def test_a_file_that_others_may_open_is_refused(home: Path, others: int) -> None:
    keys.put(str(home), "A_KEY", "value")
    (home / "keys").chmod(others)
    for use in (
        lambda: keys.read(str(home)),
        lambda: keys.put(str(home), "A_KEY", "x"),
        lambda: keys.remove(str(home), "A_KEY"),
    ):  # type: ignore[func-returns-value]
        with pytest.raises(keys.KeysOpen) as error:
            use()
        assert "value" not in str(error.value)
        assert f"chmod 600 {home / 'keys'}" in error.value.hint
    assert (home / "keys").read_text() == "A_KEY=value\n"


@pytest.mark.parametrize("value", ["", "  ", "two words", "two\nlines", "bell\a"])
def test_a_value_that_is_no_key(home: Path, value: str) -> None:
    with pytest.raises(keys.BadKey) as error:
        keys.put(str(home), "A_KEY", value)
    assert "bell" not in str(error.value)
    assert not (home / "keys").exists()


def test_files_that_are_none(home: Path) -> None:
    home.mkdir()
    file = home / "keys"
    file.write_bytes(b"A_KEY=\xff\n")
    file.chmod(0o600)
    with pytest.raises(FormatError):
        keys.read(str(home))
    file.unlink()
    os.mkfifo(file, 0o600)
    with pytest.raises(OSError, match="not a regular file"):
        keys.read(str(home))
