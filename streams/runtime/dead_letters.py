"""Dead letters as records of a Kafka topic: the raw bytes unchanged, all that is known of them in headers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from streams.errors import RecordError
from streams.event import Origin
from streams.runtime.headers import (
    ATTEMPTS,
    ERROR,
    ORIGIN,
    PLACE,
    REASON,
    SOURCE,
    STAGE,
    Headers,
    find,
    origin_header,
    read_number,
    read_origin,
)


@dataclass(frozen=True, slots=True)
class Letter:
    """One raw record that could not be processed.

    `stage` is the step that gave it up, `error` the error's class, `reason` its text, which holds nothing of
    the content. `place` is where the record lies in Kafka (`topic/partition/offset`), empty where it came
    from no topic. `attempts` is how often it has been tried.
    """

    data: bytes
    origin: Origin
    stage: str
    error: str
    reason: str
    place: str = ""
    attempts: int = 1

    def headers(self) -> Headers:
        """Give the headers of the record whose value `data` is."""
        texts = {
            SOURCE: self.origin.source,
            STAGE: self.stage,
            ERROR: self.error,
            REASON: self.reason,
            PLACE: self.place,
            ATTEMPTS: str(self.attempts),
        }
        said = [(name, text.encode("utf-8", "backslashreplace")) for name, text in texts.items()]
        return [origin_header(self.origin), *said]

    @classmethod
    def read(cls, value: bytes | None, headers: Iterable[tuple[str, bytes]]) -> Letter:
        """Read a record of the topic of dead letters.

        Raises:
            RecordError: it is none that `headers` describes.
        """
        given = list(headers)
        texts = {name: _text(given, name) for name in (SOURCE, STAGE, ERROR, REASON, PLACE)}
        origin = find(given, ORIGIN)
        attempts = read_number(find(given, ATTEMPTS) or b"", ATTEMPTS)
        if origin is None:
            raise RecordError(f"header {ORIGIN} is missing")
        if attempts < 1:
            raise RecordError(f"header {ATTEMPTS} is less than 1")
        return cls(
            data=value or b"",
            origin=read_origin(origin, texts[SOURCE]),
            stage=texts[STAGE],
            error=texts[ERROR],
            reason=texts[REASON],
            place=texts[PLACE],
            attempts=attempts,
        )


def _text(headers: list[tuple[str, bytes]], name: str) -> str:
    value = find(headers, name)
    if value is None:
        raise RecordError(f"header {name} is missing")
    return value.decode("utf-8", "replace")
