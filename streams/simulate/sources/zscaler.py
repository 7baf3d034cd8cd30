"""The cloud proxy of those at the second site and on the road: Zscaler's NSS feed for web logs, as JSON.

Fields: https://help.zscaler.com/zia/nss-feed-output-format-web-logs
"""

from __future__ import annotations

from streams.simulate.exchange import Exchange
from streams.simulate.moment import to_second
from streams.simulate.people import Person
from streams.simulate.record import Record


def line(person: Person, exchange: Exchange) -> Record:
    """Write one request and its reply; an upload also names its file."""
    denied = exchange.status == 403
    event = {
        "time": to_second(exchange.time).replace("T", " "),
        "login": person.email,
        "proto": "HTTPS",
        "eurl": f"{exchange.host}{exchange.path}",
        "action": "Blocked" if denied else "Allowed",
        "appname": "General Browsing",
        "appclass": "General Browsing",
        "reqsize": str(exchange.sent),
        "respsize": str(exchange.received),
        "stime": str(exchange.milliseconds // 3),
        "ctime": str(exchange.milliseconds),
        "urlclass": "Business Use",
        "urlsupercat": "Information Technology",
        "urlcat": "Web Search" if exchange.method == "GET" else "File Host",
        "malwarecat": "None",
        "threatname": "None",
        "riskscore": "0",
        "dlpeng": "None",
        "dlpdict": "None",
        "location": "Second Site",
        "dept": person.team,
        "cip": person.ip,
        "sip": exchange.server,
        "reqmethod": exchange.method,
        "respcode": str(exchange.status),
        "eua": exchange.agent,
        "ereferer": "None",
        "ruletype": "FwFilter",
        "rulelabel": "Default",
        "contenttype": exchange.mime,
        "unscannabletype": "None",
        "deviceowner": person.id,
        "devicehostname": person.host,
    }
    if exchange.file is not None:
        event |= {
            "upload_filename": exchange.file.name,
            "upload_filetype": exchange.file.extension.upper(),
        }
    return Record(exchange.time, "zscaler", {"sourcetype": "zscalernss-web", "event": event})
