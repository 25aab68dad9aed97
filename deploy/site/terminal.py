"""`python deploy/site/terminal.py` records the README's terminal session, as SVG, into docs/images.

The commands are run, with the emulator and a daemon of their own, and what they print is drawn.
"""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.text import Text

_TOP = Path(__file__).parents[2]
_SESSION = _TOP / "docs" / "images" / "session.svg"
_QUICK_START = _TOP / "docs" / "quick-start.md"
_BEFORE = """
pointsman emulate --port 8090 --api-key demo-key > emulator.log 2>&1 &
pointsman wait platform > wait.log
echo demo | pointsman platform login ana@example.com --password-file - --save-to tokens.json > l.log
pointsman run > pointsman.log 2>&1 &
pointsman wait > wait.log
"""
_POST = """curl -sS localhost:8080/xapi/statements -u player:player-secret \\
    -H 'X-Experience-API-Version: 1.0.3' -H 'Content-Type: application/json' -d '{
      "actor": {"mbox": "mailto:ana@example.com"},
      "verb": {"id": "http://adlnet.gov/expapi/verbs/completed"},
      "object": {"id": "https://content.example.com/demo-course/demo_1"}}'"""
_SHOWN = (_POST, "pointsman wait delivery", "pointsman explain --learner ana@example.com")
_MARK = "== shown"


def record() -> str:
    """The session as SVG."""
    shown = _run("".join(f"echo '{_MARK}'\n{command}\n" for command in _SHOWN))
    console = Console(record=True, width=120, file=io.StringIO())
    for command, printed in zip(_SHOWN, shown, strict=True):
        console.print(Text("$ ", style="bold green") + Text(command, style="bold"))
        console.print(Text(printed.strip()), end="\n\n")
    drawn = console.export_svg(title="Ana completed a lesson")
    # no font of another host
    return re.sub(r"@font-face \{.*?\}", "", drawn, flags=re.DOTALL)


def _run(script: str) -> list[str]:
    """What is printed after each mark."""
    page = _QUICK_START.read_text(encoding="utf-8")
    (config, *_) = re.findall(r"^```toml\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "pointsman.toml").write_text(config)
        done = subprocess.run(
            ["bash", "-ec", f"trap 'kill $(jobs -p)' EXIT\n{_BEFORE}{script}"],  # noqa: S607
            cwd=folder,
            env={**os.environ, "PATH": path, "COLUMNS": "120"},
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        raise RuntimeError(done.stdout + done.stderr)
    return done.stdout.split(f"{_MARK}\n")[1:]


if __name__ == "__main__":
    _SESSION.write_text(record(), encoding="utf-8")
