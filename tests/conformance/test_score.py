"""Raw vendor records whose meaning other people wrote down: how much of it the formats read right."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

SAMPLES = (
    "squid/log",
    "proxysg/bcreportermain",
    "zscaler_zia/web",
    "postfix/log",
    "microsoft_exchange_online_message_trace/log",
    "google_workspace/drive",
    "windows/forwarded",
    "windows/sysmon_operational",
    "system/security",
    "o365/audit",
)
GOAL = 0.97


@pytest.mark.parametrize("auto", [False, True], ids=["named", "auto"])
def test_the_formats_read_nearly_everything_right(shared: Path, *, auto: bool) -> None:
    outfall = Path(sys.executable).parent / "outfall"
    samples = sorted((shared / "samples").glob("dev_*.jsonl"))
    run = subprocess.run(
        [
            sys.executable,
            shared / "samples" / "score.py",
            *samples,
            "--command",
            f"{outfall} normalise --format {{format}} -",
            *(["--auto"] if auto else []),
            "--only",
            *SAMPLES,
        ],
        capture_output=True,
        text=True,
        timeout=240,
        check=True,
    )
    mean = re.search(r"mean over 10 formats: (\d\.\d+)", run.stdout)
    assert mean, run.stdout
    assert float(mean[1]) >= GOAL, run.stdout
