"""Tells whether a folder is on a file system of the network, where SQLite's locks and log fail.

SQLite, "Write-Ahead Logging", 1: all that use a database have to share memory; and "How To Corrupt
An SQLite Database File", 2.1.
"""

from __future__ import annotations

import re
from pathlib import Path

_MOUNTS = Path("/proc/self/mountinfo")
#: as proc_pid_mountinfo(5) names them; a share of the host with a virtual machine is one too
_OF_THE_NETWORK = frozenset(
    {
        "9p",
        "afs",
        "ceph",
        "cifs",
        "fuse.glusterfs",
        "fuse.rclone",
        "fuse.s3fs",
        "fuse.sshfs",
        "glusterfs",
        "lustre",
        "nfs",
        "nfs4",
        "smb3",
        "smbfs",
        "virtiofs",
    }
)
_ESCAPE = re.compile(r"\\([0-7]{3})")
_MOUNT_POINT = 4


def network_file_system(folder: Path, mounts: str | None = None) -> str:
    """The type of the network's file system that a folder is on; "" for another, or not known.

    `mounts` is /proc/self/mountinfo, which only Linux has.
    """
    if mounts is None:
        try:
            mounts = _MOUNTS.read_text(errors="replace")
        except OSError:
            return ""
    within = {folder.absolute(), *folder.absolute().parents}
    longest, kind = -1, ""
    for line in mounts.splitlines():
        mount, _, rest = line.partition(" - ")
        fields = mount.split()
        if not rest or len(fields) <= _MOUNT_POINT:
            continue
        point = _ESCAPE.sub(lambda octal: chr(int(octal[1], 8)), fields[_MOUNT_POINT])
        # of two on one point the later one is seen
        if Path(point) in within and len(point) >= longest:
            longest, kind = len(point), rest.split()[0]
    return kind if kind in _OF_THE_NETWORK else ""
