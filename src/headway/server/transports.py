"""The transports that a configuration needs: one for each way to reach providers."""

from __future__ import annotations

import asyncio
import time

from msgspec import Struct

from headway.config import Config, Provider
from headway.pipeline.call import GatewayCall
from headway.pipeline.gateway import Gateway
from headway.ports import Transport
from headway.transport.client import HttpTransport
from headway.transport.echo import EchoTransport
from headway.transport.proxy import ProxySettings
from headway.transport.tls import TlsSettings


class Way(Struct, frozen=True):
    """What makes two providers need different connections to the same address."""

    proxy: str | None
    ca_file: str | None
    client_cert: str | None
    client_key: str | None
    verify: bool


class Transports:
    """Shared by all providers that are reached the same way. Made inside the event loop."""

    def __init__(self, config: Config) -> None:
        self._environ = dict(config.proxy_environ)
        self._echo = EchoTransport(time.perf_counter)
        self._by_way: dict[Way, HttpTransport] = {}

    def of(self, configured: Provider) -> Transport:
        if (configured.base_url or "").startswith("echo:"):
            return self._echo
        way = Way(
            None if configured.proxy is None else str(configured.proxy),
            configured.ca_file,
            configured.client_cert,
            configured.client_key,
            configured.verify,
        )
        if way not in self._by_way:
            self._by_way[way] = self._connect(way)
        return self._by_way[way]

    def _connect(self, way: Way) -> HttpTransport:
        tls = TlsSettings(
            ca_file=way.ca_file,
            cert_file=way.client_cert,
            key_file=way.client_key,
            verify=way.verify,
        )
        environ = self._environ if way.proxy is None else {"ALL_PROXY": way.proxy}
        return HttpTransport(
            time.perf_counter, tls=tls, proxies=ProxySettings.from_environ(environ)
        )

    def retire(self, gateway: Gateway) -> None:
        """Close when the requests that began before now are over."""
        before = set(gateway.active)
        gateway.start(self._close_after(gateway, before))

    async def _close_after(self, gateway: Gateway, before: set[GatewayCall]) -> None:
        while before & gateway.active:  # noqa: ASYNC110 - rare, and nothing tells when they end
            await asyncio.sleep(1)
        await self.close()

    async def close(self) -> None:
        for transport in self._by_way.values():
            await transport.close()
