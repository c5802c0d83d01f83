"""SIGKILL before and after each effect of a merge into a milestone's branch: the next run ends as one run would."""

import subprocess
from pathlib import Path

import pytest

from conftest import run_git
from git import doomed
from git.arrange import commit, everything, head, status, write
from milepost.git import bring_in, refs
from milepost.git.bring_in import Clean, Unfit, Unresolved

BRANCH = "milestone/M001"
LINES = [f"line {n}\n" for n in range(1, 21)]
CLEAN = [f"{step} {at}" for step in ("note", "files", "branch", "done") for at in ("begin", "done")]
LEFT = [f"{step} {at}" for step in ("note", "files", "stages", "markers", "merge", "done") for at in ("begin", "done")]
CONCLUDED = [f"{step} {at}" for step in ("stage", "commit") for at in ("begin", "done")]
ABANDONED = [f"{step} {at}" for step in ("pin", "note", "files", "merge", "done") for at in ("begin", "done")]

pytestmark = [pytest.mark.spec(id="FM-84"), pytest.mark.spec(id="FM-85")]


def ids(names: list[str]) -> list[str]:
    return [name.replace(" ", "-") for name in names]


def run(what: str, project: Path, worktree: Path, fatal: int = -1) -> tuple[int, list[str]]:
    def begin(journal: doomed.Journal) -> object:
        onto = head(project, "main")
        return bring_in.begin(project, worktree, "milestone/M001", onto, mid="M001", leave=True, journal=journal)

    def conclude(journal: doomed.Journal) -> object:
        return bring_in.conclude(worktree, "milestone/M001", "merge(M001): by hand\n", journal=journal)

    def abandon(journal: doomed.Journal) -> object:
        return bring_in.abandon(worktree, journal=journal)

    work = {"begin": begin, "conclude": conclude, "abandon": abandon}[what]
    return doomed.run(lambda journal: type(work(journal)).__name__, fatal)


def killed(what: str, project: Path, worktree: Path, steps: list[str], fatal: int) -> None:
    code, announced = run(what, project, worktree, fatal)
    assert (code, announced[-1]) == (-9, steps[fatal])


def changed(line: int, text: str) -> str:
    return "".join([*LINES[: line - 1], f"{text}\n", *LINES[line:]])


def clash(project: Path, worktree: Path, *, fits: bool = False) -> None:
    """Files that are changed, added and removed on the target; app.py on both sides."""
    commit(project, doomed="1")
    bring_in.begin(project, worktree, BRANCH, head(project), mid="M001")
    commit(worktree, **{"src__app.py": changed(3, "milestone")})
    run_git(project, "rm", "-q", "doomed")
    files = {"src/app.py": changed(15 if fits else 3, "target"), "src/other.py": "changed\n", "new dir/ä": "new\n"}
    write(project, files)
    commit(project)


def looks(where: Path) -> tuple[list[str], dict[str, bytes]]:
    return sorted(status(where)), everything(where)


def notes(project: Path) -> str:
    return run_git(project, "for-each-ref", "--format=%(refname)", "refs/gsd/bring-in")


@pytest.mark.parametrize("fatal", range(len(CLEAN)), ids=ids(CLEAN))
def test_a_merge_that_fits(project: Path, worktree: Path, fatal: int) -> None:
    clash(project, worktree, fits=True)
    tip, user = head(worktree), looks(project)
    killed("begin", project, worktree, CLEAN, fatal)
    between = bring_in.unfinished(worktree)
    assert between is (CLEAN[fatal] in CLEAN[1:5])
    code, announced = run("begin", project, worktree)
    assert (code, announced[-1]) == (0, "Clean")
    assert run_git(worktree, "log", "-1", "--format=%P").split() == [tip, head(project)]
    assert run_git(worktree, "log", "--format=%s", f"{tip}..", "--not", "main").splitlines() == [
        "merge(M001): bring main in"
    ]
    assert status(worktree) == []
    assert "milestone\n" in (worktree / "src/app.py").read_text()
    assert "target\n" in (worktree / "src/app.py").read_text()
    assert not (worktree / "doomed").exists()
    assert (notes(project), looks(project)) == ("", user)
    assert not bring_in.unfinished(worktree)


@pytest.mark.parametrize("fatal", range(len(LEFT)), ids=ids(LEFT))
def test_a_merge_that_is_left(project: Path, worktree: Path, fatal: int) -> None:
    clash(project, worktree)
    tip, user = head(worktree), looks(project)
    killed("begin", project, worktree, LEFT, fatal)
    between = bring_in.unfinished(worktree)
    assert between is (fatal > 0)
    code, announced = run("begin", project, worktree)
    assert (code, announced[-1]) == (0, "Unfit")
    assert head(worktree) == tip
    assert sorted(status(worktree)) == ["A  new dir/ä", "D  doomed", "M  src/other.py", "UU src/app.py"]
    assert "<<<<<<< milestone/M001\nmilestone\n=======\ntarget\n>>>>>>> main\n" in (worktree / "src/app.py").read_text()
    assert head(worktree, "MERGE_HEAD") == head(project)
    assert looks(project) == user
    write(worktree, {"src/app.py": "both\n"})
    bring_in.conclude(worktree, BRANCH, "merge(M001): by hand\n")
    assert (status(worktree), notes(project)) == ([], "")
    assert set(run_git(worktree, "diff", "--name-only", "main", "HEAD").split("\n")) >= {"src/app.py", "src/store.py"}
    assert run_git(worktree, "diff", "main", "HEAD", "--", "src/other.py", "doomed", "new dir") == ""


@pytest.mark.parametrize("fatal", range(len(LEFT)), ids=ids(LEFT))
def test_it_can_be_concluded_or_given_up_at_once(project: Path, worktree: Path, fatal: int) -> None:
    """Without `begin` in between: neither takes half a merge for a whole one."""
    clash(project, worktree)
    before = looks(worktree)
    killed("begin", project, worktree, LEFT, fatal)
    if fatal == 0:
        return
    with pytest.raises(Unresolved) as refused:
        bring_in.conclude(worktree, BRANCH, "x\n")
    assert len(refused.value.places) == 3
    run_git(worktree, "merge", "--abort")
    assert looks(worktree) == before
    killed("begin", project, worktree, LEFT, fatal)
    assert bring_in.abandon(worktree)
    assert (looks(worktree), notes(project)) == (before, "")


@pytest.mark.parametrize("fatal", range(len(LEFT)), ids=ids(LEFT))
def test_git_alone_never_commits_a_marker_then(project: Path, worktree: Path, fatal: int) -> None:
    """A person who knows nothing of the kill commits what git offers."""
    clash(project, worktree)
    killed("begin", project, worktree, LEFT, fatal)
    subprocess.run(["git", "-C", worktree, "commit", "-qm", "what is this"], check=False, capture_output=True)
    assert "<<<<<<<" not in run_git(worktree, "show", "HEAD:src/app.py")
    assert "milestone\n" in run_git(worktree, "show", "HEAD:src/app.py")


@pytest.mark.parametrize("fatal", range(len(CONCLUDED)), ids=ids(CONCLUDED))
def test_concluding(project: Path, worktree: Path, fatal: int) -> None:
    clash(project, worktree)
    tip, onto = head(worktree), head(project)
    assert isinstance(bring_in.begin(project, worktree, BRANCH, onto, mid="M001", leave=True), Unfit)
    write(worktree, {"src/app.py": "both\n", "more": "1"})
    killed("conclude", project, worktree, CONCLUDED, fatal)
    code, announced = run("conclude", project, worktree)
    assert (code, announced[-1]) == (0, "str")
    assert run_git(worktree, "log", "-1", "--format=%P").split() == [tip, onto]
    assert run_git(worktree, "show", "HEAD:src/app.py") == "both\n"
    assert (status(worktree), notes(project)) == ([], "")
    assert bring_in.begin(project, worktree, BRANCH, onto, mid="M001") == Clean(commit=None)


@pytest.mark.parametrize("fatal", range(len(ABANDONED)), ids=ids(ABANDONED))
def test_giving_up(project: Path, worktree: Path, fatal: int) -> None:
    clash(project, worktree)
    before = looks(worktree)
    assert isinstance(bring_in.begin(project, worktree, BRANCH, head(project), mid="M001", leave=True), Unfit)
    write(worktree, {"src/app.py": "half resolved\n"})
    killed("abandon", project, worktree, ABANDONED, fatal)
    if fatal < len(ABANDONED) - 1:
        assert bring_in.unfinished(worktree)
    run("abandon", project, worktree)
    assert (looks(worktree), notes(project)) == (before, "")
    assert not bring_in.unfinished(worktree)
    kept = [pin.ref for pin in refs.backups(project, "M001") if pin.label == "abandoned"]
    assert run_git(project, "show", f"{kept[0]}:src/app.py") == "half resolved\n"


@pytest.mark.parametrize("steps", [CLEAN, LEFT], ids=["fits", "left"])
def test_killed_while_files_are_being_written(project: Path, worktree: Path, steps: list[str]) -> None:
    """With git itself: one file is new, one is cut off, one is gone, and the index is still the old one."""
    clash(project, worktree, fits=steps is CLEAN)
    write(project, {"src/other.py": "changed, and a long line\n"})
    commit(project)
    killed("begin", project, worktree, steps, steps.index("files begin"))
    write(worktree, {"src/other.py": "changed, a", "new dir/ä": "new\n"})
    (worktree / "doomed").unlink()
    code, announced = run("begin", project, worktree)
    assert (code, announced[-1]) == (0, "Clean" if steps is CLEAN else "Unfit")
    assert (worktree / "src/other.py").read_text() == "changed, and a long line\n"
    assert [line for line in status(worktree) if line[1] != " "] == ([] if steps is CLEAN else ["UU src/app.py"])


@pytest.mark.parametrize("steps", [CLEAN, LEFT], ids=["fits", "left"])
def test_killed_while_files_are_being_written_and_then_given_up(
    project: Path, worktree: Path, steps: list[str]
) -> None:
    """A file that the merge brought, and the index does not know yet, goes again; one of a person's stays."""
    clash(project, worktree, fits=steps is CLEAN)
    before = looks(worktree)
    killed("begin", project, worktree, steps, steps.index("files begin"))
    write(worktree, {"src/other.py": "chan", "new dir/ä": "new\n", "idea": "1"})
    assert bring_in.abandon(worktree)
    (worktree / "idea").unlink()
    assert (looks(worktree), notes(project)) == (before, "")


@pytest.mark.parametrize("steps", [CLEAN, LEFT], ids=["fits", "left"])
def test_killed_and_then_edited_by_a_person(project: Path, worktree: Path, steps: list[str]) -> None:
    clash(project, worktree, fits=steps is CLEAN)
    killed("begin", project, worktree, steps, steps.index("files begin"))
    write(worktree, {"src/other.py": "mine\n"})
    with pytest.raises(bring_in.NotClean, match=r"src/other\.py"):
        bring_in.begin(project, worktree, BRANCH, head(project), mid="M001", leave=True)
    assert (worktree / "src/other.py").read_text() == "mine\n"
    assert bring_in.unfinished(worktree)
    ref = bring_in.abandon(worktree)
    assert run_git(project, "show", f"{ref}:src/other.py") == "mine\n"
    assert (status(worktree), notes(project)) == ([], "")


def test_killed_before_the_markers_and_then_resolved_by_a_person(project: Path, worktree: Path) -> None:
    """What they wrote is not overwritten by markers."""
    clash(project, worktree)
    killed("begin", project, worktree, LEFT, LEFT.index("markers begin"))
    write(worktree, {"src/app.py": "resolved\n"})
    run("begin", project, worktree)
    assert (worktree / "src/app.py").read_text() == "resolved\n"
    bring_in.conclude(worktree, BRANCH, "merge(M001): by hand\n")
    assert run_git(worktree, "show", "HEAD:src/app.py") == "resolved\n"


@pytest.mark.parametrize("steps", [CLEAN, LEFT], ids=["fits", "left"])
def test_killed_and_then_committed_by_a_person(project: Path, worktree: Path, steps: list[str]) -> None:
    """The branch has moved: what was noted is about something else, and what was brought is merged once more."""
    clash(project, worktree, fits=steps is CLEAN)
    killed("begin", project, worktree, steps, steps.index("files done"))
    run_git(worktree, "commit", "-qam", "what is this")
    assert not bring_in.unfinished(worktree)
    run("begin", project, worktree)
    assert (worktree / "src/other.py").read_text() == "changed\n"
    assert bring_in.unfinished(worktree) is (steps is LEFT)


def test_what_was_once_given_up_is_not_the_next_merge(project: Path, worktree: Path) -> None:
    """Killed while giving up; the branch went on, and somebody is at another merge now."""
    clash(project, worktree)
    bring_in.begin(project, worktree, BRANCH, head(project), mid="M001", leave=True)
    killed("abandon", project, worktree, ABANDONED, ABANDONED.index("done begin"))
    commit(worktree, more="1")
    assert not bring_in.unfinished(worktree)
    subprocess.run(["git", "-C", worktree, "merge", "main"], check=False, capture_output=True)
    write(worktree, {"src/app.py": "both\n"})
    bring_in.conclude(worktree, BRANCH, "merge(M001): by hand\n")
    assert run_git(worktree, "show", "HEAD:src/app.py") == "both\n"
    assert notes(project) == ""
