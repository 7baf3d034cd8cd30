"""The dashboard of outfall for operators, as source: run as a program it writes `outfall.json` beside it."""

from __future__ import annotations

from itertools import count
from pathlib import Path
from string import ascii_uppercase

from grafana_foundation_sdk.builders import common, stat, timeseries
from grafana_foundation_sdk.builders.dashboard import Dashboard, DatasourceVariable, Row, ThresholdsConfig
from grafana_foundation_sdk.builders.prometheus import Dataquery
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.common import LegendDisplayMode, LegendPlacement, VisibilityMode
from grafana_foundation_sdk.models.dashboard import (
    DashboardCursorSync,
    DataSourceRef,
    Threshold,
    ThresholdsMode,
)
from panels import ROWS, Graph, Number

FILE = Path(__file__).with_name("outfall.json")
PROMETHEUS = DataSourceRef(type_val="prometheus", uid="${datasource}")


def graph(panel: Graph) -> timeseries.Panel:
    """Make a graph's panel."""
    made = (
        timeseries.Panel()
        .title(panel.title)
        .description(panel.description)
        .datasource(PROMETHEUS)
        .unit(panel.unit)
        .min(0)
        .span(panel.width)
        .height(8)
        .fill_opacity(10)
        .show_points(VisibilityMode.NEVER)
        .legend(
            common.VizLegendOptions()
            .display_mode(LegendDisplayMode.LIST)
            .placement(LegendPlacement.BOTTOM)
            .show_legend(show_legend=True)
        )
    )
    for name, (legend, expression) in zip(ascii_uppercase, panel.queries.items(), strict=False):
        made.with_target(
            Dataquery().expr(expression).legend_format(legend).ref_id(name).datasource(PROMETHEUS).range()
        )
    return made


def number(panel: Number) -> stat.Panel:
    """Make a number's panel."""
    low, high = ("red", "green") if panel.red_below else ("green", "red")
    steps = [Threshold(color=low, value=None), Threshold(color=high, value=panel.red)]
    return (
        stat.Panel()
        .title(panel.title)
        .description(panel.description)
        .datasource(PROMETHEUS)
        .unit(panel.unit)
        .span(panel.width)
        .height(4)
        .thresholds(ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps))
        .with_target(Dataquery().expr(panel.query).ref_id("A").datasource(PROMETHEUS).instant())
    )


def dashboard() -> str:
    """Give the dashboard as Grafana imports it."""
    made = (
        Dashboard("outfall")
        .uid("outfall")
        .description("Whether outfall watches, and how it does. What it finds is in Kibana.")
        .tags(["outfall"])
        .readonly()
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .time("now-6h", "now")
        .timezone("browser")
        .refresh("1m")
        .with_variable(DatasourceVariable("datasource").label("Prometheus").type("prometheus"))
    )
    ids = count(1)
    for title, panels in ROWS.items():
        made.with_row(Row(title).id(next(ids)))
        for panel in panels:
            shown = number(panel) if isinstance(panel, Number) else graph(panel)
            made.with_panel(shown.id(next(ids)))
    return JSONEncoder(sort_keys=True, indent=2).encode(made.build()) + "\n"


if __name__ == "__main__":
    FILE.write_text(dashboard(), encoding="utf-8")
