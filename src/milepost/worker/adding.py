"""A new milestone: its id, its first document, and the commit that carries it.

The id is one that no directory, worktree, branch, backup or journal knows. The commit holds the new file and nothing
else; where it cannot be made safely the file stays uncommitted, and the start of the milestone commits it.
Source: spec auto 1.1, 2.10, 7 (queue).
"""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from milepost.errors import MilepostError
from milepost.formats import context
from milepost.formats.journal import MilestoneAdded
from milepost.formats.preferences import Preferences
from milepost.git import refs, repo
from milepost.git.ignored import ignored
from milepost.git.planning import commit_planning
from milepost.git.run import git
from milepost.model.ids import milestone_of_directory
from milepost.model.work import is_branch
from milepost.store import milestones
from milepost.store.journal import Journal
from milepost.worker.shift import Shift

DRAFT, CONTEXT = "CONTEXT-DRAFT", "CONTEXT"


class Site(NamedTuple):
    """The project that something is added to."""

    root: Path
    state_dir: str
    preferences: Preferences
    run: str
    """Who says so in the journal: a run, or `person`."""
    now_ms: Callable[[], int]

    @property
    def state(self) -> Path:
        """The project's state directory."""
        return self.root / self.state_dir


def site(shift: Shift) -> Site:
    """That of a run."""
    return Site(shift.root, shift.state_dir, shift.preferences, shift.run, shift.now_ms)


class Wish(NamedTuple):
    """What somebody wants of a milestone. text: Markdown; title: empty: how the text begins."""

    text: str
    title: str = ""
    depends: tuple[str, ...] = ()
    suffix: str = DRAFT
    split_from: str = ""


def add(wish: Wish, site: Site) -> str:
    """Write it down as a new milestone; its id. Raises OSError or BadId with nothing written."""
    title = wish.title or context.title_of(wish.text)
    mid = milestones.add(
        site.state,
        lambda mid: context.render(mid, title, wish.text, wish.depends or context.depends_on(wish.text)),
        suffix=wish.suffix,
        taken=_taken(site),
        unique=site.preferences.unique_milestone_ids,
    )
    Journal(site.state, "project").append(
        MilestoneAdded(at_ms=site.now_ms(), run=site.run, milestone=mid, title=title, split_from=wish.split_from)
    )
    return mid


def _taken(site: Site) -> set[str]:
    """Ids that were given and whose directory need not be here: at work, discarded, landed from another clone."""
    names = [path.name for where in ("worktrees", "runtime/discarded") for path in (site.state / where).glob("M*")]
    names += [name.removeprefix("milestone/") for name in refs.branches(site.root) if name.startswith("milestone/")]
    pinned = git(site.root, "for-each-ref", "--format=%(refname)", f"{refs.BACKUPS}/").out.split()
    names += [ref.removeprefix(f"{refs.BACKUPS}/").partition("/")[0] for ref in pinned]
    told = Journal(site.state, "project").everything()
    names += [event.milestone for event in told if isinstance(event, MilestoneAdded)]
    return {found for name in names if (found := milestone_of_directory(name.partition(".")[0]))}


def commit(paths: Iterable[str], message: str, site: Site) -> str:
    """Commit these files (relative to the state directory) alone; why that was not done, or an empty text.

    Nothing else that is staged or changed goes along.
    """
    whole = [f"{site.state_dir}/{path}" for path in paths]
    if not site.preferences.git.commit_docs or not whole or ignored(site.root, whole[0]):
        return ""
    try:
        place = repo.inspect(site.root)
        repo.require_ready(place)
        if is_branch(place.head.branch or ""):
            return f"the checkout is on {place.head.branch}"
        commit_planning(site.root, whole, message)
    except MilepostError as error:
        return str(error)
    return ""
