"""What a directory lies on, as far as locks and renames are concerned: a disk, a network, or a synchronised folder.

Kernel locks hold between the processes of one machine on nearly everything; between machines, and on some file
systems in user space, they do not. Source: parallel FM-48, FM-49; proc(5), "mountinfo".
"""

import os
from pathlib import Path
from typing import Final, NamedTuple

_NETWORK: Final = frozenset(
    {
        *("nfs", "nfs4", "cifs", "smb", "smb2", "smb3", "smbfs", "afs", "9p", "ceph", "glusterfs", "lustre"),
        *("beegfs", "orangefs", "gpfs", "davfs", "vboxsf", "prl_fs", "osxfs", "virtiofs", "ncpfs", "coda"),
    }
)
_LOCAL_FUSE: Final = frozenset({"fuseblk", "fuse.ntfs-3g", "fuse.exfat", "fuse.fuse-overlayfs", "fuse.lxcfs"})
_SYNCED: Final = frozenset(
    {
        *("dropbox", "google drive", "googledrive", "my drive", "icloud drive", "com~apple~clouddocs", "nextcloud"),
        *("owncloud", "pclouddrive", "pcloud drive", "megasync", "yandex.disk", "box sync"),
    }
)
_MARKS: Final = (".stfolder", ".dropbox.cache", ".csync_journal.db", ".owncloudsync.log")


class Mount(NamedTuple):
    """A mounted file system."""

    type: str
    """As the kernel names it: `ext4`, `nfs4`, `fuse.sshfs`."""
    point: str
    source: str

    @property
    def doubtful(self) -> bool:
        """Whether locks on it may not hold, or not for everybody who can write there."""
        fuse = self.type.partition(".")[0] == "fuse" and self.type not in _LOCAL_FUSE
        return fuse or self.type in _NETWORK


def mount_of(path: Path, table: str = "/proc/self/mountinfo") -> Mount | None:
    """The file system that `path` lies on; None where the system does not tell. Never raises."""
    try:
        with open(table, encoding="utf-8", errors="surrogateescape") as file:
            mounts = [found for line in file if (found := _mount(line))]
    except OSError:
        return None
    real = os.path.realpath(path)
    over = [mount for mount in mounts if real == mount.point or real.startswith(mount.point.rstrip("/") + "/")]
    # Of several at one place the last hides the others.
    return max(reversed(over), key=lambda mount: len(mount.point), default=None)


def synced_above(path: Path) -> str:
    """The directory at or above `path` that a program keeps in step with other machines; empty when none is known."""
    real = Path(os.path.realpath(path))
    for place in (real, *real.parents):
        name = place.name.lower()
        if name in _SYNCED or name.startswith(("onedrive", "dropbox (")):
            return str(place)
        if any(os.path.lexists(place / mark) for mark in _MARKS):
            return str(place)
    return ""


def _mount(line: str) -> Mount | None:
    """`36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw`; blanks in names are written as numbers."""
    before, dash, after = line.partition(" - ")
    fields, kinds = before.split(" "), after.split(" ")
    if not dash or len(fields) < 5 or len(kinds) < 2:
        return None
    return Mount(type=kinds[0], point=_plain(fields[4]), source=_plain(kinds[1]))


def _plain(text: str) -> str:
    for octal, char in ((r"\040", " "), (r"\011", "\t"), (r"\012", "\n"), (r"\134", "\\")):
        text = text.replace(octal, char)
    return text
