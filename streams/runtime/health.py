"""Tells others how the worker is: `/metrics`, `/healthz` and `/readyz`, from threads of their own.

So it answers while the event loop computes, which is just when one wants to know. Nothing here is personal.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from http import HTTPStatus
from typing import Self

from streams.metrics import CONTENT_TYPE, Metrics
from streams.runtime.web import JSON, Answer, Web

STARTING = "worker"
"""The key of the reason that is there from the start, until the worker says that it is ready."""

PATIENCE = 30.0
"""Seconds after which an event loop that has not turned counts as stuck."""


class Health:
    """What a worker says of itself; while the block runs, at `listen`: HOST:PORT, or empty for nowhere.

    It is ready when there is no reason why not; each has a key. It is alive as long as `beat` is called at
    least every `patience` seconds, once it has been called first. Any thread may call anything.
    """

    def __init__(
        self,
        metrics: Metrics,
        listen: str,
        *,
        patience: float = PATIENCE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._metrics = metrics
        self._patience = patience
        self._clock = clock
        self._beaten: float | None = None
        self._reasons = {STARTING: "starting"}
        self._lock = threading.Lock()
        self._stack = ExitStack()
        pages = {"/metrics": self._metrics_page, "/healthz": self._alive_page, "/readyz": self._ready_page}
        self._web = Web(listen, pages) if listen else None

    def not_ready(self, key: str, why: str) -> None:
        """Say why the worker does not work; a later reason with the same key takes its place."""
        with self._lock:
            self._reasons[key] = why

    def ready(self, key: str) -> None:
        """Say that a reason is gone."""
        with self._lock:
            self._reasons.pop(key, None)

    def beat(self) -> None:
        """Say that the event loop turns."""
        self._beaten = self._clock()

    @property
    def reasons(self) -> dict[str, str]:
        """Why the worker does not work, by key; empty where it does."""
        with self._lock:
            return dict(self._reasons)

    @property
    def stuck(self) -> str | None:
        """Why the worker should be started anew, or None while it is alive."""
        age = self._age()
        return f"the event loop has not turned for {age:.0f} s" if age > self._patience else None

    @property
    def port(self) -> int | None:
        """The port that is listened at, or None where `listen` is empty."""
        return None if self._web is None else self._web.port

    def __enter__(self) -> Self:
        if self._web is not None:
            self._stack.enter_context(self._web)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _age(self) -> float:
        return 0.0 if self._beaten is None else self._clock() - self._beaten

    def _metrics_page(self) -> Answer:
        self._metrics.set("outfall_ready", not self.reasons)
        self._metrics.set("outfall_beat_age_seconds", self._age())
        return Answer(self._metrics.page(), CONTENT_TYPE)

    def _alive_page(self) -> Answer:
        stuck = self.stuck
        if stuck is None:
            return Answer(b"ok\n")
        return Answer(f"{stuck}\n".encode(), status=HTTPStatus.SERVICE_UNAVAILABLE)

    def _ready_page(self) -> Answer:
        why = list(self.reasons.values())
        status = HTTPStatus.SERVICE_UNAVAILABLE if why else HTTPStatus.OK
        return Answer(json.dumps(why).encode() + b"\n", JSON, status)
