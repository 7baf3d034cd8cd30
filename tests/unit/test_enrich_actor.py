from __future__ import annotations

from pathlib import Path

import pytest
from enrich_folder import DAY, DESTINATIONS, FILES, NOON, enriched, enricher

from streams.event import Fields


@pytest.mark.parametrize(
    "fields",
    [
        {"user.name": "jsmith", "user.domain": "BOROUGH"},
        {"user.name": "JSmith"},
        {"user.name": "BOROUGH\\jsmith"},
        {"user.name": "jsmith", "user.domain": "borough.example"},
        {"user.email": "J.Smith@Borough.Example"},
        {"user.name": "jo.smith@borough.example"},
        {"user.name": "jsmith@borough-tenant.example"},
        {"user.name": "j.smith"},
        {"user.id": "S-1-5-21-1-2-3-1104"},
        {"user.name": "whatever", "user.domain": "ELSEWHERE", "user.id": "s-1-5-21-1-2-3-1104"},
        {"user.name": "e1001"},
        {"outfall.channel": "email", "email.from.address": "j.smith@borough.example"},
        {"outfall.channel": "email", "email.from.address": "a.patel@borough.example", "user.name": "jsmith"},
        {
            "outfall.channel": "email",
            "email.from.address": "j.smith@borough.example",
            "user.name": "DlpAgent",
        },
        {
            "outfall.channel": "email",
            "email.direction": "inbound",
            "email.from.address": "j.smith@borough.example",
            "user.email": "a.patel@borough.example",
        },
    ],
)
def test_every_spelling_leads_to_the_directorys_id(tmp_path: Path, fields: Fields) -> None:
    found = enriched(enricher(tmp_path), fields)
    assert found["outfall.actor.id"] == "E1001"
    assert found["outfall.actor.known"] is True
    assert found["outfall.actor.kind"] == "person"
    assert found["outfall.actor.team"] == "Adult Care"
    assert found["outfall.actor.role"] == "Social Worker"


@pytest.mark.parametrize(
    ("fields", "actor"),
    [
        ({"user.name": "mjones", "user.domain": "BOROUGH"}, "mjones"),
        ({"user.name": "MJones"}, "mjones"),
        ({"user.email": "mjones@mail.borough.example"}, "mjones"),
        ({"user.email": "M.Jones@Other.Example", "user.name": "m.jones"}, "m.jones@other.example"),
        ({"user.id": "S-1-5-21-9-9-9-500"}, "S-1-5-21-9-9-9-500"),
        ({"user.name": "S-1-5-21-9-9-9-500"}, "S-1-5-21-9-9-9-500"),
        ({"outfall.channel": "email", "email.from.address": "someone@else.example"}, "someone@else.example"),
        ({"outfall.channel": "web", "source.ip": "10.1.2.3", "user.name": "-"}, "ip:10.1.2.3"),
    ],
)
def test_without_an_entry_the_normal_form_is_the_actor(tmp_path: Path, fields: Fields, actor: str) -> None:
    for files in (FILES, {"destinations.toml": DESTINATIONS}):
        found = enriched(enricher(tmp_path, files), fields)
        assert found["outfall.actor.id"] == actor
        assert found["outfall.actor.known"] is False
        assert "outfall.actor.team" not in found


@pytest.mark.parametrize(
    ("fields", "actor"),
    [
        ({"user.name": "jsmith", "user.domain": "SCHOOLS"}, "schools\\jsmith"),
        ({"user.name": "rlee"}, "rlee"),
        ({"user.email": "rlee@borough.example"}, "rlee@borough.example"),
    ],
)
def test_nobody_is_blamed_for_another_ones_account(tmp_path: Path, fields: Fields, actor: str) -> None:
    found = enriched(enricher(tmp_path), fields)
    assert (found["outfall.actor.id"], found["outfall.actor.known"]) == (actor, False)


@pytest.mark.parametrize(("domain", "actor"), [("SCHOOLS", "E1004"), ("BOROUGH", "E1005")])
def test_the_same_name_in_two_domains_is_two_people(tmp_path: Path, domain: str, actor: str) -> None:
    assert (
        enriched(enricher(tmp_path), {"user.name": "rlee", "user.domain": domain})["outfall.actor.id"]
        == actor
    )


@pytest.mark.parametrize(
    "fields",
    [
        {"user.name": "WS-0417$", "user.domain": "BOROUGH"},
        {"user.name": "SYSTEM", "user.domain": "NT AUTHORITY"},
        {"user.name": "LOCAL SERVICE"},
        {"user.name": "Système", "user.id": "S-1-5-18"},
        {"user.name": "DWM-1", "user.domain": "Window Manager"},
        {"user.name": "svc-backup", "user.domain": "BOROUGH"},
        {"user.name": "app@sharepoint"},
    ],
)
def test_services_are_no_persons(tmp_path: Path, fields: Fields) -> None:
    found = enriched(enricher(tmp_path), fields)
    assert found["outfall.actor.kind"] == "service"
    assert found["outfall.actor.id"]


@pytest.mark.parametrize(
    ("user", "days", "leaver"),
    [
        ("jsmith", -2, False),
        ("jsmith", -1, True),
        ("jsmith", 60, True),
        ("bkent", -30, False),
        ("bkent", -29, True),
    ],
)
def test_a_leaver_is_one_from_the_day_of_notice_or_of_leaving(
    tmp_path: Path, user: str, days: int, leaver: bool
) -> None:
    found = enriched(enricher(tmp_path), {"user.name": user}, time=NOON + days * DAY)
    assert found["outfall.actor.leaver"] is leaver
    assert found["outfall.actor.leaves"] == {"jsmith": "2026-03-31", "bkent": "2026-02-01"}[user]


def test_an_event_that_names_nobody_has_no_actor(tmp_path: Path) -> None:
    found = enriched(enricher(tmp_path), {"outfall.channel": "file", "source.ip": "10.1.2.3"})
    assert "outfall.actor.id" not in found
