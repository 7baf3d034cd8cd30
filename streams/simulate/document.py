"""Files that the simulated people make and send."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from streams.simulate.names import DOCUMENTS, EXTENSIONS

_MIME = {
    "csv": "text/csv",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "jpg": "image/jpeg",
    "pdf": "application/pdf",
    "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "txt": "text/plain",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "zip": "application/zip",
}


@dataclass(frozen=True, slots=True)
class Document:
    """A file: name, size in bytes, SHA-256 in hexadecimal."""

    name: str
    size: int
    sha256: str

    @property
    def extension(self) -> str:
        """What stands after the last dot."""
        return self.name.rpartition(".")[2]

    @property
    def mime_type(self) -> str:
        """Its media type."""
        return _MIME[self.extension]


def document(random: Random, name: str, size: int) -> Document:
    """Make a file of a name and a size; its hash is any."""
    return Document(name, size, f"{random.getrandbits(256):064x}")


def everyday(random: Random) -> Document:
    """Make a file such as everybody has, about nobody."""
    name = f"{random.choice(DOCUMENTS)}_{random.randint(1, 40)}.{random.choice(EXTENSIONS)}"
    return document(random, name, size(random, 60_000))


def size(random: Random, middle: int) -> int:
    """Draw a size in bytes around a middle, with the long tail that sizes have."""
    return max(300, min(20_000_000, int(random.lognormvariate(0, 1) * middle)))
