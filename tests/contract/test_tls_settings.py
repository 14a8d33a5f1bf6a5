"""The TLS settings of a provider are for its configured address: real TLS sockets, real handshakes.

A caller may name an address of its own (``base_url``). It must neither be shown the client
certificate of the gateway, nor be believed without a certificate because another address is.
"""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from socket import create_server, socket
from typing import Any

import pytest
import trustme

from contract.shapes import error_of, ok
from support.gateway_process import BODY_KEY, SERVER_KEY, Gateway
from support.openai_completions import DONE, finish, role, text, usage
from support.waiting import PATIENCE_S

Launch = Callable[..., Gateway]

CHUNKS = (role(), text("Hello"), finish(), usage())
EVENTS = b"".join(b"data: %b\n\n" % json.dumps(chunk).encode() for chunk in CHUNKS) + DONE
RESPONSE = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n"
    b"content-length: %d\r\n\r\n%b" % (len(EVENTS), EVENTS)
)


class TlsServer:
    """Asks every client for a certificate, keeps what it is shown, and answers one request."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self.client_certificates: list[bool] = []
        """One for each complete handshake: whether the client had one."""
        self._context = context
        self._socket = create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    @property
    def base_url(self) -> str:
        return f"https://localhost:{self._socket.getsockname()[1]}/v1"

    def close(self) -> None:
        self._socket.shutdown(2)  # wakes accept()
        self._socket.close()
        self._thread.join(PATIENCE_S)

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                accepted, _ = self._socket.accept()
                with suppress(OSError):
                    self._answer(accepted)

    def _answer(self, accepted: socket) -> None:
        accepted.settimeout(PATIENCE_S)
        with self._context.wrap_socket(accepted, server_side=True) as connection:
            self.client_certificates.append(bool(connection.getpeercert()))
            request = b""
            while b"\r\n\r\n" not in request:
                request += connection.recv(65_536)
            connection.sendall(RESPONSE)


class Authority:
    """A certificate authority: its file, servers that it vouches for, and a client certificate."""

    def __init__(self, folder: Path) -> None:
        self._authority = trustme.CA()
        self.ca_file, self.client_file = str(folder / "ca.pem"), str(folder / "client.pem")
        self._authority.cert_pem.write_to_path(self.ca_file)
        issued = self._authority.issue_cert("gateway.test")
        issued.private_key_and_cert_chain_pem.write_to_path(self.client_file)

    def server(self, name: str = "localhost") -> TlsServer:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._authority.issue_cert(name).configure_cert(context)
        self._authority.configure_trust(context)
        context.verify_mode = ssl.CERT_OPTIONAL
        return TlsServer(context)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def configured(authority: Authority) -> Iterator[TlsServer]:
    server = authority.server()
    yield server
    server.close()


@pytest.fixture
def callers(authority: Authority) -> Iterator[TlsServer]:
    server = authority.server()
    yield server
    server.close()


@pytest.fixture
def impostor(authority: Authority) -> Iterator[TlsServer]:
    """Its certificate is for another name."""
    server = authority.server("other.test")
    yield server
    server.close()


def provider(base_url: str, **settings: Any) -> dict[str, Any]:
    chat = {"kind": "openai", "base_url": base_url, "api_key": SERVER_KEY, **settings}
    return {"providers": {"secure": chat}}


def test_a_client_certificate_is_presented_to_the_configured_address_only(
    launch: Launch, authority: Authority, configured: TlsServer, callers: TlsServer
) -> None:
    tls = {"ca_file": authority.ca_file, "client_cert": authority.client_file}
    server = launch(provider(configured.base_url, **tls))
    for _ in range(2):
        ok(server.chat("secure"))
        ok(server.chat("secure", base_url=callers.base_url, api_key=BODY_KEY))
        with server.stream("secure", base_url=callers.base_url, api_key=BODY_KEY) as stream:
            assert stream.status == 200
    assert configured.client_certificates == [True] * 2
    assert callers.client_certificates == [False] * 4


def test_a_callers_own_key_does_not_change_the_configured_address(
    launch: Launch, authority: Authority, configured: TlsServer
) -> None:
    tls = {"ca_file": authority.ca_file, "client_cert": authority.client_file}
    server = launch(provider(configured.base_url, **tls))
    ok(server.chat("secure", api_key=BODY_KEY))
    assert configured.client_certificates == [True]


def test_a_callers_address_is_verified_even_if_the_configured_one_is_not(
    launch: Launch, authority: Authority, configured: TlsServer, impostor: TlsServer
) -> None:
    server = launch(provider(impostor.base_url, ca_file=authority.ca_file, verify=False))
    ok(server.chat("secure"))
    reply = server.chat("secure", base_url=impostor.base_url, api_key=BODY_KEY)
    assert error_of(reply, 502, 503)["code"] == "tls_name_mismatch"
    ok(server.chat("secure", base_url=configured.base_url, api_key=BODY_KEY))
