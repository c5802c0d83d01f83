"""What `.env` keeps secret is in no record of a run, and no planning file carries a key into a commit."""

from milepost.testing import projects
from scenarios.stage import BLOCKED, DONE, Stage

TASK = "execute-task/M001/S01/T01"
KEY = "qk9-ZZtop-11xx22"
NAMED = "vv8_asked_for_77"
SHAPED = "sk-ant-" + "a1B2" * 10
ON = projects.QUICK.replace("---\nphases", "---\nmemory: {enabled: true}\nphases")
WORDS = f"The service answers 401 for {KEY} and for {NAMED}, on port 3000 of localhost. " * 20
MANIFEST = "# Secrets\n\n### SEARCH\n\n**Status:** pending\n"


def records(stage: Stage) -> str:
    """Everything that a run writes down, in files and in commits."""
    kept = ("journal", "activity", "runtime", "forensics", "parallel")
    files = [path for name in kept for path in (stage.state / name).rglob("*") if path.is_file()]
    files += [path for path in stage.state.glob("*") if path.is_file()]
    texts = [path.read_bytes().decode("utf-8", "replace") for path in files]
    return "\n".join([*texts, stage.git("log", "--all", "-p")])


def test_values_of_env_are_in_no_record(stage: Stage) -> None:
    stage.make(preferences=ON)
    (stage.root / ".gitignore").write_text(".env*\n!.env.example\n")
    (stage.root / ".env.example").write_text("DEMO_KEY=shown-to-all-11\n")
    (stage.state / "milestones/M001/M001-SECRETS.md").write_text(MANIFEST)
    stage.git("add", "-A")
    stage.git("commit", "-qm", "what it needs")
    settings = f"SERVICE_API_KEY='{KEY}'\nSEARCH={NAMED}\nPORT=3000\nHOST=localhost\nDEMO_KEY=shown-to-all-11\n"
    (stage.root / ".env").write_text(settings)
    stage.replay(TASK, [projects.say(f"{WORDS} shown-to-all-11"), *projects.steps(TASK)])
    fact = f'[{{"action":"CREATE","category":"gotcha","content":"{KEY} and {NAMED} get 401 on port 3000"}}]'
    stage.script.append(projects.session("hook/memory", projects.usage(micro_usd=7), projects.say(fact)))
    stage.auto().require(DONE)
    said = records(stage)
    assert KEY not in said
    assert NAMED not in said
    assert "[redacted: known value]" in stage.transcript("M001-S01-T01")
    assert "on port 3000 of localhost" in stage.transcript("M001-S01-T01")
    assert "shown-to-all-11" in stage.transcript("M001-S01-T01")
    assert "get 401 on port 3000" in (stage.state / "memories.jsonl").read_text()


def noting(text: str) -> list[projects.Step]:
    """What an honest agent does, and a rule that it notes down."""
    [paid, *rest] = projects.steps(TASK)
    return [paid, projects.tool("write", path=".gsd/KNOWLEDGE.md", content=f"# Rules\n\n- {text}\n"), *rest]


def test_a_key_in_a_planning_file_goes_back_to_the_agent(stage: Stage) -> None:
    stage.make()
    stage.replay(TASK, noting(f"Call it with {SHAPED}"), noting("Call it with $ANTHROPIC_API_KEY"))
    stage.auto().require(DONE)
    [refused] = [str(e["reason"]) for e in stage.events("attempt-ended") if e["result"] == "unfinished"]
    assert refused.startswith(".gsd/KNOWLEDGE.md:3: holds a credential (Anthropic key); take it out")
    assert "KNOWLEDGE.md:3" in stage.prompts("M001-S01-T01")[1]
    assert SHAPED not in records(stage)
    assert "$ANTHROPIC_API_KEY" in stage.git("show", "main:.gsd/KNOWLEDGE.md")


def test_a_key_that_stays_in_a_planning_file_stops_the_run_and_nothing_is_lost(stage: Stage) -> None:
    stage.make()
    stage.replay(TASK, *[noting(f"Call it with {SHAPED}")] * 3)
    ran = stage.auto().require(BLOCKED)
    assert ".gsd/KNOWLEDGE.md:3: holds a credential (Anthropic key)" in ran.out
    assert SHAPED in (stage.worktree / ".gsd/KNOWLEDGE.md").read_text()
    assert (stage.worktree / "work/M001-S01-T01.txt").is_file()
    assert SHAPED not in stage.git("log", "--all", "-p")


def test_what_a_person_committed_before_is_that_person_s(stage: Stage) -> None:
    stage.make()
    (stage.state / "KNOWLEDGE.md").write_text(f"# Rules\n\n- Keys: {SHAPED}, {KEY}\n")
    stage.git("add", "-A")
    stage.git("commit", "-qm", "a rule")
    (stage.root / ".git/info/exclude").write_text(".env\n")
    (stage.root / ".env").write_text(f"SERVICE_API_KEY={KEY}\n")
    stage.replay(TASK, noting(f"Keys: {SHAPED}, {KEY}\n- Another rule"))
    stage.auto().require(DONE)
    assert "Another rule" in stage.git("show", "main:.gsd/KNOWLEDGE.md")


def test_an_example_in_a_planning_file_is_only_pointed_out(stage: Stage) -> None:
    stage.make()
    url = "DATABASE_URL=postgres://app:password@localhost/app, AKIAIOSFODNN7EXAMPLE"
    stage.replay(TASK, noting(f"Set {url}"))
    out = stage.auto().require(DONE).out
    assert "look at this: .gsd/KNOWLEDGE.md:3" in out
    assert url in stage.git("show", "main:.gsd/KNOWLEDGE.md")


def test_a_value_of_env_in_a_source_file_goes_back_to_the_agent(stage: Stage) -> None:
    stage.make()
    (stage.root / ".git/info/exclude").write_text(".env\n")
    (stage.root / ".env").write_text(f"SERVICE_API_KEY={KEY}\n")
    [paid, *rest] = projects.steps(TASK)
    source = projects.tool("write", path="src/app.py", content=f"# The service.\nKEY = '{KEY}'\n")
    mended = projects.tool("write", path="src/app.py", content="KEY = environ['SERVICE_API_KEY']\n")
    stage.replay(TASK, [paid, source, *rest], [paid, mended, *rest])
    stage.auto().require(DONE)
    [refused] = [str(e["reason"]) for e in stage.events("attempt-ended") if e["result"] == "unfinished"]
    assert refused.startswith("src/app.py:2: holds a credential")
    assert KEY not in records(stage)


def test_a_title_does_not_carry_a_value_into_a_commit_s_message(stage: Stage) -> None:
    stage.make()
    roadmap = stage.state / "milestones/M001/M001-ROADMAP.md"
    roadmap.write_text(roadmap.read_text().replace("Small files", f"Small files for {NAMED}x1"))
    stage.git("commit", "-aqm", "titled")
    (stage.root / ".git/info/exclude").write_text(".env\n")
    (stage.root / ".env").write_text(f"SERVICE_API_KEY={NAMED}x1\n")
    stage.auto().require(DONE)
    assert stage.git("log", "-1", "--format=%s").strip() == "feat(M001): Small files for [redacted: known value]"
