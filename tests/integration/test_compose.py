"""docker-compose.yml holds together: each command, path, topic, port and secret that it names is there.

No container is started: what the images do with it was not tried. The commands are, by other tests.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import typer.main
import yaml

from services.prometheus import promtool
from streams.cli import app
from streams.runtime.build import load_parts
from streams.settings import Settings, load
from streams.simulate.sources import SOURCES

CHECKOUT = Path(__file__).resolve().parents[2]
FILE = CHECKOUT / "docker-compose.yml"
COMPOSE = CHECKOUT / "deploy" / "compose"
PORTS = {
    "kafka": {9092},
    "elasticsearch": {9200},
    "kibana": {5601},
    "alertmanager": {9093},
    "prometheus": {9090},
}
"""The ports at which what is not ours listens unless it is told otherwise."""

Service = dict[str, Any]
document: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
services: dict[str, Service] = document["services"]
ours = {name: service for name, service in services.items() if service["image"].startswith("outfall:")}


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    """What the script makes that a user runs first."""
    folder = tmp_path / "secrets"
    subprocess.run([COMPOSE / "secrets.sh", folder], check=True, stdout=subprocess.DEVNULL, timeout=120)
    return folder


def settings(name: str, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Read the settings as a service does."""
    for key, value in services[name]["environment"].items():
        monkeypatch.setenv(key, re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", value))
    return load(COMPOSE / "outfall.toml", places=False)


def test_it_is_valid() -> None:
    checker = Path(sys.executable).with_name("check-jsonschema")
    subprocess.run([checker, "--builtin-schema", "vendor.compose-spec", FILE], check=True, timeout=120)


def commands() -> Iterator[tuple[str, list[str]]]:
    """Give every command line of outfall: of services, and of the script of the simulator."""
    for name, service in ours.items():
        if "entrypoint" not in service:
            yield name, service["command"]
    for line in (COMPOSE / "simulator.sh").read_text(encoding="utf-8").splitlines():
        found = re.search(r"\boutfall (.*)", line)
        if found and not line.startswith("#"):
            yield "simulator.sh", shlex.split(found[1].replace('"$day"', "2026-03-02"))


@pytest.mark.parametrize(("where", "arguments"), [*commands()])
def test_every_command_exists_and_takes_its_options(where: str, arguments: list[str]) -> None:
    command: click.Command = typer.main.get_command(app)
    context = click.Context(command, info_name=where)
    while isinstance(command, click.Group):
        name, *arguments = arguments
        found = command.get_command(context, name)
        assert found is not None, f"{where}: there is no command {name}"
        command = found
    command.make_context(where, arguments, parent=context)


@pytest.mark.parametrize("name", ours)
def test_settings_of_every_service_are_right(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = settings(name, monkeypatch)
    assert {source.name: source.format for source in found.sources} == {
        source: of.format for source, of in SOURCES.items()
    }
    for part in (found.worker, found.elasticsearch, found.paging):
        assert part.listen == "0.0.0.0:9464"
    assert found.elasticsearch.events_listen == "0.0.0.0:9464"
    for address in [*found.kafka.bootstrap, *found.elasticsearch.hosts, *found.paging.alertmanagers]:
        host, _, port = address.rpartition("/")[2].partition(":")
        assert int(port) in PORTS[host]


def test_the_configuration_can_be_published(
    secrets: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "outfall.toml").write_bytes((COMPOSE / "outfall.toml").read_bytes())
    (tmp_path / "rules").symlink_to(CHECKOUT / "rules")
    (tmp_path / "config").symlink_to(COMPOSE / "config")
    monkeypatch.setenv("OUTFALL_PSEUDONYM_KEY_FILE", str(secrets / "pseudonym_key"))
    parts = load_parts(load(tmp_path / "outfall.toml", places=False))
    assert not parts.book.refused
    assert parts.enrichment.pseudonyms.key_id == "k1"


@pytest.mark.parametrize("name", services)
def test_what_a_service_is_given_is_there(name: str, secrets: Path) -> None:
    service = services[name]
    assert ":" in service["image"]
    assert not service["image"].endswith(":latest")
    assert service["mem_limit"]
    for volume in service.get("volumes", []):
        source, target, *_ = volume.split(":")
        assert target.startswith("/")
        assert (CHECKOUT / source).exists() if source.startswith(".") else source in document["volumes"]
    for secret in service.get("secrets", []):
        file = document["secrets"][secret if isinstance(secret, str) else secret["source"]]["file"]
        assert (secrets / Path(file).name).read_bytes()
    assert set(service.get("depends_on", {})) <= set(services)
    for said in re.findall(r"/run/secrets/(\w+)", yaml.safe_dump(service)):
        assert said in service["secrets"], f"{name} reads the secret {said} and is not given it"
    for port in service.get("ports", []):
        address, _, inside = port.split(":")
        assert address == "127.0.0.1"
        assert int(inside) in PORTS.get(name, {3000})
    for path in re.findall(r"/etc/outfall/[\w./-]+\.\w+", yaml.safe_dump([service.get("entrypoint")])):
        assert any(volume.split(":")[1] == path for volume in service["volumes"])


def test_scripts_are_given_what_they_read() -> None:
    for name in ("users", "dashboards", "simulator"):
        script = f"{name}.sh"
        text = (COMPOSE / script).read_text(encoding="utf-8")
        named = {*re.findall(r"/run/secrets/(\w+)", text), *re.findall(r"\$\(secret (\w+)\)", text)}
        assert named <= set(services[name].get("secrets", []))
        subprocess.run(["bash", "-n", COMPOSE / script], check=True, timeout=20)
        for host, port in re.findall(r"https?://([a-z]+):([0-9]+)", text):
            assert int(port) in PORTS[host]


def test_nobody_runs_as_root_or_can_write() -> None:
    for name, service in ours.items():
        assert service["user"] == "10001:10001", name
        assert service["read_only"]
        assert service["cap_drop"] == ["ALL"]


def test_prometheus_finds_every_service(tmp_path: Path) -> None:
    for file in (COMPOSE / "prometheus.yml", CHECKOUT / "deploy" / "prometheus" / "outfall.rules.yml"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    promtool("check", "config", tmp_path / "prometheus.yml")
    jobs = yaml.safe_load((COMPOSE / "prometheus.yml").read_text(encoding="utf-8"))["scrape_configs"]
    found = {job["job_name"]: job["dns_sd_configs"][0] for job in jobs}
    assert found.keys() == {"outfall", "outfall-delivery", "outfall-hunting"}, "as the rules call them"
    watched = [name for name, service in ours.items() if "healthcheck" in service]
    assert sorted(name for each in found.values() for name in each["names"]) == sorted(watched)
    assert {each["port"] for each in found.values()} == {9464}


def test_the_image_gets_what_it_copies() -> None:
    kept = {
        line[1:]
        for line in (CHECKOUT / ".dockerignore").read_text(encoding="utf-8").splitlines()
        if line.startswith("!")
    }
    for line in (CHECKOUT / "deploy" / "Dockerfile").read_text(encoding="utf-8").splitlines():
        if line.startswith("COPY") and "--from" not in line:
            *sources, _ = line.split()[1:]
            assert set(sources) <= kept
            assert all((CHECKOUT / source).exists() for source in sources)
