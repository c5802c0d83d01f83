"""Two branches that would not merge as they stand, with the files and lines, for people and for the record."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from milepost.git.merge_tree import Conflict

_Ranges: TypeAlias = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Contested:
    """A file that both sides changed in ways that do not fit."""

    path: str
    a_lines: _Ranges
    """First and last line of each stretch in `a`'s version; empty for a whole file."""
    b_lines: _Ranges
    deleted_in: Literal["", "a", "b"] = ""

    @property
    def places(self) -> tuple[str, ...]:
        """`path:line` of each stretch, in `a`'s version; the path alone for a whole file."""
        return tuple(f"{self.path}:{first}" for first, _ in self.a_lines) or (self.path,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Clash:
    """Two sides that would not merge as they stand."""

    a: str
    b: str
    """Another milestone, or the target."""
    files: tuple[Contested, ...]

    @property
    def paths(self) -> tuple[str, ...]:
        """The files' names."""
        return tuple(file.path for file in self.files)

    def __str__(self) -> str:
        return f"{self.a} and {self.b} do not fit: {'; '.join(self._worded(file) for file in self.files)}"

    def _worded(self, file: Contested) -> str:
        if file.deleted_in:
            return f"{file.path} (deleted in {self.a if file.deleted_in == 'a' else self.b})"
        if not file.a_lines:
            return file.path
        return f"{file.path} lines {_shown(file.a_lines)} (in {self.b} {_shown(file.b_lines)})"


def contested(conflict: Conflict, *, flipped: bool) -> Contested:
    """A conflict of `b` merged into `a`; flipped: of `a` merged into `b`."""
    ours, theirs = conflict.target_lines, conflict.milestone_lines
    deleted: Literal["", "a", "b"] = ""
    if conflict.base is not None and not conflict.odd:
        first = (conflict.target is None) is not flipped
        deleted = "" if conflict.target and conflict.milestone else "a" if first else "b"
    return Contested(
        path=conflict.path,
        a_lines=theirs if flipped else ours,
        b_lines=ours if flipped else theirs,
        deleted_in=deleted,
    )


def _shown(ranges: _Ranges) -> str:
    return ", ".join(f"{first}-{last}" if first != last else str(first) for first, last in ranges)
