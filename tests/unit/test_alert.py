"""An alert too large for a message: its copy says so, keeps its numbers, and fits."""

from __future__ import annotations

import pytest

from streams.alert import Actor, Alert, AlertRule, Evidence, Exposure, Status


def alert(evidence: int, subjects: int) -> Alert:
    return Alert(
        id="a" * 32,
        revision=1,
        status=Status.OPEN,
        rule=AlertRule(id="r", name="r", title="R", level="high", place="r.yml:1:1", version="v"),
        group={},
        reason="reason",
        severity="high",
        tier=1,
        page=False,
        pages=0,
        actor=Actor(id="alice"),
        channels=[],
        destinations=[],
        destination_classes=[],
        verdict=None,
        exposure=Exposure(
            people=subjects,
            subjects=[f"k1:{number:032x}" for number in range(subjects)],
            records=0,
            categories=[],
            vulnerable=False,
            bytes=0,
        ),
        files=[],
        observed=evidence,
        threshold="> 1",
        first="2026-03-02T10:00:00Z",
        last="2026-03-02T10:00:00Z",
        firings=1,
        evidence=[
            Evidence(
                id=str(number),
                time="2026-03-02T10:00:00Z",
                source="proxy",
                stream="s",
                offset=number,
                line=number,
                fields={"url.full": "ü" * 200},
            )
            for number in range(evidence)
        ],
    )


def test_one_that_fits_stays_as_it_is() -> None:
    small = alert(10, 10)
    assert small.fitted(1_000_000) is small


@pytest.mark.parametrize(("evidence", "subjects"), [(5000, 10), (10, 50_000), (5000, 50_000), (0, 50_000)])
def test_one_that_does_not_fit_is_shortened(evidence: int, subjects: int) -> None:
    large = alert(evidence, subjects)
    copy = large.fitted(200_000)
    assert 80_000 < len(copy.model_dump_json().encode()) <= 200_000
    assert copy.shortened
    assert (copy.exposure.people, copy.observed) == (subjects, evidence)
    assert copy.evidence == large.evidence[: len(copy.evidence)]
