"""A rule bundle: the files of a rule book in one archive, with their hashes, the git commit, and a signature.

A gzipped tar (POSIX.1-2001) of `manifest.json`, `signature` if it is signed, and files below `rules/`. The
manifest names each file with its SHA-256; the signature is Ed25519 (RFC 8032) over the manifest's bytes. The
same files and commit give the same bytes. A bundle's id is the SHA-256 of its manifest.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import re
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import orjson
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from streams.errors import ConfigError

SUFFIX = ".tar.gz"
"""How the name of a bundle's file ends."""
_FORMAT = "outfall rule bundle 1"
_MANIFEST, _SIGNATURE, _RULES = "manifest.json", "signature", "rules/"
_NAME = re.compile(r"rules/[0-9]{1,4}/[^\x00\\]+\.ya?ml")
MOST_BYTES = 256 << 20
"""Most that a bundle may hold, unpacked; three thousand rules are 10 MB."""
_MOST_FILES = 100_000


@dataclass(frozen=True, slots=True)
class Bundle:
    """What is in a bundle: files by their paths `rules/N/…`, and what the manifest says of them.

    `rule_book` is the hash of what the rules say, `revision` their git commit, `made_by` the version of
    outfall; `id` the hash of the manifest. `signed` tells whether it has a signature, not that it is right.
    """

    files: Mapping[str, bytes]
    rule_book: str
    revision: str | None
    made_by: str
    id: str
    signed: bool


def pack(
    files: Mapping[str, bytes],
    rule_book: str,
    revision: str | None,
    made_by: str,
    key: Ed25519PrivateKey | None,
) -> bytes:
    """Make a bundle's bytes."""
    manifest = {
        "format": _FORMAT,
        "outfall": made_by,
        "revision": revision,
        "rule_book": rule_book,
        "files": {name: hashlib.sha256(data).hexdigest() for name, data in sorted(files.items())},
    }
    text = orjson.dumps(manifest, option=orjson.OPT_INDENT_2) + b"\n"
    members = {_MANIFEST: text}
    if key is not None:
        members[_SIGNATURE] = base64.b64encode(key.sign(text)) + b"\n"
    members |= dict(sorted(files.items()))
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, data in members.items():
            member = tarfile.TarInfo(name)  # no owner, and a time of 0: the same files give the same bytes
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return gzip.compress(packed.getvalue(), mtime=0)


def unpack(data: bytes, name: str, key: Ed25519PublicKey | None) -> Bundle:
    """Read a bundle; `name` begins what is said of it. With `key` it must be signed by that.

    Raises:
        ConfigError: it is no bundle, was changed, or is not signed by the key.
    """
    members = _members(data, name)
    text = members.pop(_MANIFEST, None)
    signature = members.pop(_SIGNATURE, None)
    if text is None:
        raise ConfigError([f"{name}: it is no rule bundle: there is no {_MANIFEST} in it"])
    if key is not None:
        _verify(text, signature, key, name)
    manifest = _manifest(text, name)
    problems = [
        f"{name}: {file} is not as the manifest says"
        for file in sorted(members.keys() | manifest["files"].keys())
        if file not in members or manifest["files"].get(file) != hashlib.sha256(members[file]).hexdigest()
    ]
    if problems:
        raise ConfigError(problems)
    return Bundle(
        files=members,
        rule_book=str(manifest["rule_book"]),
        revision=None if manifest["revision"] is None else str(manifest["revision"]),
        made_by=str(manifest["outfall"]),
        id=hashlib.sha256(text).hexdigest(),
        signed=signature is not None,
    )


def _members(data: bytes, name: str) -> dict[str, bytes]:
    """Give the archive's files; whatever an attacker puts in, nothing but small regular files gets out."""
    found: dict[str, bytes] = {}
    room = MOST_BYTES
    try:
        with tarfile.open(fileobj=_Bounded(data), mode="r|") as archive:
            for member in archive:
                room -= member.size
                if room < 0 or len(found) >= _MOST_FILES:
                    raise ConfigError([f"{name}: it holds more than a rule bundle may"])
                _check(member, name, found)
                file = archive.extractfile(member)
                found[member.name] = b"" if file is None else file.read()
    except (tarfile.TarError, OSError, EOFError, UnicodeError) as error:
        raise ConfigError([f"{name}: it is no rule bundle: {error}"]) from None
    return found


class _Bounded(io.BufferedIOBase):
    """A gzipped archive that ends with an error before it fills the memory."""

    def __init__(self, data: bytes) -> None:
        self._file = gzip.GzipFile(fileobj=io.BytesIO(data))
        self._room = 2 * MOST_BYTES

    def readable(self) -> bool:
        return True

    def read(self, size: int | None = -1) -> bytes:
        data = self._file.read(-1 if size is None else size)
        self._room -= len(data)
        if self._room < 0:
            raise OSError("it holds too much")
        return data


def _check(member: tarfile.TarInfo, name: str, found: Mapping[str, bytes]) -> None:
    known = member.name in (_MANIFEST, _SIGNATURE) or _NAME.fullmatch(member.name) is not None
    inside = all(part not in ("", ".", "..") for part in member.name.split("/"))
    if not (member.isreg() and known and inside) or member.name in found:
        raise ConfigError([f"{name}: {member.name[:200]!r} has no place in a rule bundle"])


def _verify(text: bytes, signature: bytes | None, key: Ed25519PublicKey, name: str) -> None:
    if signature is None:
        raise ConfigError([f"{name}: it is not signed"])
    try:
        key.verify(base64.b64decode(signature.strip(), validate=True), text)
    except (InvalidSignature, ValueError):
        raise ConfigError([f"{name}: it is not signed by this key, or was changed"]) from None


def _manifest(text: bytes, name: str) -> dict[str, Any]:
    try:
        manifest = orjson.loads(text)
    except orjson.JSONDecodeError:
        manifest = None
    match manifest:
        case {"format": str(stated), "files": dict(), "rule_book": str(), "outfall": str(), "revision": _}:
            if stated == _FORMAT:
                return dict(manifest)
            raise ConfigError([f"{name}: it is a {stated!r}; this version of outfall reads {_FORMAT!r}"])
    raise ConfigError([f"{name}: its manifest is none of a rule bundle"])


def signing_key(path: Path) -> Ed25519PrivateKey:
    """Read a private key: PEM, as `openssl genpkey -algorithm ed25519` writes it, without a password.

    Raises:
        ConfigError: it is none.
    """
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except OSError as error:
        raise ConfigError([f"{path}: {error.strerror}"]) from None
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ConfigError([f"{path}: it is no private key in PEM without a password"]) from None
    if not isinstance(key, Ed25519PrivateKey):
        raise ConfigError([f"{path}: it is no Ed25519 key (`openssl genpkey -algorithm ed25519` makes one)"])
    return key


def public_key(path: Path) -> Ed25519PublicKey:
    """Read a public key: PEM, as `openssl pkey -pubout` writes it.

    Raises:
        ConfigError: it is none.
    """
    try:
        key = load_pem_public_key(path.read_bytes())
    except OSError as error:
        raise ConfigError([f"{path}: {error.strerror}"]) from None
    except (ValueError, UnsupportedAlgorithm):
        raise ConfigError([f"{path}: it is no public key in PEM"]) from None
    if not isinstance(key, Ed25519PublicKey):
        raise ConfigError([f"{path}: it is no Ed25519 key"])
    return key


def is_bundle(path: Path) -> bool:
    """Tell whether a path of rules is a bundle, and no folder or file of rules."""
    return path.name.endswith(SUFFIX)


def folders(files: Mapping[str, bytes], below: Path) -> list[Path]:
    """Give where the rules of a bundle are, once its files are below a folder."""
    numbers = {int(PurePosixPath(name).parts[1]) for name in files}
    return [below / _RULES / str(number) for number in sorted(numbers)]
