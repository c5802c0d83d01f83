"""A milestone with its slices as the checks walk it: what the roadmap lists, and which documents are there."""

from collections.abc import Iterator
from dataclasses import dataclass

from milepost.doctor.site import Site
from milepost.formats.plan import Task, tasks
from milepost.formats.roadmap import Slice, slices
from milepost.formats.tree import milestone_file, milestone_ids, read, slice_file, task_file
from milepost.model.state import Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One slice of a roadmap."""

    mid: str
    sid: str
    done: bool
    """Ticked in the roadmap."""
    closed: bool
    """Its milestone is complete."""
    plan: str | None
    """Path of its plan; None when there is none."""
    text: str
    """The plan's text, empty without one."""
    tasks: tuple[Task, ...]

    def document(self, site: Site, suffix: str) -> str | None:
        """Path of one of its documents; None when it is not there."""
        return slice_file(site.tree, self.mid, self.sid, suffix)

    def task_document(self, site: Site, tid: str, suffix: str) -> str | None:
        """Path of a document of one of its tasks; None when it is not there."""
        return task_file(site.tree, self.mid, self.sid, tid, suffix)


@dataclass(frozen=True, slots=True, kw_only=True)
class Milestone:
    """One milestone."""

    mid: str
    complete: bool
    """Complete or parked: nothing in it is worked on."""
    roadmap: str | None
    """Path of its roadmap; None when there is none with content."""
    text: str
    slices: tuple[Slice, ...]

    @staticmethod
    def read(site: Site, mid: str) -> "Milestone":
        """The milestone as it is on disk."""
        path = milestone_file(site.tree, mid, "ROADMAP")
        text = read(site.tree, path)
        at_rest = {entry.id for entry in site.state.registry if entry.status in (Status.COMPLETE, Status.PARKED)}
        return Milestone(
            mid=mid,
            complete=mid in at_rest,
            roadmap=path if text else None,
            text=text,
            slices=slices(text),
        )

    def parts(self, site: Site) -> Iterator[Part]:
        """The slices that the roadmap lists."""
        for entry in self.slices:
            path = slice_file(site.tree, self.mid, entry.id, "PLAN")
            text = read(site.tree, path)
            yield Part(
                mid=self.mid,
                sid=entry.id,
                done=entry.done,
                closed=self.complete,
                plan=path if text else None,
                text=text,
                tasks=tasks(text),
            )


def milestones(site: Site) -> Iterator[Milestone]:
    """All milestones in working order, ghosts included."""
    for mid in milestone_ids(site.tree):
        yield Milestone.read(site, mid)
