"""`kill -9` of `outfall run` at many points of a day: the alerts are those of an undisturbed run."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parents[2]
OUTFALL = Path(sys.executable).with_name("outfall")
KILLS = 50
PEOPLE = 40
BATCH = 25
SEED = 7

UNREADABLE = b"this is no record\n"

EVERYTHING = """
title: Something happened
id: 5c3a8d04-14b5-4a0e-9d38-6a4f0d6c9b11
name: something
status: test
logsource: {product: outfall}
detection:
    selection: {outfall.channel|re: .}
    condition: selection
level: low
---
title: Several things happened
id: 0f6f9d38-06b8-4b53-8f0e-2a9ea2f7e3c2
name: several
status: test
correlation:
    type: event_count
    rules: [something]
    group-by: [outfall.actor.id]
    timespan: 10m
    condition: {gte: 3}
level: low
outfall: {quiet: 10m}
"""
"""Makes nearly every event the evidence of some alert, so that the loss of any batch shows."""


def write_day(folder: Path) -> Path:
    """Write a simulated day, with some lines that cannot be read, and give its configuration."""
    day, rules = folder / "day", folder / "rules"
    shutil.copytree(CHECKOUT / "rules", rules)  # whoever edits a rule meanwhile changes nothing here
    (rules / "everything.yml").write_text(EVERYTHING)
    size = ["--seed", str(SEED), "--people", str(PEOPLE)]
    subprocess.run([OUTFALL, "simulate", *size, "--out", day, "--rules", rules], check=True)
    chance = random.Random(SEED)  # noqa: S311 - the same day each time
    for log in sorted((day / "logs").iterdir()):
        lines = log.read_bytes().splitlines(keepends=True)
        for _ in range(5):
            lines.insert(chance.randrange(len(lines)), UNREADABLE)
        log.write_bytes(b"".join(lines))
    return day / "outfall.toml"


def start(config: Path, state: Path) -> subprocess.Popen[bytes]:
    settings = {"STATE": state, "BATCH": BATCH, "ALERTS__JSONL": state.with_suffix(".jsonl")}
    return subprocess.Popen(
        [OUTFALL, "run", "--once", "--config", config],
        env=os.environ | {f"OUTFALL_{name}": str(value) for name, value in settings.items()},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def stored(state: Path) -> dict[str, Any]:
    """Give what must be equal: alerts without revision numbers and processing times, and dead letters."""
    with sqlite3.connect(state / "outfall.db") as store:
        alerts = [json.loads(text) for (text,) in store.execute("SELECT document FROM alerts ORDER BY id")]
        letters = store.execute(
            "SELECT source, stream, offset, line, reason, data FROM dead_letters"
        ).fetchall()
        positions = store.execute("SELECT source, stream, offset, line FROM positions").fetchall()
    for alert in alerts:
        for name in ("revision", "detected", "freshness", "page"):
            del alert[name]
    return {"alerts": alerts, "letters": sorted(letters), "positions": sorted(positions)}


def records(state: Path) -> int:
    """Give the number of records that have been processed and saved."""
    try:
        with sqlite3.connect(f"file:{state / 'outfall.db'}?mode=ro", uri=True) as store:
            return int(store.execute("SELECT coalesce(sum(line), 0) FROM positions").fetchone()[0])
    except sqlite3.OperationalError:
        return 0


def test_fifty_kills_change_nothing(tmp_path: Path) -> None:
    config = write_day(tmp_path)
    undisturbed, killed = tmp_path / "undisturbed", tmp_path / "killed"
    assert start(config, undisturbed).wait(timeout=120) == 3  # some records cannot be read
    expected = stored(undisturbed)
    assert sum(len(alert["evidence"]) for alert in expected["alerts"]) > records(undisturbed) / 3
    assert len(expected["letters"]) > 20
    total = records(undisturbed)

    chance = random.Random(SEED)  # noqa: S311 - the same points each time
    reached = []
    for point in sorted(chance.sample(range(total * 19 // 20), KILLS)):
        process = start(config, killed)
        while records(killed) < point and process.poll() is None:
            time.sleep(0.002)
        time.sleep(chance.uniform(0, 0.02))  # anywhere in a batch, not only after a commit
        process.send_signal(signal.SIGKILL)
        assert process.wait(timeout=20) == -signal.SIGKILL, "it ended before it could be killed"
        reached.append(records(killed))
    assert len(set(reached)) > KILLS / 2
    assert start(config, killed).wait(timeout=120) == 3
    assert stored(killed) == expected

    documents = [json.loads(line) for line in killed.with_suffix(".jsonl").read_text().splitlines()]
    pairs = [(alert["id"], alert["revision"]) for alert in documents]
    assert len(pairs) == len(set(pairs))
    assert {identity for identity, _ in pairs} == {alert["id"] for alert in expected["alerts"]}
