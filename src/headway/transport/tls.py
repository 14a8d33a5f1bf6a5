"""TLS to upstreams: settings and contexts."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable

from msgspec import Struct

from headway.errors import UpstreamUnreachable


class TlsSettings(Struct, frozen=True, kw_only=True):
    """Paths are of PEM files. The system's and certifi's authorities are always trusted."""

    ca_file: str | None = None
    """Additional authorities to trust, such as a company's own."""
    cert_file: str | None = None
    """A client certificate, with its chain; its key may be in the same file."""
    key_file: str | None = None
    verify: bool = True
    """False accepts any certificate. For tests only."""


class TlsContexts:
    """One context for each settings, built in a thread: reading the authorities takes tens of
    milliseconds. Concurrent callers wait for the same one."""

    __slots__ = ("_builds", "_contexts")

    def __init__(self) -> None:
        self._contexts: dict[TlsSettings, ssl.SSLContext] = {}
        self._builds: dict[TlsSettings, asyncio.Future[ssl.SSLContext]] = {}

    async def get(self, settings: TlsSettings) -> ssl.SSLContext:
        """Raises UpstreamUnreachable naming the file that cannot be used."""
        if (context := self._contexts.get(settings)) is not None:
            return context
        build = self._builds.get(settings)
        if build is None:
            loop = asyncio.get_running_loop()
            build = self._builds[settings] = loop.run_in_executor(None, build_context, settings)
            build.add_done_callback(lambda done: self._builds.pop(settings))
        context = self._contexts[settings] = await asyncio.shield(build)
        return context


def build_context(settings: TlsSettings) -> ssl.SSLContext:
    import certifi  # here: its imports are of no use to a server without https upstreams

    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    context.set_alpn_protocols(["http/1.1"])
    if settings.ca_file is not None:
        _load("ca_file", settings.ca_file, context.load_verify_locations, settings.ca_file)
    if settings.cert_file is not None:
        _load(
            "cert_file",
            settings.cert_file,
            context.load_cert_chain,
            settings.cert_file,
            settings.key_file,
        )
    if not settings.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _load(name: str, path: str, load: Callable[..., object], *arguments: object) -> None:
    try:
        load(*arguments)
    except (OSError, ssl.SSLError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UpstreamUnreachable(
            f"TLS {name} {path!r} cannot be used: {reason}", code="tls_settings"
        ) from error
