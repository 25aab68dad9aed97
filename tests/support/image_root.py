"""A command in a root of its own: layers laid over one another, and this machine's programs.

The kernel does what an engine would ask of it: overlayfs, and namespaces of mounts and processes;
for that it needs to be root. In the root are /usr and Python of this machine, read-only, a bare
/etc, and what the layers have; nothing else of this machine.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

_PYTHON = Path(sys.base_prefix)
#: of the machine's settings, what a build has to know anywhere to reach a registry
_PASSED_ON = re.compile(r"(?i)(pip_(cert|index_url|find_links)|(https?|no)_proxy|ssl_cert_file)")
_ETC = {
    "passwd": "root:x:0:0:root:/root:/bin/sh\n",
    "group": "root:x:0:\nshadow:x:42:\n",
    "shadow": "root:*:19000:0:99999:7:::\n",
    "gshadow": "root:*::\nshadow:*::\n",
}
_FROM_HERE = (
    "resolv.conf",
    "hosts",
    "nsswitch.conf",
    "ld.so.cache",
    "ssl",
    "login.defs",
    "alternatives",
)
_EMPTY = ("usr", "dev", "proc", "tmp", "root", "run", "var/tmp", "opt/base", _PYTHON.as_posix()[1:])
PATH = "/opt/base:/usr/local/bin:/usr/bin:/usr/sbin:/bin:/sbin"


def bare(folder: Path) -> Path:
    """Fill the lowest layer: an /etc, and where things are mounted."""
    for path in _EMPTY:
        (folder / path).mkdir(parents=True, exist_ok=True)
    (folder / "tmp").chmod(0o1777)
    for link in ("bin", "sbin", "lib", "lib64"):
        if Path("/", link).is_symlink():
            (folder / link).symlink_to(f"usr/{link}")
    (folder / "etc").mkdir()
    for name, text in _ETC.items():
        (folder / "etc" / name).write_text(text)
    for name in _FROM_HERE:
        here = Path("/etc", name)
        if here.is_dir():
            shutil.copytree(
                here, folder / "etc" / name, symlinks=True, ignore_dangling_symlinks=True
            )
        elif here.exists():
            shutil.copy(here, folder / "etc" / name)
    # as the base image has it
    (folder / "opt/base/python").symlink_to(_PYTHON / "bin" / "python3")
    return folder


@dataclass(frozen=True, slots=True)
class Root:
    """`layers` from the topmost down; only that is written to."""

    layers: Sequence[Path]
    #: an empty folder beside the topmost layer, for the kernel's own use
    work: Path
    variables: Mapping[str, str] = field(default_factory=dict)
    folder: str = "/"
    user: str = "0:0"
    #: folders of this machine by where they are in the root, writable
    binds: Mapping[str, Path] = field(default_factory=dict)
    #: all but /tmp and `binds` can't be written to, and there is no privilege left
    is_locked_down: bool = False

    def command(self, arguments: Sequence[str]) -> list[str]:
        """What runs `arguments` in it."""
        root, inner = self.work / "root", self.work / "inner"
        for path in (root, inner):
            path.mkdir(exist_ok=True)
        if self.is_locked_down:  # without a layer to write to
            points = self.work / "points"
            for where in self.binds:
                (points / where.lstrip("/")).mkdir(parents=True, exist_ok=True)
            overlay = f"lowerdir={':'.join(map(str, [points, *self.layers]))}"
        else:
            below = ":".join(map(str, self.layers[1:]))
            overlay = f"lowerdir={below},upperdir={self.layers[0]},workdir={inner}"
        mounts = [
            ["mount", "-t", "overlay", "overlay", "-o", overlay, str(root)],
            *self._read_only("/usr", root),
            *([] if _PYTHON.is_relative_to("/usr") else self._read_only(str(_PYTHON), root)),
            ["mount", "-t", "proc", "proc", f"{root}/proc"],
            ["mount", "-t", "tmpfs", "none", f"{root}/dev"],
        ]
        for device in ("null", "zero", "random", "urandom"):
            mounts += [
                ["touch", f"{root}/dev/{device}"],
                ["mount", "--bind", f"/dev/{device}", f"{root}/dev/{device}"],
            ]
        if self.is_locked_down:
            mounts.append(["mount", "-t", "tmpfs", "-o", "mode=1777", "none", f"{root}/tmp"])  # noqa: S108 - in there
        for where, folder in self.binds.items():
            if not self.is_locked_down:
                mounts.append(["mkdir", "-p", f"{root}{where}"])
            mounts.append(["mount", "--bind", str(folder), f"{root}{where}"])
        script = " && ".join(map(shlex.join, mounts))
        inside = f"cd {shlex.quote(self.folder)} && exec {shlex.join(arguments)}"
        enter = shlex.join(["chroot", str(root), *self._as_user(inside)])
        return [
            "unshare", "--mount", "--pid", "--fork", "--kill-child", "--propagation", "private",
            "sh", "-c", f"{script} && exec {enter}",
        ]  # fmt: skip

    def _read_only(self, path: str, root: Path) -> list[list[str]]:
        return [
            ["mount", "--bind", path, f"{root}{path}"],
            ["mount", "-o", "remount,ro,bind", f"{root}{path}"],
        ]

    def _as_user(self, inside: str) -> list[str]:
        passed_on = {
            name: value for name, value in os.environ.items() if _PASSED_ON.fullmatch(name)
        }
        variables = {"PATH": PATH, "HOME": "/root", **passed_on, **self.variables}
        environment = ["env", "-i", *(f"{name}={value}" for name, value in variables.items())]
        if not self.is_locked_down:
            return [*environment, "/bin/sh", "-c", inside]
        user, _, group = self.user.partition(":")
        privileges = ["--no-new-privs", "--bounding-set=-all", "--inh-caps=-all", "--clear-groups"]
        ids = [f"--reuid={user}", f"--regid={group}"]
        return [*environment, "/usr/bin/setpriv", *ids, *privileges, "/bin/sh", "-c", inside]
