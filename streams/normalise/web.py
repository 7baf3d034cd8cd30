"""What the formats of all web proxies share, as ECS fields: URL, client, user, sizes and verdict."""

from __future__ import annotations

import re

from streams.event import Fields
from streams.normalise.address import account, clean_ip

_URL = re.compile(
    r"(?:(?P<scheme>[A-Za-z][A-Za-z0-9+.-]{0,31})://)?(?:[^/?#@]*@)?(?P<host>\[[^\]/?#]*\]|[^/?#:\[]*)"
    r"(?::(?P<port>[0-9]{1,5}))?(?P<path>/[^?#]*)?(?:\?(?P<query>[^#]*))?(?:#.*)?",
    re.DOTALL,
)
_EXTENSION = re.compile(r"\.([A-Za-z0-9]{1,16})$")


def url_fields(url: str | None) -> Fields:
    """Give the parts of a URL or of CONNECT's `host:port`; only the original where it is neither."""
    if url is None:
        return {}
    found = _URL.fullmatch(url)
    if not found:
        return {"url.original": url}
    scheme, host, port, path, query = found.groups()
    if not (host or path):
        return {"url.original": url}
    fields: Fields = {"url.original": url}
    if scheme:
        fields["url.full"] = url
        fields["url.scheme"] = scheme.lower()
    if (name := domain(host)) is not None:
        fields["url.domain"] = name
    if port and int(port) <= 65535:
        fields["url.port"] = int(port)
    if path is not None:
        fields["url.path"] = path
    if query is not None:
        fields["url.query"] = query
    if path and "." in path and (extension := _EXTENSION.search(path.rpartition("/")[2])):
        fields["url.extension"] = extension[1].lower()
    return fields


def domain(host: str | None) -> str | None:
    """Give a host name in lower case, without an IPv6 address's brackets and a name's last dot."""
    return (host or "").strip("[]").rstrip(".").lower() or None


def client_fields(address: str | None) -> Fields:
    """Give the client's IP address; a client that is logged by name or masked as its address alone."""
    if address is None:
        return {}
    ip = clean_ip(address)
    return {"source.address": address} if ip is None else {"source.ip": ip}


def user_fields(user: str | None) -> Fields:
    """Give the parts of an account as the proxy names it; nothing for `-`."""
    name, windows_domain, mail = account(user)
    fields: Fields = {}
    if name is not None:
        fields["user.name"] = name
    if windows_domain is not None:
        fields["user.domain"] = windows_domain
    if mail is not None:
        fields["user.email"] = mail
    return fields


def transfer_fields(
    *, sent: int | None, received: int | None, status: int | None, action: str | None, blocked: bool
) -> Fields:
    """Give what became of a request. `sent` and `received` are bytes as seen from the client."""
    outcome = "unknown"
    if blocked or (status is not None and status >= 400):
        outcome = "failure"
    elif status:
        outcome = "success"
    fields: Fields = {} if action is None else {"event.action": action}
    fields["event.outcome"] = outcome
    if sent is not None:
        fields["http.request.bytes"] = sent
    if received is not None:
        fields["http.response.bytes"] = received
    if status is not None:
        fields["http.response.status_code"] = status
    fields["outfall.channel"] = "web"
    fields["outfall.verdict"] = "blocked" if blocked else "allowed"
    if sent is not None:
        fields["outfall.bytes"] = sent
    return fields
