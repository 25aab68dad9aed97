"""Runs the steps of the Dockerfile without an engine, as root, in roots of `image_root`.

Steps up to the last one that asks a registry are kept for the next run, as an engine keeps layers;
the key is what they are, what they copy, and Python. Not shown by it: the base image itself, and
what an engine makes of metadata.
"""

from __future__ import annotations

import hashlib
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.dockerfile import Instruction, Stage, assignments, exec_form, expand, read_stages
from tests.support.image_root import PATH, Root, bare

ROOT = Path(__file__).parents[2]
_HOME = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
_LAYERS = _HOME / "pointsman" / "image"
_CACHE_MOUNT = re.compile(r"--mount=type=cache,target=(\S+) ")


class StepFailed(AssertionError):
    """A step did not succeed; the text has what it printed."""


@dataclass(slots=True)
class Image:
    """What a stage is so far: its layers from the topmost down, and what else it says."""

    layers: list[Path]
    variables: dict[str, str] = field(default_factory=lambda: {"PATH": PATH})
    folder: str = "/"
    user: str = "0:0"
    labels: dict[str, str] = field(default_factory=dict)
    volumes: list[str] = field(default_factory=list)
    entrypoint: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)
    healthcheck: list[str] = field(default_factory=list)

    def note(self, one: Instruction, arguments: Mapping[str, str]) -> None:
        """Take on an instruction that runs nothing and copies nothing."""
        words = expand(one.words, self.variables)
        match one.name:
            case "ENV":
                self.variables.update(assignments(words))
            case "ARG":
                [(name, default)] = assignments(words).items()
                self.variables[name] = arguments.get(name, default)
            case "LABEL":
                self.labels.update(assignments(words))
            case "WORKDIR":
                self.folder = words
                self.place(words).mkdir(parents=True, exist_ok=True)
            case "USER":
                self.user = words
            case "VOLUME":
                self.volumes.append(words)
            case "ENTRYPOINT" | "CMD" | "HEALTHCHECK":
                name = {"CMD": "command"}.get(one.name, one.name.lower())
                setattr(self, name, exec_form(words))
            case "EXPOSE" | "STOPSIGNAL":
                pass
            case other:
                raise StepFailed(f"what {other} does is not known here")

    def place(self, path: str) -> Path:
        """Where `path` of the image is written."""
        return self.layers[0] / os.path.join(self.folder, path).lstrip("/")  # noqa: PTH118


class Builder:
    """Builds stages in `work`, an empty folder, each once. `arguments` are build arguments."""

    def __init__(self, work: Path, arguments: Mapping[str, str]) -> None:
        self._work = work
        self._arguments = arguments
        self._stages = read_stages((ROOT / "Dockerfile").read_text())
        self._ignored = (ROOT / ".dockerignore").read_text().splitlines()
        self._built: dict[str, Image] = {}

    def build(self, name: str) -> Image:
        if name not in self._built:
            self._built[name] = self._build(self._stages[name])
        return self._built[name]

    def root(
        self, image: Image, binds: Mapping[str, Path], *, is_locked_down: bool = False
    ) -> Root:
        return Root(
            image.layers,
            self._new_folder(),
            image.variables,
            image.folder,
            image.user,
            binds,
            is_locked_down,
        )

    def _build(self, stage: Stage) -> Image:
        if stage.base in self._stages:
            below = self.build(stage.base)
            image = Image(
                list(below.layers), dict(below.variables), below.folder, below.user,
                dict(below.labels), list(below.volumes), below.entrypoint,
            )  # fmt: skip
            first: list[Instruction] = []
        else:
            image = Image([bare(self._new_folder())])
            asking = [n for n, one in enumerate(stage.instructions) if "type=cache" in one.words]
            first = stage.instructions[: asking[-1] + 1] if asking else []
        if first:
            kept = _LAYERS / f"{stage.name}-{self._key(first)}"
            is_new = not kept.exists()
            image.layers.insert(0, self._new_folder() if is_new else kept)
            for one in first:
                self._step(image, one, runs=is_new)
            if is_new:
                _keep(image.layers[0], kept)
        image.layers.insert(0, self._new_folder())
        for one in stage.instructions[len(first) :]:
            self._step(image, one)
        return image

    def _step(self, image: Image, one: Instruction, *, runs: bool = True) -> None:
        if one.name == "RUN":
            if runs:
                self._run(image, one.words)
        elif one.name == "COPY":
            if runs:
                self._copy(image, expand(one.words, image.variables))
        else:
            image.note(one, self._arguments)

    def _run(self, image: Image, words: str) -> None:
        caches = {
            where: _HOME / "pip" if where.endswith("/pip") else self._new_folder()
            for where in _CACHE_MOUNT.findall(words)
        }
        for folder in caches.values():
            folder.mkdir(parents=True, exist_ok=True)
        text = _CACHE_MOUNT.sub("", words)
        run(self.root(image, caches), ["/bin/sh", "-c", text])

    def _copy(self, image: Image, words: str) -> None:
        *sources, target = shlex.split(words)
        place = image.place(target)
        place.mkdir(parents=True, exist_ok=True)
        if sources[0].startswith("--from="):
            other = self.build(sources[0].removeprefix("--from="))
            run(self.root(other, {"/mnt": place}), ["cp", "-a", f"{sources[1]}/.", "/mnt"])
            return
        for source in sources:
            here = ROOT / source
            if f"!{source}" not in self._ignored:
                raise StepFailed(f"COPY {source}: .dockerignore keeps it from the engine")
            if here.is_dir():
                ignored = shutil.ignore_patterns("__pycache__")
                shutil.copytree(here, place, ignore=ignored, dirs_exist_ok=True)
            else:
                shutil.copy(here, place)

    def _key(self, steps: Sequence[Instruction]) -> str:
        known = hashlib.sha256(repr((steps, sys.version, sorted(self._arguments.items()))).encode())
        for one in steps:
            if one.name == "COPY":
                for path in sorted((ROOT / one.words.split()[0]).rglob("*")):
                    known.update(path.name.encode() + path.read_bytes())
        return known.hexdigest()[:16]

    def _new_folder(self) -> Path:
        folder = self._work / str(len(list(self._work.iterdir())))
        folder.mkdir()
        folder.chmod(0o755)
        return folder


def run(root: Root, arguments: Sequence[str]) -> str:
    """What it printed; raises `StepFailed` where it did not end well."""
    done = subprocess.run(
        root.command(arguments),
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    if done.returncode:
        words = f"{shlex.join(arguments)}\nended with {done.returncode}:\n"
        raise StepFailed(words + done.stdout + done.stderr)
    return done.stdout


def _keep(layer: Path, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    for old in sorted(place.parent.iterdir(), key=lambda one: one.stat().st_mtime)[:-3]:
        shutil.rmtree(old, ignore_errors=True)
    half = place.with_suffix(f".{os.getpid()}")
    shutil.copytree(layer, half, symlinks=True)
    half.rename(place)
