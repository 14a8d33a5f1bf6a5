"""The environment variables that vendors' own SDKs and tools read in place of a setting, and how
what stands in them becomes ours. Only those that a vendor documents or ships are here.
"""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_address
from typing import NamedTuple
from urllib.parse import urlsplit


class Variable(NamedTuple):
    name: str
    read: Callable[[str], str] = str
    """Its text, without blanks around it, as the setting that it stands for. Raises ValueError."""


def below(suffix: str) -> Callable[[str], str]:
    """For SDKs that have a part of the path in their code which our address has in it."""

    def read(text: str) -> str:
        address = text.rstrip("/")
        return address if address.endswith(suffix) else address + suffix

    return read


def google_base(text: str) -> str:
    """The SDK adds a version to the address; ours has one, which may be any."""
    address = text.rstrip("/")
    has_version = address.rpartition("/")[2] in ("v1", "v1alpha", "v1beta")
    return address if has_version else f"{address}/v1beta"


def host_name(text: str) -> str:
    """Of an address, with its scheme or without."""
    return text.partition("://")[2].strip("/") or text.strip("/")


OLLAMA_PORT = 11434


def ollama_host(text: str) -> str:
    """An address, or a host with a port or without: 11434 is meant where no scheme is given
    (docs.ollama.com/faq, OLLAMA_HOST; the client's own reading of it in ollama's SDK). Servers are
    told to listen on all addresses by the same variable: that is this machine."""
    scheme, given, rest = text.partition("://")
    if not given:
        scheme, rest = "http", text
    parts = urlsplit(f"{scheme}://{rest}")
    host = parts.hostname or "127.0.0.1"
    port = parts.port or (None if given else OLLAMA_PORT)
    try:
        found = ip_address(host)
    except ValueError:
        pass  # a name
    else:
        if found.is_unspecified:
            host = "127.0.0.1" if found.version == 4 else "::1"
        host = f"[{host}]" if found.version == 6 else host
    return f"{scheme}://{host}{'' if port is None else f':{port}'}{parts.path.rstrip('/')}"
