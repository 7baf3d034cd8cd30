"""Reads `destinations.toml`: which destinations are our own, which are partners', by which agreement."""

from __future__ import annotations

import datetime as dt
import ipaddress
import re
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from streams.enrich.destination import CLASSES, DestinationTable, Network, Partner
from streams.enrich.domains import Domains, clean_domain
from streams.enrich.problems import read_toml, toml_line

_NAME = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,62})(?:\.[a-z0-9_][a-z0-9_-]{0,62}){0,20}")
_ASSIGNABLE = frozenset(CLASSES) - {"partner", "removable", "print", "self"}


def _domain(text: str) -> str:
    domain = clean_domain(text)
    if not _NAME.fullmatch(domain):
        raise ValueError("a domain such as example.org; those below it are included")
    return domain


def _network(value: object) -> Network:
    try:
        return ipaddress.ip_network(str(value), strict=False)
    except ValueError:
        raise ValueError("a network such as 10.0.0.0/8") from None


def _class(name: str) -> str:
    if name not in _ASSIGNABLE:
        raise ValueError(f"one of {', '.join(sorted(_ASSIGNABLE))}")
    return name


Domain = Annotated[str, AfterValidator(_domain)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True)


class _PartnerTable(_Part):
    name: str = Field(min_length=1)
    agreement: str = Field(min_length=1)
    expires: dt.date | None = None
    limit: int | None = Field(default=None, ge=0)
    domains: list[Domain] = []
    addresses: list[str] = []
    data_categories: list[str] = []


class _File(_Part):
    internal_domains: list[Domain] = []
    internal_networks: list[Annotated[Network, BeforeValidator(_network)]] | None = None
    partner: list[_PartnerTable] = []
    classes: dict[Domain, Annotated[str, AfterValidator(_class)]] = {}


def read_destinations(path: Path, domains: Domains, problems: list[str]) -> DestinationTable:
    """Read the table; an empty one where there is no file."""
    found = read_toml(path, _File, problems)
    if found is None:
        return DestinationTable()
    file, text = found
    for index, domain in enumerate(file.internal_domains):
        if domains.is_public_suffix(domain):
            line = toml_line(text, ("internal_domains", index))
            problems.append(f"{path}:{line}: internal_domains: anybody can register a name below {domain}")
    by_domain, by_address = _partners(path, found, domains, problems)
    return DestinationTable(
        internal_domains=dict.fromkeys(file.internal_domains, True),
        internal_networks=None if file.internal_networks is None else tuple(file.internal_networks),
        partner_domains=by_domain,
        partner_addresses=by_address,
        classes=file.classes,
    )


def _partners(
    path: Path, found: tuple[_File, str], domains: Domains, problems: list[str]
) -> tuple[dict[str, Partner], dict[str, Partner]]:
    """Give the partners by domain and by address; each domain and address is one partner's only."""
    file, text = found
    by_domain: dict[str, Partner] = {}
    by_address: dict[str, Partner] = {}
    for index, table in enumerate(file.partner):
        place = f"{path}:{toml_line(text, ('partner', index))}: partner[{index}]"
        partner = Partner(
            table.name, table.agreement, table.expires, table.limit, tuple(table.data_categories)
        )
        if not table.domains and not table.addresses:
            problems.append(f"{place}: domains or addresses are needed")
        for domain in table.domains:
            if domains.is_public_suffix(domain):
                problems.append(f"{place}: anybody can register a name below {domain}")
            elif domain in file.internal_domains:
                problems.append(f"{place}: {domain} is among internal_domains")
            elif by_domain.setdefault(domain, partner) is not partner:
                problems.append(f"{place}: {domain} is another partner's already")
        addresses = [address.strip().lower() for address in table.addresses]
        if any(by_address.setdefault(address, partner) is not partner for address in addresses):
            problems.append(f"{place}: one of the addresses is another partner's already")
    return by_domain, by_address
