"""Links, directories and pipes where the program writes or reads: nothing outside the worktree changes, nothing sticks."""

from pathlib import Path

import pytest

from milepost.store import atomic
from milepost.testing.projects import raw_shell, steps
from scenarios.stage import DONE, Stage, picture

TASK = "execute-task/M001/S01/T01"
SLICE = ".gsd/milestones/M001/slices/S01"

DEEDS = {
    "evidence is a link to a file of the user's": f"ln -s {{root}}/README.md {SLICE}/tasks/T01-VERIFY.json",
    "evidence is a directory": f"mkdir {SLICE}/tasks/T01-VERIFY.json",
    "the plan is a link": f"cp {SLICE}/S01-PLAN.md {{root}}/copy.md; ln -sf {{root}}/copy.md {SLICE}/S01-PLAN.md",
    "the tasks are a link": f"mkdir {{root}}/t; mv {SLICE}/tasks/* {{root}}/t; rmdir {SLICE}/tasks; ln -s {{root}}/t {SLICE}/tasks",
    "the milestone is a link": "rm -r .gsd/milestones/M001; ln -s {root}/.gsd/milestones/M001 .gsd/milestones/M001",
    "the roadmap is a pipe": "cd .gsd/milestones/M001; rm M001-ROADMAP.md; mkfifo M001-ROADMAP.md",
    "the validation is a link": "ln -s {root}/README.md .gsd/milestones/M001/M001-VALIDATION.md",
}


@pytest.mark.parametrize("deed", DEEDS)
def test_what_is_written_stays_in_the_worktree(stage: Stage, deed: str) -> None:
    stage.make()
    stage.replay(
        TASK, [*steps(TASK), raw_shell("sh", "-c", DEEDS[deed].format(root=stage.root))], steps(TASK), steps(TASK)
    )
    before = picture(stage.root)
    stage.auto().require(DONE)
    after = picture(stage.root)
    assert {path: what for path, what in after.files.items() if path in before.files} == before.files
    stage.require_landed()
    stage.git("fsck")


def test_a_link_out_is_replaced_and_a_directory_that_leads_out_is_refused(tmp_path: Path) -> None:
    root = tmp_path
    inside, outside = root / "inside", root / "outside"
    inside.mkdir()
    outside.mkdir()
    (outside / "mine").write_text("mine")
    (inside / "link").symlink_to(outside / "mine")
    (inside / "near").write_text("old")
    (inside / "alias").symlink_to("near")
    (inside / "way").symlink_to(outside)

    atomic.replace(inside / "link", b"new", within=inside)
    atomic.replace(inside / "alias", b"new", within=inside)
    with pytest.raises(atomic.LeadsOut):
        atomic.replace(inside / "way" / "mine", b"new", within=inside)

    assert (outside / "mine").read_text() == "mine"
    assert not (inside / "link").is_symlink()
    assert (inside / "alias").is_symlink()
    assert (inside / "near").read_text() == "new"
