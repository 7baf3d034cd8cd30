"""The way from an alert to the events that it is made of, in Kibana's Discover.

Kibana keeps its state in the address, in Rison (https://github.com/Nanonid/rison): `_a` has the data view and
the query in KQL (https://www.elastic.co/docs/explore-analyze/query-filter/languages/kql), `_g` the time.
"""

from __future__ import annotations

from urllib.parse import quote

from streams.alert import Alert

DATA_VIEW = "outfall-events"
"""The id of the data view in `dashboards/outfall.ndjson`, whatever the indices' names begin with."""
MOST = 100
"""Events that a link names; addresses must not become too long."""


def event_link(kibana: str, alert: Alert) -> str:
    """Give the address that shows the first events of an alert, of which it has some, the oldest first."""
    ids = " or ".join(_kql(one.id) for one in alert.evidence[:MOST])
    moments = [one.time for one in alert.evidence[:MOST]]
    span = f"(time:(from:{_rison(min(moments))},to:{_rison(max(moments))}))"
    query = f"(language:kuery,query:{_rison(f'_id: ({ids})')})"
    state = f"(index:{DATA_VIEW},query:{query},sort:!(!({_rison('@timestamp')},asc)))"
    return f"{kibana}/app/discover#/?_g={_address(span)}&_a={_address(state)}"


def _kql(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _rison(text: str) -> str:
    escaped = text.replace("!", "!!").replace("'", "!'")
    return f"'{escaped}'"


def _address(text: str) -> str:
    return quote(text, safe="!'(),:@")
