"""Small `.gsd/` trees for tests of rules: say what differs, the rest is there."""

from milepost.model.units import Unit
from milepost.rules import done
from milepost.testing.trees import DictTree

Files = dict[str, str]


def roadmap(mid: str = "M001", slices: str = "[ ] S01", depends: str = "") -> Files:
    """`slices` like `[x] S01, [ ] S02`; `depends` like `S02:S01` names dependencies."""
    needs = dict(pair.split(":") for pair in depends.split()) if depends else {}
    lines = []
    for entry in (part.strip() for part in slices.split(",") if part.strip()):
        box, sid = entry[:3], entry[4:]
        lines.append(
            f"- {box} **{sid}: Slice {sid}** `risk:low` `depends:[{needs.get(sid, '')}]`\n  > After this: it works."
        )
    text = f"# {mid}: Title {mid}\n\n**Vision:** v\n\n## Slices\n\n" + "\n".join(lines) + "\n"
    return {f"milestones/{mid}/{mid}-ROADMAP.md": text}


def context(mid: str = "M001", depends: str = "", suffix: str = "CONTEXT") -> Files:
    front = f"---\ndepends_on: [{depends}]\n---\n" if depends else ""
    return {f"milestones/{mid}/{mid}-{suffix}.md": f"{front}# {mid}: Brief {mid}\n\nWhy.\n"}


def document(suffix: str, text: str = "Text.\n", mid: str = "M001") -> Files:
    return {f"milestones/{mid}/{mid}-{suffix}.md": text}


def slice_document(sid: str, suffix: str, text: str = "Text.\n", mid: str = "M001") -> Files:
    return {f"milestones/{mid}/slices/{sid}/{sid}-{suffix}.md": text}


def plan(sid: str = "S01", tasks: str = "[ ] T01", mid: str = "M001", *, plans: bool = True) -> Files:
    """A slice plan with its task plans."""
    entries = [(part.strip()[:3], part.strip()[4:]) for part in tasks.split(",") if part.strip()]
    lines = "\n".join(f"- {box} **{tid}: Task {tid}** `est:30m`\n  - Verify: true" for box, tid in entries)
    home = f"milestones/{mid}/slices/{sid}"
    files = {f"{home}/{sid}-PLAN.md": f"# {sid}: Slice\n\n**Goal:** g\n**Demo:** d\n\n## Tasks\n\n{lines}\n"}
    for _, tid in entries if plans else ():
        files[f"{home}/tasks/{tid}-PLAN.md"] = f"# {tid}: Task\n"
    return files


def task_document(tid: str, suffix: str = "SUMMARY", text: str = "# T\n", sid: str = "S01", mid: str = "M001") -> Files:
    return {f"milestones/{mid}/slices/{sid}/tasks/{tid}-{suffix}.md": text}


def tree(*parts: Files) -> DictTree:
    files: Files = {}
    for part in parts:
        files.update(part)
    return DictTree(files)


def owes(unit: Unit, at: DictTree) -> list[str]:
    """The owed paths without their directories, with the problem."""
    return [f"{entry.path.rsplit('/', 1)[-1]} {entry.problem}" for entry in done.missing(unit, at)]
