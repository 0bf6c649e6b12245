"""Certificates for tests, made by the `openssl` program."""

from __future__ import annotations

import subprocess
from pathlib import Path

from dataflow.server.config import Tls

_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


class Authority:
    """Somebody who signs certificates; `cert` is its own."""

    def __init__(self, folder: Path, name: str = "authority") -> None:
        self._folder, self._name = folder, name
        self.cert, self._key = folder / f"{name}.pem", folder / f"{name}.key"
        _openssl("req", "-x509", *_KEY, "-days", 2, "-subj", f"/CN={name}", "-keyout", self._key, "-out", self.cert)

    def issue(self, names: str = "IP:127.0.0.1", days: int = 2) -> Tls:
        """For `names` in OpenSSL's spelling; with `days` below 0 it has expired so long ago."""
        stem = f"{self._name}-{names}-{days}".translate(str.maketrans(":,", "__"))
        cert, key, asked, extra = (self._folder / f"{stem}.{end}" for end in ("pem", "key", "csr", "ext"))
        extra.write_text(f"subjectAltName={names}")
        _openssl("req", *_KEY, "-subj", "/CN=server", "-keyout", key, "-out", asked)
        _openssl("x509", "-req", "-in", asked, "-CA", self.cert, "-CAkey", self._key, "-CAcreateserial",
                 "-days", days, "-extfile", extra, "-out", cert)  # fmt: skip
        return Tls(cert=cert, key=key)


def self_signed(folder: Path, names: str = "IP:127.0.0.1") -> Tls:
    cert, key = folder / "self.pem", folder / "self.key"
    _openssl("req", "-x509", *_KEY, "-days", 2, "-subj", "/CN=self", "-addext", f"subjectAltName={names}",
             "-keyout", key, "-out", cert)  # fmt: skip
    return Tls(cert=cert, key=key)


def _openssl(*arguments: object) -> None:
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)
