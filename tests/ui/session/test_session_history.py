"""The history of typed lines."""

import stat
from pathlib import Path

from milepost.ui.session.kept import FILE, Kept


def test_it_is_there_the_next_time_for_its_user_alone(tmp_path: Path) -> None:
    home = tmp_path / "new" / "home"
    first = Kept(home, wanted=lambda: True)
    for text in ("/status", "a line\nof two", "/auto"):
        first.append_string(text)
    assert stat.S_IMODE((home / FILE).stat().st_mode) == 0o600
    assert list(Kept(home, wanted=lambda: True).load_history_strings()) == ["/auto", "a line\nof two", "/status"]


def test_answers_are_not_kept(tmp_path: Path) -> None:
    kept = Kept(tmp_path, wanted=lambda: False)
    kept.append_string("a secret")
    assert (kept.get_strings(), (tmp_path / FILE).exists()) == ([], False)


def test_a_damaged_or_long_file_costs_only_its_lines(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b'\xff\n{"no": 1}\n' + b"".join(b'"%d"\n' % n for n in range(2_500)))
    found = list(Kept(tmp_path, wanted=lambda: True).load_history_strings())
    assert (found[0], len(found)) == ("2499", 1_000)
    assert len((tmp_path / FILE).read_text().splitlines()) == 1_000
