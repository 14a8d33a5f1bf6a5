"""Errors of the operating system and of TLS as messages that say what to check."""

from __future__ import annotations

import errno
import socket
import ssl

import pytest

from headway.transport.connect_errors import (
    CERTIFICATE_ERRORS,
    OS_ERRORS,
    connect_error,
    tls_alert_error,
)
from support.for_each import for_each


def tls_error(reason: str) -> ssl.SSLError:
    error = ssl.SSLError(1, f"[SSL: {reason}] something (_ssl.c:1)")
    error.reason = reason
    return error


def verification(code: int, message: str = "its own words") -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, message)
    error.verify_code = code
    error.verify_message = message
    return error


SAID: list[tuple[Exception, str, str]] = [
    (OSError(errno.ECONNREFUSED, "refused"), "connection_refused", "base_url"),
    (OSError(errno.EMFILE, "too many"), "too_many_files", "ulimit"),
    (OSError(errno.EADDRNOTAVAIL, "no"), "no_local_port", "too many connections"),
    (OSError(errno.EIO, "odd"), "unreachable", "odd"),
    (OSError("no number"), "unreachable", "no number"),
    (ConnectionAbortedError(), "connection_reset", "closed the connection"),
    (TimeoutError(), "connect_timeout", "too long"),
    (TimeoutError(errno.ETIMEDOUT, "timed out"), "connect_timeout", "does not react"),
    (socket.gaierror(socket.EAI_NONAME, "unknown name"), "dns_failed", "unknown name"),
    (verification(10), "tls_certificate_expired", "expired"),
    (verification(62), "tls_name_mismatch", "another name"),
    (verification(999), "tls_untrusted", "its own words"),
    (tls_error("WRONG_VERSION_NUMBER"), "tls_not_spoken", "http://"),
    (tls_error("SSLV3_ALERT_HANDSHAKE_FAILURE"), "tls_handshake", "refused the TLS handshake"),
    (tls_error("SOMETHING_NEW"), "tls_handshake", "SOMETHING_NEW"),
    (ValueError("odd"), "unreachable", "ValueError: odd"),
]


@for_each(("error", "code", "said"), SAID)
def test_an_error_has_a_code_and_says_what_to_check(error: Exception, code: str, said: str) -> None:
    told = connect_error(error, "api.test")
    assert told.code == code
    assert told.message.startswith("cannot reach api.test: ")
    assert said in told.message
    assert told.retryable


def test_every_code_is_a_valid_identifier() -> None:
    for code, _ in (*OS_ERRORS.values(), *CERTIFICATE_ERRORS.values()):
        assert code.replace("_", "").isalpha()
        assert code.islower()


def test_an_alert_about_the_client_certificate_after_the_handshake_is_explained() -> None:
    told = tls_alert_error(tls_error("TLSV13_ALERT_CERTIFICATE_REQUIRED"), "api.test")
    assert told is not None
    assert (told.code, "client certificate" in told.message) == ("tls_client_certificate", True)


@pytest.mark.parametrize("error", [None, ConnectionResetError(), tls_error("BAD_RECORD_MAC")])
def test_any_other_error_is_not_a_tls_alert(error: Exception | None) -> None:
    assert tls_alert_error(error, "api.test") is None
