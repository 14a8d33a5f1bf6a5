"""What the environment says of providers in the names that vendors' own SDKs and tools read.

An address from there must not lead a secret astray. So it is taken only where the file leaves a
provider to its kind: what the file gives of keys, headers and options belongs to the address in the
file, or else to the vendor's. And it is not taken where it is the gateway's own, which clients on
this machine are told by the very same variables.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from headway.config.forms import TEXT, URL, is_loopback
from headway.config.nodes import Scalar
from headway.config.read import REST, Nothing, Reader
from headway.config.schema import KindInfo, Server, Variable

ADDRESS = "base_url"
ENTRUSTED = ("api_key", "headers", "client_cert", REST)
"""What the file says of a provider that is meant for one address only."""
EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104 - read, not listened on
PORTS = {"http": 80, "https": 443}


class Standard:
    """Reads variables, each once, and reports what is wrong with those that are used."""

    def __init__(self, variables: Mapping[str, str], reader: Reader, server: Server) -> None:
        self._variables = variables
        self._reader = reader
        self._server = server
        self._known: dict[str, str | None] = {}

    def address(self, kind: KindInfo, given: Mapping[str, Any]) -> str | None:
        """For a provider of which the file says ``given``; None: it stays as it is. A kind without
        an address of its own takes any."""
        variable = kind.environ.get(ADDRESS)
        if variable is None or ADDRESS in given:
            return None
        if kind.base_url is not None and any(given.get(name) for name in ENTRUSTED):
            return None
        found = self._value(variable, is_address=True)
        return None if found is None or self._is_ours(found) else found

    def options(self, kind: KindInfo, given: Mapping[str, Any]) -> dict[str, str]:
        """Those that the file does not give, of a provider whose address it leaves to the kind."""
        if ADDRESS in given:
            return {}
        missing = [key for key in kind.environ if key != ADDRESS and key not in given.get(REST, {})]
        found = {key: self._value(kind.environ[key], is_address=False) for key in missing}
        return {key: value for key, value in found.items() if value is not None}

    def _value(self, variable: Variable, *, is_address: bool) -> str | None:
        if variable.name not in self._known:
            self._known[variable.name] = self._read(variable, is_address)
        return self._known[variable.name]

    def _read(self, variable: Variable, is_address: bool) -> str | None:
        text = self._variables.get(variable.name, "").strip()
        if not text:
            return None
        form = URL if is_address else TEXT
        try:
            value = variable.read(text)
        except ValueError:
            self._reader.report(variable.name, f"must be {form.phrase}")
            return None
        found = self._reader.read(form, Scalar(value, expanded=True), variable.name)
        return None if found is Nothing else found

    def _is_ours(self, url: str) -> bool:
        parts = urlsplit(url)
        host, server = parts.hostname or "", self._server
        is_here = is_loopback(host) or host in (server.host, *EVERYWHERE)
        return is_here and (parts.port or PORTS.get(parts.scheme)) == server.port
