"""Reading settings: every problem, at its line, all at once."""

import os
from pathlib import Path

import pytest

from milepost.formats.preferences_layers import resolve
from milepost.formats.preferences_yaml import Parsed, combine, parse


def front(*lines: str, newline: str = "\n") -> str:
    return newline.join(["---", *lines, "---", "", "# Notes", ""])


def read(*lines: str) -> Parsed:
    return parse(front(*lines), "P.md")


def test_every_problem_at_once_with_its_line() -> None:
    parsed = read(
        "mode: teem",
        "git:",
        "  auto_push: yes",
        "  isolaton: none",
        "  auto_pr: true",
        "verification_comands: [x]",
        "parallel: {max_workers: 0, enabled: true}",
        "require_slice_discussion: true",
    )
    assert [str(problem) for problem in parsed.problems] == [
        "P.md:2: mode must be one of: solo, team, not 'teem'; did you mean team?",
        "P.md:4: git.auto_push must be true or false; 'yes' is a text in YAML 1.2: write true",
        "P.md:5: git.isolaton: unknown key; did you mean `git.isolation`?",
        "P.md:6: git.auto_pr: known, not used by Milepost",
        "P.md:7: verification_comands: unknown key; did you mean `verification_commands`?",
        "P.md:8: parallel.max_workers must be a number between 1 and 4, not '0'",
        "P.md:9: require_slice_discussion: unknown key; did you mean `phases.require_slice_discussion`?",
    ]
    assert [problem.severity for problem in parsed.problems] == [
        "error", "error", "warning", "warning", "warning", "error", "warning",
    ]  # fmt: skip
    assert parsed.raw == {"git": {}, "parallel": {"enabled": True}}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("version: 2", "must be one of: 1"),
        ("mode: [solo]", "must be one of: solo, team, not a list"),
        ("uat_dispatch: no", "write false"),
        ("uat_dispatch: 'true'", "must be true or false, not 'true'"),
        ("uat_dispatch: 1", "must be true or false, not '1'"),
        ("verification_max_retries: 012", "write 12"),
        ("verification_max_retries: -1", "must be a number from 0 up"),
        ("verification_max_retries: many", "must be a number from 0 up"),
        ("context_pause_threshold: 12:30", "must be a number from 0 to 100"),
        ("context_pause_threshold: 120", "must be a number from 0 to 100"),
        ("budget_ceiling: .nan", "must be a number from 0 up"),
        ("budget_ceiling: 1e999", "must be a number from 0 up"),
        ("budget_ceiling: -3", "must be a number from 0 up"),
        ("git: {main_branch: 'a b'}", "letters that are not allowed"),
        ("git: {remote: 'origin\\'}", "letters that are not allowed"),
        ("git: {remote: ''}", "must be a text that is not empty"),
        ("git: worktree", "must be an object with isolation"),
        ("verification_commands: [{a: b}]", "entry 1 must be a text"),
        ("verification_commands: {a: b}", "must be a list of texts"),
        ("post_unit_hooks: [{name: a, after: [execute-task]}]", "needs prompt; left out"),
        ("post_unit_hooks: [{name: a, after: [execute-task], prompt: p, max_cycles: 11}]", "from 1 to 10"),
        ("post_unit_hooks: [text]", "must be an object"),
        ("pre_dispatch_hooks: [{name: a, before: [run-uat], action: replace}]", "needs prompt"),
        ("skill_rules: [{when: always}]", "needs use, prefer or avoid"),
        ("models: {planning: {provider: x}}", "needs model"),
        ("remote_questions: {timeout_minutes: 31}", "must be a number from 1 to 30"),
        ("mode: solo\nmode: team", "is set twice; the first one counts"),
        ("mode: [", "not YAML"),
        ("a: b: c", "not YAML"),
        ("- mode", "must be `key: value` lines"),
        ("\tmode: solo", "not YAML"),
    ],
)
def test_wrong_values(line: str, message: str) -> None:
    parsed = read(line)
    errors = [problem for problem in parsed.problems if problem.severity == "error"]
    assert len(errors) == 1, parsed.problems
    assert message in errors[0].message
    assert errors[0].line in (2, 3, 4)


@pytest.mark.spec(id="PR-350")
@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("enabled: 'x'", "parallel.enabled must be a boolean"),
        ("enabled: yes", "parallel.enabled must be a boolean"),
        ("max_workers: many", "parallel.max_workers must be a number between 1 and 4"),
        ("max_workers: 0", "parallel.max_workers must be a number between 1 and 4"),
        ("max_workers: 10", "parallel.max_workers must be a number between 1 and 4"),
        ("budget_ceiling: 0", "parallel.budget_ceiling must be a positive number"),
        ("budget_ceiling: much", "parallel.budget_ceiling must be a positive number"),
        ("merge_strategy: each", "parallel.merge_strategy must be one of: per-slice, per-milestone"),
        ("auto_merge: never", "parallel.auto_merge must be one of: auto, confirm, manual"),
        ("worker_model: ''", "parallel.worker_model must be a non-empty string"),
        ("worker_model: [a]", "parallel.worker_model must be a non-empty string"),
    ],
)
def test_wrong_values_of_parallel_in_the_words_of_gsd(line: str, says: str) -> None:
    merged = combine(Parsed(raw={}, problems=(), lines={}), read(f"parallel: {{{line}, ports: 7}}"), ("g", "P.md"))
    [problem] = merged.problems
    assert problem.severity == "error"
    assert str(problem).startswith(f"P.md:2: {says}")
    # The key counts as not set, and the others count.
    assert merged.raw == {"parallel": {"ports": 7}}
    assert resolve(merged.raw).parallel == resolve({}).parallel._replace(ports=7)


@pytest.mark.spec(id="PR-351")
@pytest.mark.spec(id="PR-062")
@pytest.mark.parametrize(
    ("text", "workers"),
    [
        ("1", 1),
        ("2.9", 2),
        ("4", 4),
        ("4.9", 4),
        ("0.9", None),
        ("0", None),
        ("5", None),
        ("-1", None),
        (".nan", None),
        (".inf", None),
    ],
)
def test_workers_are_whole_within_bounds_and_a_number(text: str, workers: int | None) -> None:
    nothing = Parsed(raw={}, problems=(), lines={})
    merged = combine(nothing, read(f"parallel: {{max_workers: {text}}}"), ("g", "P.md"))
    assert resolve(merged.raw).parallel.max_workers == (2 if workers is None else workers)
    assert [problem.severity for problem in merged.problems] == (["error"] if workers is None else [])


@pytest.mark.spec(id="PR-352")
def test_unknown_keys_of_parallel_stop_nothing_and_a_project_overrides_one_by_one() -> None:
    below = read("parallel: {enabled: true, max_workers: 3, auto_merge: manual, sparkle: 1}")
    above = read("parallel: {max_workers: 4, wings: {a: b}}")
    merged = combine(below, above, ("g", "p"))
    assert merged.raw == {"parallel": {"enabled": True, "max_workers": 4, "auto_merge": "manual"}}
    assert {problem.severity for problem in merged.problems} == {"warning"}


@pytest.mark.parametrize(
    ("line", "raw"),
    [
        ("budget_ceiling: '12.50'", {"budget_ceiling": 12.5}),
        ("budget_ceiling: 50", {"budget_ceiling": 50}),
        ("verification_max_retries: 2.9", {"verification_max_retries": 2}),
        ("parallel: {max_workers: 2.9}", {"parallel": {"max_workers": 2}}),
        ("git: {pre_merge_check: npm test}", {"git": {"pre_merge_check": "npm test"}}),
        ("git: {pre_merge_check: true}", {"git": {"pre_merge_check": True}}),
        ("git: {main_branch: 2024}", {"git": {"main_branch": "2024"}}),
        ("git: {main_branch: on}", {"git": {"main_branch": "on"}}),
        ("models: {planning: opus}", {"models": {"planning": {"model": "opus"}}}),
        ("verification_commands: pytest -q", {"verification_commands": ["pytest -q"]}),
        ("verification_commands: [' a ', a, '', b, null, 12:30]", {"verification_commands": ["a", "b", "12:30"]}),
        ("phases: {skip_research: 1, skip_reassess: '', skip_slice_research: x}",
         {"phases": {"skip_research": True, "skip_reassess": False, "skip_slice_research": True}}),
        ("remote_questions: {channel_id: 123456789012345678}",
         {"remote_questions": {"channel_id": "123456789012345678"}}),
        ("mode: SOLO", {}),
    ],
)  # fmt: skip
def test_generous_values(line: str, raw: object) -> None:
    assert read(line).raw == raw


@pytest.mark.parametrize("nothing", ["", "null", "~", "Null", " # later"])
def test_null_everywhere_means_not_set(nothing: str) -> None:
    parsed = read(
        f"mode: {nothing}", "git:", f"  remote: {nothing}", f"models: {nothing}", f"post_unit_hooks: {nothing}"
    )
    assert parsed.raw in ({"git": {}}, {})
    assert parsed.problems == ()
    assert resolve(parsed.raw) == resolve({})


def test_a_ceiling_of_zero_is_explained() -> None:
    parsed = read("budget_ceiling: 0")
    assert parsed.raw == {}
    assert [(problem.severity, "0 sets no ceiling" in problem.message) for problem in parsed.problems] == [
        ("warning", True)
    ]


@pytest.mark.parametrize(
    ("line", "raw", "message"),
    [
        ("token_profile: burn-max", {"token_profile": "quality"}, "'burn-max' is read as 'quality'"),
        ("git: {pre_merge_check: auto}", {"git": {"pre_merge_check": True}}, "'auto' is read as True"),
        ("git: {merge_to_main: true}", {"git": {}}, "no longer used"),
        ("uok: {gates: {enabled: true}}", {}, "known, not used by Milepost"),
        ("isolation: none", {}, "did you mean `git.isolation`?"),
    ],
)
def test_other_releases(line: str, raw: object, message: str) -> None:
    parsed = read(line)
    assert parsed.raw == raw
    assert [problem.severity for problem in parsed.problems] == ["warning"]
    assert message in parsed.problems[0].message


def test_an_unknown_unit_type_of_a_hook_is_kept() -> None:
    parsed = read("post_unit_hooks: [{name: a, after: [execute-task, sing], prompt: p}]")
    assert resolve(parsed.raw).post_unit_hooks[0].after == ("execute-task", "sing")
    assert "no unit type is called sing" in parsed.problems[0].message


class TestTogether:
    def parsed(self, text: str, path: str) -> Parsed:
        return parse(front(text), path)

    def test_the_limit_may_stand_in_the_other_file(self) -> None:
        merged = combine(
            self.parsed("parallel: {max_workers_limit: 8}", "g"),
            self.parsed("parallel: {max_workers: 6}", "p"),
            ("g", "p"),
        )
        assert merged.raw == {"parallel": {"max_workers_limit": 8, "max_workers": 6}}
        assert merged.problems == ()

    @pytest.mark.parametrize(
        ("below", "above", "path"),
        [("max_workers: 10", "enabled: true", "g"), ("enabled: true", "max_workers: 10", "p")],
    )
    def test_too_many_workers(self, below: str, above: str, path: str) -> None:
        merged = combine(
            self.parsed(f"parallel: {{{below}}}", "g"), self.parsed(f"parallel: {{{above}}}", "p"), ("g", "p")
        )
        assert merged.raw == {"parallel": {"enabled": True}}
        assert [(problem.path, problem.line, problem.severity) for problem in merged.problems] == [(path, 2, "error")]


class TestPlaces:
    def test_crlf(self) -> None:
        parsed = parse(front("mode: solo", "git:", "  remote: x", "  isolaton: y", newline="\r\n"), "P.md")
        assert parsed.raw == {"mode": "solo", "git": {"remote": "x"}}
        assert [problem.line for problem in parsed.problems] == [5]

    @pytest.mark.parametrize("lead", ["\ufeff", "\n\n", "  \n"])
    def test_before_the_dashes(self, lead: str) -> None:
        parsed = parse(lead + front("mode: teem"), "P.md")
        assert [problem.line for problem in parsed.problems] == [2 + lead.count("\n")]
        assert parsed.problems[0].severity == "error"

    @pytest.mark.parametrize(
        "text",
        [
            "mode: team\ngit:\n  remote: fork\nverification_commands:\n- a\n- b\n",
            "# Preferences\n\nmode: team\ngit:\n  remote: fork\nverification_commands: [a, b]\n",
            "---\nmode: team\ngit: {remote: fork}\nverification_commands: [a, b]\n",
            "Words.\n\n```yaml\nmode: team\ngit:\n  remote: fork\nverification_commands: [a, b]\n```\nAfter: yes\n",
            "# P\n\n## A\n\nmode: team\n\n```\nmode: team\ngit: {remote: fork}\nverification_commands: [a, b]\n```\n",
        ],
    )
    def test_yaml_elsewhere_is_read_with_a_warning(self, text: str) -> None:
        parsed = parse(text, "P.md")
        assert parsed.raw == {"mode": "team", "git": {"remote": "fork"}, "verification_commands": ["a", "b"]}
        assert [problem.severity for problem in parsed.problems] == ["warning"]

    def test_headings_with_lists(self) -> None:
        git = "## Git\n- isolation: none\n- **remote**: fork\n"
        text = f"# Preferences\n\n{git}\n## Verification Commands\n- pytest -q\n\n## Thoughts\n- mode: x\n"
        parsed = parse(text, "P.md")
        assert parsed.raw == {"git": {"isolation": "none", "remote": "fork"}, "verification_commands": ["pytest -q"]}

    def test_problems_outside_the_dashes_stop_nothing(self) -> None:
        parsed = parse("# P\n\n## Git\n- isolation: nowhere\n", "P.md")
        assert parsed.raw == {"git": {}}
        assert [(problem.line, problem.severity) for problem in parsed.problems] == [(0, "warning"), (4, "warning")]

    @pytest.mark.parametrize("text", ["", "\n", "---\n---\n", "---\n# only a comment\n---\n"])
    def test_empty(self, text: str) -> None:
        assert parse(text, "P.md") == Parsed(raw={}, problems=(), lines={})

    def test_prose(self) -> None:
        parsed = parse("# Preferences\n\nBe kind. Use: spaces.\n", "P.md")
        assert parsed.raw == {}
        assert [problem.severity for problem in parsed.problems] == ["warning"]


@pytest.mark.parametrize(
    "text",
    [
        "[" * 20_000,
        "{" * 20_000,
        "models: " + "[" * 50_000 + "]" * 50_000,
        "verification_commands: &a [*a]",
        "git: &a {x: *a}",
        "? [a, b]\n: c",
        "!!python/object/apply:os.system ['x']",
        "a: &a [x,x,x]\nb: &b [*a,*a,*a]\nc: [*b,*b,*b]",
        "mode: \x07",
        "mode: solo\nx: " + "y" * 1_100_000,
        "\ud800",
    ],
    ids=range(11),
)
def test_hostile_text_never_raises(text: str) -> None:
    assert parse(front(text), "P.md").raw.get("mode") is None


def corpus() -> Path | None:
    for candidate in (os.environ.get("MILEPOST_CORPUS", ""), str(Path(__file__).parents[3] / "shared" / "corpus")):
        if candidate and Path(candidate).is_dir():
            return Path(candidate)
    return None


@pytest.mark.skipif(corpus() is None, reason="no corpus beside the checkout (set MILEPOST_CORPUS)")
def test_real_files() -> None:
    found = sorted((corpus() or Path()).glob("*/.gsd/PREFERENCES.md"))
    assert len(found) >= 3
    parsed = {path.parts[-3].split("@")[0]: parse(path.read_text(), path.name) for path in found}
    assert not [problem for one in parsed.values() for problem in one.problems if problem.severity == "error"]
    assert resolve(parsed["CCimen__scc"].raw).git.isolation == "branch"
    assert resolve(parsed["IntegerMan__Hymnal"].raw).git.auto_push is True
    assert parsed["AppliedEllipsis__VGCtrl"].raw == {}
