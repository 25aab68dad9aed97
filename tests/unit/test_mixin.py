"""The mixin: what is committed is what it renders, and it names only what there is."""

from __future__ import annotations

import json
import re
from itertools import combinations, pairwise
from typing import Any

import pytest
import yaml
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

from deploy.mixin.objective import PERIOD, TARGET, WITHIN
from deploy.mixin.render import render
from pointsman.telemetry.families import Families
from tests.support.dashboards import FILES, PanelQuery, queries, read, selectors
from tests.support.promtool import MIXIN, RULES

NAMES = [path.stem for path in FILES]
_SUFFIXES = {
    "counter": ("_total",),
    "gauge": ("",),
    "histogram": ("_bucket", "_count", "_sum"),
    "info": ("_info",),
}


def rules() -> list[dict[str, Any]]:
    groups = [one for name in RULES for one in yaml.safe_load((MIXIN / name).read_text())["groups"]]
    return [rule for group in groups for rule in group["rules"]]


def test_what_is_committed_is_what_the_mixin_renders() -> None:
    committed = {
        str(path.relative_to(MIXIN)): path.read_text()
        for path in [*MIXIN.glob("*.yaml"), *(MIXIN / "dashboards_out").iterdir()]
    }

    assert committed == render(), "run: python -m deploy.mixin"


@pytest.mark.parametrize("expr", [*(one["expr"] for one in rules()), *(q.expr for q in queries())])
def test_alerts_rules_and_panels_ask_for_metrics_that_exist(expr: str) -> None:
    series = {
        family.name + suffix
        for family in Families().registry.collect()
        for suffix in _SUFFIXES[family.type]
    }

    assert {selector.partition("{")[0] for selector in selectors(expr)} <= series


def test_what_rules_record_is_what_alerts_and_panels_ask_for() -> None:
    recorded = {rule["record"] for rule in rules() if "record" in rule}
    exprs = [*(rule["expr"] for rule in rules()), *(query.expr for query in queries())]
    asked = {name for expr in exprs for name in re.findall(r"\bnamespace_job:[\w:]+", expr)}

    assert asked == recorded


def test_the_objective_is_a_bucket_of_the_histogram() -> None:
    metric = Families().completion
    metric.observe(1)
    (family,) = metric.collect()

    assert WITHIN in {sample.labels.get("le") for sample in family.samples}
    assert (TARGET, WITHIN, PERIOD) == (0.999, "60.0", "30d")


@pytest.mark.parametrize(
    "rule", [one for one in rules() if "alert" in one], ids=lambda rule: str(rule["alert"])
)
def test_an_alert_says_how_bad_it_is_what_it_means_and_what_to_do(rule: dict[str, Any]) -> None:
    page = (MIXIN.parents[1] / "docs" / "runbook.md").read_text()
    anchors = {
        re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
        for title in re.findall(r"^#+ (.+)$", page, re.MULTILINE)
    }
    notes = rule["annotations"]
    path, _, anchor = notes["runbook_url"].partition("#")

    assert rule["labels"]["severity"] in {"critical", "warning", "info"}
    assert notes["summary"]
    assert len(notes["description"]) > 40
    assert path == "docs/runbook.md"
    assert anchor in anchors


def test_the_runbook_can_be_published_anywhere() -> None:
    text = render("https://wiki.example.com/pointsman")["prometheus_alerts.yaml"]

    assert "runbook_url: https://wiki.example.com/pointsman#pointsmanthrottled" in text


def test_there_are_the_four_dashboards_and_each_links_to_the_others() -> None:
    assert NAMES == ["budget", "flow", "health", "players"]
    for board in map(read, NAMES):
        (link,) = board["links"]
        assert link["type"] == "dashboards"
        assert link["tags"] == board["tags"] == ["pointsman"]
        assert link["includeVars"]
        assert link["keepTime"]
    assert len({read(name)["uid"] for name in NAMES}) == len(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_dashboard_is_one_of_grafanas_and_loses_nothing_when_it_is_read(name: str) -> None:
    register_default_plugins()
    board = read(name)

    again = Dashboard.from_json(json.loads(json.dumps(board)))

    assert json.loads(json.dumps(again, cls=JSONEncoder)) == board


@pytest.mark.parametrize("name", NAMES)
def test_the_panels_of_a_dashboard_have_ids_and_places_of_their_own(name: str) -> None:
    panels = read(name)["panels"]
    ids = [panel["id"] for panel in panels]
    cells = [
        {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        for at in (panel["gridPos"] for panel in panels)
    ]

    assert len(set(ids)) == len(ids)
    assert all(not one & other for one, other in combinations(cells, 2))
    assert all(x < 24 for cell in cells for x, _ in cell)
    for row, panel in pairwise(panels):
        assert not (row["type"] == "row" and panel["type"] == "row"), "a row without panels"


@pytest.mark.parametrize("query", queries(), ids=str)
def test_a_query_uses_variables_that_there_are(query: PanelQuery) -> None:
    variables = {one["name"] for one in read(query.dashboard)["templating"]["list"]}

    assert variables == {"datasource", "namespace", "instance", "source"}
    assert set(re.findall(r"\$(\w+)", query.expr)) <= variables | {"__rate_interval"}


@pytest.mark.parametrize("name", NAMES)
def test_a_panel_says_what_it_shows_and_in_which_unit(name: str) -> None:
    for panel in read(name)["panels"]:
        if panel["type"] != "row":
            assert len(panel["description"]) > 8, panel["title"]
            assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]
            assert panel["datasource"]["uid"] == "${datasource}"
