"""Routes: all that must meet counts in one partition, whatever the groups."""

from __future__ import annotations

import pytest

from streams.detect.load import RuleBook, loads
from streams.rule import Correlation
from streams.stages.route import Router

PARTITIONS = 64

RULES = """
title: Egress
name: egress
id: 7a3cf5c2-30a9-4d5b-9a2b-0c4f1f0b7f01
logsource: {category: egress, product: outfall}
detection: {data: {outfall.subjects.id|exists: true}, condition: data}
---
title: Many people
name: many_people
id: 7a3cf5c2-30a9-4d5b-9a2b-0c4f1f0b7f02
correlation:
  type: value_count
  rules: [egress]
  group-by: [outfall.actor.id, outfall.channel]
  timespan: 2h
  condition: {gt: 20, field: outfall.subjects.id}
---
title: To one place
name: to_one_place
id: 7a3cf5c2-30a9-4d5b-9a2b-0c4f1f0b7f03
correlation:
  type: event_count
  rules: [egress]
  group-by: [outfall.destination.name]
  timespan: 2h
  condition: {gt: 20}
---
title: Bursts to one place
name: bursts
id: 7a3cf5c2-30a9-4d5b-9a2b-0c4f1f0b7f04
correlation:
  type: event_count
  rules: [finer]
  group-by: [outfall.destination.name]
  timespan: 1d
  condition: {gt: 2}
---
title: Bursts of one host to one place
name: finer
id: 7a3cf5c2-30a9-4d5b-9a2b-0c4f1f0b7f05
correlation:
  type: event_count
  rules: [egress]
  group-by: [outfall.destination.name, host.name]
  timespan: 1h
  condition: {gt: 5}
---
title: Altogether
name: altogether
id: 7a3cf5c2-30a9-4d5b-9a2b-0c4f1f0b7f06
correlation:
  type: event_count
  rules: [egress]
  timespan: 1h
  condition: {gt: 1000}
"""


@pytest.fixture(scope="module")
def book() -> RuleBook:
    found = loads(RULES)
    assert not found.refused
    return found


@pytest.fixture(scope="module")
def router(book: RuleBook) -> Router:
    return Router([one.rule for one in book.detections], book.correlations, PARTITIONS)


def correlation(book: RuleBook, name: str) -> Correlation:
    return next(one for one in book.correlations if one.rule.name == name)


def test_what_is_grouped_by_the_actor_meets_at_the_actor(book: RuleBook, router: Router) -> None:
    many = correlation(book, "many_people")
    of_alice = {
        router.partition(many, {"outfall.actor.id": "alice", "outfall.channel": channel})
        for channel in ("email", "web", "print")
    }
    assert len(of_alice) == 1, "her breach pages once over all"
    assert {router.partition(many, {"outfall.actor.id": "Alice", "outfall.channel": "web"})} == of_alice


def test_groups_spread(book: RuleBook, router: Router) -> None:
    place = correlation(book, "to_one_place")
    used = {router.partition(place, {"outfall.destination.name": f"host{n}.example"}) for n in range(1000)}
    assert len(used) == PARTITIONS


def test_a_correlation_and_the_one_that_counts_its_firings_meet(book: RuleBook, router: Router) -> None:
    bursts, finer = correlation(book, "bursts"), correlation(book, "finer")
    for number in range(100):
        name = f"host{number}.example"
        expected = router.partition(bursts, {"outfall.destination.name": name})
        for host in ("a", "b"):
            group = {"outfall.destination.name": name, "host.name": host}
            assert router.partition(finer, group) == expected


def test_an_event_reaches_every_partition_that_counts_it(book: RuleBook, router: Router) -> None:
    egress = book.detections[0].rule
    fields = {
        "outfall.actor.id": "alice",
        "outfall.channel": "email",
        "outfall.destination.name": ["a.example", "b.example"],
        "host.name": "h",
    }
    expected = {router.partition(correlation(book, "altogether"), {})}
    expected.add(
        router.partition(
            correlation(book, "many_people"), {"outfall.actor.id": "alice", "outfall.channel": "email"}
        )
    )
    for name in ("a.example", "b.example"):
        group = {"outfall.destination.name": name, "host.name": "h"}
        expected |= {
            router.partition(correlation(book, which), group) for which in ("to_one_place", "bursts", "finer")
        }
    assert router.partitions(fields, [egress]) == expected


def test_an_event_without_a_group_goes_where_it_still_counts(book: RuleBook, router: Router) -> None:
    assert router.partitions({}, [book.detections[0].rule]) == {
        router.partition(correlation(book, "altogether"), {})
    }
