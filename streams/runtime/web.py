"""A small web server for pages that only say something: bounded, in threads, without a log.

Faust's own web server shows the contents of tables and runs in the event loop, so it is off.
"""

from __future__ import annotations

import contextlib
import socket
import sys
import threading
from collections.abc import Callable, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from socketserver import TCPServer, ThreadingMixIn
from typing import Any, NamedTuple, Self

from streams import log
from streams.errors import ConfigError

TEXT = "text/plain; charset=utf-8"
JSON = "application/json"

_REQUESTS = 16
"""Requests answered at once; further ones are turned away, so that nobody can fill us with threads."""


class Answer(NamedTuple):
    """What is answered to a request."""

    body: bytes
    type: str = TEXT
    status: HTTPStatus = HTTPStatus.OK


class Web:
    """Serves `pages`, each by its path, at `listen` (HOST:PORT; port 0 takes any), while the block runs.

    A request may take `deadline` seconds as a whole, however slowly it is asked or its answer is read.
    """

    def __init__(
        self, listen: str, pages: Mapping[str, Callable[[], Answer]], *, deadline: float = 10
    ) -> None:
        self._listen = listen
        self._pages = pages
        self._deadline = deadline
        self._server: _Server | None = None

    @property
    def port(self) -> int:
        """The port that is listened at."""
        if self._server is None:
            raise RuntimeError("nothing is served outside of the block")
        return int(self._server.server_address[1])

    def __enter__(self) -> Self:
        try:
            self._server = _Server(self._listen, self._pages, self._deadline)
        except (OSError, OverflowError) as error:
            raise ConfigError([f"worker.listen: {self._listen}: {error}"]) from None
        threading.Thread(target=self._server.serve_forever, name="web", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None


class _Server(ThreadingMixIn, TCPServer):
    allow_reuse_address = True
    request_queue_size = _REQUESTS
    daemon_threads = True
    block_on_close = False  # the process may end while someone reads slowly

    def __init__(self, listen: str, pages: Mapping[str, Callable[[], Answer]], deadline: float) -> None:
        host, _, port = listen.rpartition(":")
        host = host.removeprefix("[").removesuffix("]")
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.pages = pages
        self._deadline = deadline
        self._room = threading.BoundedSemaphore(_REQUESTS)
        super().__init__((host, int(port)), _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer in a thread, where there is room for one."""
        if not self._room.acquire(blocking=False):
            self.shutdown_request(request)
            return
        try:
            super().process_request(request, client_address)
        except RuntimeError:  # no thread can be started
            self._room.release()
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Answer within the deadline."""
        cut = threading.Timer(self._deadline, _cut, (request,))
        cut.daemon = True
        cut.start()
        try:
            super().process_request_thread(request, client_address)
        finally:
            cut.cancel()
            self._room.release()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 - the base class says so
        """Log a failure; that the other side has gone is none."""
        if not isinstance(sys.exception(), OSError):
            log.get(__name__).warning("a request could not be answered", exc_info=True)


def _cut(request: socket.socket) -> None:
    with contextlib.suppress(OSError):
        request.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    """Speaks HTTP/1.0: one request a connection, so that no idle one is ever held."""

    server: _Server

    def do_GET(self) -> None:
        """Answer with the page, or with its head alone."""
        page = self.server.pages.get(self.path.partition("?")[0])
        if page is None:
            known = ", ".join(self.server.pages)
            answer = Answer(f"there are {known}\n".encode(), status=HTTPStatus.NOT_FOUND)
        else:
            answer = page()
        with contextlib.suppress(OSError):  # the other side has gone
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.type)
            self.send_header("Content-Length", str(len(answer.body)))
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(answer.body)

    do_HEAD = do_GET  # noqa: N815 - as above

    def version_string(self) -> str:
        """Say nothing of versions."""
        return "outfall"

    def log_message(self, *_: object) -> None:
        """Log nothing: a scrape every few seconds is no news."""
