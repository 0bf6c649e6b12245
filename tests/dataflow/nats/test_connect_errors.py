"""What a failed connection is called: who can mend it, where, and what to do next."""

from __future__ import annotations

import errno
import ssl
from pathlib import Path

import pytest
from nats import errors

from dataflow.nats import certificates
from dataflow.nats.connect_errors import (
    Attempt,
    NotAdmitted,
    Unreachable,
    describe_error,
    describe_place,
    explain_failure,
)

PLACE = "nats://tower:4222"


def attempt(listens=True, greets=True, identity=None, ca=None):
    return Attempt("nats://eve:secret@tower:4222", identity, ca, listens, greets)


def tls_error(kind, reason):
    """As OpenSSL makes it."""
    error = kind(1, "x")
    error.reason = reason
    return error


@pytest.mark.parametrize(
    ("one", "error", "kind", "words"),
    [
        (attempt(False, False), ConnectionRefusedError(errno.ECONNREFUSED, "x"), Unreachable,
         f"no answer from {PLACE} (connection refused)"),
        (attempt(False, False), TimeoutError(), Unreachable, f"no answer from {PLACE} (timed out)"),
        (attempt(True, False), TimeoutError(), Unreachable,
         f"something listens at {PLACE}, but says nothing; is it a NATS server?"),
        (attempt(True, False), ValueError("x"), NotAdmitted,
         f"what answers at {PLACE} is no NATS server, by its greeting; look at the host and the port"),
        (attempt(True, False), OSError(errno.ECONNRESET, "x"), Unreachable,
         f"no answer from {PLACE} (connection reset by peer)"),
        (attempt(True, True), TimeoutError(), Unreachable, f"no answer from {PLACE} (timed out)"),
        (attempt(True, True), errors.Error("nats: 'Authorization Violation'"), NotAdmitted,
         f"the server at {PLACE} does not admit everybody; open the board with --identity FILE"),
        (attempt(True, True, Path("a/amy.toml")), errors.Error("nats: nkeys not supported"), NotAdmitted,
         f"the server at {PLACE} does not admit this identity, amy.toml; ask who runs it for a new one"),
        (attempt(True, True), tls_error(ssl.SSLError, "WRONG_VERSION_NUMBER"), Unreachable,
         f"TLS with {PLACE} fails (wrong version number)"),
    ],
)  # fmt: skip
def test_what_a_failure_means(one, error, kind, words):
    failure = explain_failure(one, error)
    assert type(failure) is kind
    assert str(failure).startswith(words)
    assert "secret" not in str(failure)


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("tower", "nats://tower"), ("nats://a:b@tower:1", "nats://tower:1"), ("tls://tower", "tls://tower"),
        ("a@b@tower:2", "nats://tower:2"),
    ],
)
def test_a_place_is_told_without_what_is_secret(url, place):
    assert describe_place(url) == place


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (errors.Error("nats: 'no'"), "no"), (ValueError(), "ValueError"), (TimeoutError(), "timed out"),
        (OSError(errno.ENETUNREACH, "x"), "network is unreachable"), (OSError(-2, "Name unknown"), "name unknown"),
    ],
)
def test_an_error_is_told_in_plain_words(error, words):
    assert describe_error(error) == words


@pytest.mark.parametrize(
    ("code", "ca", "words"),
    [
        (10, None, "has expired"), (9, None, "is not valid yet"), (62, None, "is for another name"),
        (64, Path("ca"), "is for another name"), (18, None, "nobody whom this machine trusts; .*--ca FILE"),
        (20, Path("my.pem"), "is not signed by whom my.pem names"), (99, None, r"is not trusted here \(why\)"),
    ],
)
def test_a_certificate_that_is_wrong_says_how(code, ca, words):
    error = tls_error(ssl.SSLCertVerificationError, "CERTIFICATE_VERIFY_FAILED")
    error.verify_code, error.verify_message = code, "why"
    failure = explain_failure(attempt(ca=ca), error)
    assert type(failure) is NotAdmitted
    assert str(failure) == certificates.describe_wrong(PLACE, error, ca)
    with pytest.raises(NotAdmitted, match=words):
        raise failure
