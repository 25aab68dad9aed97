"""Reads a course package (cmi5 section 14): a .zip with cmi5.xml at its root, or that file.

Only cmi5.xml is unpacked, and no more of it than a course structure can have.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote, urlsplit

from pointsman.courses.structure import AssignableUnit, CourseReader, CourseStructure
from pointsman.courses.xml_elements import parse_xml
from pointsman.domain.errors import InputRefused

STRUCTURE = "cmi5.xml"
_MAX_BYTES = 8_000_000
_MAX_FILES = 200_000
_MAX_PACKAGE_BYTES = 16 * 2**30


def read_course(path: Path) -> CourseStructure:
    """The course of a file. Raises `InputRefused`, naming the file and, in XML, the line."""
    try:
        size = path.stat().st_size
        if zipfile.is_zipfile(path):
            if size > _MAX_PACKAGE_BYTES:
                raise InputRefused(f"{path}: is larger than {_MAX_PACKAGE_BYTES // 2**30} GiB")
            with zipfile.ZipFile(path) as package:
                return _read_package(path, package)
        with path.open("rb") as file:
            content = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise InputRefused(f"{path}: can't be read: {error.strerror or error}") from None
    except zipfile.BadZipFile as error:
        raise InputRefused(f"{path}: is a broken package: {error}") from None
    return _read_structure(content, str(path), None)


def _read_package(path: Path, package: zipfile.ZipFile) -> CourseStructure:
    names = package.namelist()
    if len(names) > _MAX_FILES:
        raise InputRefused(f"{path}: has more than {_MAX_FILES} files")
    if STRUCTURE not in names:
        elsewhere = next((name for name in names if name.rpartition("/")[2] == STRUCTURE), None)
        hint = f"; {elsewhere[:200]} must be at the root" if elsewhere is not None else ""
        raise InputRefused(f"{path}: has no {STRUCTURE} at its root{hint}")
    try:
        with package.open(STRUCTURE) as file:
            content = file.read(_MAX_BYTES + 1)
    except (zlib.error, EOFError) as error:
        raise InputRefused(f"{path}: {STRUCTURE} is broken: {error}") from None
    except (RuntimeError, NotImplementedError) as error:  # a password, or a method of packing
        raise InputRefused(f"{path}: {STRUCTURE} can't be unpacked: {error}") from None
    # some tools write them as Windows does (APPNOTE 4.4.17.1 has slashes)
    files = frozenset(name.replace("\\", "/") for name in names)
    return _read_structure(content, f"{path}: {STRUCTURE}", files)


def _read_structure(content: bytes, name: str, files: Collection[str] | None) -> CourseStructure:
    if len(content) > _MAX_BYTES:
        raise InputRefused(f"{name}: is larger than {_MAX_BYTES:,} bytes")
    course = CourseReader(name).course(parse_xml(content, name))
    problems = [
        f"{name}, line {unit.line}: {words}"
        for unit, _ in course.units()
        if (words := _location_problem(unit, files))
    ]
    return replace(course, warnings=(*course.warnings, *problems))


def _location_problem(unit: AssignableUnit, files: Collection[str] | None) -> str:
    """What is wrong with where a unit's content is said to be (sections 14.1 and 14.2)."""
    parts = urlsplit(unit.url)
    if parts.scheme:
        return ""
    if files is None:
        return f"the url {unit.url[:200]} is relative, and there is no package that it is in"
    if unquote(parts.path).replace("\\", "/").removeprefix("./") not in files:
        return f"the url {unit.url[:200]} is relative, and no file of the package"
    return ""
