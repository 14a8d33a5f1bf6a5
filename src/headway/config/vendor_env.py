"""Provider settings from the environment variables that the vendors' own SDKs and tools read.

An address from a variable must not receive a secret that was meant for another one. So it is used
only for a provider of which the file sets no key, headers or options: those belong to the address
in the file, or else to the vendor's. Nor is it used where it is the gateway's own address, which
clients on this machine get from the same variables.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from headway.config.nodes import Scalar
from headway.config.schema import KindInfo, Server, Variable
from headway.config.secret import Secret
from headway.config.value_reader import REST, Nothing, Reader
from headway.config.value_types import KEY, TEXT, URL, is_loopback

ADDRESS = "base_url"
ADDRESS_BOUND = ("api_key", "headers", "client_cert", REST)
"""Settings in the file that are meant for one address only."""
WILDCARDS = ("0.0.0.0", "::")  # noqa: S104 - not bound to
PORTS = {"http": 80, "https": 443}


class VendorEnvironment:
    """Reads each variable once, and reports errors in those that are used."""

    def __init__(self, variables: Mapping[str, str], reader: Reader, server: Server) -> None:
        self._variables = variables
        self._reader = reader
        self._server = server
        self._known: dict[str, str | None] = {}

    def address(self, kind: KindInfo, given: Mapping[str, Any]) -> str | None:
        """The address for a provider with the settings ``given`` in the file, or None where no
        variable applies. A kind without a default address always uses it."""
        variable = kind.environ.get(ADDRESS)
        if variable is None or ADDRESS in given:
            return None
        if kind.base_url is not None and any(given.get(name) for name in ADDRESS_BOUND):
            return None
        found = self._value(variable, is_address=True)
        return None if found is None or is_own_address(found, self._server) else found

    def options(self, kind: KindInfo, given: Mapping[str, Any]) -> dict[str, str]:
        """Options that the file does not set, unless the file sets the address."""
        if ADDRESS in given:
            return {}
        missing = [key for key in kind.environ if key != ADDRESS and key not in given.get(REST, {})]
        found = {key: self._value(kind.environ[key], is_address=False) for key in missing}
        return {key: value for key, value in found.items() if value is not None}

    def key(self, name: str) -> Secret | None:
        """The key in the variable ``name``."""
        text = self._variables.get(name, "")
        if not text.strip():
            return None
        found = self._reader.read(KEY, Scalar(text), name)
        return None if found is Nothing else found

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
            self._reader.report(variable.name, f"must be {form.description}")
            return None
        found = self._reader.read(form, Scalar(value, expanded=True), variable.name)
        return None if found is Nothing else found


def is_own_address(url: str, server: Server) -> bool:
    """Whether ``url`` leads to the gateway itself."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    is_here = is_loopback(host) or host in (server.host, *WILDCARDS)
    return is_here and (parts.port or PORTS.get(parts.scheme)) == server.port
