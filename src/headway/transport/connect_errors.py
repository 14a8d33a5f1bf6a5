"""Errors of the operating system and of TLS as messages that say what to check."""

from __future__ import annotations

import errno
import socket
import ssl

from headway.errors import UpstreamError, UpstreamUnreachable

OS_ERRORS = {
    errno.ECONNREFUSED: (
        "connection_refused",
        "nothing listens there: is it running, and are base_url's host and port right?",
    ),
    errno.ENOENT: ("no_such_socket", "there is no such socket: is the server running?"),
    errno.ENOTSOCK: ("no_such_socket", "that is not a socket"),
    errno.EACCES: ("connection_denied", "permission denied: check the socket's owner and firewall"),
    errno.EPERM: ("connection_denied", "permission denied: check the firewall"),
    errno.ENETUNREACH: ("network_unreachable", "no route to its network: check the network"),
    errno.EHOSTUNREACH: ("host_unreachable", "no route to it: check the network and the host"),
    errno.ETIMEDOUT: ("connect_timeout", "it does not react: check the network and firewall"),
    errno.ECONNRESET: ("connection_reset", "it broke the connection while it was being made"),
    errno.EMFILE: ("too_many_files", "this process has too many open files: raise ulimit -n"),
    errno.EADDRNOTAVAIL: ("no_local_port", "no local port is free: too many connections at once"),
}

CERTIFICATE_ERRORS = {
    # OpenSSL's X509_V_ERR_ numbers, openssl-verification-options(1).
    9: ("tls_certificate_not_yet_valid", "its certificate is not valid yet: check the clock"),
    10: ("tls_certificate_expired", "its certificate has expired: it has to be renewed there"),
    18: ("tls_untrusted", "its certificate is self-signed: add it as ca_file"),
    19: ("tls_untrusted", "its authority is not trusted here: add its certificate as ca_file"),
    20: ("tls_untrusted", "its authority is not trusted here: add its certificate as ca_file"),
    21: ("tls_untrusted", "its chain is incomplete: add the authority as ca_file"),
    62: ("tls_name_mismatch", "its certificate is for another name: check the host in base_url"),
    64: ("tls_name_mismatch", "its certificate is for another address: use its name in base_url"),
}

TLS_ERRORS = {
    "WRONG_VERSION_NUMBER": ("tls_not_spoken", "it does not speak TLS there: is it http://?"),
    "CERTIFICATE_REQUIRED": ("tls_client_certificate", "it wants a client certificate: cert_file"),
    "UNKNOWN_CA": ("tls_client_certificate", "it does not trust our client certificate"),
    "HANDSHAKE_FAILURE": ("tls_handshake", "it refused the TLS handshake"),
}


def connect_error(error: Exception, host: str) -> UpstreamUnreachable:
    """The error for a connection to ``host`` that could not be made."""
    code, why = _explain(error)
    return UpstreamUnreachable(f"cannot reach {host}: {why}", code=code)


def tls_alert_error(error: Exception | None, host: str) -> UpstreamError | None:
    """The error for a TLS alert that came instead of a response, None for anything else. In TLS 1.3
    the client's handshake is complete before the server checks the client's certificate (RFC 8446,
    section 4.4.2.4)."""
    if not isinstance(error, ssl.SSLError):
        return None
    found = _find_reason(error)
    return UpstreamUnreachable(f"cannot reach {host}: {found[1]}", code=found[0]) if found else None


def _explain(error: Exception) -> tuple[str, str]:
    match error:
        case socket.gaierror():
            return "dns_failed", f"its name does not resolve ({error.strerror}): check base_url"
        case ssl.SSLCertVerificationError():
            known = CERTIFICATE_ERRORS.get(error.verify_code)
            return known or ("tls_untrusted", f"its certificate fails: {error.verify_message}")
        case ssl.SSLError():
            plain = ("tls_handshake", f"the TLS handshake failed: {error.reason or error}")
            return _find_reason(error) or plain
        case TimeoutError() if error.errno is None:
            return "connect_timeout", "it takes too long to connect"
        case OSError() if error.errno in OS_ERRORS:
            return OS_ERRORS[error.errno]
        case ConnectionError():
            return "connection_reset", "it closed the connection while it was being made"
        case OSError():
            return "unreachable", error.strerror or str(error)
        case _:
            return "unreachable", f"{type(error).__name__}: {error}"


def _find_reason(error: ssl.SSLError) -> tuple[str, str] | None:
    reason = error.reason or ""
    return next((row for end, row in TLS_ERRORS.items() if reason.endswith(end)), None)
