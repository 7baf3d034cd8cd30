"""A real postfix on loopback, an instance of its own, that hands all mail to one relay host."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from services.packages import package, unavailable
from services.process import free_port, listening, running, wait_for

OWNER, GROUP = "daemon", "bin"  # of the base system; postfix wants an account and a group for itself

MAIN = """
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
daemon_directory = {daemons}
command_directory = {commands}
shlib_directory = {libraries}
meta_directory = {folder}
mail_owner = {owner}
setgid_group = {group}
maillog_file = {folder}/mail.log
maillog_file_prefixes = {folder}
import_environment = MAIL_CONFIG TZ LD_LIBRARY_PATH LANG=C
inet_interfaces = loopback-only
inet_protocols = ipv4
myhostname = mail.borough.test
mydestination =
mynetworks = 127.0.0.0/8
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_peername_lookup = no
relayhost = [127.0.0.1]:{relay}
smtp_dns_support_level = disabled
smtp_host_lookup = native
alias_maps =
alias_database =
header_checks = regexp:{folder}/header_checks
mime_header_checks = $header_checks
"""

LOGGED_HEADERS = r"/^(Subject|Content-Disposition):/ WARN"

MASTER = """
127.0.0.1:{port} inet n - n - - smtpd
cleanup   unix n - n - 0 cleanup
qmgr      unix n - n 300 1 qmgr
rewrite   unix - - n - - trivial-rewrite
bounce    unix - - n - 0 bounce
defer     unix - - n - 0 bounce
trace     unix - - n - 0 bounce
smtp      unix - - n - - smtp
error     unix - - n - - error
anvil     unix - - n - 1 anvil
proxymap  unix - - n - - proxymap
postlog   unix-dgram n - n - 1 postlogd
"""

QUEUES = ("active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming", "private", "trace")


@dataclass(frozen=True)
class Postfix:
    """A running mail server."""

    port: int
    folder: Path

    @property
    def log(self) -> Path:
        """Its mail log."""
        return self.folder / "mail.log"


@contextlib.contextmanager
def postfix(relay: int) -> Iterator[Postfix]:
    """Run postfix; all mail goes to the loopback port `relay`; subjects and attachments' names are logged."""
    if os.geteuid() != 0:
        unavailable("postfix only starts as root")
    files = package("postfix")
    with tempfile.TemporaryDirectory(prefix="outfall-postfix-") as name:
        server = Postfix(free_port(), Path(name))
        server.folder.chmod(0o755)
        main = MAIN.format(
            folder=name,
            daemons=files.path("usr/lib/postfix/sbin"),
            commands=files.path("usr/sbin"),
            libraries=files.path("usr/lib/postfix"),
            owner=OWNER,
            group=GROUP,
            relay=relay,
        )
        (server.folder / "main.cf").write_text(main)
        (server.folder / "master.cf").write_text(MASTER.format(port=server.port))
        (server.folder / "header_checks").write_text(LOGGED_HEADERS)
        _make_queues(server.folder)
        command = [files.path("usr/lib/postfix/sbin/master"), "-d", "-c", server.folder]
        environment = {**files.environment, "MAIL_CONFIG": name, "TZ": "UTC"}
        with running(command, output=server.folder / "printed", environment=environment) as process:
            wait_for(
                "postfix to listen",
                lambda: _ended(process.poll(), server.folder) or listening(server.port),
            )
            yield server


def _make_queues(folder: Path) -> None:
    owner = pwd.getpwnam(OWNER).pw_uid
    for name in ("queue", "queue/pid"):
        (folder / name).mkdir(mode=0o755)
    for name in ("data", *(f"queue/{queue}" for queue in QUEUES)):
        (folder / name).mkdir(mode=0o700)
        os.chown(folder / name, owner, -1)
    for name, mode in (("public", 0o710), ("maildrop", 0o730)):
        made = folder / "queue" / name
        made.mkdir()
        shutil.chown(made, OWNER, GROUP)
        made.chmod(mode)


def _ended(status: int | None, folder: Path) -> bool:
    said = "".join(file.read_text() for file in (folder / "printed", folder / "mail.log") if file.exists())
    assert status is None, f"postfix ended with status {status}: {said[-2000:]}"
    return False
