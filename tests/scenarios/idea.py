"""Scripted sessions that carry an idea to the end of its milestone, in a project without preferences."""

from milepost.testing import projects

BASE = ".gsd/milestones/M001"
IDEA = "A command line feed reader. It works offline."
CONTEXT = (
    "# M001: Feed reader — Context\n\n## Project Description\n\nFeeds.\n\n## Assumptions\n\n- SQLite: nobody said.\n"
)
PROJECT = "# Project\n\n## What This Is\n\nA reader.\n\n## Milestone Sequence\n\n- [ ] M001: Feed reader — offline\n"
ROADMAP = (
    "# M001: Feed reader\n\n**Vision:** Feeds.\n\n## Success Criteria\n\n- A feed is readable offline\n\n## Slices\n\n"
    "- [ ] **S01: Feed storage** `risk:low` `depends:[]`\n  > After this: a feed is readable offline.\n"
)
PLAN = (
    "# S01: Feed storage\n\n**Goal:** Feeds stay.\n**Demo:** Look.\n\n## Must-Haves\n\n- The file is there\n\n## Tasks\n\n"
    "- [ ] **T01: Write it** `est:5m`\n  - Files: `feeds.txt`\n  - Do: write the file\n"
    "  - Verify: `grep -q feed feeds.txt`\n  - Done when: the file is there\n\n## Files Likely Touched\n\n- `feeds.txt`\n"
)
TASK = "# T01: Write it\n\n## Description\n\nWrite `feeds.txt`.\n\n## Steps\n\n1. Write it\n2. Look at it\n"


def write(path: str, content: str) -> projects.Step:
    """A file, through the tools."""
    return projects.tool("write", path=path, content=content)


def ask(question: str, *options: str) -> projects.Step:
    """A question."""
    return projects.tool("ask", question=question, options=list(options))


def talk(*before: projects.Step, mid: str = "M001", more: tuple[projects.Step, ...] = ()) -> projects.Session:
    """A discussion that ends with a context. before, more: further steps, at the start and at the end."""
    context = CONTEXT.replace("M001", mid)
    written = (write(f".gsd/milestones/{mid}/{mid}-CONTEXT.md", context), write(".gsd/PROJECT.md", PROJECT))
    requirements = write(".gsd/REQUIREMENTS.md", "# Requirements\n\n## Active\n")
    steps = (projects.usage(micro_usd=1_000), *before, *written, requirements, *more, projects.say("Done."))
    return projects.session(f"discuss-milestone/{mid}", *steps)


def build() -> list[projects.Session]:
    """Every unit after the discussion, up to the end of M001."""
    home = f"{BASE}/slices/S01"
    task = projects.steps("execute-task/M001/S01/T01")[-2:]
    return [
        projects.session("research-milestone/M001", write(f"{BASE}/M001-RESEARCH.md", "# Research\n\nEasy.\n")),
        projects.session("plan-milestone/M001", write(f"{BASE}/M001-ROADMAP.md", ROADMAP)),
        projects.session(
            "plan-slice/M001/S01", write(f"{home}/S01-PLAN.md", PLAN), write(f"{home}/tasks/T01-PLAN.md", TASK)
        ),
        projects.session("execute-task/M001/S01/T01", write("feeds.txt", "feed\n"), *task),
        projects.session("complete-slice/M001/S01", *projects.steps("complete-slice/M001/S01")),
        projects.session("validate-milestone/M001", *projects.steps("validate-milestone/M001")),
        projects.session("complete-milestone/M001", *projects.steps("complete-milestone/M001")),
    ]
