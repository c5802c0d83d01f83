"""The table of keys, and how what is written becomes what counts."""

import pytest

from milepost.formats.preferences import Git, ModelChoice, Phases, Preferences
from milepost.formats.preferences_layers import MODES, TOKEN_PROFILES, merge, resolve
from milepost.formats.preferences_table import NOT_USED, Field, rows


def test_nothing_written_is_all_defaults() -> None:
    assert resolve({}) == Preferences()


@pytest.mark.spec(id="auto 2.9")
@pytest.mark.parametrize(
    ("path", "default"),
    [
        ("git.isolation", "worktree"),
        ("git.merge_strategy", "squash"),
        ("git.auto_push", False),
        ("git.commit_docs", True),
        ("git.manage_gitignore", True),
        ("git.remote", "origin"),
        ("git.main_branch", None),
        ("budget_ceiling", None),
        ("budget_enforcement", "pause"),
        ("verification_max_retries", 2),
        ("verification_auto_fix", True),
        ("auto_supervisor.soft_timeout_minutes", 20),
        ("auto_supervisor.idle_timeout_minutes", 10),
        ("auto_supervisor.provider_timeout_minutes", 5),
        ("auto_supervisor.hard_timeout_minutes", 30),
        ("dynamic_routing.enabled", False),
        ("dynamic_routing.escalate_on_failure", True),
        ("parallel.max_workers", 2),
        ("parallel.auto_merge", "confirm"),
        ("remote_questions.timeout_minutes", 5),
        ("skill_staleness_days", 60),
        ("auto_report", True),
        ("token_profile", "balanced"),
    ],
)
def test_defaults(path: str, default: object) -> None:
    value: object = Preferences()
    for name in path.split("."):
        value = getattr(value, name)
    assert value == default
    assert [row.default for row in rows() if row.path == path] == [default]


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.path)
def test_every_key_says_what_it_is(row: Field) -> None:
    assert row.key.says.endswith(".")
    assert row.key.source.split()[0] in ("auto", "parallel", "design")
    assert row.path not in NOT_USED
    assert row.default is None or not row.choices or row.default in row.choices


class TestLayers:
    def test_mode_fills_gaps(self) -> None:
        team = resolve({"mode": "team"})
        assert (team.git.push_branches, team.git.pre_merge_check, team.unique_milestone_ids) == (True, True, True)
        assert resolve({"mode": "solo"}).git.auto_push is True

    @pytest.mark.spec(id="PR-246")
    @pytest.mark.spec(id="PR-243")
    def test_profile_fills_gaps(self) -> None:
        budget = resolve({"token_profile": "budget"})
        assert budget.phases == Phases(
            skip_research=True, skip_slice_research=True, skip_reassess=True, skip_milestone_validation=True
        )
        assert budget.models["completion"].by_profile
        assert resolve({"token_profile": "balanced"}).phases == Phases(skip_slice_research=True)
        quality = Preferences(token_profile="quality", phases=Phases(skip_slice_research=False))
        assert resolve({"token_profile": "quality"}) == quality

    def test_written_over_profile_over_mode(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(TOKEN_PROFILES, "budget", {"git": {"auto_push": False, "remote": "profile"}})  # type: ignore[arg-type]
        both = resolve({"mode": "solo", "token_profile": "budget"})
        assert (both.git.auto_push, both.git.remote) == (False, "profile")
        written = resolve({"mode": "solo", "token_profile": "budget", "git": {"remote": "mine"}})
        assert (written.git.auto_push, written.git.remote) == (False, "mine")

    def test_one_written_phase_leaves_the_others_to_the_profile(self) -> None:
        prefs = resolve(
            {"token_profile": "budget", "phases": {"skip_research": False}, "models": {"planning": {"model": "m"}}}
        )
        assert prefs.phases.skip_research is False
        assert prefs.phases.skip_reassess is True
        assert prefs.models["planning"] == ModelChoice(model="m")
        assert prefs.models["execution"].by_profile

    def test_tables_name_only_real_keys(self) -> None:
        known = {row.path for row in rows()}
        for layer in (*MODES.values(), *TOKEN_PROFILES.values()):
            for name, value in layer.items():
                names = [f"{name}.{key}" for key in value] if isinstance(value, dict) else [name]
                assert set(names) <= known

    def test_models_cannot_be_changed_by_mistake(self) -> None:
        with pytest.raises(TypeError):
            Preferences().models["planning"] = ModelChoice()  # type: ignore[index]


@pytest.mark.spec(id="auto 2.9")
class TestMerge:
    def test_scalars(self) -> None:
        assert merge({"mode": "solo", "version": 1}, {"mode": "team"}) == {"mode": "team", "version": 1}

    def test_objects_key_by_key(self) -> None:
        below = {"git": {"remote": "a", "auto_push": True}, "models": {"planning": {"model": "x", "fallbacks": ["y"]}}}
        above = {"git": {"remote": "b"}, "models": {"planning": {"model": "z"}, "research": {"model": "r"}}}
        assert merge(below, above) == {
            "git": {"remote": "b", "auto_push": True},
            "models": {"planning": {"model": "z"}, "research": {"model": "r"}},
        }

    @pytest.mark.parametrize(
        "key", ["always_use_skills", "prefer_skills", "avoid_skills", "custom_instructions", "verification_commands"]
    )
    def test_lists_are_joined_once(self, key: str) -> None:
        assert merge({key: ["a", "b"]}, {key: ["b", "c", "a"]}) == {key: ["a", "b", "c"]}

    def test_skill_rules_are_appended(self) -> None:
        rule = {"when": "w", "use": ["u"]}
        assert merge({"skill_rules": [rule]}, {"skill_rules": [rule]}) == {"skill_rules": [rule, rule]}

    @pytest.mark.parametrize("key", ["post_unit_hooks", "pre_dispatch_hooks"])
    def test_hooks_by_name_in_place(self, key: str) -> None:
        below = {key: [{"name": "a", "prompt": "1"}, {"name": "b", "prompt": "1"}]}
        above = {key: [{"name": "c", "prompt": "2"}, {"name": "a", "prompt": "2"}]}
        merged = merge(below, above)[key]
        assert [(hook["name"], hook["prompt"]) for hook in merged] == [("a", "2"), ("b", "1"), ("c", "2")]  # type: ignore[attr-defined]

    def test_arguments_are_left_alone(self) -> None:
        below = {"git": {"remote": "a"}, "verification_commands": ["x"]}
        merge(below, {"git": {"remote": "b"}, "verification_commands": ["y"]})
        assert below == {"git": {"remote": "a"}, "verification_commands": ["x"]}


def test_every_object_and_list_has_a_way_to_join() -> None:
    for row in rows():
        if row.path.count(".") == 0 and row.kind in ("group", "groups", "texts"):
            assert row.key.join != "replace", row.path


def test_git_values_are_typed() -> None:
    assert resolve({"git": {"isolation": "none"}}).git == Git(isolation="none")
