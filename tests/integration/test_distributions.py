"""The wheel and the source distribution, as `make dist` makes them."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

from pointsman import __version__

ROOT = Path(__file__).parents[2]


def test_what_is_published_is_sound_and_runs_in_a_new_environment(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [ROOT / ".ci" / "dist", Path(sys.executable).parent, "offline"],
        env={**environment, "DIST": str(tmp_path / "dist")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"pointsman {__version__}" in done.stdout
    [wheel] = tmp_path.glob("dist/*.whl")
    [source] = tmp_path.glob("dist/*.tar.gz")
    with zipfile.ZipFile(wheel) as packed:
        names = set(packed.namelist())
    tree = {
        path.relative_to(ROOT / "src").as_posix()
        for path in (ROOT / "src").rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    made = {"pointsman/commit.txt"}  # by the build
    packed_files = {name for name in names if ".dist-info/" not in name}
    pages = {name for name in packed_files if name.startswith("pointsman/pages/")}
    assert {"pointsman/pages/runbook.md", "pointsman/pages/players/cmi5.md"} <= pages
    assert packed_files - pages - made == tree - pages - made
    with tarfile.open(source) as packed_source:
        tops = {name.split("/")[1] for name in packed_source.getnames() if "/" in name}
    assert {"src", "docs", "CHANGELOG.md", "LICENSE", "README.md", "config.example.toml"} <= tops
    assert not tops & {"tests", "deploy", ".ci", ".venv"}
