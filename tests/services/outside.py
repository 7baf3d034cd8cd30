"""The world outside, on loopback: a web server that takes uploads and a mail server that takes mail."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session


@dataclass
class Web:
    """A web server's port and the sizes of what was uploaded to it, in bytes."""

    port: int
    uploads: list[int] = field(default_factory=list)


@contextlib.contextmanager
def web_server() -> Iterator[Web]:
    """Run a web server that answers PUT and POST with 201."""
    web = Web(0)

    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            web.uploads.append(len(body))
            self.send_response(201)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_POST = do_PUT  # noqa: N815 - see above

        def log_message(self, *_: object) -> None:
            """Print nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    web.port = server.server_port
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield web
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass
class Mailbox:
    """A mail server's port and the messages that it took."""

    port: int
    messages: list[Envelope] = field(default_factory=list)

    async def handle_DATA(  # noqa: N802 - aiosmtpd states the name
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        """Take a message."""
        self.messages.append(envelope)
        return "250 taken"


@contextlib.contextmanager
def mail_server(port: int) -> Iterator[Mailbox]:
    """Run a mail server that takes mail for everybody."""
    mailbox = Mailbox(port)
    controller = Controller(mailbox, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield mailbox
    finally:
        controller.stop()
