"""Whom a desk believes that a server is who it says: this machine's authorities, or a file of one's own instead."""

from __future__ import annotations

import ssl
from functools import lru_cache
from pathlib import Path

from storage.regular import read_regular

_LARGEST = 16 * 2**20
_EXPIRED, _EARLY, _NAMES = 10, 9, (62, 64)
_UNKNOWN = (2, 18, 19, 20, 21)
"""OpenSSL's X509_V_ERR_… of a chain that ends at nobody who is trusted."""


class BadAuthority(Exception):
    """A file that should hold certificates and does not; the text is one line."""


def context(ca: Path | None) -> ssl.SSLContext:
    """For a connection. `ca`: a PEM file; whoever's certificate is in it is trusted, and who it signed; nobody else is.

    Raises BadAuthority.
    """
    if ca is None:
        named = ssl.get_default_verify_paths().cafile
        return _of_machine(_stamp(Path(named)) if named else ())
    try:
        read_regular(ca, _LARGEST)
        return _of_file(ca, _stamp(ca))
    except ssl.SSLError:
        raise BadAuthority(f"{ca}: there is no certificate in it (a PEM file: -----BEGIN CERTIFICATE-----)") from None
    except OSError as error:
        raise BadAuthority(f"{ca}: {(error.strerror or str(error)).lower()}") from None


def describe_wrong(place: str, error: ssl.SSLCertVerificationError, ca: Path | None) -> str:
    """What is wrong with a server's certificate, and what to do, in one line."""
    code = error.verify_code
    if code == _EXPIRED:
        return f"the certificate of {place} has expired; ask who runs it to renew it, and mind this machine's clock"
    if code == _EARLY:
        return f"the certificate of {place} is not valid yet; is this machine's clock right?"
    if code in _NAMES:
        return f"the certificate of {place} is for another name; open the board with the name that it is for"
    if code in _UNKNOWN and ca is not None:
        return f"the certificate of {place} is not signed by whom {ca} names; ask who runs it for the right file"
    if code in _UNKNOWN:
        way_out = "if it is your own, name who signed it: --ca FILE"
        return f"the certificate of {place} is signed by nobody whom this machine trusts; {way_out}"
    return f"the certificate of {place} is not trusted here ({error.verify_message})"


def _stamp(path: Path) -> tuple[int, ...]:
    """Another one, and the file is read again. Raises OSError."""
    stat = path.stat()
    return stat.st_mtime_ns, stat.st_size


@lru_cache(maxsize=1)
def _of_machine(_stamp: tuple[int, ...]) -> ssl.SSLContext:
    return ssl.create_default_context()


@lru_cache(maxsize=4)
def _of_file(ca: Path, _stamp: tuple[int, ...]) -> ssl.SSLContext:
    """Also where the file holds the server's own certificate, however it was made."""
    made = ssl.create_default_context(cafile=str(ca))
    made.verify_flags = (made.verify_flags | ssl.VERIFY_X509_PARTIAL_CHAIN) & ~ssl.VERIFY_X509_STRICT
    return made
