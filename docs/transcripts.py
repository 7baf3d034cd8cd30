"""Runs the commands that docs/rules.md shows, and writes what they print below them.

A block of code after `<!-- transcript -->` is one: each line that begins with `$ ` is run, in the order of
the document and all in one folder, on a terminal of 110 columns; what it prints takes the place of what was
there. `<!-- transcript: 12 lines -->` keeps that many of each command's lines. The folder is `scene`: a small
rule book in git, and a simulated day. Usage: `python docs/transcripts.py [FILE]`, the file to write.
"""

from __future__ import annotations

import os
import pty
import re
import shutil
import subprocess
import sys
import tempfile
from base64 import b64encode
from pathlib import Path

HERE = Path(__file__).resolve().parent
RULES = HERE.parent / "rules"
PAGE = HERE / "rules.md"
BLOCK = re.compile(r"(<!-- transcript(?:: (\d+) lines)? -->\n```console\n)(.*?)(```\n)", re.DOTALL)
BOOK = (
    "severity.yml",
    "access/access_outside_caseload",
    "egress/records_sent_home",
    "test_council",
    "egress/many_care_records_sent_outside",
    "egress/many_people_to_a_new_destination",
    "email/external_forwarding_rule",
    "web/personal_data_on_a_paste_site",
)
"""What of the rule book is in the scene."""
EXCEPTION = """\
title: Forwarding to the charity's caseworker
id: 0f0c2c39-64f0-4d51-8d3c-1b2f7b1c9a10
name: forwarding_to_the_charity_s_caseworker
status: test
description: O. Sagar works for the council and for a charity, which the council has agreed to.
author: council
date: 2026-11-27
logsource: {product: outfall, category: egress}
filter:
  rules: [external_forwarding_rule]
  approved: {outfall.actor.id: osagar}
  condition: not approved
level: informational
outfall:
  owner: head of adult social care
  reason: decision 2026-77
  expires: 2030-12-31
"""
EXCEPTION_TEST = """\
cases:
  - name: her forwarding is suppressed, and told as that
    events:
      - &made
        at: +0m
        outfall.channel: mail_rule
        outfall.actor.id: osagar
        outfall.destination.class: [webmail]
        outfall.egress: true
        event.outcome: success
    expect: [{rule: external_forwarding_rule, suppressed_by: [forwarding_to_the_charity_s_caseworker]}]
  - name: somebody else's is not
    events: [{<<: *made, outfall.actor.id: tgreen}]
    expect: [external_forwarding_rule]
  - name: after the exception has ended
    events:
      - outfall.channel: mail_rule
        "@timestamp": "2031-01-01T00:00:00Z"
        outfall.actor.id: osagar
        outfall.destination.class: [webmail]
        outfall.egress: true
        event.outcome: success
    expect: [external_forwarding_rule]
"""
FOREIGN = """\
title: Archive made with a password
logsource: {product: windows, category: process_creation}
detection:
  archiver: {Image|endswith: '\\7z.exe', CommandLine|contains: ' -p'}
  condition: archiver
"""
UNSEEN = """\
title: Bucket made public
logsource: {product: aws, service: cloudtrail}
detection:
  made: {eventName: PutBucketAcl}
  condition: made
"""
BROKEN = """\
title: Lists sent abroad
name: lists_sent_abroad
logsource: {product: outfall, category: egress}
detection:
  abroad:
    outfall.destination.name|endwith: .example
  condition: abroad
"""
EVENT = """\
{"@timestamp": "2026-03-02T10:00:00Z", "outfall.channel": "email", "outfall.egress": true, \
"outfall.destination.class": ["webmail"], "outfall.data.category": ["housing"]}
"""
KEY = """\
-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f
-----END PRIVATE KEY-----
"""
"""A key that signs nothing but examples: its bytes are 0 to 31."""


def scene(folder: Path) -> None:
    """Make what the commands work on."""
    book = folder / "rules"
    for name in BOOK:
        for path in RULES.glob(f"{name}*"):
            to = book / path.relative_to(RULES)
            to.parent.mkdir(parents=True, exist_ok=True)
            if path.is_dir():
                shutil.copytree(path, to)
            else:
                shutil.copy(path, to)
    stem = "exceptions/forwarding_to_the_charity_s_caseworker"
    files = {
        f"rules/{stem}.yml": EXCEPTION,
        f"rules/{stem}.test.yml": EXCEPTION_TEST,
        "sigma/windows/archive.yml": FOREIGN,
        "sigma/cloud/bucket.yml": UNSEEN,
        "event.json": EVENT,
        "broken.yml": BROKEN,
        "signing.pem": KEY,
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    who = ["-c", "user.name=council", "-c", "user.email=council@council.example"]
    for command in (
        ["outfall", "simulate", "--out", "day", "--people", "40", "--days", "1", "--seed", "5"],
        ["git", "init", "--quiet", "--initial-branch=main", "rules"],
        ["git", "-C", "rules", "add", "."],
        ["git", "-C", "rules", *who, "commit", "--quiet", "--message=rules"],
        ["openssl", "pkey", "-in", "signing.pem", "-pubout", "-out", "signing.pub"],
    ):
        subprocess.run(command, cwd=folder, env=_environment(), check=True, capture_output=True)
    settings = (folder / "day" / "outfall.toml").read_text(encoding="utf-8")
    settings = re.sub(r"(?m)^rules = .*$", 'rules = ["rules"]', settings)
    settings = settings.replace('"logs/', '"day/logs/').replace('"config"', '"day/config"')
    (folder / "outfall.toml").write_text(settings, encoding="utf-8")


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("OUTFALL_", "GIT_"))}
    moment = "2026-11-27T09:00:00Z"  # so that the commit's hash is the same each time
    return kept | {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "COLUMNS": "110",
        "TERM": "xterm",
        "GIT_AUTHOR_DATE": moment,
        "GIT_COMMITTER_DATE": moment,
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_SYSTEM": os.devnull,
        "OUTFALL_PSEUDONYM_KEY": f"docs:{b64encode(bytes(32)).decode()}",
    }


def printed(command: str, folder: Path) -> list[str]:
    """Run a command on a terminal, and give the lines that it prints, what it complains of first."""
    main, other = pty.openpty()
    process = subprocess.Popen(
        ["bash", "-c", command], cwd=folder, env=_environment(), stdout=other, stderr=subprocess.PIPE
    )
    os.close(other)
    shown = b""
    try:
        while more := os.read(main, 4096):
            shown += more
    except OSError:  # that is how Linux says that the other end is closed
        pass
    finally:
        os.close(main)
    _, complaints = process.communicate(timeout=120)
    text = (complaints + shown).decode().replace("\r\n", "\n").replace(f"{folder}/", "")
    text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", text)
    return [line.rstrip() for line in text.splitlines()]


def written(text: str, folder: Path) -> str:
    """Give a document with its transcripts made anew."""

    def block(found: re.Match[str]) -> str:
        begin, most, inside, end = found.groups()
        lines: list[str] = []
        for line in inside.splitlines():
            if line.startswith("$ "):
                told = printed(line[2:], folder)
                cut = ["…"] if most is not None and len(told) > int(most) else []
                lines += [line, *(told if most is None else told[: int(most)]), *cut]
        return begin + "".join(f"{line}\n" for line in lines) + end

    return BLOCK.sub(block, text)


def main(page: Path) -> None:
    """Write the page."""
    with tempfile.TemporaryDirectory(prefix="outfall-") as name:
        folder = Path(name).resolve()
        scene(folder)
        page.write_text(written(PAGE.read_text(encoding="utf-8"), folder), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else PAGE)
