"""A new rule with its test, to begin with: both run as they are, and say what is still to be written."""

from __future__ import annotations

import datetime as dt
import uuid
from pathlib import Path

from streams.errors import ConfigError
from streams.rulebook.case import SUFFIX
from streams.rulebook.house import slug

RULE = """\
title: {title}
id: {id}
name: {name}
status: experimental
description: TODO what happens, and why it matters.
author: {author}
date: {today}
references:
  - https://attack.mitre.org/techniques/T1048/
tags:
  - attack.exfiltration
  - attack.t1048
logsource:
  product: outfall
  category: egress
detection:
  outside:
    outfall.destination.class:
      - self
      - webmail
      - cloud_storage
      - paste
      - removable
      - unknown_external
  people:
    outfall.subjects.count|gt: 10
  condition: outside and people
falsepositives:
  - TODO who does this for a good reason.
level: medium
outfall:
  # Until it has been tried (`outfall rules backtest`), it wakes nobody.
  page: false
  runbook:
    - "Read who, whose data and where to: `outfall alerts show ID`."
    - TODO what to look at next, with the command or query.
    - "Close with what was found: `outfall alerts close ID --reason \\"…\\"`."
  evasion: TODO how one would get round it, and which other rule sees that.
"""
TEST = """\
templates:
  mail: &mail
    outfall.channel: email
    outfall.verdict: allowed
    email.direction: outbound
    email.from.address: a@council.example
    email.to.address: [b@unknown-company.example]
    outfall.data.category: [financial]

enrich:
  destinations.toml: |
    internal_domains = ["council.example"]
    [[partner]]
    name = "A partner"
    agreement = "ISA-1"
    domains = ["partner.example"]

cases:
  - name: eleven people are more than ten
    events:
      - {{<<: *mail, at: +0m, outfall.raw.subject: ["P-{{1..11}}"]}}
    expect:
      - {{rule: {name}, people: 11, pages: 0}}

  - name: ten people are not
    events:
      - {{<<: *mail, at: +0m, outfall.raw.subject: ["P-{{1..10}}"]}}
    expect: []

  - name: the same to a partner
    events:
      - {{<<: *mail, at: +0m, email.to.address: [c@partner.example], outfall.raw.subject: ["P-{{1..11}}"]}}
    expect: []

  - name: two senders are two alerts
    events:
      - {{<<: *mail, at: +0m, outfall.raw.subject: ["P-{{1..11}}"]}}
      - {{<<: *mail, at: +1m, email.from.address: d@council.example, outfall.raw.subject: ["P-{{1..11}}"]}}
    expect: [{name}, {name}]

  - name: however many vulnerable people they are, it wakes nobody yet
    events:
      - <<: *mail
        at: +0m
        outfall.data.category: [child]
        outfall.data.vulnerable: true
        outfall.raw.subject: ["P-{{1..45}}"]
    expect:
      - {{rule: {name}, people: 45, severity: high, pages: 0}}
"""


def scaffold(title: str, folder: Path, author: str, today: dt.date) -> tuple[Path, Path]:
    """Write a rule and its test into a folder, and give both files.

    Raises:
        ConfigError: the title gives no name, one of the files is there already, or cannot be written.
    """
    name = slug(title)
    if not name:
        raise ConfigError([f"{title!r}: a title needs letters or digits, of which the file's name is made"])
    rule, test = folder / f"{name}.yml", folder / f"{name}{SUFFIX}"
    there = [path for path in (rule, test) if path.exists()]
    if there:
        raise ConfigError([f"{path}: is there already" for path in there])
    values = {"title": _quoted(title), "id": str(uuid.uuid4()), "name": name}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        rule.write_text(RULE.format(**values, author=_quoted(author), today=today), encoding="utf-8")
        test.write_text(TEST.format(name=name), encoding="utf-8")
    except OSError as error:
        raise ConfigError([f"{error.filename}: {error.strerror}"]) from None
    return rule, test


def _quoted(text: str) -> str:
    """Write a text so that YAML reads it as one: plain where it is plain."""
    plain = text.replace(" ", "").replace("-", "").isalnum() and not text[:1].isdigit() and text[:1] != "-"
    return text if plain else "'" + " ".join(text.split()).replace("'", "''") + "'"
