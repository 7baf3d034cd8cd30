"""Alerts that nobody raised, for those who deliver them."""

from __future__ import annotations

from typing import Any

from streams.alert import Actor, Alert, AlertRule, Evidence, Exposure, File, Status


def alert(number: int = 1, revision: int = 1, **changes: Any) -> Alert:
    """Give a revision of the alert of a number; each says something else."""
    made = Alert(
        id=f"{number:032x}",
        revision=revision,
        status=Status.OPEN,
        rule=AlertRule(
            id="r-1",
            name="many_people_sent_outside",
            title="Many people's data sent outside",
            level="high",
            place="rules/egress/many_people_sent_outside.yml:1:1",
            version="v" * 64,
            tags=["attack.exfiltration", "attack.t1567.002"],
            runbook=["Ask the actor's manager."],
        ),
        group={"outfall.actor.id": f"actor-{number % 10}"},
        reason=f"{revision} of more than 0 people",
        severity="high",
        tier=1,
        page=False,
        pages=0,
        actor=Actor(id=f"actor-{number % 10}", team=f"team-{number % 3}", role="social worker"),
        channels=["web"],
        destinations=["files.example"],
        destination_classes=["cloud storage"],
        verdict="unknown",
        exposure=Exposure(
            people=revision,
            subjects=[f"k1:{each:032x}" for each in range(revision)],
            records=revision,
            categories=["health"],
            vulnerable=True,
            bytes=1000 * revision,
        ),
        files=[File(name="export.xlsx", size=1000)],
        observed=revision,
        threshold="> 0",
        first="2026-03-02T10:00:00Z",
        last=f"2026-03-02T10:{revision % 60:02d}:00Z",
        firings=revision,
        evidence=[
            Evidence(
                id=f"e-{number}",
                time="2026-03-02T10:00:00Z",
                source="proxy",
                stream="s",
                offset=number,
                line=number,
                fields={"url.full": "https://files.example/upload", "user.name": f"actor-{number % 10}"},
            )
        ],
        detected="2026-03-02T10:05:00Z",
        freshness={"proxy": "2026-03-02T10:05:00Z"},
    )
    return made.model_copy(update=changes)
