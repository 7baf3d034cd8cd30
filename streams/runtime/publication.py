"""Rules and enrichment as published: the files of a configuration, in a compacted topic, all or nothing.

The topic holds parts of files under the hash of their bytes, and one manifest that says which files there are
and of which parts each is made. A publication goes out in one transaction, so that a reader sees the former
one or the new one. The key for pseudonyms is never published: workers have it from their environment.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from streams.detect.load import TEST_SUFFIXES
from streams.errors import ConfigError
from streams.runtime.bundle import is_bundle
from streams.runtime.put_aside import put_aside
from streams.settings import Settings

MANIFEST = b"manifest"
PART = b"part:"
_PART_BYTES = 512 * 1024
BUNDLE = "rules.tar.gz"
"""Where a bundle's bytes stand in a publication, in place of its rules; its readers verify it."""
_PATH = re.compile(r"rules/[0-9]{1,4}/.+|enrich/[^/]+|severity\.yml|rules\.tar\.gz")
_SECRET = "pseudonym.key"  # noqa: S105 - the name of a file that is left out


@dataclass(frozen=True, slots=True)
class Publication:
    """Files by path: `rules/N/…` or a bundle, `enrich/…`, `severity.yml`; `revision` is the rules' commit."""

    files: Mapping[str, bytes]
    revision: str | None = None

    @property
    def version(self) -> str:
        """The hash of everything in it."""
        content = hashlib.sha256()
        for path, data in sorted(self.files.items()):
            content.update(f"{path}\0{len(data)}\0".encode() + data)
        return content.hexdigest()

    def unpack(self, state: Path, settings: Settings) -> Settings:
        """Write the files below the state folder, once; give the settings that name them there.

        Raises:
            ConfigError: they cannot be written.
        """
        folder = state / "published" / self.version[:16]
        put_aside(self.files, folder)
        bundle = folder / BUNDLE
        loose = folder / "rules"
        rules = [bundle] if bundle.is_file() else sorted(loose.iterdir(), key=lambda path: int(path.name))
        enrich, severity = folder / "enrich", folder / "severity.yml"
        named = {
            "rules": rules,
            "enrich": enrich if enrich.is_dir() else None,
            "severity": severity if severity.is_file() else None,
        }
        return settings.model_copy(update=named)


def collect(settings: Settings, revision: str | None) -> Publication:
    """Read the files that the settings name; tests of rules stay behind.

    Raises:
        ConfigError: one of them cannot be read.
    """
    files: dict[str, bytes] = {}
    try:
        if any(map(is_bundle, settings.rules)):
            files[BUNDLE] = settings.rules[0].read_bytes()
        else:
            files |= rule_files(settings.rules)
        if settings.enrich is not None:
            for file in sorted(settings.enrich.iterdir()):
                if file.is_file() and not file.name.startswith((".", _SECRET)):
                    files[f"enrich/{file.name}"] = file.read_bytes()
        if settings.severity is not None:
            files["severity.yml"] = settings.severity.read_bytes()
    except OSError as error:
        raise ConfigError([f"{error.filename}: {error.strerror}"]) from None
    return Publication(files, revision)


def rule_files(paths: Sequence[Path]) -> dict[str, bytes]:
    """Read rule files and folders, as `rules/N/…` for the Nth path; tests of rules stay behind.

    Raises:
        OSError: one of them cannot be read.
    """
    files: dict[str, bytes] = {}
    for number, path in enumerate(paths):
        inside = sorted(path.rglob("*")) if path.is_dir() else [path]
        for file in inside:
            name = file.relative_to(path if path.is_dir() else path.parent)
            hidden = any(part.startswith(".") for part in name.parts)
            if file.suffix in (".yml", ".yaml") and not hidden and not file.name.endswith(TEST_SUFFIXES):
                files[f"rules/{number}/{name.as_posix()}"] = file.read_bytes()
    return files


async def publish(client: dict[str, Any], topic: str, transactional_id: str, new: Publication) -> None:
    """Put a publication in place of the one that is there.

    Raises:
        KafkaError: the brokers did not take it; the former one still stands.
    """
    parts = {hashlib.sha256(part).hexdigest(): part for data in new.files.values() for part in _parts(data)}
    async with _reading(client, topic) as read_on:
        _, there = await read_on()
    producer = AIOKafkaProducer(  # gzip: kafka-python, which reads the agreement in this topic, knows it too
        **client, transactional_id=transactional_id, compression_type="gzip", max_request_size=8 * 1024 * 1024
    )
    await producer.start()
    try:
        async with producer.transaction():
            further = [(part, PART + name.encode()) for name, part in parts.items() if name not in there]
            gone = [(None, PART + name.encode()) for name in there.keys() - parts.keys()]
            records = [*further, (_manifest(new), MANIFEST), *gone]
            # aiokafka commits a transaction of which a record was refused, so each must be asked for.
            await asyncio.gather(*[await producer.send(topic, value, key, 0) for value, key in records])
    finally:
        await producer.stop()


@contextlib.asynccontextmanager
async def _reading(client: dict[str, Any], topic: str) -> AsyncIterator[Any]:
    """Give a function that reads on to the end, and gives the manifest and the parts that there are."""
    where = TopicPartition(topic, 0)
    consumer = AIOKafkaConsumer(
        **client, enable_auto_commit=False, auto_offset_reset="earliest", isolation_level="read_committed"
    )
    await consumer.start()
    manifest: bytes | None = None
    parts: dict[str, bytes] = {}

    async def read_on() -> tuple[bytes | None, dict[str, bytes]]:
        nonlocal manifest
        end = (await consumer.end_offsets([where]))[where]
        while await consumer.position(where) < end:
            fetched = await consumer.getmany(where, timeout_ms=500)
            for record in fetched.get(where, ()):
                name = (record.key or b"").removeprefix(PART).decode("ascii", "replace")
                if record.key == MANIFEST:
                    manifest = record.value
                elif record.value is None:
                    parts.pop(name, None)
                elif (record.key or b"").startswith(PART):
                    parts[name] = record.value
        return manifest, parts

    try:
        consumer.assign([where])
        await consumer.seek_to_beginning(where)
        yield read_on
    finally:
        await consumer.stop()


async def follow(client: dict[str, Any], topic: str, every: float) -> AsyncIterator[Publication | None]:
    """Give what is published now, None where nothing is, and then each further publication.

    `every` is how often it is looked for, in seconds. One whose parts are not as its manifest says is passed
    over: whoever wrote it was not `publish`.

    Raises:
        KafkaError: the topic cannot be read.
    """
    async with _reading(client, topic) as read_on:
        known: bytes | None = None
        first = True
        while True:
            manifest, parts = await read_on()
            if first or manifest != known:
                found = None if manifest is None else _read(manifest, parts)
                if first or found is not None:
                    yield found
                known, first = manifest, False
            await asyncio.sleep(every)


def _parts(data: bytes) -> list[bytes]:
    return [data[start : start + _PART_BYTES] for start in range(0, max(1, len(data)), _PART_BYTES)]


def _manifest(new: Publication) -> bytes:
    files = {
        path: [hashlib.sha256(part).hexdigest() for part in _parts(data)] for path, data in new.files.items()
    }
    return orjson.dumps({"revision": new.revision, "files": files}, option=orjson.OPT_SORT_KEYS)


def _read(manifest: bytes, parts: Mapping[str, bytes]) -> Publication | None:
    try:
        document = orjson.loads(manifest)
        files = {
            str(path): b"".join(parts[name] for name in names) for path, names in document["files"].items()
        }
        revision = document["revision"]
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    if not all(_PATH.fullmatch(path) and ".." not in PurePosixPath(path).parts for path in files):
        return None
    return Publication(files, None if revision is None else str(revision))
