"""Where directories go that nobody may delete: aside, whole, under a name that says when.

    .gsd/runtime/quarantine/20251121T210320Z-M004/

A rename keeps every file, whatever it is. Nothing is moved that is reached through a link, that somebody stands in,
or that is a file system of its own. Source: parallel FM-66, FM-67, FM-102; field-reports #2.
"""

import os
from pathlib import Path

from milepost.doctor.finding import NotFixed
from milepost.doctor.site import Site


def require_inside(site: Site, path: Path) -> None:
    """Prove that `path` lies directly below the worktrees of this very project, with no link on the way.

    Raises NotFixed.
    """
    for place in (site.state_path, site.worktrees, path):
        if place.is_symlink():
            raise NotFixed(f"{place} is a symbolic link; nothing behind it is moved or removed")
    home = os.path.join(os.path.realpath(site.root), site.state_dir, "worktrees")
    if os.path.realpath(path) != os.path.join(home, path.name):
        raise NotFixed(f"{path} does not lie in {home}")


def move_aside(site: Site, path: Path, when: str) -> Path:
    """Move a directory below `worktrees/` aside; where it is now. when: for its name, `20251121T210320Z`.

    Raises NotFixed with nothing moved.
    """
    require_inside(site, path)
    real = Path(os.path.realpath(path))
    if os.path.ismount(real):
        raise NotFixed(f"{path} is a file system of its own", hint=f"umount {path}")
    if standing := _standing_in(site, real):
        raise NotFixed(f"{path} is the directory of {standing}", hint=f"cd {site.root}")
    target = _free(site.state_path / "runtime" / "quarantine", f"{when}-{path.name.lstrip('.') or 'directory'}")
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        path.rename(target)
    except OSError as error:
        raise NotFixed(f"{path} cannot be moved to {target}: {error.strerror}") from error
    return target


def _free(directory: Path, name: str) -> Path:
    """A name that is not taken: a directory would otherwise replace an empty one."""
    number, target = 1, directory / name
    while os.path.lexists(target):
        number += 1
        target = directory / f"{name}-{number}"
    return target


def _standing_in(site: Site, real: Path) -> str:
    """Who has its current directory there: you, or a process; empty for nobody that can be seen."""
    here = Path(os.path.realpath(site.place.cwd))
    if here == real or real in here.parents:
        return "the shell you type in"
    for name in sorted(os.listdir("/proc")) if os.path.isdir("/proc/self") else ():
        if name.isdigit():
            try:
                there = Path(os.readlink(f"/proc/{name}/cwd"))
            except OSError:
                continue
            if there == real or real in there.parents:
                return f"pid {name}"
    return ""
