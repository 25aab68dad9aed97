"""Makes a release of what is checked out: `python -m deploy.release 0.2.0`.

It writes the version wherever it is named, gives the changelog's and the upgrade notes' unreleased
part that name, and renders the manifests. CONTRIBUTING.md, "A release", has the steps around it.
"""

from __future__ import annotations

import argparse
import datetime as dt
import re
from collections.abc import Mapping
from pathlib import Path

from deploy import manifests
from pointsman import __version__

ROOT = Path(__file__).parents[1]
CHANGELOG, UPGRADING = "CHANGELOG.md", "docs/upgrading.md"
#: where the version is named, and how; `{}` stands for it
PLACES = {
    "src/pointsman/__init__.py": ('__version__ = "{}"',),
    "Dockerfile": ('org.opencontainers.image.version="{}"',),
    "deploy/helm/pointsman/Chart.yaml": ("\nversion: {}\n", 'appVersion: "{}"'),
    "deploy/compose/compose.yaml": ("image: pointsman:{}\n", "image: pointsman-emulator:{}\n"),
    "deploy/emulator/statefulset.yaml": ("image: pointsman-emulator:{}\n",),
}
_NUMBER = re.compile(r"\d+\.\d+\.\d+")


def release(texts: Mapping[str, str], old: str, new: str, day: dt.date) -> dict[str, str]:
    """The texts of PLACES, CHANGELOG and UPGRADING, released; ValueError says what is amiss."""
    if not _NUMBER.fullmatch(new):
        raise ValueError(f"{new} is no version: give three numbers, such as 0.2.0")
    if _parts(new) < _parts(old):
        raise ValueError(f"{new} is older than {old}, which this is")
    made: dict[str, str] = {}
    for path, patterns in PLACES.items():
        made[path] = texts[path]
        for pattern in patterns:
            if pattern.format(old) not in made[path]:
                raise ValueError(f"{path} does not name {old} as {pattern!r}")
            made[path] = made[path].replace(pattern.format(old), pattern.format(new))
    changes = texts[CHANGELOG]
    unreleased, _, _ = changes.partition("## [Unreleased]\n")[2].partition("\n## [")
    if not unreleased.strip():
        raise ValueError(f"{CHANGELOG} has nothing under [Unreleased]")
    if f"\n## [{new}]" in changes:
        raise ValueError(f"{CHANGELOG} has {new} already")
    made[CHANGELOG] = changes.replace(
        "## [Unreleased]\n", f"## [Unreleased]\n\n## [{new}] - {day.isoformat()}\n", 1
    )
    notes = texts[UPGRADING]
    if "\n## Unreleased\n" not in notes:
        raise ValueError(f'{UPGRADING} has no "## Unreleased"; what has to be done for {new}?')
    made[UPGRADING] = notes.replace(
        "\n## Unreleased\n", f"\n## Unreleased\n\nNothing has to be done.\n\n## To {new}\n", 1
    )
    return made


def _parts(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m deploy.release", description=__doc__)
    parser.add_argument("version", help="such as 0.2.0")
    version = parser.parse_args().version
    texts = {path: (ROOT / path).read_text("utf-8") for path in (*PLACES, CHANGELOG, UPGRADING)}
    try:
        made = release(texts, __version__, version, dt.datetime.now(dt.UTC).date())
    except ValueError as error:
        parser.error(str(error))
    for path, text in made.items():
        (ROOT / path).write_text(text, encoding="utf-8")
    manifests.main()


if __name__ == "__main__":
    main()
