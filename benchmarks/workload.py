"""Events and rules of fixed seeds, for benchmarks and for the comparison of the engine with its reference.

Proxy, e-mail and file events as they are after enrichment, of about 550 bytes. One in fifty is what one of
the first ten rules is about; one in ten carries a word that one of 3,000 rules is about, at times in vain.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import orjson

from streams.event import Event, LogSource, Origin

MATCHING = 0.02
NEAR = 0.1
_ORIGIN = Origin("benchmark", "generated", 0, 0)
_SOURCES = {
    "web": (LogSource("proxy"), LogSource("web", "outfall"), LogSource("egress", "outfall")),
    "email": (LogSource(product="m365", service="exchange"), LogSource("email", "outfall")),
    "file": (LogSource("file_event", "windows"), LogSource("file", "outfall")),
}
_AGENTS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/126.0 Safari/537.36",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Firefox/128.0",
    "Microsoft-Delivery-Optimization/10.1",
)
_WORDS = ("report", "minutes", "budget", "review", "plan", "letter", "form", "notes", "policy", "draft")
_SYLLABLES = [consonant + vowel for consonant in "bdfgklmnprstvz" for vowel in "aeiou"]


def lines(count: int, seed: int = 1, *, accent: str = "") -> list[bytes]:
    """Give events as JSON lines; with `accent` each has a word that ends in it."""
    source = random.Random(seed)  # noqa: S311 - repeatable, not secret
    return [orjson.dumps(_document(source, number, accent)) for number in range(count)]


def events(texts: Sequence[bytes]) -> list[Event]:
    """Decode lines into events."""
    loads = orjson.loads
    return [
        Event(fields["event.id"], number, fields, _ORIGIN, _SOURCES[fields["outfall.channel"]])
        for number, fields in enumerate(map(loads, texts))
    ]


def rules(count: int, seed: int = 2) -> str:
    """Give so many rules over these events as YAML: the shapes that public rule books are made of."""
    source = random.Random(seed)  # noqa: S311 - as above
    return "\n---\n".join(_rule(source, number) for number in range(count))


def word(source: random.Random) -> str:
    """Give a word for an event: an ordinary one, or at times what a rule looks for."""
    chance = source.random()
    about = 10 if chance < MATCHING else 3000 if chance < MATCHING + NEAR else 0
    return _mark(source.randrange(about)) if about else source.choice(_WORDS)


def _document(source: random.Random, number: int, accent: str) -> dict[str, Any]:
    said = word(source) + accent
    channel = source.choices(("web", "email", "file"), (6, 2, 2))[0]
    document = {
        "@timestamp": f"2026-03-02T{source.randrange(24):02d}:{number // 60 % 60:02d}:{number % 60:02d}.000Z",
        "event.id": f"{source.getrandbits(64):016x}",
        "outfall.channel": channel,
        "outfall.actor.id": f"E{source.randrange(900):04d}",
        "outfall.actor.known": True,
        "user.name": f"user{source.randrange(900):03d}",
    }
    return document | {"web": _web, "email": _mail, "file": _file}[channel](source, said)


def _mark(number: int) -> str:
    """Give what the generated rule of that number looks for; no ordinary event holds it."""
    return f"xo{_SYLLABLES[number // 70 % 70]}{_SYLLABLES[number % 70]}x"


def _web(source: random.Random, word: str) -> dict[str, Any]:
    host = f"www.{source.choice(_WORDS)}{source.randrange(400)}.example"
    return {
        "event.dataset": "squid",
        "source.ip": f"10.{source.randrange(4)}.{source.randrange(256)}.{source.randrange(256)}",
        "url.full": f"https://{host}/{source.choice(_WORDS)}/{word}/{source.getrandbits(40):x}",
        "url.domain": host,
        "http.request.method": source.choice(("GET", "GET", "GET", "POST", "CONNECT")),
        "http.request.bytes": source.randrange(200, 40_000),
        "http.response.status_code": source.choice((200, 200, 200, 304, 403)),
        "user_agent.original": source.choice(_AGENTS),
        "outfall.verdict": "allowed",
        "outfall.destination.class": ["unknown_external"],
    }


def _mail(source: random.Random, word: str) -> dict[str, Any]:
    recipients = range(source.randrange(1, 4))
    return {
        "event.dataset": "o365_audit",
        "email.direction": "outbound",
        "email.to.address": [
            f"{source.choice(_WORDS)}@partner{source.randrange(80)}.example" for _ in recipients
        ],
        "email.subject": f"{source.choice(_WORDS)} {source.choice(_WORDS)} {word}".capitalize(),
        "email.message_id": f"<{source.getrandbits(80):x}@council.example>",
        "email.attachments.file.name": [f"{word}-{source.randrange(10_000)}.docx"],
        "email.attachments.file.size": [source.randrange(1000, 9_000_000)],
        "outfall.verdict": "allowed",
        "outfall.destination.class": ["partner"],
    }


def _file(source: random.Random, word: str) -> dict[str, Any]:
    name = f"{word}_{source.randrange(10_000)}.xlsx"
    return {
        "event.dataset": "windows_event",
        "event.code": source.choice(("4663", "11", "4656")),
        "host.name": f"PC-{source.randrange(4000):04d}.council.example",
        "file.path": f"C:\\Users\\Public\\Documents\\{source.choice(_WORDS)}\\{name}",
        "file.name": name,
        "file.size": source.randrange(1000, 9_000_000),
        "process.executable": source.choice(
            ("C:\\Windows\\explorer.exe", "C:\\Program Files\\Microsoft Office\\root\\Office16\\EXCEL.EXE")
        ),
        "winlog.event_data.AccessMask": "0x2",
    }


def _rule(source: random.Random, number: int) -> str:
    """Write a rule: one of several shapes, of which the first is about marked events."""
    mark = _mark(number)
    field = source.choice(("url.full", "email.subject", "file.path", "file.name", "user_agent.original"))
    other = "".join(source.choices(_SYLLABLES, k=4))
    shape = "marked" if number < 10 else source.choice(tuple(_SHAPES))
    selection = _SHAPES[shape].format(
        mark=mark, field=field, other=other, number=source.randrange(10**6, 10**8)
    )
    return f"""title: Generated {number}
id: generated-{number}
logsource: {{category: generated}}
detection:
{selection}"""


_SHAPES = {
    "marked": """  path: {{url.full|contains: {mark}}}
  mail: {{email.subject|contains: {mark}}}
  file: {{file.name|startswith: {mark}}}
  quiet: {{outfall.verdict: blocked}}
  condition: (path or mail or file) and not quiet""",
    "contains": """  selection: {{{field}|contains: ['{mark}', '/{other}/', '{other}.php']}}
  condition: selection""",
    "ends": """  selection:
    {field}|endswith: ['\\{mark}.exe', '\\{other}.dll']
    event.dataset: windows_event
  filter: {{user.name|startswith: svc_}}
  condition: selection and not filter""",
    "equal": """  selection: {{user.name: '{mark}', event.code: {number}}}
  other: {{url.domain: [{other}.example, {mark}.example]}}
  condition: 1 of *""",
    "all": """  selection: {{{field}|contains|all: ['{mark}', '{other}']}}
  condition: selection""",
    "regex": """  selection: {{{field}|re: '{mark}[0-9]{{2,4}}(a|b)?\\.{other}'}}
  condition: selection""",
    "wildcard": """  selection: {{{field}: '*\\{mark}?\\*.{other}'}}
  condition: selection""",
    "number": """  selection: {{http.request.bytes|gte: {number}, outfall.destination.name|endswith: {other}}}
  condition: selection""",
    "keyword": """  keywords: ['{mark}', '{other} {mark}']
  condition: keywords""",
}
