"""Build each configured provider from the file, the environment and the facts of its kind."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from headway.config.errors import suggestion
from headway.config.nodes import plain
from headway.config.paths import expand_user
from headway.config.schema import (
    KindInfo,
    Price,
    Provider,
    ProviderKey,
    Server,
    TierPrice,
    TokenPrice,
)
from headway.config.secret import Secret
from headway.config.settings import PROVIDER
from headway.config.value_reader import REST, Reader
from headway.config.value_types import SECRET, is_loopback
from headway.config.vendor_env import ADDRESS, VendorEnvironment
from headway.types import Timeouts

Given = Mapping[str, Any]
FILES = ("ca_file", "client_cert", "client_key")


class Providers:
    """Builds providers. ``file`` reports errors in the file, ``environ`` those in variables that a
    provider of the file uses, and ``unused`` those in variables that only other providers would
    use: an application's own placeholder must not stop a gateway that does not need it."""

    def __init__(
        self,
        kinds: Mapping[str, KindInfo],
        variables: Mapping[str, str],
        timeouts: Timeouts,
        base: Path,
        file: Reader,
        environ: Reader,
        unused: Reader,
        server: Server,
    ) -> None:
        self.kinds = kinds
        self.variables = variables
        self.timeouts = timeouts
        self.base = base
        self.file = file
        self.environ = VendorEnvironment(variables, environ, server)
        self.unused = VendorEnvironment(variables, unused, server)

    def build(
        self, given: Mapping[str, Given], only: Collection[str] | None
    ) -> dict[str, Provider]:
        """Every kind under its own name, then providers that only the file names. ``only`` are the
        names of those that are served, if not all are; they count as configured."""
        names = dict.fromkeys([*self.kinds, *given])
        served = None if only is None else self._served(only, names)
        configured = {**given, **{name: given.get(name, {}) for name in served or ()}}
        built = {name: self._provider(name, configured.get(name)) for name in names}
        return {
            name: provider
            for name, provider in built.items()
            if provider is not None and (served is None or name in served)
        }

    def _served(self, only: Collection[str], names: Collection[str]) -> list[str]:
        """The configured names that ``only`` means: it may use a kind's alias."""
        served = []
        for name in only:
            if name in names:
                served.append(name)
            elif name in self.kinds:
                served.append(self.kinds[name].name)
            else:
                message = f"names an unknown provider; {suggestion(name, names)}"
                self.file.report("providers.only", message)
        if not only:
            self.file.report("providers.only", "names no provider, so that none would be served")
        return served

    def _provider(self, name: str, in_file: Given | None) -> Provider | None:
        vendor_env = self.unused if in_file is None else self.environ
        given = in_file or {}
        kind = self._kind(name, given)
        if kind is None:
            return None
        default_url = None if kind.base_url is None else kind.base_url.rstrip("/")
        vendor_url = vendor_env.address(kind, given)
        base_url = given.get(ADDRESS, vendor_url or default_url)
        is_configured = in_file is not None or vendor_url is not None
        is_elsewhere = default_url is not None and base_url != default_url
        options = vendor_env.options(kind, given)
        keys = self._keys(name, given)
        own_key = _api_key(kind, given, vendor_env, is_elsewhere and ADDRESS in given)
        return Provider(
            name=name,
            kind=kind.name,
            base_url=base_url,
            is_configured=is_configured,
            lacks_address=not is_configured and _is_on_this_machine(default_url),
            api_key=keys[0].key if keys else own_key,
            api_keys=keys,
            key_env=kind.key_env,
            needs_key=kind.key_env is not None and not is_elsewhere,
            headers=given.get("headers", {}),
            timeouts=msgspec.structs.replace(self.timeouts, **given.get("timeouts", {})),
            models=given.get("models", ()),
            proxy=given.get("proxy"),
            verify=given.get("verify", True),
            options={**options, **self._options(name, kind, given)},
            sources={
                key: kind.environ[key].name
                for key in (*([] if vendor_url is None else [ADDRESS]), *options)
            },
            **self._files(name, given),
        )

    def _kind(self, name: str, given: Given) -> KindInfo | None:
        named = given.get("kind", name)
        if (kind := self.kinds.get(named)) is not None:
            return kind
        known = ", ".join(sorted(self.kinds))
        if "kind" in given:
            near = suggestion(named, self.kinds)
            hint = f"{near} known: {known}" if near.endswith("?") else near
            self.file.report(f"providers.{name}.kind", f"unknown kind; {hint}")
        elif f"providers.{name}.kind" not in self.file.lines:
            self.file.report(f"providers.{name}", f"has no kind; give it one of: {known}")
        return None

    def _keys(self, name: str, given: Given) -> tuple[ProviderKey, ...]:
        """Those of ``api_keys`` that are not empty: ``${NAME:-}`` may be."""
        path = f"providers.{name}.api_keys"
        rows = given.get("api_keys", ())
        if rows and "api_key" in given:
            self.file.report(path, "is given beside api_key: keep one of the two")
        keys: list[ProviderKey] = []
        for at, row in enumerate(rows):
            values = {"key": row} if isinstance(row, str) else dict(row)
            if "key" not in values:
                self.file.report(f"{path}[{at}]", "needs a key")
            elif values["key"]:
                keys.append(ProviderKey(**{"name": str(at + 1), **values}))
        names = [key.name for key in keys]
        if len(names) > len(set(names)):
            self.file.report(path, "has two keys of one name: give each its own")
        if keys and not any(key.weight for key in keys):
            self.file.report(path, "has a weight of 0 for every key: give one more")
        return tuple(keys)

    def _options(self, name: str, kind: KindInfo, given: Given) -> dict[str, Any]:
        options = {}
        for key, node in given.get(REST, {}).items():
            path = f"providers.{name}.{key}"
            if key not in kind.options:
                near = suggestion(key, [*PROVIDER.keys, *kind.options])
                self.file.report(path, f"unknown key; {near}")
            elif key in kind.secrets:
                options[key] = self.file.read(SECRET, node, path) or None
            else:
                options[key] = plain(node)
        return {key: value for key, value in options.items() if value is not None}

    def _files(self, name: str, given: Given) -> dict[str, str]:
        """Paths are relative to the configuration file's directory."""
        files = {}
        for key in FILES:
            if key not in given:
                continue
            path = self.base / expand_user(given[key], self.file, f"providers.{name}.{key}")
            if not path.is_file():
                self.file.report(f"providers.{name}.{key}", "names no file that can be read")
            files[key] = str(path)
        if "client_key" in given and "client_cert" not in given:
            self.file.report(f"providers.{name}.client_key", "needs client_cert too")
        return files


def _is_on_this_machine(url: str | None) -> bool:
    """Whether a kind's own address says that its server is one's own, and not a vendor's."""
    parts = urlsplit(url or "")
    return parts.scheme in ("http", "https") and is_loopback(parts.hostname or "")


def _api_key(
    kind: KindInfo, given: Given, vendor_env: VendorEnvironment, is_custom: bool
) -> Secret | None:
    """The key of the standard variable is used only with the kind's own address, or one from a
    vendor variable: it must not be sent to another server that speaks the same wire format."""
    if "api_key" in given:
        return given["api_key"] or None
    return None if is_custom or kind.key_env is None else vendor_env.key(kind.key_env)


def prices(
    everywhere: Mapping[str, Mapping[str, Given]],
    given: Mapping[str, Given],
    known: Collection[str],
    file: Reader,
) -> dict[str, dict[str, Price]]:
    """``prices`` and every ``providers.<name>.prices`` in one table."""
    found: dict[str, dict[str, Price]] = {}
    for name, models in everywhere.items():
        if name not in known:
            file.report(f"prices.{name}", f"unknown provider; {suggestion(name, known)}")
        found[name] = {model: _price(price) for model, price in models.items()}
    for name, provider in given.items():
        for model, price in provider.get("prices", {}).items():
            if model in found.get(name, {}):
                message = f"is also given as prices.{name}.{model}; keep one"
                file.report(f"providers.{name}.prices.{model}", message)
            found.setdefault(name, {})[model] = _price(price)
    return found


def _price(given: Given) -> Price:
    tiers = {name: TierPrice(**_with_above(tier)) for name, tier in given.get("tiers", {}).items()}
    return Price(**{**_with_above(given), "tiers": tiers})


def _with_above(given: Given) -> dict[str, Any]:
    above = {int(start): TokenPrice(**rates) for start, rates in given.get("above", {}).items()}
    return {**given, "above": above}
