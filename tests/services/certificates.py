"""Certificates for tests, made by openssl: an authority and what it signs, as PEM files in one folder."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from services.packages import unavailable

# The machine's own configuration is left out: it would make an authority of every certificate.
CONFIGURATION = "[req]\ndistinguished_name = name\n[name]\n"
IDENTIFIERS = ("subjectKeyIdentifier=hash", "authorityKeyIdentifier=keyid")
AUTHORITY = (*IDENTIFIERS[:1], "basicConstraints=critical,CA:true", "keyUsage=critical,keyCertSign,cRLSign")
SERVER = (*IDENTIFIERS, "subjectAltName=DNS:localhost,IP:127.0.0.1", "extendedKeyUsage=serverAuth")
CLIENT = (*IDENTIFIERS, "extendedKeyUsage=clientAuth")


@dataclass(frozen=True)
class Authority:
    """A certificate authority; what it signs is made when it is first asked for and stays the same."""

    folder: Path

    @property
    def certificate(self) -> Path:
        """Its own certificate, which those trust who trust it."""
        return self._made("ca", AUTHORITY).with_suffix(".pem")

    def server(self) -> Path:
        """Give the key and the certificate of a server on loopback, in one file."""
        return self._both("server", SERVER)

    def client(self, name: str) -> tuple[Path, Path]:
        """Give the certificate and the key of the client `name`; CN is its name."""
        certificate = self._made(f"client-{name}", CLIENT, common=name)
        return certificate, certificate.with_suffix(".key")

    def _both(self, file: str, extensions: tuple[str, ...]) -> Path:
        certificate = self._made(file, extensions)
        both = certificate.with_suffix(".both.pem")
        both.write_text(certificate.with_suffix(".key").read_text() + certificate.read_text())
        return both

    def _made(self, file: str, extensions: tuple[str, ...], common: str = "") -> Path:
        """Give the certificate `file`; its key lies beside it."""
        made = self.folder / f"{file}.pem"
        if made.exists():
            return made
        if not shutil.which("openssl"):
            unavailable("certificates are made by openssl and there is no openssl")
        self.folder.mkdir(parents=True, exist_ok=True)
        configuration = self.folder / "openssl.cnf"
        configuration.write_text(CONFIGURATION)
        signer = (
            [] if extensions is AUTHORITY else ["-CA", self.certificate, "-CAkey", self.folder / "ca.key"]
        )
        command = [
            *("openssl", "req", "-x509", "-config", configuration, "-days", "2", "-nodes"),
            *("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-subj", f"/CN={common or file}"),
            *(word for extension in extensions for word in ("-addext", extension)),
            *("-keyout", made.with_suffix(".key"), "-out", made, *signer),
        ]
        subprocess.run(command, check=True, capture_output=True, timeout=60)
        return made
