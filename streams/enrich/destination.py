"""Where an event's content goes; `egress` tells whether any does.

The classes, from most to least dangerous, are `CLASSES`. Blocked attempts are egress too: `outfall.verdict`
tells that they were blocked.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from streams.enrich.actor import Actor
from streams.enrich.directory import Person
from streams.enrich.domains import Domains, below, clean_domain
from streams.enrich.egress import leaves, open_to_anyone, writes
from streams.event import Fields, Scalar, Value, first, strings
from streams.memo import remembered

CLASSES = (
    "self",
    "paste",
    "webmail",
    "cloud_storage",
    "removable",
    "unknown_external",
    "print",
    "partner",
    "internal",
)
ANYONE = "anyone_with_link"

_RECIPIENTS = ("email.to.address", "email.cc.address", "email.bcc.address")
_ONE_LABEL = re.compile(r"([a-z_][a-z0-9_-]*)?")
"""A name without a dot is of the own network; a number without a dot may be any machine's address."""
_MIN_NAME = 3

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class Partner:
    """An organisation with which an agreement on sharing stands. `limit` is in people a day."""

    name: str
    agreement: str
    expires: dt.date | None = None
    limit: int | None = None
    data_categories: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DestinationTable:
    """What the organisation says of destinations; domains count with all below them.

    `internal_networks` is None where nothing is said: then private address ranges are internal.
    """

    internal_domains: Mapping[str, bool] = field(default_factory=dict)
    internal_networks: tuple[Network, ...] | None = None
    partner_domains: Mapping[str, Partner] = field(default_factory=dict)
    partner_addresses: Mapping[str, Partner] = field(default_factory=dict)
    classes: Mapping[str, str] = field(default_factory=dict)

    def is_internal(self, domain: str) -> bool:
        """Tell whether a domain is one of our own."""
        return below(self.internal_domains, clean_domain(domain)) is not None


class Target(NamedTuple):
    """One place where content goes."""

    kind: str
    name: str | None
    partner: Partner | None = None
    resembles_actor: bool = False


class Destinations:
    """Tells where an event's content goes."""

    def __init__(self, table: DestinationTable, domains: Domains) -> None:
        self._table = table
        self._domains = domains
        self._host = remembered(self._class_of)
        self._site = remembered(self._site_of)

    def fields(self, fields: Fields, actor: Actor | None, day: dt.date) -> Fields:
        """Give `outfall.egress` and `outfall.destination.*`; nothing for an event that has no destination."""
        channel = first(fields.get("outfall.channel"))
        targets = self._targets(channel, fields, actor.person if actor else None)
        if not targets:
            return {}
        described = _described(targets, day)
        external = described["outfall.destination.class"] != "internal"
        return {"outfall.egress": external and leaves(channel, fields), **described}

    def _targets(self, channel: Scalar, fields: Fields, person: Person | None) -> list[Target]:
        if channel in ("email", "mail_rule"):
            addresses = [address for name in _RECIPIENTS for address in strings(fields.get(name))]
            return [self._mail(address, person, fields) for address in dict.fromkeys(addresses)]
        if channel == "share":
            addresses = strings(fields.get("email.to.address"))
            if addresses:
                return [self._mail(address, person, fields) for address in dict.fromkeys(addresses)]
            return [Target("unknown_external", ANYONE)] if open_to_anyone(fields) else []
        if channel == "web":
            return self._web(fields, person)
        if channel == "removable":
            return [Target("removable", _drive(fields))] if writes(fields) else []
        return [Target("print", _printer(fields))] if channel == "print" else []

    def _mail(self, address: str, person: Person | None, fields: Fields) -> Target:
        address = address.strip().lower()
        domain = clean_domain(address.rpartition("@")[2])
        if person is not None and address in person.private_addresses:
            return Target("self", address)
        partner = self._table.partner_addresses.get(address)
        if partner is not None:
            return Target("partner", address, partner)
        kind, partner = self._host(domain)
        inward = first(fields.get("email.direction")) in ("inbound", "internal")
        if inward and not self._table.internal_domains:
            return Target("internal", address)
        resembles = (
            kind in ("webmail", "unknown_external")
            and person is not None
            and resembles_actor(address, person)
        )
        return Target(kind, address, partner, resembles)

    def _web(self, fields: Fields, person: Person | None) -> list[Target]:
        ip = _domain(fields.get("destination.ip"))
        host = _domain(fields.get("url.domain")) or ip
        if not host:
            return []
        if person is not None and not person.private_addresses.isdisjoint((host, ip)):
            return [Target("self", host)]
        partner = self._table.partner_addresses.get(host) or self._table.partner_addresses.get(ip)
        if partner is not None:
            return [Target("partner", host, partner)]
        return [self._site(host)]

    def _site_of(self, host: str) -> Target:
        """Give the target that a host is for everybody."""
        kind, partner = self._host(host)
        return Target(kind, host if _ip(host) else self._domains.registered(host), partner)

    def _class_of(self, domain: str) -> tuple[str, Partner | None]:
        """Class a domain, a host name or an address of a machine (in mail, RFC 5321's `[IPv6:…]` too)."""
        address = _ip(domain.removeprefix("ipv6:"))
        if address is not None:
            return ("internal" if self._inside(address) else "unknown_external"), None
        override = below(self._table.classes, domain)
        if override is not None:
            return override, None
        if below(self._table.internal_domains, domain) is not None or _ONE_LABEL.fullmatch(domain):
            return "internal", None
        partner = below(self._table.partner_domains, domain)
        if partner is not None:
            return "partner", partner
        return self._domains.service(domain) or "unknown_external", None

    def _inside(self, address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
        networks = self._table.internal_networks
        if networks is None:
            return address.is_private
        return address.is_loopback or any(address in network for network in networks)


def resembles_actor(address: str, person: Person) -> bool:
    """Tell whether a mailbox is named like the actor: a hint that it is the actor's own, no more.

    It is where it holds the last part of the actor's mail name or account and begins with the same letter.
    """
    box = "".join(filter(str.isalpha, address.rpartition("@")[0]))
    for own in (*person.emails, *person.accounts):
        name = own.rpartition("\\")[2].partition("@")[0]
        last = "".join(filter(str.isalpha, name.replace("_", ".").replace("-", ".").rpartition(".")[2]))
        if len(last) >= _MIN_NAME and last in box and box[0] == name[0]:
            return True
    return False


def uncovered_categories(fields: Fields) -> None:
    """Set `outfall.destination.agreement_uncovered`: categories of data that the agreement does not cover."""
    covered = strings(fields.get("outfall.destination.agreement_categories"))
    uncovered = sorted(set(strings(fields.get("outfall.data.category"))) - set(covered))
    if covered and uncovered:
        fields["outfall.destination.agreement_uncovered"] = [*uncovered]


def _described(targets: list[Target], day: dt.date) -> Fields:
    if len(targets) == 1:  # as nearly always; then nothing is to be put together
        kind, name, partner, resembles = targets[0]
        fields: Fields = {"outfall.destination.class": kind}
        names = [] if name is None else [name]
        partners = [] if partner is None else [partner]
    else:
        kinds = sorted({target.kind for target in targets}, key=CLASSES.index)
        fields = {"outfall.destination.class": _one_or_list(kinds)}
        names = [*dict.fromkeys(target.name for target in targets if target.name is not None)]
        partners = [target.partner for target in targets if target.partner is not None]
        resembles = any(target.resembles_actor for target in targets)
    if names:
        fields["outfall.destination.name"] = [*names]
    if resembles:
        fields["outfall.destination.resembles_actor"] = True
    if partners:
        fields.update(_agreed(partners, day))
    return fields


def _agreed(partners: list[Partner], day: dt.date) -> Fields:
    """Say what the agreements with partners allow."""
    fields: Fields = {
        "outfall.destination.agreement": _one_or_list(list(dict.fromkeys(p.agreement for p in partners))),
        "outfall.destination.agreement_expired": any(
            partner.expires is not None and day > partner.expires for partner in partners
        ),
    }
    limits = [partner.limit for partner in partners if partner.limit is not None]
    if limits:
        fields["outfall.destination.agreement_limit"] = min(limits)
    covered = [set(partner.data_categories) for partner in partners if partner.data_categories]
    if covered:
        fields["outfall.destination.agreement_categories"] = [*sorted(set.intersection(*covered))]
    return fields


def _one_or_list(items: list[str]) -> Value:
    return items[0] if len(items) == 1 else [*items]


def _domain(value: Value) -> str:
    """Give a field's first value as a domain, empty where there is none."""
    return clean_domain(value if isinstance(value, str) else str(first(value) or ""))


def _drive(fields: Fields) -> str | None:
    path = str(first(fields.get("file.path")) or "")
    return path[:2].upper() if path[1:2] == ":" else None


def _printer(fields: Fields) -> str | None:
    name = first(fields.get("winlog.event_data.Param5"))
    return None if name is None else str(name)


def _ip(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
