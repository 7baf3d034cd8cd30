"""The simulated council's configuration: directory, caseloads, partners, patterns, key, the settings."""

from __future__ import annotations

import base64
import csv
import io
from pathlib import Path

from streams.simulate.council import Council
from streams.simulate.partners import Partner
from streams.simulate.people import DOMAIN, WINDOWS_DOMAIN, Person
from streams.simulate.sources import SOURCES
from streams.simulate.sources.m365 import TENANT

_DIRECTORY = (
    "id", "accounts", "emails", "team", "role", "service_account", "notice_date", "leaver_date",
    "private_addresses", "caseload_exempt",
)  # fmt: skip

_SUBJECTS = r"""# Where people and records are named outside the case system's own audit.

[[pattern]]
name = "council_person"
fields = ["file.name", "file.path", "email.subject", "email.attachments.file.name", "url.path"]
regex = '(?<![A-Za-z0-9])(?P<subject>P-[0-9]{7})(?![0-9])'
categories = ["care"]

[[pattern]]
name = "nhs_number"
fields = ["file.name", "email.subject", "email.attachments.file.name"]
regex = '(?<![0-9])(?P<subject>[0-9]{10})(?![0-9])'
validate = "nhs"
categories = ["health"]

[[pattern]]
name = "case_record"
fields = ["file.name", "file.path", "email.subject", "email.attachments.file.name"]
regex = '(?<![A-Za-z0-9])(?P<record>CR-[0-9]{6})(?![0-9])'
categories = ["care"]

[[pattern]]
name = "employee_number"
fields = ["file.name", "email.subject", "email.attachments.file.name"]
regex = '(?<![A-Za-z0-9])(?P<subject>E-[0-9]{6})(?![0-9])'
categories = ["financial"]
"""


def write_config(folder: Path, council: Council, rules: Path) -> None:
    """Write `config/` and the settings for both shells into a folder; `rules` is where the rules lie."""
    config = folder / "config"
    config.mkdir(parents=True, exist_ok=True)
    everybody = [*council.staff, *council.services.values()]
    _write(config / "directory.csv", _csv([_DIRECTORY, *map(_entry, everybody)]))
    cases = [(person.id, client.person) for person in council.staff for client in person.caseload]
    _write(config / "caseload.csv", _csv([("actor", "subject"), *cases]))
    _write(config / "destinations.toml", _destinations(council))
    _write(config / "subjects.toml", _SUBJECTS)
    secret = council.random("pseudonym key").randbytes(32)
    _write(config / "pseudonym.key", f"k1:{base64.b64encode(secret).decode()}\n")
    common = _settings(rules)
    _write(folder / "outfall.toml", common + _files())
    _write(folder / "live.toml", common + _topics())


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")


def _csv(rows: list[tuple[str, ...]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def _entry(person: Person) -> tuple[str, ...]:
    return (
        person.id,
        f"{WINDOWS_DOMAIN}\\{person.id}",
        person.email,
        person.team,
        person.role,
        _truth(person.service),
        person.notice.isoformat() if person.notice else "",
        person.leaves.isoformat() if person.leaves else "",
        person.private if person.private_known else "",
        _truth(person.exempt),
    )


def _truth(value: bool) -> str:
    return "true" if value else "false"


def _destinations(council: Council) -> str:
    own = ", ".join(f'"{domain}"' for domain in (DOMAIN, f"{TENANT}.sharepoint.com"))
    head = f'# Where content may go.\n\ninternal_domains = [{own}]\ninternal_networks = ["10.0.0.0/8"]\n'
    return (
        head
        + "".join(map(_partner, council.partners))
        + '\n[classes]\n"send-large.example" = "cloud_storage"\n'
    )


def _partner(partner: Partner) -> str:
    categories = ", ".join(f'"{category}"' for category in partner.categories)
    limit = "" if partner.limit is None else f"limit = {partner.limit}\n"
    return (
        "\n[[partner]]\n"
        f'name = "{partner.name}"\n'
        f'agreement = "{partner.agreement}"\n'
        f"expires = {partner.expires.isoformat()}\n"
        f"{limit}"
        f'domains = ["{partner.domain}"]\n'
        "addresses = []\n"
        f"data_categories = [{categories}]\n"
    )


def _settings(rules: Path) -> str:
    # In a basic string of TOML these two are escaped, besides control characters, which no sane path has.
    quoted = str(rules).replace("\\", "\\\\").replace('"', '\\"')
    return f'state = "state"\nrules = ["{quoted}"]\nenrich = "config"\n'


def _files() -> str:
    """Give the sources of `outfall run`."""
    return "".join(
        f'\n[[sources]]\nname = "{name}"\npath = "logs/{source.file}"\n'
        f'format = "{source.format}"\nlateness = "{source.lateness}"\n'
        for name, source in SOURCES.items()
    )


def _topics() -> str:
    """Give the sources of `outfall worker`: the same, in topics of their names."""
    return '\n[kafka]\nbootstrap = ["127.0.0.1:9092"]\npartitions = 4\n' + "".join(
        f'\n[[sources]]\nname = "{name}"\nkind = "kafka"\ntopic = "raw.{name}"\npartitions = 2\n'
        f'format = "{source.format}"\nlateness = "{source.lateness}"\n'
        for name, source in SOURCES.items()
    )
