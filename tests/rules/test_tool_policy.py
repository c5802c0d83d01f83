"""What a session may touch, as one table."""

import pytest

from milepost.rules.tool_policy import ToolPolicy, offered, refusal

P = ToolPolicy
OWN = ".gsd/milestones/M001/M001-ROADMAP.md"
CASES = [
    # policy, tool, path, allowed
    (P.ALL, "write", "src/app.py", True),
    (P.ALL, "write", OWN, True),
    (P.ALL, "edit", ".gsd/milestones/M001/slices/S01/tasks/T01-SUMMARY.md", True),
    (P.ALL, "write", ".gsd/milestones/M001-LEGACY-NAME/M001-SUMMARY.md", True),
    (P.ALL, "write", ".gsd/milestones/M002/M002-ROADMAP.md", False),
    (P.ALL, "read", ".gsd/milestones/M002/M002-ROADMAP.md", True),
    (P.ALL, "write", ".gsd/milestones/notes.md", False),
    (P.ALL, "write", ".gsd/milestones/M001/M001-META.json", False),
    (P.ALL, "write", ".gsd/milestones/M001/slices/S01/tasks/T01-VERIFY.json", False),
    (P.ALL, "write", ".gsd/DECISIONS.md", True),
    (P.ALL, "write", ".gsd/decisions.md", True),
    (P.ALL, "write", ".gsd/KNOWLEDGE.md", True),
    (P.ALL, "write", ".gsd/STATE.md", False),
    (P.ALL, "write", ".gsd/preferences.md", False),
    (P.ALL, "write", ".gsd/PREFERENCES.md", False),
    (P.ALL, "write", ".gsd/journal/main.jsonl", False),
    (P.ALL, "write", ".gsd/auto.lock", False),
    (P.ALL, "write", ".gsd/metrics.json", False),
    (P.ALL, "write", ".gsd/completed-units.json", False),
    (P.ALL, "write", ".gsd/worktrees/M002/src/app.py", False),
    (P.ALL, "edit", ".gsd/parallel/M001.signal.json", False),
    (P.ALL, "write", ".gsd/runtime/units/x.json", False),
    (P.ALL, "write", ".gsd/hooks/post-create", False),
    (P.ALL, "write", ".GSD/auto.lock", False),
    (P.ALL, "write", ".gsd", False),
    (P.ALL, "write", ".", False),
    (P.ALL, "write", ".git/hooks/pre-commit", False),
    (P.ALL, "write", ".git", False),
    (P.ALL, "write", ".GIT/config", False),
    (P.ALL, "write", "vendor/lib/.git/config", False),
    (P.ALL, "read", ".git/config", False),
    (P.ALL, "write", ".gitignore", True),
    (P.ALL, "shell", "", True),
    (P.PLANNING, "shell", "", False),
    (P.PLANNING, "read", "src/app.py", True),
    (P.PLANNING, "search", ".", True),
    (P.PLANNING, "write", "src/app.py", False),
    (P.PLANNING, "write", OWN, True),
    (P.PLANNING, "write", ".gsd/DECISIONS.md", False),
    (P.PLANNING_DISPATCH, "write", ".gsd/DECISIONS.md", True),
    (P.PLANNING_DISPATCH, "write", ".gsd/PROJECT.md", True),
    (P.PLANNING_DISPATCH, "write", ".gsd/OVERRIDES.md", False),
    (P.PLANNING_DISPATCH, "write", "README.md", False),
    (P.PLANNING_DISPATCH, "write", ".gsd/milestones/M002/M002-CONTEXT.md", False),
    (P.PLANNING_DISPATCH, "ask", "", False),
    (P.ALL, "ask", "", False),
    (P.DISCUSSION, "ask", "", True),
    (P.DISCUSSION, "write", OWN, True),
    (P.DISCUSSION, "write", ".gsd/PROJECT.md", True),
    (P.DISCUSSION, "write", "src/app.py", False),
    (P.DISCUSSION, "shell", "", False),
    (P.DOCS, "write", "README.md", True),
    (P.DOCS, "write", "docs/guide.rst", True),
    (P.DOCS, "write", ".gsd/OVERRIDES.md", True),
    (P.DOCS, "write", "src/app.py", False),
    (P.DOCS, "write", ".gsd/worktrees/M002/README.md", False),
    (P.DOCS, "shell", "", False),
]


@pytest.mark.parametrize(("policy", "tool", "path", "allowed"), CASES)
def test_refusal(policy: ToolPolicy, tool: str, path: str, allowed: bool) -> None:
    against = refusal(policy, tool, path, state_dir=".gsd", milestone="M001")
    assert (against is None) is allowed, against


@pytest.mark.parametrize("policy", ToolPolicy)
def test_every_policy_has_a_case_each_way(policy: ToolPolicy) -> None:
    assert {allowed for of, _, _, allowed in CASES if of is policy} == {True, False}


def test_the_other_dialect() -> None:
    assert refusal(P.ALL, "write", ".sf/auto.lock", state_dir=".sf", milestone="M001")
    assert refusal(P.ALL, "write", ".gsd/auto.lock", state_dir=".sf", milestone="M001") is None


def test_ids_with_a_suffix_are_not_their_neighbours() -> None:
    path = ".gsd/milestones/M001-ab12cd/M001-ab12cd-ROADMAP.md"
    assert refusal(P.ALL, "write", path, state_dir=".gsd", milestone="M001-ab12cd") is None
    assert refusal(P.ALL, "write", path, state_dir=".gsd", milestone="M001")


def test_shell_is_offered_with_all_only() -> None:
    assert [policy for policy in ToolPolicy if "shell" in offered(policy)] == [P.ALL]
