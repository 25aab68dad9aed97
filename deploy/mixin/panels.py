"""Panels and dashboards as Grafana's own types, with what all of ours have in common."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from grafana_foundation_sdk.builders import common as common_builders
from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.builders import prometheus, stat, timeseries
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import common
from grafana_foundation_sdk.models import dashboard as models
from grafana_foundation_sdk.models.prometheus import PromQueryFormat, QueryEditorMode

TAG = "pointsman"
#: what the variables choose, for the metrics of a replica
CHOSEN = 'namespace=~"$namespace",instance=~"$instance"'
#: the same where a metric has a source
OF_SOURCE = f'{CHOSEN},source=~"$source"'
#: as long as Grafana says that a rate needs
WINDOW = "$__rate_interval"

_SOURCE = models.DataSourceRef(type_val="prometheus", uid="${datasource}")
_REF_IDS = "ABCDEFGH"
_HEIGHT = 8
_STAT_HEIGHT = 4

Panel = Builder[models.Panel]


@dataclass(frozen=True, slots=True)
class Query:
    """`legend` is Grafana's template; with `exemplars` the points carry statement ids."""

    expr: str
    legend: str
    exemplars: bool = False


def graph(
    title: str,
    description: str,
    unit: str,
    *queries: Query,
    stacked: bool = False,
    width: int = 12,
) -> Panel:
    panel = (
        timeseries.Panel()
        .title(title)
        .description(description)
        .datasource(_SOURCE)
        .unit(unit)
        .min(0)
        .height(_HEIGHT)
        .span(width)
        .fill_opacity(20 if stacked else 5)
        .show_points(common.VisibilityMode.NEVER)
        .tooltip(
            common_builders.VizTooltipOptions()
            .mode(common.TooltipDisplayMode.MULTI)
            .sort(common.SortOrder.DESCENDING)
        )
        .legend(
            common_builders.VizLegendOptions()
            .display_mode(common.LegendDisplayMode.LIST)
            .placement(common.LegendPlacement.BOTTOM)
            .show_legend(True)
        )
        .targets([_target(query, ref_id) for query, ref_id in zip(queries, _REF_IDS, strict=False)])
    )
    if stacked:
        panel.stacking(common_builders.StackingConfig().mode(common.StackingMode.NORMAL))
    return panel


def number(
    title: str,
    description: str,
    unit: str,
    expr: str,
    *,
    legend: str = "",
    steps: Sequence[tuple[float, str]] = (),
    text: common.BigValueTextMode = common.BigValueTextMode.AUTO,
    width: int = 4,
) -> Panel:
    """One number; `steps` are the values from which on it is shown in a colour."""
    thresholds = [
        models.Threshold(color="green"),
        *(models.Threshold(value=value, color=color) for value, color in steps),
    ]
    return (
        stat.Panel()
        .title(title)
        .description(description)
        .datasource(_SOURCE)
        .unit(unit)
        .height(_STAT_HEIGHT)
        .span(width)
        .text_mode(text)
        .reduce_options(common_builders.ReduceDataOptions().calcs(["lastNotNull"]).values(False))
        .thresholds(
            builders.ThresholdsConfig().mode(models.ThresholdsMode.ABSOLUTE).steps(thresholds)
        )
        .targets([_target(Query(expr, legend), "A")])
    )


def _target(query: Query, ref_id: str) -> prometheus.Dataquery:
    return (
        prometheus.Dataquery()
        .datasource(_SOURCE)
        .expr(query.expr)
        .legend_format(query.legend)
        .format(PromQueryFormat.TIME_SERIES)
        .editor_mode(QueryEditorMode.CODE)
        .range()
        .exemplar(query.exemplars)
        .ref_id(ref_id)
    )


def dashboard(
    name: str, description: str, rows: Sequence[tuple[str, Sequence[Panel]]]
) -> models.Dashboard:
    """`name` is one word; the panels of a row stand side by side, 24 columns wide."""
    board = (
        builders.Dashboard(f"pointsman / {name}")
        .uid(f"pointsman-{name}")
        .description(description)
        .tags([TAG])
        .timezone("browser")
        .editable()
        .refresh("30s")
        .time("now-3h", "now")
        .tooltip(models.DashboardCursorSync.CROSSHAIR)
        .link(
            builders.DashboardLink("pointsman")
            .type(models.DashboardLinkType.DASHBOARDS)
            .tags([TAG])
            .as_dropdown(False)
            .include_vars(True)
            .keep_time(True)
        )
        .variables(_variables())
    )
    for title, panels in rows:
        board.with_row(builders.Row(title))
        for panel in panels:
            board.with_panel(panel)
    built = board.build()
    for number_, panel_ in enumerate(built.panels or [], start=1):
        panel_.id_val = number_
    return built


def _variables() -> list[Builder[models.VariableModel]]:
    everything = models.VariableOption(text="All", value="$__all")
    metric = "pointsman_build_info"
    asked = {
        "namespace": f"label_values({metric}, namespace)",
        "instance": f'label_values({metric}{{namespace=~"$namespace"}}, instance)',
        "source": f"label_values(pointsman_inputs_total{{{CHOSEN}}}, source)",
    }
    return [
        builders.DatasourceVariable("datasource").label("Data source").type("prometheus"),
        *(
            builders.QueryVariable(name)
            .label(name.capitalize())
            .datasource(_SOURCE)
            .query(query)
            .refresh(models.VariableRefresh.ON_TIME_RANGE_CHANGED)
            .sort(models.VariableSort.ALPHABETICAL_ASC)
            .multi(True)
            .include_all(True)
            # a daemon outside of Kubernetes has no namespace, and ".*" takes that too
            .all_value(".*")
            .current(everything)
            for name, query in asked.items()
        ),
    ]
