"""Reads `destinations.toml`: which destinations are our own, which are partners', by which agreement."""

from __future__ import annotations

import datetime as dt
import ipaddress
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
)

from streams.enrich.destination import CLASSES, DestinationTable, Network, Partner
from streams.enrich.domains import Domains, clean_domain
from streams.enrich.problems import read_toml

_NAME = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,62})(?:\.[a-z0-9_][a-z0-9_-]{0,62}){0,20}")
_ASSIGNABLE = frozenset(CLASSES) - {"partner", "removable", "print", "self"}


def _domain(text: str) -> str:
    domain = clean_domain(text)
    if not _NAME.fullmatch(domain):
        raise ValueError("a domain such as example.org; those below it are included")
    return domain


@dataclass(slots=True)
class _Claims:
    """What validators need to know of the rest of the file, so that all problems come at once."""

    domains: Domains
    taken: dict[str, str] = field(default_factory=dict)
    """Whose a domain or address is that stood further above."""

    def check(self, places: list[str], owner: str) -> list[str]:
        """Take domains or addresses for an owner; none may be somebody else's."""
        if wrong := [f"{each} is {self.taken[each]}" for each in places if each in self.taken]:
            raise ValueError("; ".join(wrong))
        self.taken |= dict.fromkeys(places, owner)
        return places


def _network(value: object) -> Network:
    try:
        return ipaddress.ip_network(str(value), strict=False)
    except ValueError:
        raise ValueError("a network such as 10.0.0.0/8") from None


def _class(name: str) -> str:
    if name not in _ASSIGNABLE:
        raise ValueError(f"one of {', '.join(sorted(_ASSIGNABLE))}")
    return name


def _claims(info: ValidationInfo) -> _Claims:
    claims = info.context
    assert isinstance(claims, _Claims)  # noqa: S101 - `read_destinations` gives it
    return claims


def _own_domain(domain: str, info: ValidationInfo) -> str:
    if _claims(info).domains.is_public_suffix(domain):
        raise ValueError(f"anybody can register a name below {domain}")
    return domain


Domain = Annotated[str, AfterValidator(_domain)]
OwnDomain = Annotated[Domain, AfterValidator(_own_domain)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True)


class _PartnerTable(_Part):
    name: str = Field(min_length=1)
    agreement: str = Field(min_length=1)
    expires: dt.date | None = None
    limit: int | None = Field(default=None, ge=0)
    domains: list[OwnDomain] = []
    addresses: list[str] = Field(default=[], validate_default=True)
    data_categories: list[str] = []

    @field_validator("domains")
    @classmethod
    def _own_domains(cls, domains: list[str], info: ValidationInfo) -> list[str]:
        return _claims(info).check(domains, "another partner's already")

    @field_validator("addresses")
    @classmethod
    def _own_addresses(cls, addresses: list[str], info: ValidationInfo) -> list[str]:
        """Need some place, too; here, since a validator of the model waits until all else is right."""
        if not addresses and info.data.get("domains") == []:
            raise ValueError("domains or addresses are needed")
        return _claims(info).check([each.strip().lower() for each in addresses], "another partner's already")


class _File(_Part):
    internal_domains: list[OwnDomain] = []
    internal_networks: list[Annotated[Network, BeforeValidator(_network)]] | None = None
    partner: list[_PartnerTable] = []
    classes: dict[Domain, Annotated[str, AfterValidator(_class)]] = {}

    @field_validator("internal_domains")
    @classmethod
    def _own_domains(cls, domains: list[str], info: ValidationInfo) -> list[str]:
        return _claims(info).check(domains, "among internal_domains")


def read_destinations(path: Path, domains: Domains, problems: list[str]) -> DestinationTable:
    """Read the table; an empty one where there is no file."""
    found = read_toml(path, _File, problems, context=_Claims(domains))
    if found is None:
        return DestinationTable()
    file, _ = found
    partners = [(table, _partner(table)) for table in file.partner]
    return DestinationTable(
        internal_domains=dict.fromkeys(file.internal_domains, True),
        internal_networks=None if file.internal_networks is None else tuple(file.internal_networks),
        partner_domains={domain: partner for table, partner in partners for domain in table.domains},
        partner_addresses={address: partner for table, partner in partners for address in table.addresses},
        classes=file.classes,
    )


def _partner(table: _PartnerTable) -> Partner:
    return Partner(table.name, table.agreement, table.expires, table.limit, tuple(table.data_categories))
