"""A course package (cmi5 section 14): a .zip with cmi5.xml at its root, or that file alone.

Only cmi5.xml is unpacked, and no more of it than a course structure can have.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote, urlsplit

from pointsman.courses.structure import AssignableUnit, Course, CourseReader
from pointsman.courses.xml_elements import parse
from pointsman.domain.errors import InputRefused

STRUCTURE = "cmi5.xml"
_MOST_BYTES = 8_000_000
_MOST_FILES = 200_000
_MOST_PACKAGE = 16 * 2**30


def read_course(path: Path) -> Course:
    """The course of a file. Raises `InputRefused`, naming the file and, in XML, the line."""
    try:
        size = path.stat().st_size
        if zipfile.is_zipfile(path):
            if size > _MOST_PACKAGE:
                raise InputRefused(f"{path}: is larger than {_MOST_PACKAGE // 2**30} GiB")
            with zipfile.ZipFile(path) as package:
                return _of_package(path, package)
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise InputRefused(f"{path}: can't be read: {error.strerror or error}") from None
    except zipfile.BadZipFile as error:
        raise InputRefused(f"{path}: is a broken package: {error}") from None
    return _read(content, str(path), None)


def _of_package(path: Path, package: zipfile.ZipFile) -> Course:
    names = package.namelist()
    if len(names) > _MOST_FILES:
        raise InputRefused(f"{path}: has more than {_MOST_FILES} files")
    if STRUCTURE not in names:
        elsewhere = next((one for one in names if one.rpartition("/")[2] == STRUCTURE), None)
        hint = f"; {elsewhere[:200]} must stand at the root" if elsewhere is not None else ""
        raise InputRefused(f"{path}: has no {STRUCTURE} at its root{hint}")
    try:
        with package.open(STRUCTURE) as file:
            content = file.read(_MOST_BYTES + 1)
    except (zlib.error, EOFError) as error:
        raise InputRefused(f"{path}: {STRUCTURE} is broken: {error}") from None
    except (RuntimeError, NotImplementedError) as error:  # a password, or a method of packing
        raise InputRefused(f"{path}: {STRUCTURE} can't be unpacked: {error}") from None
    return _read(content, f"{path}: {STRUCTURE}", frozenset(names))


def _read(content: bytes, name: str, files: Collection[str] | None) -> Course:
    if len(content) > _MOST_BYTES:
        raise InputRefused(f"{name}: is larger than {_MOST_BYTES:,} bytes")
    course = CourseReader(name).course(parse(content, name))
    found = [
        f"{name}, line {unit.line}: {words}"
        for unit, _ in course.units()
        if (words := _misplaced(unit, files))
    ]
    return replace(course, warnings=(*course.warnings, *found))


def _misplaced(unit: AssignableUnit, files: Collection[str] | None) -> str:
    """What is wrong with where a unit's content is said to be (sections 14.1 and 14.2)."""
    parts = urlsplit(unit.url)
    if parts.scheme:
        return ""
    if files is None:
        return f"the url {unit.url[:200]} is relative, and there is no package that it is in"
    if unquote(parts.path).removeprefix("./") not in files:
        return f"the url {unit.url[:200]} is relative, and no file of the package"
    return ""
