"""Environment variables that vendors' SDKs and tools read, and how their values become settings.

Only variables that a vendor documents, or ships in its SDK, are used.
"""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_address
from typing import NamedTuple
from urllib.parse import urlsplit


class Variable(NamedTuple):
    name: str
    read: Callable[[str], str] = str
    """Converts the value, stripped of white space, to the setting. Raises ValueError."""


def with_path(suffix: str) -> Callable[[str], str]:
    """A reader that adds ``suffix`` to an address, for SDKs that add it to their base URL."""

    def read(text: str) -> str:
        address = text.rstrip("/")
        return address if address.endswith(suffix) else address + suffix

    return read


def google_base(text: str) -> str:
    """The address with a version: the SDK adds one to its base URL, ours contains it."""
    address = text.rstrip("/")
    has_version = address.rpartition("/")[2] in ("v1", "v1alpha", "v1beta")
    return address if has_version else f"{address}/v1beta"


def host_name(text: str) -> str:
    """The host name in an address, which may have a scheme."""
    return text.partition("://")[2].strip("/") or text.strip("/")


OLLAMA_PORT = 11434


def ollama_host(text: str) -> str:
    """The address in ``OLLAMA_HOST``: a URL, or a host with a port or without; 11434 is the default
    where there is no scheme (docs.ollama.com/faq; ollama's SDK parses it in the same way). Servers
    read the same variable, so an address that means all interfaces becomes the loopback address."""
    scheme, given, rest = text.partition("://")
    if not given:
        scheme, rest = "http", text
    parts = urlsplit(f"{scheme}://{rest}")
    host = parts.hostname or "127.0.0.1"
    port = parts.port or (None if given else OLLAMA_PORT)
    try:
        found = ip_address(host)
    except ValueError:
        pass  # a host name
    else:
        if found.is_unspecified:
            host = "127.0.0.1" if found.version == 4 else "::1"
        host = f"[{host}]" if found.version == 6 else host
    return f"{scheme}://{host}{'' if port is None else f':{port}'}{parts.path.rstrip('/')}"
