from pathlib import Path

import pytest

from doctor.project import SOUND, commit, write
from fleet import stand


@pytest.fixture
def sound(repo: Path) -> Path:
    """A project in the middle of its first milestone, all committed, nothing wrong with it."""
    write(repo, dict(SOUND))
    commit(repo, "plan")
    return repo


fleet = pytest.fixture(stand.project, name="fleet")
