"""What outfall needs in Elasticsearch: templates, lifecycle, roles, indices; files of `deploy/elasticsearch`.

What is installed bears the hash of the file that it was made of, by which `check` knows it again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

from elasticsearch import ApiError, Elasticsearch, NotFoundError

HASH = "outfall_hash"
ABSENT = "the server has no such feature"
"""The build for tests lacks lifecycle policies and API-key roles; a licensed or basic one has both."""

_PLACES = {
    "lifecycle": "/_ilm/policy/{}",
    "component-templates": "/_component_template/{}",
    "index-templates": "/_index_template/{}",
    "roles": "/_security/role/{}",
}
"""The folders in the order in which they are installed, since what comes later names what comes before."""
_INDICES = ("alerts", "actions")


@dataclass(frozen=True, slots=True)
class Part:
    """One thing in Elasticsearch; `state` is `installed`, `missing`, `different` or `ABSENT`."""

    kind: str
    name: str
    state: str

    @property
    def fine(self) -> bool:
        """Whether nothing is to be done about it."""
        return self.state in ("installed", ABSENT)


def files() -> Path:
    """Give the folder of the files: beside the package where it is installed, or of the checkout."""
    beside = Path(__file__).resolve().parents[1] / "deploy" / "elasticsearch"
    return beside if beside.is_dir() else Path(__file__).resolve().parents[2] / "deploy" / "elasticsearch"


def install(client: Elasticsearch, prefix: str) -> Iterator[Part]:
    """Install everything, over what is there, and tell of each; repeating is harmless.

    Raises:
        ApiError: the server refuses something.
        TransportError: it does not answer.
    """
    policies: set[str] = set()
    for kind, name, body in _wanted(prefix):
        if kind == "index-templates" and name in policies:
            body["template"]["settings"] = {"index.lifecycle.name": name}
        try:
            _ask(client, "PUT", _PLACES[kind].format(name), body)
        except ApiError as error:
            if not _no_feature(error):
                raise
            yield Part(kind, name, ABSENT)
        else:
            if kind == "lifecycle":
                policies.add(name)
            yield Part(kind, name, "installed")
    for name in _INDICES:
        index = f"{prefix}-{name}"
        if not client.indices.exists(index=index):
            client.indices.create(index=index)
        yield Part("indices", index, "installed")


def check(client: Elasticsearch, prefix: str) -> Iterator[Part]:
    """Tell of each thing whether it is there as it should be.

    Raises:
        ApiError, TransportError: as `install`.
    """
    for kind, name, body in _wanted(prefix):
        try:
            there = json.dumps(_ask(client, "GET", _PLACES[kind].format(name)))
        except ApiError as error:
            if error.status_code == HTTPStatus.NOT_FOUND:
                yield Part(kind, name, "missing")
            elif _no_feature(error):
                yield Part(kind, name, ABSENT)
            else:
                raise
        else:
            yield Part(kind, name, "installed" if _hash(body) in there else "different")
    for name in _INDICES:
        index = f"{prefix}-{name}"
        yield Part("indices", index, "installed" if client.indices.exists(index=index) else "missing")


def missing(client: Elasticsearch, prefix: str) -> str | None:
    """Say what hinders writing, if anything does; asks only what the role of `outfall index` may ask.

    Raises:
        ApiError, TransportError: as `install`.
    """
    index = f"{prefix}-{_INDICES[0]}"
    try:
        mappings = client.indices.get_mapping(index=index)[index]["mappings"]
    except NotFoundError:
        return f"there is no index {index}"
    if mappings.get("dynamic") != "strict":
        return f"index {index} was made without our template, and takes any field: delete it first"
    return None


def _wanted(prefix: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Give what there must be: its kind, its name and its content, with its hash in it."""
    for kind in _PLACES:
        for file in sorted((files() / kind).glob("*.json")):
            text = file.read_text(encoding="utf-8").replace("outfall-", f"{prefix}-")
            body: dict[str, Any] = json.loads(text)
            digest = hashlib.sha256(text.encode()).hexdigest()[:32]
            if kind == "roles":
                body["metadata"] = {HASH: digest}
            else:
                (body["policy"] if kind == "lifecycle" else body)["_meta"][HASH] = digest
            yield kind, file.stem.replace("outfall-", f"{prefix}-"), body


def _hash(body: dict[str, Any]) -> str:
    place = body.get("metadata") or body.get("_meta") or body["policy"]["_meta"]
    return str(place[HASH])


def _ask(client: Elasticsearch, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
    headers = {"accept": "application/json"} | ({"content-type": "application/json"} if body else {})
    return client.perform_request(method, path, headers=headers, body=body).body


def _no_feature(error: ApiError) -> bool:
    """Tell whether the server knows no such path at all."""
    return error.status_code in (
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.METHOD_NOT_ALLOWED,
    ) and "no handler found" in json.dumps(error.body)
