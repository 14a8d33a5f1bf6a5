"""The HTTP client for upstreams: pools, TLS, proxies, timeouts; and the echo transport."""

from headway.transport.client import HttpTransport
from headway.transport.limits import Limits
from headway.transport.pool import OriginStats
from headway.transport.proxy import ProxySettings
from headway.transport.route import OriginSettings
from headway.transport.tls import TlsSettings

__all__ = [
    "HttpTransport",
    "Limits",
    "OriginSettings",
    "OriginStats",
    "ProxySettings",
    "TlsSettings",
]
