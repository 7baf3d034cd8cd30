"""What the formats of all web proxies share, as ECS fields: URL, client, user, sizes and verdict."""

from __future__ import annotations

import re

from streams.event import Fields
from streams.normalise.address import account, clean_ip
from streams.normalise.values import present

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
    if not found or not (found["host"] or found["path"]):
        return {"url.original": url}
    port = int(found["port"]) if found["port"] else None
    extension = _EXTENSION.search((found["path"] or "").rpartition("/")[2])
    return present(
        {
            "url.original": url,
            "url.full": url if found["scheme"] else None,
            "url.scheme": found["scheme"].lower() if found["scheme"] else None,
            "url.domain": domain(found["host"]),
            "url.port": port if port is not None and port <= 65535 else None,
            "url.path": found["path"],
            "url.query": found["query"],
            "url.extension": extension[1].lower() if extension else None,
        }
    )


def domain(host: str | None) -> str | None:
    """Give a host name in lower case, without an IPv6 address's brackets and a name's last dot."""
    return (host or "").strip("[]").rstrip(".").lower() or None


def client_fields(address: str | None) -> Fields:
    """Give the client's IP address; a client that is logged by name or masked as its address alone."""
    ip = clean_ip(address)
    return present({"source.ip": ip, "source.address": address if ip is None else None})


def user_fields(user: str | None) -> Fields:
    """Give the parts of an account as the proxy names it; nothing for `-`."""
    name, windows_domain, mail = account(user)
    return present({"user.name": name, "user.domain": windows_domain, "user.email": mail})


def transfer_fields(
    *, sent: int | None, received: int | None, status: int | None, action: str | None, blocked: bool
) -> Fields:
    """Give what became of a request. `sent` and `received` are bytes as seen from the client."""
    outcome = "unknown"
    if blocked or (status is not None and status >= 400):
        outcome = "failure"
    elif status:
        outcome = "success"
    return present(
        {
            "event.action": action,
            "event.outcome": outcome,
            "http.request.bytes": sent,
            "http.response.bytes": received,
            "http.response.status_code": status,
            "outfall.channel": "web",
            "outfall.verdict": "blocked" if blocked else "allowed",
            "outfall.bytes": sent,
        }
    )
