"""The scenarios that really happened to users (field reports, section 5), each with the test that is named after it.

| Scenario | Source | Test, with several milestones at once |
|---|---|---|
| Squash of a branch whose ref is behind worktree HEAD | gsd-2#1846 | merging |
| `merge` fails for a non-conflict reason, "already up to date", nothing to commit: nothing deleted | gsd-2#2003 | merging |
| Dirty worktree at teardown; auto-commit fails because of a lock | gsd-2#2233, #1853 | merging |
| Worktree add fails: no spawn, no spend | gsd-2#5218 | isolation |
| Worker's state env points at the main project | gsd-2#5221 | isolation |
| Two workers, one physical state dir through a symlink | gsd-2#2184 | restarting |
| Worker re-acquires its own lease from another path | gsd-pi#1716 | restarting |
| Restart with two half-done milestones | gsd-pi#742 | restarting |
| Completed milestone, coordinator memory lost | gsd-2#2812 | restarting |
| Worker stages another milestone's files | gsd-2#1991 | isolation |
| Planning artefacts untracked in main, absent in a new worktree | gsd-2#2184 | isolation |
| Registry empty or unreadable: an error, not "complete" | gsd-2 PR#1585, #1488 | isolation |
| Empty stub accepted as a plan | gsd-2#3405 | isolation |
| PID reused; own PID taken for a crashed one | gsd-2#5714, PR#1289 | restarting |
| 15 s silence between units must not kill | gsd-2#3428 | restarting |
| Same unit re-dispatched across recovery levels and restarts must count | gsd-2#5564 | restarting |
| Gate harness truncated or killed: inconclusive | gsd-pi#1128, cqlite#1825 | restarting |
| "complete" printed by the model; API down must not exit 0 | gsd-2#879, #5202 | money |
| Limit text unknown: park; three workers wake without a storm | gsd-2#4373, teamclaude#84 | money |
| Two workers reserve the last dollar at the same time | gbrain#4365 | money; many processes in test_parallel_budget |
| Billed call whose output fails to parse still counts | mini-swe-agent #915 | money |
| Budget stop is resumable and keeps its reason through joins | atomic PR#2691 | money |
| kill -9 of coordinator during merge; leftover SQUASH_MSG, in-progress rebase | gsd-2#1853, aider-desk PR#916 | merging |
| User has uncommitted work in main at merge time | gsd-2#1752, CC#33850 | merging |
| Registry, counter and generated-file conflict classes | python-skills PR#88 | merging |
| Branch from before a squash deletes a shipped feature with green checks | jeffkliu.com | merging |
| Post-merge tests on the combination, then bisect | gastown merge queue | merging; one at a time, so nothing to bisect |
| Commit signing prompts with no TTY | soleur#7644 | surroundings |
| Suspend for 8 h mid-unit | orca#20194 | restarting |
| Grandchildren and MCP servers gone after stop | gsd-2 PR#2801, CC#28126 | surroundings |
| Push configured but nothing pushed: visible | gsd-pi#2153 | surroundings |
| `notify --test` fails loudly when the sender is not wired | gsd-2#4341 | notifying |
"""

import ast
from pathlib import Path

import pytest

HERE = Path(__file__).parent
TESTS = {
    "merging": (
        "test_squash_of_a_branch_whose_ref_is_behind_worktree_head",
        "test_a_merge_that_fails_for_another_reason_than_a_conflict_deletes_nothing",
        "test_already_up_to_date_or_nothing_to_commit_deletes_nothing",
        "test_dirty_worktree_at_teardown_and_an_auto_commit_that_fails_because_of_a_lock",
        "test_kill_of_the_coordinator_during_a_merge_with_a_leftover_squash_msg",
        "test_an_in_progress_rebase_of_the_users_at_merge_time",
        "test_user_has_uncommitted_work_in_main_at_merge_time",
        "test_registry_counter_and_generated_file_conflict_classes",
        "test_branch_from_before_a_squash_deletes_no_shipped_feature_with_green_checks",
        "test_post_merge_tests_on_the_combination",
    ),
    "isolation": (
        "test_worktree_add_fails_no_spawn_no_spend",
        "test_workers_state_env_points_at_the_main_project",
        "test_worker_stages_another_milestones_files",
        "test_planning_artefacts_untracked_in_main_and_absent_in_a_new_worktree",
        "test_registry_empty_or_unreadable_is_an_error_not_complete",
        "test_registry_that_vanishes_while_workers_run_is_an_error_not_complete",
        "test_empty_stub_accepted_as_a_plan",
    ),
    "restarting": (
        "test_two_workers_and_one_physical_state_dir_through_a_symlink",
        "test_worker_re_acquires_its_own_lease_from_another_path",
        "test_restart_with_two_half_done_milestones",
        "test_completed_milestone_and_coordinator_memory_lost",
        "test_pid_reused_and_own_pid_taken_for_a_crashed_one",
        "test_15_s_silence_between_units_must_not_kill",
        "test_same_unit_re_dispatched_across_recovery_levels_and_restarts_must_count",
        "test_gate_harness_truncated_or_killed_is_inconclusive",
        "test_suspend_for_8_h_mid_unit",
    ),
    "money": (
        "test_complete_printed_by_the_model_ends_nothing_and_api_down_does_not_exit_0",
        "test_limit_text_unknown_to_the_classifier_parks_and_three_workers_wake_without_a_storm",
        "test_two_workers_reserve_the_last_dollar_at_the_same_time",
        "test_billed_call_whose_output_fails_to_parse_still_counts",
        "test_budget_stop_is_resumable_and_keeps_its_reason_through_joins",
    ),
    "surroundings": (
        "test_commit_signing_prompts_with_no_tty",
        "test_grandchildren_and_mcp_servers_gone_after_stop",
        "test_push_configured_but_nothing_pushed_is_visible",
    ),
    "notifying": ("test_notify_test_fails_loudly_when_the_sender_is_not_wired",),
}
"""Module, without its `test_field_reports_`, to the tests in it that are named after a scenario."""


@pytest.mark.parametrize("module", TESTS)
def test_every_scenario_has_the_test_that_is_named_after_it(module: str) -> None:
    tree = ast.parse((HERE / f"test_field_reports_{module}.py").read_text("utf-8"))
    there = {node.name: ast.get_docstring(node) for node in tree.body if isinstance(node, ast.FunctionDef)}
    assert [name for name in TESTS[module] if name not in there] == []
    assert [name for name in TESTS[module] if not there[name]] == [], "each says who it happened to"


def test_the_table_has_all_scenarios() -> None:
    rows = [line for line in (__doc__ or "").splitlines() if line.startswith("| ")][1:]
    assert len(rows) == 32
    assert {row.split("|")[3].split(";")[0].strip() for row in rows} == {*TESTS}
