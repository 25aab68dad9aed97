"""The quick start, word for word: every block in its order, in one terminal, fast and slowed down.

Only the installation is left out, for it needs a registry; `pointsman` is that of this Python.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from demo.processes import PATIENCE

PAGE = (Path(__file__).parents[2] / "docs" / "quick-start.md").read_text(encoding="utf-8")
#: seconds that a walk may take, on the slow machine too
TEN_MINUTES = 600.0
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Step:
    """A block of shell, and the lines that the page says one sees."""

    shell: str
    sees: str


def steps() -> Iterator[Step]:
    """All blocks in order; a file to save is saved."""
    blocks = [(match[1], match[2], match.start()) for match in _BLOCK.finditer(PAGE)]
    for place, (language, body, start) in enumerate(blocks):
        if language == "toml":
            (name,) = re.findall(r"Save this as `([\w.]+)`", PAGE[start - 80 : start])
            yield Step(f"cat > {name} <<'END_OF_FILE'\n{body}END_OF_FILE\n", "")
        elif language == "sh" and "pip install" not in body:
            following = blocks[place + 1] if place + 1 < len(blocks) else ("", "", 0)
            yield Step(body, following[1] if following[0] == "text" else "")


def test_the_page_has_the_blocks_that_are_walked() -> None:
    languages = [match[1] for match in _BLOCK.finditer(PAGE)]

    assert languages.count("sh") == 10
    assert languages.count("toml") == 1
    assert len(list(steps())) == languages.count("sh") + languages.count("toml") - 1


@pytest.mark.parametrize("share", [1.0, 0.25], ids=["fast", "slow"])
@pytest.mark.timeout(TEN_MINUTES + PATIENCE)
def test_a_reader_who_follows_the_page_sees_what_it_says(tmp_path: Path, share: float) -> None:
    began = time.monotonic()
    with only_one_walk():
        walk(tmp_path, list(steps()), share)
        assert time.monotonic() - began < TEN_MINUTES
        begin_again = [" emulate " in step.shell for step in steps()].index(True)
        walk(tmp_path, list(steps())[begin_again:], 1.0)


def walk(folder: Path, to_walk: list[Step], share: float) -> None:
    """Every step, and what was seen against what the page says."""
    script = "set -e\n" + "".join(
        f"echo '== {number}'\n{step.shell}" for number, step in enumerate(to_walk)
    )
    with bash(folder, script) as terminal, slowed(terminal.pid, share):
        said, _ = terminal.communicate(timeout=TEN_MINUTES)
    logs = "\n".join(path.read_text() for path in folder.glob("*.log"))
    assert terminal.returncode == 0, said + logs
    for number, step in enumerate(to_walk):
        shown = said.partition(f"== {number}\n")[2].partition("== ")[0]
        assert re.search(pattern(step.sees), shown, re.DOTALL), (step, shown, logs)


def pattern(sees: str) -> str:
    """The lines in their order; `…` stands for anything."""
    return ".*".join(re.escape(line).replace("…", ".*") for line in sees.splitlines())


@contextlib.contextmanager
def bash(folder: Path, script: str) -> Iterator[subprocess.Popen[str]]:
    """A terminal with all that it starts in one process group, which ends with the block."""
    environment = {name: value for name, value in os.environ.items() if "POINTSMAN_" not in name}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    with subprocess.Popen(
        [shutil.which("bash") or "bash", "-c", script],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


@contextlib.contextmanager
def slowed(group: int, share: float) -> Iterator[None]:
    """A process group gets its share of each fifth of a second, and is stopped for the rest."""
    over = threading.Event()

    def slow_down() -> None:
        with contextlib.suppress(ProcessLookupError):
            while not over.is_set():
                os.killpg(group, signal.SIGSTOP)
                time.sleep(0.2 * (1 - share))
                os.killpg(group, signal.SIGCONT)
                time.sleep(0.2 * share)

    thread = threading.Thread(target=slow_down)
    if share < 1:
        thread.start()
    try:
        yield
    finally:
        over.set()
        if share < 1:
            thread.join()


@contextlib.contextmanager
def only_one_walk() -> Iterator[None]:
    """The page names ports, so walks on one machine go one after the other."""
    with (Path(tempfile.gettempdir()) / "pointsman-quick-start.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
