"""Real repositories to arrange, plain git to look, apart from the code under test."""

from pathlib import Path

from conftest import run_git
from milepost.git.merge_plan import MergePlan


def write(where: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = where / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())


def commit(where: Path, message: str = "work", **files: str) -> str:
    write(where, {name.replace("__", "/"): text for name, text in files.items()})
    run_git(where, "add", "-A")
    run_git(where, "commit", "-qm", message)
    return head(where)


def head(where: Path, name: str = "HEAD") -> str:
    return run_git(where, "rev-parse", name).strip()


def branches(where: Path) -> set[str]:
    return set(run_git(where, "for-each-ref", "--format=%(refname:short)", "refs/heads").split())


def status(where: Path) -> list[str]:
    return [part for part in run_git(where, "status", "--porcelain", "-z", "-uall").split("\0") if part]


def everything(where: Path) -> dict[str, bytes]:
    """Bytes of every file of a checkout, apart from git's own and our worktrees."""
    found = {}
    for path in sorted(where.rglob("*")):
        inside = path.relative_to(where).parts
        if ".git" in inside or "worktrees" in inside or path.is_dir():
            continue
        found["/".join(inside)] = path.read_bytes()
    return found


def plan_for(root: Path, worktree: Path | None, **changes: object) -> MergePlan:
    facts: dict[str, object] = {
        "root": root, "mid": "M001", "branch": "milestone/M001", "target": "main", "worktree": worktree,
        "message": "feat(M001): Store\n\nCompleted slices:\n- S01: Core\n\nBranch: milestone/M001\n",
    }  # fmt: skip
    return MergePlan(**(facts | changes))  # type: ignore[arg-type]
