"""A small council's configuration folder, and events to enrich with it."""

from __future__ import annotations

import base64
import datetime as dt
from pathlib import Path
from typing import Any

from streams.enrich import Enricher
from streams.enrich.load import load
from streams.event import NANOSECONDS, Event, Fields, Origin

KEY = "k1:" + base64.b64encode(bytes(range(32))).decode()
DAY = 24 * 3600 * NANOSECONDS
NOON = int(dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC).timestamp()) * NANOSECONDS

HEADER = (
    "id,accounts,emails,team,role,service_account,notice_date,leaver_date,private_addresses,caseload_exempt\n"
)
SMITH = (
    r"E1001,BOROUGH\jsmith;S-1-5-21-1-2-3-1104,j.smith@borough.example;jo.smith@borough.example,Adult Care,"
    "Social Worker,,2026-03-01,2026-03-31,jo.s.home@mail.example;203.0.113.9;smiths-pc.dyn.example,\n"
)
OTHERS = r"""E1002,BOROUGH\apatel,a.patel@borough.example,Adult Care,Team Manager,false,,,,true
E1003,BOROUGH\bkent,b.kent@borough.example,Finance,Officer,,,2026-02-01,,
S2001,svc-backup,,IT,Backup,true,,,,
E1004,SCHOOLS\rlee,r.lee@schools.example,Schools,Teacher,,,,,
E1005,BOROUGH\rlee,,Adult Care,Social Worker,,,,,
"""
DESTINATIONS = """
internal_domains = ["borough.example", "borough-tenant.example"]
internal_networks = ["10.0.0.0/8"]

[[partner]]
name = "Hospital Trust"
agreement = "ISA-7"
expires = 2026-03-10
limit = 50
domains = ["trust.example"]
addresses = ["referrals@post.example", "198.51.100.20"]
data_categories = ["care"]

[[partner]]
name = "Police"
agreement = "ISA-9"
domains = ["police.example"]

[classes]
"files.office.example" = "internal"
"vault.example" = "cloud_storage"
"""
SUBJECTS = """
[[pattern]]
name = "NHS number in a path or URL"
fields = ["file.path", "file.name", "url.full"]
regex = '(?<![0-9])(?P<subject>[0-9]{3}[ -]?[0-9]{3}[ -]?[0-9]{4})(?![0-9])'
validate = "nhs"
categories = ["health"]

[[pattern]]
name = "Case record"
fields = ["url.full"]
regex = '/case/(?P<record>CR-[0-9]{4,9})(?:/person/(?P<subject>P[0-9]+))?'
categories = ["care"]
vulnerable = true
channels = ["web"]

[[pattern]]
name = "National Insurance number"
fields = ["email.subject"]
regex = '(?P<subject>[A-Za-z]{2} ?[0-9]{2} ?[0-9]{2} ?[0-9]{2} ?[A-D])'
validate = "nino"
"""
CASELOAD = """actor,subject
BOROUGH\\jsmith,943 476 5919
j.smith@borough.example,P7
E1002,P9
"""
FILES = {
    "directory.csv": HEADER + SMITH + OTHERS,
    "destinations.toml": DESTINATIONS,
    "subjects.toml": SUBJECTS,
    "caseload.csv": CASELOAD,
}


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, content in files.items():
        (folder / name).write_text(content, encoding="utf-8")
    return folder


def enricher(folder: Path, files: dict[str, str] | None = None, **options: Any) -> Enricher:
    return Enricher(load(write(folder, FILES if files is None else files), key=KEY), **options)


def event(fields: Fields, *, time: int = NOON, id: str = "e1") -> Event:  # noqa: A002 - the field's name
    return Event(id, time, dict(fields), Origin("source", "stream", 0, 0))


def enriched(engine: Enricher, fields: Fields, *, time: int = NOON) -> Fields:
    return engine.enrich(event(fields, time=time), None)[0].fields
