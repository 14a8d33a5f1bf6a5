"""Everything that touches a socket runs on both event loops."""

from __future__ import annotations

import asyncio
import ssl
from datetime import datetime
from pathlib import Path

import pytest
import trustme
import uvloop

from support.receiver import Run


@pytest.fixture(params=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Run:
    return {"asyncio": asyncio.run, "uvloop": uvloop.run}[request.param]


class Certificates:
    """An authority of our own, server contexts with its certificates, and its files for clients."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._authority = trustme.CA()
        self.ca_file = str(folder / "ca.pem")
        self._authority.cert_pem.write_to_path(self.ca_file)
        self.client_file = str(folder / "client.pem")
        self._authority.issue_cert("client.test").private_key_and_cert_chain_pem.write_to_path(
            self.client_file
        )

    def server(
        self,
        name: str | None = None,
        not_after: datetime | None = None,
        wants_client: bool = False,
    ) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        names = [name] if name else ["localhost", "127.0.0.1"]
        issued = self._authority.issue_cert(*names, not_after=not_after)
        issued.configure_cert(context)
        if wants_client:
            self._authority.configure_trust(context)
            context.verify_mode = ssl.CERT_REQUIRED
        return context


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("certificates"))
