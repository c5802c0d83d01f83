from pathlib import Path

import pytest

from conftest import run_git
from git.arrange import commit, head, write
from milepost.git.merge_tree import combine, differences
from milepost.git.run import GitFailed


def sides(repo: Path, base: str, ours: str, theirs: str) -> tuple[str, str]:
    commit(repo, f=base)
    run_git(repo, "switch", "-qc", "side")
    other = commit(repo, f=theirs)
    run_git(repo, "switch", "-q", "main")
    return commit(repo, f=ours), other


def test_clean(repo: Path) -> None:
    ours, theirs = sides(repo, "1\n2\n3\n4\n5\n", "one\n2\n3\n4\n5\n", "1\n2\n3\n4\nfive\n")
    found = combine(repo, ours, theirs)
    assert found.conflicts == ()
    assert run_git(repo, "show", f"{found.tree}:f") == "one\n2\n3\n4\nfive\n"


def test_lines_of_several_conflicts(repo: Path) -> None:
    base = [f"{n}\n" for n in range(1, 31)]
    ours, theirs = list(base), list(base)
    ours[4], theirs[4] = "mine\n", "theirs\nand more\n"
    ours[20], theirs[20] = "mine\n", "theirs\n"
    theirs[0] = ""
    ours[10] = "inserted\n" * 3
    found = combine(repo, *sides(repo, "".join(base), "".join(ours), "".join(theirs))).conflicts
    assert [(c.target_lines, c.milestone_lines) for c in found] == [(((5, 5), (23, 23)), ((4, 5), (21, 21)))]
    assert str(found[0]) == "f lines 5, 23 (in the milestone 4-5, 21)"


def test_markers_in_the_users_own_style(repo: Path) -> None:
    run_git(repo, "config", "merge.conflictStyle", "zdiff3")
    found = combine(repo, *sides(repo, "a\n", "b\n", "c\n")).conflicts
    assert found[0].target_lines == ((1, 1),)


def test_binary_files_have_no_lines(repo: Path) -> None:
    found = combine(repo, *sides(repo, "\0a", "\0b", "\0c")).conflicts
    assert [(c.path, c.target_lines, c.kind) for c in found] == [("f", (), "changed by both")]


def test_many_files_of_all_kinds(repo: Path, tmp_path: Path) -> None:
    """Each gets its own lines: names with blanks and line ends, a file without a last line end, a submodule."""
    names = ["a b", "ü", "new\nline", "0 blob 3", "missing"]
    lib = tmp_path / "lib"
    run_git(tmp_path, "init", "-q", "lib")
    modules = [commit(lib, x=str(n)) for n in range(3)]

    def side(number: int) -> str:
        write(repo, dict.fromkeys(names, f"top\n{number}") | {"binary": f"\0{number}"})
        run_git(repo, "add", "-A")
        run_git(repo, "update-index", "--add", "--cacheinfo", f"160000,{modules[number]},module")
        run_git(repo, "commit", "-qm", "side")
        return head(repo)

    side(0)
    run_git(repo, "switch", "-qc", "side")
    theirs = side(1)
    run_git(repo, "switch", "-qf", "main")
    found = {c.path: (c.target_lines, c.milestone_lines) for c in combine(repo, side(2), theirs).conflicts}
    assert found == {name: (((2, 2),), ((2, 2),)) for name in names if "\n" not in name} | {
        "new\nline": ((), ()), "binary": ((), ()), "module": ((), ()),
    }  # fmt: skip


def test_a_directory_against_a_file_is_odd(repo: Path) -> None:
    run_git(repo, "switch", "-qc", "side")
    write(repo, {"place/x": "1"})
    theirs = commit(repo)
    run_git(repo, "switch", "-q", "main")
    found = combine(repo, commit(repo, place="file"), theirs).conflicts
    assert found
    assert all(c.odd for c in found)


def test_unknown_commits_and_unrelated_histories(repo: Path) -> None:
    with pytest.raises(GitFailed):
        combine(repo, head(repo), "1" * 40)
    run_git(repo, "checkout", "-q", "--orphan", "other")
    with pytest.raises(GitFailed, match="unrelated"):
        combine(repo, head(repo, "main"), commit(repo, x="1"))


def test_differences(repo: Path) -> None:
    old = commit(repo, **{"a": "1", "gone ü": "1", "mode": "1"})
    (repo / "gone ü").rename(repo / "here")
    (repo / "mode").chmod(0o755)
    write(repo, {"a": "2"})
    new = commit(repo)
    found = {d.path: (d.old and d.old.mode, d.new and d.new.mode) for d in differences(repo, old, new)}
    assert found == {
        "a": ("100644", "100644"), "gone ü": ("100644", None), "here": (None, "100644"), "mode": ("100644", "100755"),
    }  # fmt: skip
    assert differences(repo, old, old) == ()
