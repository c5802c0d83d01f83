"""`STATE.md`: the state for a person who opens the directory. It is written, never read.

    # GSD State

    **Active Milestone:** M001: Feed store
    **Active Slice:** S02: Fetch loop
    **Phase:** executing
    **Requirements Status:** 3 active · 1 validated · 0 deferred · 0 out of scope

    ## Milestone Registry
    - 🔄 **M001:** Feed store

    ## Recent Decisions
    - None recorded

    ## Blockers
    - None

    ## Next Action
    Execute T01: Fetcher in slice S02.

Source: spec auto 2.8, in-the-wild 8.
"""

from collections.abc import Iterable

from milepost.model.state import Counts, Ref, RegistryEntry, State, Status

_GLYPHS = {Status.COMPLETE: "✅", Status.ACTIVE: "🔄", Status.PENDING: "⬜", Status.PARKED: "⏸️"}


def render(state: State, decisions: Iterable[str] = ()) -> str:
    """The file's text. decisions: the latest entries of DECISIONS.md, one line each."""
    return "\n".join(
        (
            "# GSD State",
            "",
            f"**Active Milestone:** {_ref(state.active_milestone)}",
            f"**Active Slice:** {_ref(state.active_slice)}",
            f"**Phase:** {state.phase.value}",
            f"**Requirements Status:** {_requirements(state.requirements)}",
            "",
            "## Milestone Registry",
            *(_entry(entry) for entry in state.registry),
            "",
            "## Recent Decisions",
            *_bullets(decisions, "None recorded"),
            "",
            "## Blockers",
            *_bullets(state.blockers, "None"),
            "",
            "## Next Action",
            state.next_action,
            "",
        )
    )


def _ref(ref: Ref | None) -> str:
    return f"{ref.id}: {ref.title}" if ref else "None"


def _entry(entry: RegistryEntry) -> str:
    return f"- {_GLYPHS[entry.status]} **{entry.id}:** {entry.title}"


def _bullets(lines: Iterable[str], empty: str) -> tuple[str, ...]:
    return tuple(f"- {line}" for line in lines) or (f"- {empty}",)


def _requirements(counts: Counts) -> str:
    parts = (
        f"{counts.active} active",
        f"{counts.validated} validated",
        f"{counts.deferred} deferred",
        f"{counts.out_of_scope} out of scope",
    )
    return " · ".join(parts)
