"""What one seed decides: the shape of a project, and what happens to it while the fleet works.

Everything is drawn from `random.Random(seed)` before anything runs, so that a seed always tells the same story. When
exactly a blow falls is the machine's; what it did fall on is written to the log of the run.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace

NAMES = ("project", "with space", "Träume & Pläne 日本")
LATEST_S = 4.5
"""Blows fall between the start and this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A project and its settings."""

    milestones: tuple[str, ...]
    depends: dict[str, tuple[str, ...]]
    slices: int
    tasks: int
    clash: bool
    """The first two milestones change the same line."""
    strategy: str
    auto_merge: str
    order: str
    workers: int
    program: str
    """`gsd` or `sf`."""
    name: str
    """Of the directory."""
    linked: bool
    """The commands are typed in a symlink to it."""
    planned: str
    """`committed`; `untracked`: the plan lies in the checkout only; `ignored`: and git is told to ignore it."""
    dirty_from_start: bool
    slow: bool
    """A filter makes git write every product slowly, so that checkouts take their time."""
    small_disk: bool
    """It lies on a file system of its own, which can be filled."""

    @property
    def state_dir(self) -> str:
        """The dialect's."""
        return f".{self.program}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Blow:
    """One thing that happens meanwhile."""

    at_s: float
    """After the start; or after what is waited for."""
    after: str = ""
    """Wait for this first: a process of a role (worker, merge), or an event of a journal (`verified`, or
    `landing-step/publish`); empty: for nothing.
    """
    what: str
    args: tuple[str, ...] = ()
    seconds: float = 0.0
    """How long it lasts, where it lasts."""
    chance: int = 0
    """Seeds what is chosen only when it falls."""

    def __str__(self) -> str:
        since = f" after the first {self.after}" if self.after else ""
        lasting = f" for {self.seconds:.2f} s" if self.seconds else ""
        return f"{self.at_s:.2f} s{since}: {self.what} {' '.join(self.args)}{lasting}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """All of it."""

    seed: int
    shape: Shape
    nights: tuple[tuple[Blow, ...], ...]
    """What happens after each start, until the person comes who finishes."""
    pauses: dict[str, float] = field(default_factory=dict)
    """Seconds that the scripted agent takes in a unit of each kind."""


def tell(seed: int) -> Story:
    """The story of a seed."""
    dice = random.Random(seed)
    shape = _shape(dice)
    nights = tuple(_night(dice, shape) for _ in range(dice.choice((1, 1, 1, 2))))
    kinds = ("execute-task", "complete-slice", "complete-milestone")
    pauses = {kind: dice.choice((0.0, 0.0, 0.1, 0.3)) for kind in kinds}
    return Story(seed=seed, shape=shape, nights=nights, pauses=pauses)


def _shape(dice: random.Random) -> Shape:
    milestones = ("M001", "M002", "M003")[: dice.choice((2, 2, 3))]
    depends = {milestones[-1]: ("M001",)} if dice.random() < 0.5 else {}
    slices = dice.choice((1, 1, 1, 2))
    strategy = "per-slice" if dice.random() < (0.6 if slices > 1 else 0.1) else "per-milestone"
    small_disk = dice.random() < 0.08
    return Shape(
        milestones=milestones,
        depends=depends,
        slices=slices,
        tasks=2 if slices == 1 and dice.random() < 0.25 else 1,
        clash=dice.random() < 0.25,
        strategy=strategy,
        auto_merge=dice.choice(("auto",) * 6 + ("manual", "confirm")),
        order=dice.choice(("sequential", "sequential", "by-completion")),
        workers=dice.choice((1, 2, 2, 2, 3)),
        program="sf" if dice.random() < 0.15 else "gsd",
        name=dice.choice((NAMES[0], NAMES[0], NAMES[1], NAMES[2])),
        linked=dice.random() < 0.15,
        planned=dice.choice(("committed",) * 8 + ("untracked", "ignored")),
        dirty_from_start=dice.random() < 0.3,
        slow=dice.random() < 0.12,
        small_disk=small_disk,
    )


def _night(dice: random.Random, shape: Shape) -> tuple[Blow, ...]:
    blows = [_blow(dice, shape) for _ in range(dice.choice((1, 2, 2, 3, 3, 4, 5)))]
    if shape.small_disk:
        blows[0] = replace(blows[0], what="fill", args=(), seconds=dice.uniform(0.3, 1.5))
    return tuple(blows)


def _blow(dice: random.Random, shape: Shape) -> Blow:
    kinds = list(_KINDS) + ([_fill] * 6 if shape.small_disk else [])
    after = dice.choice(_MOMENTS)
    at_s = dice.uniform(0.3, LATEST_S) if not after else dice.uniform(0.0, 0.6 if after in ROLES else 0.08)
    what, args, seconds = dice.choice(kinds)(dice, shape)
    return Blow(at_s=at_s, after=after, what=what, args=args, seconds=seconds, chance=dice.randrange(1 << 30))


ROLES = ("worker", "merge")
_STEPS = ("commit", "pin", "merge", "publish", "checkout", "remove-worktree", "remove-branch")
_EVENTS = ("worker-spawned", "attempt-started", "session-ended", "verified", "attempt-ended", "landing-ended", "landed")
_MOMENTS = (*("",) * 14, *ROLES * 3, *_EVENTS, *(f"landing-step/{step}" for step in _STEPS))

_Drawn = tuple[str, tuple[str, ...], float]


def _kill(dice: random.Random, _: Shape) -> _Drawn:
    role = dice.choice(("coordinator", "coordinator", "worker", "worker", "merge", "git", "everything"))
    signal = dice.choice(("KILL", "KILL", "KILL", "TERM", "STOP"))
    scope = dice.choice(("process", "group"))
    return "signal", (role, signal, scope), dice.uniform(0.2, 2.0) if signal == "STOP" else 0.0


def _order(dice: random.Random, shape: Shape) -> _Drawn:
    orders = ("stop", "stop", "pause", "pause", "resume", "panic", "rebase", "merge", "fix")
    order = dice.choice(orders)
    one = (dice.choice(shape.milestones),) if dice.random() < 0.4 else ()
    return "order", (order, *one), 0.0


def _look(dice: random.Random, _: Shape) -> _Drawn:
    return "look", (dice.choice(("status", "status", "status", "inbox", "doctor", "doctor", "query")),), 0.0


def _delete(dice: random.Random, _: Shape) -> _Drawn:
    return "delete", (dice.choice(("leases", "leases", "statuses", "lock", "parallel", "orders")),), 0.0


def _race(dice: random.Random, _: Shape) -> _Drawn:
    return "race", (dice.choice(("start", "start", "start", "start-two", "auto", "other-path")),), 0.0


def _edit(dice: random.Random, shape: Shape) -> _Drawn:
    acts = (
        "dirty",
        "untracked",
        "staged",
        "commit",
        "commit-staged",
        "commit-staged",
        "switch",
        "dirty-theirs",
        "untracked-theirs",
        "remove",
    )
    return "edit", (dice.choice(acts),), dice.uniform(0.1, 1.0)


def _fill(dice: random.Random, _: Shape) -> _Drawn:
    return "fill", (), dice.uniform(0.3, 1.5)


_KINDS: tuple[Callable[[random.Random, Shape], _Drawn], ...] = (
    *(_kill,) * 8, *(_order,) * 4, _look, *(_delete,) * 3, *(_race,) * 2, *(_edit,) * 4,
)  # fmt: skip
