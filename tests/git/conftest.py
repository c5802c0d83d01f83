"""A project with a plan, and a milestone's worktree with work in it."""

from pathlib import Path

import pytest

from conftest import run_git
from git.arrange import commit, write
from milepost.git import repo as repository
from milepost.git import worktrees


@pytest.fixture
def project(repo: Path) -> Path:
    """A repository with some code and a plan on main, worktrees ignored."""
    write(repo, {
        ".gitignore": ".gsd/worktrees/\n.gsd/STATE.md\n.gsd/runtime/\n*.log\n",
        "src/app.py": "".join(f"line {n}\n" for n in range(1, 21)),
        "src/other.py": "other\n",
        ".gsd/DECISIONS.md": "# Decisions\n\n| D001 | first |\n",
        ".gsd/milestones/M001/M001-ROADMAP.md": "# M001: Store\n\n- [ ] **S01: Core** `risk:low` `depends:[]`\n",
        ".gsd/milestones/M002/M002-ROADMAP.md": "# M002: Later\n\n- [ ] **S01: Core** `risk:low` `depends:[]`\n",
    })  # fmt: skip
    run_git(repo, "add", "-A")
    run_git(repo, "commit", "-qm", "plan")
    return repo


@pytest.fixture
def worktree(project: Path) -> Path:
    """M001's worktree, with one commit of code and one of planning."""
    place = worktrees.ensure(repository.inspect(project), "M001", "main").path
    commit(place, "feat(S01/T01): store", **{"src__store.py": "store\n"})
    commit(
        place,
        "tick",
        **{".gsd__milestones__M001__M001-ROADMAP.md": "# M001: Store\n\n- [x] **S01: Core** `risk:low`\n"},
    )
    return place
