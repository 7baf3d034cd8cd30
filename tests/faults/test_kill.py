"""`kill -9` of `outfall run` at many points of a day: the alerts are those of an undisturbed run."""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

OUTFALL = Path(sys.executable).with_name("outfall")
KEY = "k1:" + "A" * 43 + "="
KILLS = 50
PEOPLE = 25
EVENTS = 9000
SEED = 20260302

CONFIG = """
rules = ["../rules.yml"]
batch = 25
[alerts]
jsonl = "alerts.jsonl"
[[sources]]
name = "uploads"
path = "../uploads.log"
format = "ecs"
[[sources]]
name = "mail"
path = "../mail.log"
format = "ecs"
lateness = "1h"
[[sources]]
name = "files"
path = "../files*.log"
format = "ecs"
"""

RULES = """
title: Sent
id: 5c3a8d04-14b5-4a0e-9d38-6a4f0d6c9b11
name: sent
status: test
logsource: {category: egress, product: outfall}
detection:
    selection: {event.action: sent}
    condition: selection
level: low
---
title: Read
id: 2b0c2d1c-98a1-4f0f-a95b-4c35c0a4c101
name: read
status: test
logsource: {category: file, product: outfall}
detection:
    selection: {event.action: read}
    condition: selection
level: low
---
title: Many files sent
id: 0f6f9d38-06b8-4b53-8f0e-2a9ea2f7e3c2
name: many_sent
status: test
correlation:
    type: value_count
    rules: [sent]
    group-by: [user.name]
    timespan: 30m
    condition: {field: file.name, gt: 12}
level: high
---
title: Read and then sent
id: 7a9d8c70-4b8a-4d51-93c8-4a0c57a4b203
name: read_then_sent
status: test
correlation:
    type: temporal_ordered
    rules: [read, sent]
    group-by: [user.name, file.name]
    timespan: 10m
level: medium
"""


def write_day(folder: Path) -> None:
    """Write the logs of a day: three kinds of event in four files, some late, some that cannot be read."""
    chance = random.Random(SEED)  # noqa: S311 - the same day each time
    logs: dict[str, list[tuple[float, str]]] = {"uploads": [], "mail": [], "files-a": [], "files-b": []}
    for _ in range(EVENTS):
        second = chance.uniform(0, 86400)
        log = chance.choice(list(logs))
        action, channel = ("read", "file") if log.startswith("files") else ("sent", "web")
        if chance.random() < 0.01:
            logs[log].append((second, f"not JSON {second}"))
            continue
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(1772409600 + second))
        document = {
            "@timestamp": f"{moment}.{chance.randrange(10**6):06d}Z",
            "event": {"action": action},
            "user": {"name": f"user{chance.randrange(PEOPLE)}"},
            "file": {"name": f"file{chance.randrange(40)}"},
            "outfall": {"channel": channel, "egress": action == "sent"},
        }
        late = chance.uniform(0, 600) if chance.random() < 0.1 else 0
        logs[log].append((second + late, json.dumps(document)))
    for name, lines in logs.items():
        (folder / f"{name}.log").write_text("".join(f"{text}\n" for _, text in sorted(lines)))


def start(folder: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [OUTFALL, "run", "--once", "--config", folder / "outfall.toml"],
        env={**os.environ, "OUTFALL_PSEUDONYM_KEY": KEY},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def site(folder: Path, name: str) -> Path:
    made = folder / name
    made.mkdir()
    (made / "outfall.toml").write_text(CONFIG)
    return made


def stored(folder: Path) -> dict[str, Any]:
    """Give what must be equal: alerts without revision numbers and processing times, and dead letters."""
    with sqlite3.connect(folder / "state" / "outfall.db") as store:
        alerts = [json.loads(text) for (text,) in store.execute("SELECT document FROM alerts ORDER BY id")]
        letters = store.execute(
            "SELECT source, stream, offset, line, reason, data FROM dead_letters"
        ).fetchall()
        positions = store.execute("SELECT source, stream, offset, line FROM positions").fetchall()
    for alert in alerts:
        for name in ("revision", "detected", "freshness", "page"):
            del alert[name]
    return {"alerts": alerts, "letters": sorted(letters), "positions": sorted(positions)}


def batches(folder: Path) -> int:
    """Give the number of records that have been processed and saved."""
    try:
        with sqlite3.connect(f"file:{folder / 'state' / 'outfall.db'}?mode=ro", uri=True) as store:
            return int(store.execute("SELECT coalesce(sum(line), 0) FROM positions").fetchone()[0])
    except sqlite3.OperationalError:
        return 0


def test_fifty_kills_change_nothing(tmp_path: Path) -> None:
    (tmp_path / "rules.yml").write_text(RULES)
    write_day(tmp_path)
    undisturbed, killed = site(tmp_path, "undisturbed"), site(tmp_path, "killed")
    assert start(undisturbed).wait(timeout=120) == 3  # some records cannot be read
    expected = stored(undisturbed)
    assert len(expected["alerts"]) > 20
    assert sum(line for *_, line in expected["positions"]) == EVENTS

    chance = random.Random(SEED)  # noqa: S311 - the same day each time
    points = sorted(chance.sample(range(EVENTS - 500), KILLS))
    reached = []
    for point in points:
        process = start(killed)
        while batches(killed) < point and process.poll() is None:
            time.sleep(0.002)
        time.sleep(chance.uniform(0, 0.02))  # anywhere in a batch, not only after a commit
        process.send_signal(signal.SIGKILL)
        assert process.wait(timeout=20) == -signal.SIGKILL, "it ended before it could be killed"
        reached.append(batches(killed))
    assert len(set(reached)) > KILLS / 2
    assert start(killed).wait(timeout=120) == 3
    assert stored(killed) == expected

    revisions = [json.loads(line) for line in (killed / "alerts.jsonl").read_text().splitlines()]
    pairs = [(alert["id"], alert["revision"]) for alert in revisions]
    assert len(pairs) == len(set(pairs))
    assert {identity for identity, _ in pairs} == {alert["id"] for alert in expected["alerts"]}
