"""A real squid on loopback: people log on to it, and it knows the names of a hosts file."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from services.packages import package
from services.process import free_port, listening, running, wait_for

CONFIGURATION = """
http_port 127.0.0.1:{port}
visible_hostname proxy.borough.test
hosts_file {folder}/hosts
auth_param basic program {helper}
auth_param basic realm borough
acl people proxy_auth REQUIRED
http_access allow people
http_access deny all
cache deny all
{logging}
cache_log {folder}/cache.log
pid_filename {folder}/squid.pid
coredump_dir {folder}
mime_table {mime}
error_directory {errors}
icon_directory {icons}
unlinkd_program {unlinkd}
pinger_enable off
shutdown_lifetime 0 seconds
{user}
"""


@dataclass(frozen=True)
class Squid:
    """A running proxy."""

    port: int
    folder: Path
    pid: int

    @property
    def log(self) -> Path:
        """Its access log."""
        return self.folder / "access.log"

    def address(self, person: str) -> str:
        """Give the proxy's address with credentials, which it believes whatever the password is."""
        return f"http://{person}:secret@127.0.0.1:{self.port}"

    def rotate(self) -> None:
        """Put the log aside and have squid begin another, as Debian's logrotate does each night."""
        self.log.rename(self.log.with_suffix(".log.1"))
        os.kill(self.pid, signal.SIGUSR1)
        wait_for("squid to begin another log", self.log.exists)


@contextlib.contextmanager
def squid(hosts: Mapping[str, str], logformat: str = "") -> Iterator[Squid]:
    """Run squid; `hosts` gives names addresses, `logformat` is a definition of a format, else squid's own."""
    files = package("squid")
    with tempfile.TemporaryDirectory(prefix="outfall-squid-") as name:
        port, folder = free_port(), Path(name)
        name_of_format = logformat.split()[1] if logformat else "squid"
        settings = CONFIGURATION.format(
            port=port,
            folder=name,
            helper=files.path("usr/lib/squid/basic_fake_auth"),
            logging=f"{logformat}\naccess_log stdio:{folder}/access.log {name_of_format}",
            mime=files.path("usr/share/squid/mime.conf"),
            errors=files.path("usr/share/squid/errors/templates"),
            icons=files.path("usr/share/squid/icons"),
            unlinkd=files.path("usr/lib/squid/unlinkd"),
            user="cache_effective_user proxy" if os.geteuid() == 0 else "",
        )
        (folder / "squid.conf").write_text(settings)
        (folder / "hosts").write_text("".join(f"{ip} {host}\n" for host, ip in hosts.items()))
        if os.geteuid() == 0:
            shutil.chown(name, pwd.getpwnam("proxy").pw_uid)
        command = [files.path("usr/sbin/squid"), "-N", "-f", folder / "squid.conf"]
        printed = folder / "printed"
        with running(command, output=printed, environment=files.environment) as process:
            wait_for(
                "squid to listen",
                lambda: _ended(process.poll(), printed) or listening(port),
            )
            yield Squid(port, folder, process.pid)


def _ended(status: int | None, printed: Path) -> bool:
    assert status is None, f"squid ended with status {status}: {printed.read_text()[-2000:]}"
    return False
