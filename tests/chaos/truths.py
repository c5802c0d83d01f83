"""What must be true whatever happened."""

import json
import re
import time
from collections import Counter
from collections.abc import Iterable
from itertools import pairwise

from chaos import processes
from chaos.place import Broken, GitSaidNo, Place, products
from chaos.user import User
from milepost.testing import projects


def require_true(place: Place) -> None:
    """What `status` says is so now, by the process table. Raises Broken."""
    before = place.processes()
    said = place.json("parallel", "status", "--json")
    after = place.processes()
    assert isinstance(said, dict)
    wrong = _false(said, before, after)
    if not wrong:
        return
    # Somebody may have ended, or begun, between the two looks: only what goes on being said is a lie.
    for _ in range(8):
        time.sleep(0.5)
        before = place.processes()
        said = place.json("parallel", "status", "--json")
        assert isinstance(said, dict)
        wrong &= _false(said, before, place.processes())
        if not wrong:
            return
    raise Broken(f"status says what is not so: {'; '.join(sorted(wrong))}\n{json.dumps(said, indent=1)}")


def _false(said: dict[str, object], before: list[processes.Process], after: list[processes.Process]) -> set[str]:
    found = []
    workers = said["workers"]
    assert isinstance(workers, list)
    there = {p.pid for p in before} & {p.pid for p in after}
    for worker in workers:
        pid, name = worker["pid"], worker["milestoneId"]
        if worker["alive"] and pid and not processes.alive(pid):
            found.append(f"{name} is alive as pid {pid}, which is gone")
        if worker["state"] in ("running", "paused") and not worker["alive"]:
            found.append(f"{name} is {worker['state']} and not alive")
        # A worker is told by its interpreter; the sandbox and git run under the same environment.
        own = [p for p in after if p.role == "worker" and p.lock == name and p.pid in there]
        if own and not worker["alive"]:
            found.append(f"{name} is not alive, and {own[0]} is there")
    known = {worker["milestoneId"] for worker in workers}
    for process in after:
        if process.role == "worker" and process.lock not in known and process.pid in there:
            found.append(f"nothing is said of {process}")
    coordinator = said["coordinator"]
    if isinstance(coordinator, dict) and coordinator["pid"] and not processes.alive(coordinator["pid"]):
        found.append(f"the coordinator is pid {coordinator['pid']}, which is gone")
    return set(found)


def require_doctor_true(place: Place) -> None:
    """Nobody of whom the doctor says that he is gone is there. Raises Broken."""
    before = place.processes()
    rows = place.json("doctor", "--json")
    assert isinstance(rows, list)
    there = {str(p.pid) for p in before} & {str(p.pid) for p in place.processes()}
    for row in rows:
        named = set(re.findall(r"pid (\d+)", row["message"]))
        if "gone" in row["message"] and named & there:
            raise Broken(f"the doctor says: {row['path']} {row['message']}; and it is there")


def require_no_traceback(place: Place) -> None:
    """No worker and no merge died of an error that nobody expected."""
    for file in (place.state / "parallel" / "logs").glob("*.err"):
        text = file.read_text(errors="replace")
        if "Traceback" in text:
            raise Broken(f"{file.name}:\n{text[-3000:]}")


def require_quiet(place: Place) -> None:
    """Nothing runs any more, and status says so."""
    left = processes.wait_until_gone(place.mark, place.roots, seconds=5)
    if left:
        raise Broken(f"still there: {'; '.join(map(str, left))}")
    said = place.json("parallel", "status", "--json")
    assert isinstance(said, dict)
    assert isinstance(said["workers"], list)
    if said["active"] or said["coordinator"] or any(w["alive"] or w["state"] == "running" for w in said["workers"]):
        raise Broken(f"everything ended, and status says: {json.dumps(said, indent=1)}")


def require_reachable(place: Place) -> None:
    """Every commit that a worker made is in the history of some ref."""
    made = place.tips | {str(event["commit"]) for event in journal(place) if event.get("commit") and event["event"] == "attempt-ended"}  # fmt: skip # noqa: E501
    reachable = set(place.git("rev-list", "--all").split())
    lost = made - reachable
    if lost:
        words = [place.git("log", "-1", "--format=%H %s", commit, ok=(0, 128)).strip() or commit for commit in lost]
        raise Broken(f"lost commits: {words}")


def require_main(place: Place, user: User) -> None:
    """Main holds the user's commits and whole milestones, each once, dependencies first, and everything is there."""
    shape = place.shape
    base = place.mains[0]
    line = place.git("log", "--first-parent", "--reverse", "--format=%H %s", f"{base}..main").splitlines()
    landed: list[str] = []
    for entry in line:
        commit, _, subject = entry.partition(" ")
        named = subject.removeprefix("feat(").partition(")")[0] if subject.startswith("feat(") else ""
        if named in shape.milestones:
            _require_whole(place, commit, named, landed)
            landed.append(named)
        elif not (commit in user.commits or subject.startswith(("docs(", "the user's")) or _slice(place, named)):
            raise Broken(f"nobody knows {entry} on main:\n" + "\n".join(line))
    if sorted(landed) != sorted(shape.milestones):
        raise Broken(f"on main are {landed}, of {shape.milestones}:\n" + "\n".join(line))
    missing = [path for m in shape.milestones for path in products(shape, m) if not _in_tree(place, "main", path)]
    if missing:
        raise Broken(f"main lacks {missing}:\n" + "\n".join(line))
    for old, new in pairwise(place.mains):
        if not _contains(place, new, old):
            _require_taken_back(place, old, new)


def _slice(place: Place, named: str) -> bool:
    milestone, _, piece = named.partition("/")
    return place.shape.strategy == "per-slice" and milestone in place.shape.milestones and bool(piece)


def _require_whole(place: Place, commit: str, milestone: str, landed: list[str]) -> None:
    missing = [path for path in products(place.shape, milestone) if not _in_tree(place, commit, path)]
    if missing:
        raise Broken(f"{commit[:10]} lands {milestone} without {missing}")
    early = [before for before in place.shape.depends.get(milestone, ()) if before not in landed]
    if early:
        raise Broken(f"{milestone} is on main before {early}")


def _require_taken_back(place: Place, old: str, new: str) -> None:
    """Main went back: only from a landing that could not be completed, which is done again later."""
    parent = place.git("rev-parse", f"{old}^1").strip()
    if parent != new and not _contains(place, new, parent):
        raise Broken(f"main went from {old} to {new}")


def _contains(place: Place, new: str, old: str) -> bool:
    return place.git("rev-list", "--count", "-1", old, f"^{new}").strip() == "0"


def _in_tree(place: Place, commit: str, path: str) -> bool:
    return bool(place.git("ls-tree", "--name-only", commit, "--", path).strip())


def require_paid_once(place: Place) -> None:
    """What was committed is never begun, or paid for, again; a session that came to its end is not held twice."""
    units: dict[str, str] = {}
    done: dict[str, str] = {}
    ended: Counter[str] = Counter()
    for event in journal(place):
        attempt = str(event.get("attempt", ""))
        match event["event"]:
            case "attempt-started":
                unit = units[attempt] = f"{event['kind']}/{event['unit']}"
                if unit in done:
                    raise Broken(f"{unit} was committed by {done[unit]} and begun again as {attempt}")
            case "usage-reported":
                unit = units.get(attempt, "")
                if unit in done:
                    raise Broken(f"{unit} was committed by {done[unit]} and paid for again in {attempt}")
            case "session-ended" if event["stop"] == "end":
                ended[units[attempt]] += 1
            case "attempt-ended" if event["result"] == "committed":
                done[units[attempt]] = attempt
            case _:
                pass
    _require_one_at_a_time(place)
    twice = {unit: number for unit, number in ended.items() if number > 1}
    if twice and not place.shape.small_disk:
        raise Broken(f"sessions that came to their end, per unit: {twice}")
    missing = set(projects.units(place.shape.milestones, place.shape.slices, place.shape.tasks)) - set(done)
    if missing:
        raise Broken(f"done without a committed attempt: {sorted(missing)}")


def _require_one_at_a_time(place: Place) -> None:
    """Nobody works on a milestone any more once another run has begun there."""
    for milestone in place.shape.milestones:
        file = place.state / "journal" / f"{milestone}.jsonl"
        seen: list[str] = []
        for line in file.read_text(errors="replace").splitlines():
            try:
                event = json.loads(line)
            except ValueError:
                continue
            if event["event"] not in _WORK or event["run"] in seen[-1:]:
                continue
            if event["run"] in seen:
                raise Broken(f"{event['run']} went on with {milestone} when {seen[-1]} had it: {line}")
            seen.append(event["run"])


_WORK = ("run-started", "budget-reserved", "attempt-started", "usage-reported", "session-ended", "verified")


def journal(place: Place) -> Iterable[dict[str, object]]:
    """Every event, oldest first."""
    found = []
    for file in sorted((place.state / "journal").glob("*.jsonl")):
        for number, line in enumerate(file.read_text(errors="replace").splitlines()):
            try:
                event = json.loads(line)
            except ValueError:
                continue  # The line that a killed process did not finish.
            if isinstance(event, dict) and "event" in event:
                found.append((event.get("atMs", 0), file.name, number, event))
    return [event for *_, event in sorted(found, key=lambda entry: entry[:3])]


def require_clean(place: Place) -> None:
    """Nothing is left over: worktrees, branches, half-written files; and the doctor has nothing to say."""
    locks = [str(path) for path in (place.root / ".git").rglob("*.lock")]
    if locks:
        raise Broken(f"locks of git are left: {locks}")
    try:
        place.git("fsck", "--no-dangling", "--no-progress")
    except GitSaidNo as no:
        raise Broken(f"git fsck: {no}") from None
    trees = place.git("worktree", "list", "--porcelain").count("worktree ")
    branches = [b for b in place.git("branch", "--format=%(refname:short)").split("\n") if b.startswith("milestone/")]
    if trees != 1 or branches:
        raise Broken(f"left over: {trees - 1} worktrees, {branches}")
    found = place.json("doctor", "--json")
    assert isinstance(found, list)
    bad = [f"{row['code']}: {row['path']} {row['message']}" for row in found if row["severity"] == "error"]
    for row in found:
        place.note(f"doctor: {row['severity']} {row['code']} {row['path']} {row['message']}")
    if bad:
        raise Broken(f"the doctor finds, after all was done: {bad}")
