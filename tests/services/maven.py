"""Java programs from Maven's repository, for tests that drive the real thing."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from services.packages import cached, unavailable

COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"
TIMEOUT = 300  # seconds for all that one program needs

PROJECT = """
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>outfall.tests</groupId>
  <artifactId>jars</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>{dependencies}</dependencies>
</project>
"""

DEPENDENCY = "<dependency><groupId>{}</groupId><artifactId>{}</artifactId><version>{}</version></dependency>"


def jars(name: str, artifacts: Sequence[str]) -> Path:
    """Give the folder with the jars of `artifacts` (each `group:artifact:version`) and all that they need."""
    if not shutil.which("java"):
        unavailable(f"{name} is a Java program and there is no java")
    return cached(name, lambda aside: _download(name, artifacts, aside)) / "libs"


def _download(name: str, artifacts: Sequence[str], aside: Path) -> Path:
    if not shutil.which("mvn"):
        unavailable(f"{name} comes from Maven's repository and there is no mvn")
    sys.stderr.write(f"Downloading {name} from Maven's repository; that can take a minute\n")
    root = aside / "root"
    root.mkdir(mode=0o755)
    project = aside / "pom.xml"
    dependencies = "".join(DEPENDENCY.format(*artifact.split(":")) for artifact in artifacts)
    project.write_text(PROJECT.format(dependencies=dependencies))
    options = [f"-DoutputDirectory={root / 'libs'}", "-DincludeScope=runtime"]
    command = ["mvn", "--quiet", "--batch-mode", "--file", project, COPY, *options]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=TIMEOUT
        )
    except subprocess.TimeoutExpired:
        unavailable(f"mvn took longer than {TIMEOUT} s to download {name}")
    if done.returncode:
        unavailable(f"mvn could not download {name}: {(done.stdout + done.stderr).strip()[-400:]}")
    return root
