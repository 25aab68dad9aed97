"""What the image installs is pinned by version and hash, and the pins are those of pyproject.toml.

`make lock` makes them; this needs no network.
"""

from __future__ import annotations

import os
import re
import subprocess
import tomllib
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from pointsman import __version__

ROOT = Path(__file__).parents[2]
IMAGE = ROOT / "deploy" / "image"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
DEPENDENCIES = PROJECT["project"]["dependencies"]
EMULATOR = PROJECT["project"]["optional-dependencies"]["emulator"]
_PIN = re.compile(
    r"^(?P<name>[a-z0-9.-]+)==(?P<version>\S+)(?: ; (?P<marker>[^\\\n]+?))? \\\n"
    r"(?P<hashes>(?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)(?P<via>(?:    #.*\n?)+)",
    re.MULTILINE,
)


@dataclass(frozen=True)
class Pin:
    version: str
    marker: Marker | None
    #: by whom it is required
    via: frozenset[str]


def pins(name: str) -> dict[str, Pin]:
    text = (IMAGE / name).read_text()
    found: dict[str, Pin] = {
        canonicalize_name(match["name"]): Pin(
            match["version"],
            Marker(match["marker"]) if match["marker"] else None,
            frozenset(re.findall(r"#\s+(?:via )?(\S.*)", match["via"])),
        )
        for match in _PIN.finditer(text)
    }
    assert len(found) == len(re.findall("^[a-z]", text, re.MULTILINE)), "a pin without a hash"
    return found


def asked(requirements: list[str]) -> dict[str, Requirement]:
    return {canonicalize_name(one.name): one for one in map(Requirement, requirements)}


LOCKS = {
    "requirements.lock": (DEPENDENCIES, "pointsman (pyproject.toml)"),
    "requirements[emulator].lock": (DEPENDENCIES + EMULATOR, "pointsman (pyproject.toml)"),
    "build.lock": (
        [line for line in (IMAGE / "build.in").read_text().splitlines() if line[0] != "#"],
        "-r deploy/image/build.in",
    ),
}


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_has_what_is_asked_for_and_nothing_that_is_not(name: str) -> None:
    requirements, asker = LOCKS[name]
    locked = pins(name)
    for wanted, requirement in asked(requirements).items():
        assert wanted in locked, f"{wanted} is not locked: make lock"
        assert requirement.specifier.contains(locked[wanted].version), f"{wanted}: make lock"
    assert {pin for pin in locked if asker in locked[pin].via} == set(asked(requirements))
    for pin in locked.values():
        for via in pin.via - {asker, "via"}:
            assert canonicalize_name(via) in locked, f"{via} is gone: make lock"


@pytest.mark.parametrize("name", LOCKS)
def test_what_the_pinned_versions_require_is_locked_too(name: str) -> None:
    locked = pins(name)
    for pinned, pin in locked.items():
        try:
            if metadata.version(pinned) != pin.version:
                continue  # another version here may require something else
        except metadata.PackageNotFoundError:
            continue  # of another platform, or of the image's build alone
        for text in metadata.requires(pinned) or ():
            requirement = Requirement(text)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                assert canonicalize_name(requirement.name) in locked, f"{pinned}: make lock"


def test_what_builds_the_wheel_is_locked() -> None:
    assert asked(PROJECT["build-system"]["requires"]).keys() <= pins("build.lock").keys()


def test_the_image_installs_nothing_else_and_has_a_bill_of_materials() -> None:
    text = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
    installs = re.findall(r"pip\S*(?: --python \S+)? install ([^\n]*)", text)
    assert len(installs) == 4
    assert all("--require-hashes" in one or "--no-deps" in one for one in installs)
    locks = set(re.findall(r"-r \"?locks/([^\s\"]+)", text))
    assert locks == {path.name for path in IMAGE.glob("*.lock")} == LOCKS.keys()
    assert text.count("cyclonedx-py environment") == 2
    stages = re.findall(r"^FROM (\S+) AS (\S+)", text, re.MULTILINE)
    others = {base for base, _ in stages} - {name for _, name in stages}
    assert others == {"${PYTHON_IMAGE}"}, "another base image"
    assert stages[-1] == ("base", "daemon"), "a build without --target is the daemon"
    assert f'org.opencontainers.image.version="{__version__}"' in text
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert "!deploy/image" in ignored


@pytest.mark.parametrize(
    ("base", "is_built"),
    [
        ("", False),
        ("python:3.13-slim", False),
        ("python@sha256:abc", False),
        ("python@sha256:" + "g" * 64, False),
        ("python:3.13-slim@sha256:" + "0a" * 32, True),
    ],
)
def test_what_is_published_is_built_on_a_base_image_named_by_digest(
    tmp_path: Path, base: str, is_built: bool
) -> None:
    docker = tmp_path / "docker"
    docker.write_text('#!/bin/sh\necho "$@"\n')
    docker.chmod(0o755)
    run = subprocess.run(
        [ROOT / ".ci" / "image", "pointsman:1"],
        env={"PATH": f"{tmp_path}:{os.environ['PATH']}", "PYTHON_IMAGE": base},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.returncode == 0) is is_built, run.stderr
    if is_built:
        assert f"--build-arg PYTHON_IMAGE={base}" in run.stdout
        assert re.search(
            r"--target daemon .*SOURCE_DATE_EPOCH=\d+ .*REVISION=[0-9a-f]{40}", run.stdout
        )
    else:
        assert "by digest" in run.stderr
