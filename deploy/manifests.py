"""Renders the plain manifests of deploy/kubernetes and deploy/replicas from the Helm chart.

`python -m deploy.manifests` writes them, and what the chart reads of the rest of the repository:
the rules of deploy/mixin, and the settings that a running daemon takes on. `.ci/tools` gets Helm.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from deploy.mixin.render import render as render_mixin
from pointsman.config.changes import LIVE

DEPLOY = Path(__file__).parent
CHART = DEPLOY / "helm" / "pointsman"
#: the chart's values for each folder of plain manifests, beside its own
FOLDERS: dict[str, tuple[str, ...]] = {"kubernetes": (), "replicas": ("values-replicas.yaml",)}
_HEAD = "# Rendered from deploy/helm/pointsman by `python -m deploy.manifests`.\n"
#: what only Helm needs: its labels, its empty lines, and what restarts pods when a value changed
_HELMS_OWN = re.compile(
    r"^ +(?:app\.kubernetes\.io/(?:instance|managed-by|version): |helm\.sh/chart: "
    r"|pointsman/restart: )[^\n]*\n|^ +\n(?=  selector)",
    re.MULTILINE,
)
_SOURCE = re.compile(r"^---\n# Source: pointsman/templates/(\S+)\n", re.MULTILINE)


def tool(name: str) -> str:
    """The path of a program of `.ci/tools`, which gets it first where it is not here."""
    run = subprocess.run(
        [DEPLOY.parent / ".ci" / "tools"], stdout=subprocess.PIPE, text=True, check=True
    )
    return f"{run.stdout.strip()}/{name}"


def chart_files() -> dict[str, str]:
    """Text by path in the chart, of what it repeats of the rest of the repository."""
    rules = render_mixin()
    return {
        "files/live_settings.txt": "".join(f"{path}\n" for path in sorted(LIVE)),
        **{
            f"files/{name}": rules[name]
            for name in ("prometheus_rules.yaml", "prometheus_alerts.yaml")
        },
    }


def plain_manifests(folder: str) -> dict[str, str]:
    """Text by name of a file in `folder`."""
    arguments = [part for name in FOLDERS[folder] for part in ("-f", str(CHART / name))]
    command = [tool("helm"), "template", "pointsman", str(CHART), "--skip-tests", *arguments]
    rendered = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    _, *pieces = _SOURCE.split(_HELMS_OWN.sub("", rendered))
    files: dict[str, str] = {}
    for name, text in zip(pieces[::2], pieces[1::2], strict=True):
        plain = re.sub(r"[ \t]+$", "", text, flags=re.MULTILINE).strip() + "\n"
        files[name] = f"{files[name]}---\n{plain}" if name in files else _HEAD + plain
    return files


def main() -> None:
    for path, text in chart_files().items():
        (CHART / path).write_text(text, encoding="utf-8")
    for folder in FOLDERS:
        for name, text in plain_manifests(folder).items():
            (DEPLOY / folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
