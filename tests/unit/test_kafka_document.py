"""docs/kafka.md: its table is what the code makes, and what it shows can be read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from services.live import Live

DOCUMENT = (Path(__file__).resolve().parents[2] / "docs" / "kafka.md").read_text(encoding="utf-8")
SOURCE = '[[sources]]\nname = "NAME"\nkind = "kafka"\ntopic = "TOPIC"\n'
TOLD_BESIDES = {"min.insync.replicas", "max.message.bytes"}


def test_the_table_has_every_topic(tmp_path: Path) -> None:
    live = Live(tmp_path, "127.0.0.1:9092", "PREFIX").write(source=SOURCE)
    rows = []
    for topic in live.topics:
        config = [f"`{name}={value}`" for name, value in topic.config.items() if name not in TOLD_BESIDES]
        rows.append(f"| `{topic.name}` | {topic.meaning} | {topic.setting} | {', '.join(config)} |")
    heading = "|---|---|---|---|\n"
    assert DOCUMENT.partition(heading)[2].partition("\n\n")[0] == "\n".join(rows)


@pytest.mark.parametrize("block", re.findall(r"```toml\n(.*?)```", DOCUMENT, re.DOTALL))
def test_the_settings_that_it_shows_can_be_read(tmp_path: Path, block: str) -> None:
    text = block if "[[sources]]" in block else block + SOURCE
    live = Live(tmp_path, "127.0.0.1:9092")
    live.config.write_text(text, encoding="utf-8")
    assert list(live.topics)
