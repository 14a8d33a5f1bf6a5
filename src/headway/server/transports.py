"""The transports that a configuration needs. Providers with the same connection settings share
one."""

from __future__ import annotations

import asyncio
import time

from msgspec import Struct

from headway.config import Config, Provider
from headway.pipeline.gateway import ActiveCall, Gateway
from headway.policy import gateway_loop
from headway.ports import Transport
from headway.transport.client import HttpTransport
from headway.transport.proxy import ProxySettings
from headway.transport.route import DIRECT
from headway.transport.tls import TlsSettings


class TransportKey(Struct, frozen=True):
    """The settings for which two providers need different connections to the same address."""

    proxy: str | None
    tls: TlsSettings


class Transports:
    """Must be created inside the event loop. ``gateway_id`` is sent with every request, so that
    the gateway recognizes a request that comes back to it."""

    def __init__(self, config: Config, gateway_id: str) -> None:
        self._headers = ((gateway_loop.HEADER, gateway_id),)
        self._environ = dict(config.proxy_environ)
        self._echo: Transport | None = None
        self._transports: dict[TransportKey, HttpTransport] = {}

    def of(self, configured: Provider) -> Transport:
        """The transport to the address that is configured for a provider."""
        return self._find(configured, _key(configured))

    def public(self, configured: Provider) -> Transport:
        """The transport to any other address: a client's own ``base_url``, a token endpoint. The
        client certificate, ``verify: false`` and ``proxy: direct`` are for the configured address
        only. A proxy and authorities to trust are the operator's network, and hold here too, the
        latter besides the well-known ones."""
        key = _key(configured)
        proxy = None if key.proxy == DIRECT else key.proxy
        key = TransportKey(proxy, _public_tls(key.tls.ca_file))
        return self._find(configured, key)

    def _find(self, configured: Provider, key: TransportKey) -> Transport:
        if (configured.base_url or "").startswith("echo:"):
            return self._echo_transport()
        if key not in self._transports:
            self._transports[key] = self._new_transport(key)
        return self._transports[key]

    def _echo_transport(self) -> Transport:
        if self._echo is None:
            from headway.transport.echo import EchoTransport  # few servers have an echo

            self._echo = EchoTransport(time.perf_counter)
        return self._echo

    def _new_transport(self, key: TransportKey) -> HttpTransport:
        environ = self._environ if key.proxy is None else {"ALL_PROXY": key.proxy}
        proxies = ProxySettings.from_environ(environ)
        return HttpTransport(time.perf_counter, tls=key.tls, proxies=proxies, headers=self._headers)

    def retire(self, gateway: Gateway) -> None:
        """Close when the requests that are in progress now are complete."""
        gateway.start(self._close_after(gateway, set(gateway.active)))

    async def _close_after(self, gateway: Gateway, calls: set[ActiveCall]) -> None:
        while calls & gateway.active:  # noqa: ASYNC110 - rare, and no event says when calls end
            await asyncio.sleep(1)
        await self.close()

    async def close(self) -> None:
        for transport in self._transports.values():
            await transport.close()


def _public_tls(ca_file: str | None) -> TlsSettings:
    return TlsSettings(ca_file=ca_file, trusts_well_known=ca_file is not None)


def _key(configured: Provider) -> TransportKey:
    tls = TlsSettings(
        ca_file=configured.ca_file,
        cert_file=configured.client_cert,
        key_file=configured.client_key,
        verify=configured.verify,
    )
    return TransportKey(None if configured.proxy is None else str(configured.proxy), tls)
