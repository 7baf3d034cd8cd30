"""What the dashboard shows: numbers and graphs, row by row, each with its PromQL.

From top to bottom: does it watch, what comes in, is it fast enough, what do the rules do, what does it hold.
Every expression is tried by the tests against Prometheus's parser and the catalogue of metrics.
"""

from __future__ import annotations

from dataclasses import dataclass

RATE = "$__rate_interval"


@dataclass(frozen=True)
class Graph:
    """Lines over time; `queries` are expressions, each with the name of its lines."""

    title: str
    unit: str
    queries: dict[str, str]
    description: str = ""
    width: int = 8


@dataclass(frozen=True)
class Number:
    """One number as it is now: green, and red where it is at `red` or beyond."""

    title: str
    query: str
    red: float
    red_below: bool = False
    unit: str = "short"
    description: str = ""
    width: int = 4


def per_second(metric: str, *by: str) -> str:
    """Give how much a counter grows in a second, by labels."""
    return f"sum by ({', '.join(by)}) (rate({metric}[{RATE}]))" if by else f"sum(rate({metric}[{RATE}]))"


def quantile(share: float, metric: str, *by: str) -> str:
    """Give what a share of a histogram's values is below, by labels."""
    return f"histogram_quantile({share}, {per_second(metric + '_bucket', *by, 'le')})"


READY = 'outfall_ready{job="outfall"}'

ROWS: dict[str, list[Graph | Number]] = {
    "Does it watch?": [
        Number("Workers that work", f"sum({READY}) or vector(0)", red=0.5, red_below=True),
        Number("Workers that do not", f"count({READY} == 0) or vector(0)", red=1),
        Number(
            "Sources not read",
            "count(max by (source) (outfall_breaker_open) == 1) or vector(0)",
            red=1,
            description="Most of their last records were dead letters.",
        ),
        Number("Rules refused", "max(outfall_rules_refused)", red=1),
        Number(
            "Kinds of workers",
            "count(count by (version, rule_book, configuration) (outfall_build_info))",
            red=2,
            description="More than one: versions, rules or configurations differ.",
        ),
        Number(
            "Oldest record of a source",
            "max(time() - max by (source) (outfall_newest_event_timestamp_seconds))",
            red=3600,
            unit="s",
            description="Since the newest event of the source that is furthest behind.",
        ),
    ],
    "What comes in": [
        Graph(
            "Records",
            "rps",
            {"{{source}} {{outcome}}": per_second("outfall_records_total", "source", "outcome")},
            "By what became of them. Rejected ones are dead letters.",
            width=12,
        ),
        Graph(
            "Age of the newest event",
            "s",
            {"{{source}}": "time() - max by (source) (outfall_newest_event_timestamp_seconds)"},
            "It rises while a source is silent, or delivers late.",
            width=12,
        ),
        Graph(
            "Event time to receipt",
            "s",
            {
                "{{source}}": "max by (source) (outfall_event_time_lag_seconds)",
                "{{source}}, allowed": "max by (source) (outfall_allowed_lateness_seconds)",
            },
            "How long events are under way to us.",
        ),
        Graph(
            "Dead letters",
            "short",
            {
                "{{source}} {{stage}} {{error}}": per_second(
                    "outfall_dead_letters_total", "source", "stage", "error"
                )
            },
        ),
        Graph(
            "Out of the ordinary",
            "short",
            {
                "too late": per_second("outfall_events_late_total"),
                "ahead of the clock, {{source}}": per_second("outfall_events_clock_ahead_total", "source"),
                "read again, {{topic}}": per_second("outfall_events_duplicate_total", "topic"),
                "left out, {{limit}}": per_second("outfall_left_out_total", "limit"),
                "unknown rules": per_second("outfall_unknown_rules_total"),
            },
            "Events a second. Records are read again after a restart; their effect is already there.",
        ),
    ],
    "Is it fast enough?": [
        Graph(
            "Records that wait",
            "short",
            {"{{topic}}": "sum by (topic) (outfall_consumer_lag_records)"},
        ),
        Graph(
            "From append to processed",
            "s",
            {
                "{{stage}}, half": quantile(0.5, "outfall_processing_lag_seconds", "stage"),
                "{{stage}}, 95 of 100": quantile(0.95, "outfall_processing_lag_seconds", "stage"),
            },
        ),
        Graph(
            "Watermarks behind now",
            "s",
            {"{{topic}}": "max by (topic) (time() - outfall_watermark_timestamp_seconds)"},
            "The partition that is furthest behind. Absences and the ends of episodes wait for it.",
        ),
        Graph(
            "Computing a batch",
            "s",
            {"{{stage}}, 95 of 100": quantile(0.95, "outfall_batch_seconds", "stage")},
        ),
        Graph(
            "Waiting for Kafka",
            "s",
            {"{{stage}}, 95 of 100": quantile(0.95, "outfall_produce_seconds", "stage")},
        ),
        Graph(
            "Records in a batch",
            "short",
            {
                "{{stage}}": f"{per_second('outfall_batch_records_sum', 'stage')}"
                f" / {per_second('outfall_batch_records_count', 'stage')}"
            },
        ),
    ],
    "What the rules do": [
        Graph(
            "Matches, the ten most frequent rules",
            "short",
            {"{{rule}}": f"topk(10, {per_second('outfall_matches_total', 'rule')})"},
        ),
        Graph(
            "Firings, the ten most frequent rules",
            "short",
            {"{{rule}}": f"topk(10, {per_second('outfall_firings_total', 'rule')})"},
        ),
        Graph(
            "Alerts and pages in an hour",
            "short",
            {
                "{{severity}} {{status}}": "sum by (severity, status) (increase(outfall_alerts_total[1h]))",
                "pages, {{severity}}": "sum by (severity) (increase(outfall_pages_total[1h]))",
                "shortened": "sum(increase(outfall_alerts_shortened_total[1h]))",
            },
            "Revisions of alerts.",
        ),
        Graph(
            "Suppressed by exceptions, in a day",
            "short",
            {
                "{{exception}}": "sum by (exception) (increase(outfall_alerts_suppressed_total[1d]))",
            },
            "Alerts that there would be but for the exceptions of the rule book.",
            width=12,
        ),
        Graph(
            "Until exceptions and lists end",
            "s",
            {"{{mandate}}": "min by (mandate) (outfall_expiry_timestamp_seconds) - time()"},
            "Below zero they do nothing any more.",
            width=12,
        ),
        Graph(
            "Delivery of alerts",
            "short",
            {
                "{{sink}} {{outcome}}": per_second("outfall_delivered_total", "sink, outcome"),
                "{{sink}} away": "max by (sink) (outfall_sink_away)",
            },
            "Documents and pages; 1 while a sink takes nothing.",
        ),
        Graph(
            "Sent again",
            "short",
            {"{{sink}}: {{reason}}": per_second("outfall_delivery_retries_total", "sink, reason")},
            "What has not been taken yet, and why.",
        ),
        Graph(
            "Until alerts are delivered, 99 of 100",
            "s",
            {
                "{{sink}}": "histogram_quantile(0.99, sum by (sink, le)"
                " (rate(outfall_delivery_seconds_bucket[5m])))"
            },
        ),
        Graph(
            "Rules tried per event",
            "short",
            {
                "rules": per_second("outfall_rules_tried_total")
                + " / "
                + per_second('outfall_records_total{outcome="event"}')
            },
            "Below one: the search for literals spares nearly all of them.",
        ),
        Graph("Rules that fail", "short", {"{{rule}}": per_second("outfall_rule_failures_total", "rule")}),
        Graph(
            "Rules loaded, reloads",
            "short",
            {
                "{{instance}}": "outfall_rules_loaded",
                "reloads {{outcome}}": "sum by (outcome) (increase(outfall_reloads_total[1h]))",
            },
        ),
    ],
    "What it holds": [
        Graph("Memory", "bytes", {"{{instance}}": 'process_resident_memory_bytes{job="outfall"}'}),
        Graph(
            "Processor",
            "percentunit",
            {"{{instance}}": f'rate(process_cpu_seconds_total{{job="outfall"}}[{RATE}])'},
        ),
        Graph(
            "Event loop",
            "s",
            {"{{instance}}": "outfall_beat_age_seconds"},
            "Since it last turned. At 30 seconds a worker counts as stuck.",
        ),
        Graph("Rows of state", "short", {"{{table}}": "sum by (table) (outfall_state_rows)"}),
        Graph("Groups", "short", {"{{topic}}": "sum by (topic) (outfall_groups)"}),
        Graph(
            "State written",
            "Bps",
            {"{{topic}}": per_second("outfall_state_bytes_total", "topic")},
        ),
        Graph(
            "Rows written",
            "short",
            {"{{topic}}": per_second("outfall_state_changes_total", "topic")},
            width=6,
        ),
        Graph(
            "Partitions and rebalances",
            "short",
            {
                "{{instance}} {{topic}}": "outfall_partitions",
                "rebalances in an hour": "max(increase(outfall_rebalances_total[1h]))",
            },
            width=6,
        ),
        Graph(
            "Reading state back",
            "s",
            {
                "{{topic}}": "sum by (topic) (increase(outfall_restore_seconds_sum[1h]))"
                " / sum by (topic) (increase(outfall_restore_seconds_count[1h]))",
            },
            "Mean of the last hour.",
            width=6,
        ),
        Graph(
            "Rows read back",
            "short",
            {"{{topic}}": per_second("outfall_restored_rows_total", "topic")},
            width=6,
        ),
    ],
}


def queries() -> list[str]:
    """Give every expression of the dashboard."""
    panels = [panel for row in ROWS.values() for panel in row]
    return [
        expression
        for panel in panels
        for expression in ([panel.query] if isinstance(panel, Number) else panel.queries.values())
    ]
