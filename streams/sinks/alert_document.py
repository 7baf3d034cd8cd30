"""An alert as a document of Elasticsearch: ECS where that has a field, and all of it below `outfall.alert`.

ECS is the Elastic Common Schema, version 9: https://www.elastic.co/docs/reference/ecs. With
`event.kind: alert` Elastic Security lists the documents among its external alerts; what an exception
suppresses is an `event`.
"""

from __future__ import annotations

import re
from typing import Any

from streams.alert import Alert, Status
from streams.sinks.event_link import event_link

ECS_VERSION = "9.0.0"
RISK = {"informational": 5, "low": 21, "medium": 47, "high": 73, "critical": 99}
"""The numbers that Elastic Security uses for severities; informational is below its scale."""

_TECHNIQUE = re.compile(r"^attack\.(t\d{4}(?:\.\d{3})?)$")
_CATEGORIES = {"file": "file", "email": "email", "web": "web"}


def document(alert: Alert, kibana: str | None = None) -> dict[str, Any]:
    """Give the document of one revision; with Kibana's address it links to its events."""
    content = alert.model_dump(mode="json")
    rule, exposure = alert.rule, alert.exposure
    techniques = [found[1].upper() for tag in rule.tags if (found := _TECHNIQUE.match(tag))]
    categories = {_CATEGORIES[channel] for channel in alert.channels if channel in _CATEGORIES}
    return {
        "@timestamp": alert.last,
        "ecs": {"version": ECS_VERSION},
        "message": f"{rule.title}: {alert.reason}",
        "tags": rule.tags,
        "event": {
            "kind": "event" if alert.suppressed_by else "alert",
            "category": sorted(categories),
            "type": ["info"],
            "module": "outfall",
            "dataset": "outfall.alerts",
            "id": alert.digest(),
            "severity": RISK[alert.severity],
            "risk_score": RISK[alert.severity],
            "start": alert.first,
            "end": alert.last,
            "created": alert.detected,
            "reason": alert.reason,
            **({"url": event_link(kibana, alert)} if kibana and alert.evidence else {}),
        },
        "rule": {"id": rule.id, "name": rule.title, "version": rule.version, "ruleset": "outfall"},
        "threat": {"framework": "MITRE ATT&CK", "technique": {"id": techniques}},
        "user": {"id": [one for one in (alert.actor.id, *alert.actor.several) if one]},
        "destination": {"domain": alert.destinations},
        "outfall": {
            "open": alert.status is Status.OPEN and not alert.suppressed_by,
            "sources": sorted({item.source for item in alert.evidence}),
            "evidence_count": len(alert.evidence),
            "file_count": len(alert.files),
            "file_bytes": sum(file.size or 0 for file in alert.files),
            "subject_count": len(exposure.subjects),
            "alert": content,
        },
    }


def alert_of(source: dict[str, Any]) -> Alert:
    """Give the alert of a document.

    Raises:
        ValidationError: it is none.
    """
    return Alert.model_validate(source["outfall"]["alert"])


def revision_index(prefix: str, alert: Alert) -> str:
    """Give the index of a revision: by the alert's own time, so that the same revision is always in one."""
    year, month = alert.last[:4], alert.last[5:7]
    return f"{prefix}-revisions-{year}.{month}"


def state_index(prefix: str) -> str:
    """Give the index that holds the newest revision of each alert."""
    return f"{prefix}-alerts"


def action_index(prefix: str) -> str:
    """Give the index of what people did about alerts."""
    return f"{prefix}-actions"
