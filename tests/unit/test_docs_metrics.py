"""docs/metrics.md has every metric, with its type and labels, and no other; so do all pages."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from pointsman.telemetry.families import Families
from pointsman.telemetry.metrics import Metrics
from tests.unit.test_metrics import KNOWN

DOCS = Path(__file__).parents[2] / "docs"


@dataclass(frozen=True, slots=True)
class Described:
    """A metric as the docs or the code have it."""

    kind: str
    labels: tuple[str, ...]


def documented() -> dict[str, Described]:
    rows = re.findall(
        r"^\| `(\w+)` \|([^|]*)\|([^|]*)\|", (DOCS / "metrics.md").read_text(), re.MULTILINE
    )
    names = [name for name, *_ in rows]
    assert len(set(names)) == len(names)
    return {
        name: Described(kind.strip(), tuple(re.findall(r"\w+", labels)))
        for name, kind, labels in rows
    }


def exposed() -> dict[str, Described]:
    """From a fresh page; the labels are those of the code, in its order."""
    labels = {
        metric._name: metric._labelnames
        for metric in vars(Families()).values()
        if hasattr(metric, "_labelnames")
    }
    shown = {}
    for family in Metrics(KNOWN).registry.collect():
        suffix = {"counter": "_total", "info": "_info"}.get(family.type, "")
        of_samples = tuple(family.samples[0].labels) if family.samples else ()
        own = labels.get(family.name, ()) or tuple(one for one in of_samples if one != "le")
        shown[family.name + suffix] = Described(family.type, tuple(sorted(own)))
    return shown


def test_the_docs_have_every_metric_with_its_type_and_labels_and_no_other() -> None:
    page = {
        name: Described(one.kind, tuple(sorted(one.labels))) for name, one in documented().items()
    }

    assert page == exposed()


@pytest.mark.parametrize(
    "line", re.findall(r"^\| `.*$", (DOCS / "metrics.md").read_text(), re.MULTILINE)
)
def test_the_docs_say_of_every_metric_how_replicas_add_up_and_what_it_means(line: str) -> None:
    _, _, _, _, of, meaning, _, _ = (cell.strip() for cell in line.split("|"))

    assert of in {"each", "all", "least"}
    assert meaning


def test_every_metric_that_a_page_names_is_one() -> None:
    histograms = {name for name, one in exposed().items() if one.kind == "histogram"}
    known = exposed().keys() | {f"{name}_bucket" for name in histograms}
    named = {
        name
        for path in DOCS.rglob("*.md")
        for name in re.findall(r"`(pointsman_[a-z0-9_]+)", path.read_text())
    }

    assert named <= known
