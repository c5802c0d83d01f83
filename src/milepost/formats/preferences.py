"""`PREFERENCES.md`: every setting there is, as one table.

The table is the classes below: a field's name is the key, its annotation the type and the allowed values, its
default the default, and its `Key` the rest (one sentence, bounds, how a project's value joins the global one).
A field without a `Key` is not for users.
Validation, merging, the JSON Schema and the reference page are all read off these classes; there is no second list.

    ---
    mode: team
    token_profile: balanced
    models:
      planning: claude-opus-4-5
      execution: {model: claude-sonnet-5-5, fallbacks: [openai/gpt-5]}
    git: {isolation: worktree, auto_push: false}
    verification_commands: [pytest -q, ruff check .]
    ---

`Preferences()` is what a project without any file gets. Source: spec auto 2.9, 5.14, 5.16, parallel 1.6.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Literal, NamedTuple, TypeAlias


class Key(NamedTuple):
    """What the reference says of a key, beside its type and default."""

    says: str
    """One sentence for the reference page and the schema."""
    source: str = "auto 2.9"
    """Section of the specification."""
    at_least: float | None = None
    at_most: float | None = None
    above: float | None = None
    """Exclusive lower bound."""
    whole: Literal["", "floor", "round"] = ""
    """How a fraction becomes the whole number that the key wants; empty refuses it."""
    letters: str = ""
    """A regular expression that the whole text must match."""
    loose: bool = False
    """A truth value that takes any value as JavaScript would (`phases` of GSD)."""
    wanted: str = ""
    """What the value must be, as GSD words it (parallel PR-350); empty: in ours."""
    required: bool = False
    """In a list of objects: an entry without it is dropped."""
    single: bool = False
    """A list of objects that may also be one object alone."""
    join: Literal["replace", "keys", "append", "unique", "by-name"] = "replace"
    """How a project's value joins the global one."""


_BRANCH = r"[A-Za-z0-9_\-/.]+"

Mode: TypeAlias = Literal["solo", "team"]
TokenProfile: TypeAlias = Literal["budget", "balanced", "quality"]
Isolation: TypeAlias = Literal["worktree", "branch", "none"]
MergeStrategy: TypeAlias = Literal["squash", "merge"]
Enforcement: TypeAlias = Literal["warn", "pause", "halt"]
CommitType: TypeAlias = Literal["feat", "fix", "refactor", "docs", "test", "chore", "perf", "ci", "build", "style"]
Effort: TypeAlias = Literal["off", "minimal", "low", "medium", "high", "xhigh", "max"]
ModelPhase: TypeAlias = Literal["research", "planning", "execution", "execution_simple", "completion", "subagent"]


class ModelChoice(NamedTuple):
    """The model of one phase."""

    model: Annotated[str, Key("Model name, `model` or `provider/model`.", required=True)] = ""
    provider: Annotated[str | None, Key("Put before `model` when that has no `/` of its own.")] = None
    fallbacks: Annotated[tuple[str, ...], Key("Models to try in this order when the first cannot be used.")] = ()
    thinking: Annotated[Effort | None, Key("Reasoning effort asked of the model; unset: its own.")] = None
    by_profile: bool = False
    """Chosen by the token profile, not by the user: may be passed over when its provider cannot be reached."""


class Phases(NamedTuple):
    """Steps that may be left out."""

    skip_research: Annotated[bool, Key("Plan a milestone without a research session.", loose=True)] = False
    skip_slice_research: Annotated[bool, Key("Plan a slice without a research session.", loose=True)] = True
    """As the default profile, `balanced`, has it; `token_profile: quality` researches slices."""
    skip_reassess: Annotated[bool, Key("Do not reassess the roadmap after a slice.", loose=True)] = False
    skip_milestone_validation: Annotated[bool, Key("Close a milestone without a validation session.", loose=True)] = (
        False
    )
    require_slice_discussion: Annotated[
        bool, Key("Stop before each slice that has not been discussed.", loose=True)
    ] = False
    reassess_after_slice: Annotated[
        bool | None,
        Key("Reassess the roadmap after each slice: false leaves it out, as skip_reassess does.", loose=True),
    ] = None
    """Releases from 2.30 on reassess only where it is true; unset, the session takes place as the documents say."""


class AutoSupervisor(NamedTuple):
    """How long a unit may take, and who watches."""

    model: Annotated[str | None, Key("Model for supervision; the unit's own model when unset.")] = None
    soft_timeout_minutes: Annotated[float, Key("After this the agent is told to wrap up.", above=0)] = 20
    idle_timeout_minutes: Annotated[float, Key("A unit without progress for this long is recovered.", above=0)] = 10
    hard_timeout_minutes: Annotated[float, Key("After this the unit is ended.", above=0)] = 30
    provider_timeout_minutes: Annotated[
        float, Key("A model request in which nothing arrives for so long is given up, and made again.", above=0)
    ] = 5


class TierModels(NamedTuple):
    """One model per tier of work."""

    light: Annotated[str | None, Key("Model for light units.", "auto 5.14")] = None
    standard: Annotated[str | None, Key("Model for ordinary units.", "auto 5.14")] = None
    heavy: Annotated[str | None, Key("Model for heavy units.", "auto 5.14")] = None


class DynamicRouting(NamedTuple):
    """Choosing a cheaper or stronger model by how hard the unit looks."""

    enabled: Annotated[bool, Key("Route units by their complexity.", "auto 5.14")] = False
    tier_models: Annotated[TierModels, Key("The model of each tier.", "auto 5.14")] = TierModels()
    escalate_on_failure: Annotated[bool, Key("One tier up after a failed attempt.", "auto 5.14")] = True
    budget_pressure: Annotated[bool, Key("Go down a tier as the budget runs out.", "auto 5.14")] = True
    cross_provider: Annotated[bool, Key("A tier's model may be another provider's.", "auto 5.14")] = True
    hooks: Annotated[bool, Key("Route hook units too.", "auto 5.14")] = True


class Git(NamedTuple):
    """Branches, commits and merges."""

    isolation: Annotated[
        Isolation, Key("Where a milestone is worked on: its own worktree, its own branch, or the current branch.")
    ] = "worktree"
    main_branch: Annotated[
        str | None, Key("Branch that milestones merge into; found by itself when unset.", letters=_BRANCH)
    ] = None
    merge_strategy: Annotated[MergeStrategy, Key("One commit per milestone, or a merge commit.")] = "squash"
    pre_merge_check: Annotated[
        bool | str, Key("Checks on the merged tree before it is published: true finds them, a text is the command.")
    ] = False
    auto_push: Annotated[bool, Key("Push the target branch after a merge.")] = False
    push_branches: Annotated[bool, Key("Push milestone branches as they grow.")] = False
    remote: Annotated[str, Key("The remote to push to.", letters=_BRANCH)] = "origin"
    snapshots: Annotated[bool, Key("Keep a snapshot ref before each automatic commit.")] = False
    commit_docs: Annotated[bool, Key("Commit the planning files; false ignores the whole state directory.")] = True
    manage_gitignore: Annotated[bool, Key("Keep the run-time patterns in .gitignore.")] = True
    commit_type: Annotated[CommitType | None, Key("Type of every unit commit; inferred when unset.")] = None
    worktree_post_create: Annotated[
        str | None, Key("Program run in each new worktree; a relative path starts at the project root.")
    ] = None


class Notifications(NamedTuple):
    """What is worth telling a person who is not looking."""

    enabled: Annotated[bool, Key("Send notifications at all.")] = True
    on_complete: Annotated[bool, Key("When a unit is done.")] = True
    on_error: Annotated[bool, Key("When something failed.")] = True
    on_budget: Annotated[bool, Key("When a budget level is crossed.")] = True
    on_milestone: Annotated[bool, Key("When a milestone is done.")] = True
    on_attention: Annotated[bool, Key("When a person is needed.")] = True
    targets: Annotated[
        tuple[str, ...],
        Key(
            "Names of the targets to use; unset: all. Addresses stand outside the project. Only Milepost reads it.",
            "design",
        ),
    ] = ()


class RemoteQuestions(NamedTuple):
    """A chat channel that questions are sent to."""

    channel: Annotated[Literal["slack", "discord", "telegram"] | None, Key("Which service.")] = None
    channel_id: Annotated[str | None, Key("The channel's id there.")] = None
    timeout_minutes: Annotated[float, Key("How long to wait for an answer.", at_least=1, at_most=30)] = 5
    poll_interval_seconds: Annotated[float, Key("How often to look for one.", at_least=2, at_most=30)] = 5


class SkillRule(NamedTuple):
    """Which skills to use in a situation."""

    when: Annotated[str, Key("The situation, in words.", required=True)] = ""
    use: Annotated[tuple[str, ...], Key("Skills to use.")] = ()
    prefer: Annotated[tuple[str, ...], Key("Skills to prefer.")] = ()
    avoid: Annotated[tuple[str, ...], Key("Skills to leave alone.")] = ()


class PostUnitHook(NamedTuple):
    """A session of one's own after a unit."""

    name: Annotated[str, Key("Unique name.", "auto 5.16", required=True)] = ""
    after: Annotated[tuple[str, ...], Key("Unit types after which it runs.", "auto 5.16", required=True)] = ()
    prompt: Annotated[
        str, Key("The prompt; {milestoneId}, {sliceId} and {taskId} are filled in.", "auto 5.16", required=True)
    ] = ""
    max_cycles: Annotated[int, Key("Most runs per unit.", "auto 5.16", at_least=1, at_most=10, whole="round")] = 1
    model: Annotated[str | None, Key("Model of the session.", "auto 5.16")] = None
    artifact: Annotated[str | None, Key("File it has to write; it does not run when that exists.", "auto 5.16")] = None
    retry_on: Annotated[str | None, Key("File whose presence makes the unit run again.", "auto 5.16")] = None
    agent: Annotated[str | None, Key("Agent definition to use.", "auto 5.16")] = None
    enabled: Annotated[bool, Key("False leaves it out.", "auto 5.16")] = True


class PreDispatchHook(NamedTuple):
    """A change to a unit before it starts."""

    name: Annotated[str, Key("Unique name.", "auto 5.16", required=True)] = ""
    before: Annotated[tuple[str, ...], Key("Unit types that it applies to.", "auto 5.16", required=True)] = ()
    action: Annotated[
        Literal["modify", "skip", "replace"], Key("What happens to the unit.", "auto 5.16", required=True)
    ] = "modify"
    prepend: Annotated[str | None, Key("modify: text before the prompt.", "auto 5.16")] = None
    append: Annotated[str | None, Key("modify: text after the prompt.", "auto 5.16")] = None
    prompt: Annotated[str | None, Key("replace: the prompt instead.", "auto 5.16")] = None
    unit_type: Annotated[str | None, Key("replace: the unit type it is booked as.", "auto 5.16")] = None
    skip_if: Annotated[str | None, Key("skip: only when this file exists.", "auto 5.16")] = None
    model: Annotated[str | None, Key("Model of the session.", "auto 5.16")] = None
    enabled: Annotated[bool, Key("False leaves it out.", "auto 5.16")] = True


class Parallel(NamedTuple):
    """Several milestones at once."""

    enabled: Annotated[bool, Key("Allow `gsd parallel`.", "parallel 1.1", wanted="a boolean")] = False
    max_workers: Annotated[
        int,
        Key(
            "Workers at once: 1 to 4, or to `max_workers_limit`.",
            "parallel 1.6",
            at_least=1,
            whole="floor",
            wanted="a number between 1 and 4",
        ),
    ] = 2
    max_workers_limit: Annotated[
        int, Key("Raises the upper bound of `max_workers`; only Milepost reads it.", "design", at_least=1, at_most=256)
    ] = 4
    budget_ceiling: Annotated[
        float | None, Key("USD for all workers together.", "parallel 1.6", above=0, wanted="a positive number")
    ] = None
    merge_strategy: Annotated[
        Literal["per-slice", "per-milestone"], Key("When a worker's branch is merged.", "parallel 1.6")
    ] = "per-milestone"
    auto_merge: Annotated[Literal["auto", "confirm", "manual"], Key("Who starts the merge.", "parallel 1.6")] = (
        "confirm"
    )
    overlap_policy: Annotated[
        Literal["warn", "serialize"],
        Key("Milestones that touch the same files: warn, or run one after the other.", "parallel 6.2"),
    ] = "warn"
    merge_order: Annotated[
        Literal["sequential", "by-completion"], Key("In which order finished milestones are merged.", "parallel 1.1")
    ] = "sequential"
    worker_model: Annotated[
        str | None, Key("Model of the workers, for every unit.", "parallel 1.4", wanted="a non-empty string")
    ] = None
    generated_files: Annotated[
        tuple[str, ...],
        Key("Patterns of built files: in a conflict the milestone's version is taken, and said.", "parallel FM-98"),
    ] = ("*.tsbuildinfo", "*.pyc", "__pycache__/", ".DS_Store", "*.map")
    setup_commands: Annotated[
        tuple[str, ...] | None,
        Key("Make a new worktree ready; none: what its lock files ask for; empty: nothing.", "design"),
    ] = None
    ports: Annotated[
        int, Key("Ports for each worktree, from GSD_PORT_BASE on.", "design", at_least=1, at_most=1000)
    ] = 10
    max_restarts: Annotated[
        int, Key("How often in a row a worker that died is started again.", "design", at_least=0, at_most=100)
    ] = 3


class BudgetWindow(NamedTuple):
    """A length of time, and what runs may spend in any window of that length."""

    usd: Annotated[float, Key("USD that runs may spend in the window.", "design", above=0, required=True)] = 0
    hours: Annotated[float, Key("Length of the window, which moves along with the clock.", "design", above=0)] = 5


class Billing(NamedTuple):
    """What is paid for in another way than by the token."""

    flat_rate: Annotated[
        tuple[str, ...],
        Key("Models at a flat rate, as names or patterns (`plan/*`): counted in tokens, not in money.", "design"),
    ] = ()
    window_hours: Annotated[float, Key("Length of the flat rate's window.", "design", above=0)] = 5
    tokens_per_window: Annotated[
        int | None, Key("Tokens that the flat rate allows in a window; no limit when unset.", "design", at_least=1)
    ] = None


class Price(NamedTuple):
    """What a model costs, instead of what the price table says."""

    input: Annotated[float, Key("USD per million input tokens.", "design", at_least=0, required=True)] = 0
    output: Annotated[float, Key("USD per million output tokens.", "design", at_least=0, required=True)] = 0
    cache_read: Annotated[
        float | None, Key("USD per million tokens read from a cache; as `input` when unset.", "design", at_least=0)
    ] = None
    cache_write: Annotated[
        float | None, Key("USD per million tokens written to a cache; as `input` when unset.", "design", at_least=0)
    ] = None


class Memory(NamedTuple):
    """What sessions teach later ones."""

    enabled: Annotated[
        bool | None,
        Key(
            "Learn from transcripts after units, which asks a model, and tell later sessions; unset: learn where a "
            "cheap model of the provider can be asked; false: neither.",
            "auto 5.19",
        ),
    ] = None
    model: Annotated[
        str | None, Key("Model that reads the transcripts; the provider's cheapest when unset.", "auto 5.19")
    ] = None


_NO_MODELS: Mapping[str, ModelChoice] = MappingProxyType({})
_NO_PRICES: Mapping[str, Price] = MappingProxyType({})


class Preferences(NamedTuple):
    """All settings, resolved: what the user wrote, else the token profile, else the mode, else the default."""

    version: Annotated[Literal[1] | None, Key("Version of this file's format.")] = None
    mode: Annotated[Mode | None, Key("Defaults for one person or for a team.")] = None
    token_profile: Annotated[TokenProfile, Key("How much is read, researched and checked for the money.")] = "balanced"  # noqa: S105 (a word of the format, not a secret)
    models: Annotated[Mapping[str, ModelChoice], Key("Model per phase, as a name or as an object.", join="keys")] = (
        _NO_MODELS
    )
    phases: Annotated[Phases, Key("Steps that may be left out.", join="keys")] = Phases()
    budget_ceiling: Annotated[float | None, Key("USD that the project may cost in all.", at_least=0)] = None
    budget_enforcement: Annotated[Enforcement, Key("What happens at the ceiling.")] = "pause"
    budget_window: Annotated[
        tuple[BudgetWindow, ...],
        Key(
            "What may be spent in a moving window of time; a run waits when it is used up.",
            "design",
            single=True,
            join="append",
        ),
    ] = ()
    reserve_for_person: Annotated[
        float, Key("Percent of each window that runs leave for the person.", "design", at_least=0, at_most=99)
    ] = 0
    billing: Annotated[Billing, Key("Models that are not paid by the token.", "design", join="keys")] = Billing()
    prices: Annotated[
        Mapping[str, Price], Key("Prices by model name or pattern, over the price table.", "design", join="keys")
    ] = _NO_PRICES
    context_pause_threshold: Annotated[
        float, Key("Percent of the context window at which a unit pauses; 0 is off.", at_least=0, at_most=100)
    ] = 0
    uat_dispatch: Annotated[bool, Key("Run user acceptance tests as units.")] = False
    unique_milestone_ids: Annotated[bool, Key("New milestones get ids with a suffix (M001-ab12cd).")] = False
    verification_commands: Annotated[
        tuple[str, ...], Key("Commands that must pass after every task.", join="unique")
    ] = ()
    verification_auto_fix: Annotated[bool, Key("Give a failed verification back to the agent.")] = True
    verification_max_retries: Annotated[int, Key("How many times.", at_least=0, whole="floor")] = 2
    auto_supervisor: Annotated[AutoSupervisor, Key("Time limits of a unit.", join="keys")] = AutoSupervisor()
    dynamic_routing: Annotated[DynamicRouting, Key("Model choice by complexity.", join="keys")] = DynamicRouting()
    git: Annotated[Git, Key("Branches, commits and merges.", join="keys")] = Git()
    post_unit_hooks: Annotated[
        tuple[PostUnitHook, ...], Key("Sessions after a unit.", "auto 5.16", join="by-name")
    ] = ()
    pre_dispatch_hooks: Annotated[
        tuple[PreDispatchHook, ...], Key("Changes to units before they start.", "auto 5.16", join="by-name")
    ] = ()
    notifications: Annotated[Notifications, Key("What a person is told of.", join="keys")] = Notifications()
    remote_questions: Annotated[RemoteQuestions, Key("Where questions are sent to.", join="keys")] = RemoteQuestions()
    skill_discovery: Annotated[Literal["auto", "suggest", "off"], Key("How new skills are found.")] = "suggest"
    skill_staleness_days: Annotated[
        int, Key("A skill unused for this long counts less; 0 is off.", at_least=0, whole="floor")
    ] = 60
    always_use_skills: Annotated[tuple[str, ...], Key("Skills used in every session.", join="unique")] = ()
    prefer_skills: Annotated[tuple[str, ...], Key("Skills to prefer.", join="unique")] = ()
    avoid_skills: Annotated[tuple[str, ...], Key("Skills to leave alone.", join="unique")] = ()
    custom_instructions: Annotated[tuple[str, ...], Key("Sentences added to every session.", join="unique")] = ()
    skill_rules: Annotated[tuple[SkillRule, ...], Key("Skills by situation.", join="append")] = ()
    memory: Annotated[Memory, Key("What sessions teach later ones.", "auto 5.19", join="keys")] = Memory()
    auto_visualize: Annotated[bool, Key("Offer the visualiser after a milestone.")] = False
    auto_report: Annotated[bool, Key("Write a report after a milestone.")] = True
    update_check: Annotated[
        bool,
        Key(
            "Ask the package index once a day, beside a session, whether there is a newer release. Only the global "
            "file counts; only Milepost reads it.",
            "parallel 1.3",
        ),
    ] = False
    parallel: Annotated[Parallel, Key("Several milestones at once.", "parallel 1.1", join="keys")] = Parallel()
