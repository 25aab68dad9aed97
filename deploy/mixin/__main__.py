"""Renders the mixin into its folder, in place of what was rendered before."""

from __future__ import annotations

import argparse
from pathlib import Path

from deploy.mixin.alerts import RUNBOOK
from deploy.mixin.render import render

FOLDER = Path(__file__).parent
#: the Helm chart has the rules too
CHART_FILES = FOLDER.parent / "helm" / "pointsman" / "files"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m deploy.mixin", description=__doc__)
    parser.add_argument("--runbook", default=RUNBOOK, help="where docs/runbook.md is published")
    parser.add_argument("--into", type=Path, default=FOLDER, help="the folder")
    arguments = parser.parse_args()
    rendered = render(arguments.runbook)
    boards = arguments.into / "dashboards_out"
    boards.mkdir(parents=True, exist_ok=True)
    for left in boards.glob("*.json"):
        left.unlink()
    for path, text in rendered.items():
        (arguments.into / path).write_text(text, encoding="utf-8")
    if arguments.into == FOLDER and arguments.runbook == RUNBOOK:
        for copy in CHART_FILES.glob("prometheus_*.yaml"):
            copy.write_text(rendered[copy.name], encoding="utf-8")


main()
