"""Routes to origins: direct, through a proxy or a Unix socket, with their TLS settings."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct
from msgspec.structs import replace

from headway.transport.proxy import Proxy, ProxySettings, parse_proxy
from headway.transport.tls import TlsSettings
from headway.types import Url
from headway.wire.url import UNIX, authority, join

DIRECT = "direct"


class OriginSettings(Struct, frozen=True, kw_only=True):
    """Settings of one origin. None: the transport's settings."""

    proxy: str | None = None
    """A proxy's URL, also used for the loopback; ``direct`` uses no proxy."""
    tls: TlsSettings | None = None


class Route(Struct, frozen=True, kw_only=True):
    scheme: str
    host: str
    port: int
    tls: TlsSettings
    proxy: Proxy | None = None
    error: str | None = None
    """Why it cannot be used: a mistake in the settings, reported when it is first used."""

    @property
    def is_tls(self) -> bool:
        return self.scheme == "https"

    @property
    def is_forwarded(self) -> bool:
        """The proxy reads and forwards the requests (RFC 9112, section 3.2.2): no tunnel."""
        return self.proxy is not None and self.scheme == "http"

    @property
    def proxy_tls(self) -> TlsSettings:
        """TLS settings for the connection to an https proxy: the client certificate is for the
        origin only."""
        return replace(self.tls, cert_file=None, key_file=None)

    @property
    def display_host(self) -> str:
        if self.scheme == UNIX:
            return self.host
        return authority(Url(self.scheme, self.host, self.port, "/"))

    @property
    def display_url(self) -> str:
        return f"{self.scheme}://{self.display_host}"


class Routes:
    """Finds the route to an origin. ``origins`` has settings by base URL: only its scheme, host and
    port count. Raises ValueError for a key that is not a URL."""

    __slots__ = ("_origins", "_proxies", "_tls")

    def __init__(
        self, tls: TlsSettings, proxies: ProxySettings, origins: Mapping[str, OriginSettings]
    ) -> None:
        self._tls = tls
        self._proxies = proxies
        self._origins = {_origin(join(base)): settings for base, settings in origins.items()}

    def find(self, url: Url) -> Route:
        own = self._origins.get(_origin(url)) or OriginSettings()
        proxy, error = self._proxy(url, own.proxy)
        return Route(
            scheme=url.scheme,
            host=url.host,
            port=url.port,
            tls=own.tls or self._tls,
            proxy=proxy,
            error=error,
        )

    def _proxy(self, url: Url, own: str | None) -> tuple[Proxy | None, str | None]:
        chosen = own or self._proxies.find(url.scheme, url.host, url.port)
        if chosen is None or chosen == DIRECT:
            return None, None
        try:
            return parse_proxy(chosen), None
        except ValueError as error:
            return None, str(error)


def _origin(url: Url) -> tuple[str, str, int]:
    return url.scheme, url.host, url.port
