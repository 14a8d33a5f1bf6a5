"""TLS to upstreams: settings and contexts."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from typing import TypeVar

from msgspec import Struct

from headway.errors import UpstreamUnreachable

T = TypeVar("T")


class TlsSettings(Struct, frozen=True, kw_only=True):
    """Paths are of PEM files."""

    ca_file: str | None = None
    """Authorities to trust in place of the well-known ones, such as a company's own."""
    trusts_well_known: bool = False
    """Trust the system's and certifi's authorities besides ``ca_file``. Without a ``ca_file`` they
    are always trusted."""
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

    if settings.ca_file is None or settings.trusts_well_known:
        context = ssl.create_default_context()
        context.load_verify_locations(certifi.where())
        if settings.ca_file is not None:
            _load("ca_file", settings.ca_file, context.load_verify_locations, settings.ca_file)
    else:
        context = _load("ca_file", settings.ca_file, _trust_only, settings.ca_file)
    context.set_alpn_protocols(["http/1.1"])
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


def _trust_only(ca_file: str) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=ca_file)


def _load(name: str, path: str, load: Callable[..., T], *arguments: object) -> T:
    try:
        return load(*arguments)
    except (OSError, ssl.SSLError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UpstreamUnreachable(
            f"TLS {name} {path!r} cannot be used: {reason}", code="tls_settings"
        ) from error
