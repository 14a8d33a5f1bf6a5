"""The configuration as the command line sees it."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from headway.cli.errors import usage_error

if TYPE_CHECKING:
    from headway.config import Config, Overrides, Provider
    from headway.config.route_schema import Route, RouteTarget

PASSWORD = re.compile(r"(://[^/@:]*:)[^/@]*@")


def read_config(path: Path | None, overrides: Overrides) -> Config:
    from headway.config import ConfigError, load
    from headway.providers import FACTS
    from headway.routing.cel import find_fault

    try:
        return load(None if path is None else str(path), os.environ, FACTS, overrides, find_fault)
    except ConfigError as error:
        raise usage_error(str(error)) from error


def summary(config: Config) -> str:
    """Where the configuration came from, then its main values. Contains no key."""
    from headway.server.provider_keys import is_usable  # not needed by a server that starts

    server = config.server
    access = f"{len(server.api_keys)} key(s) let in" if server.api_keys else "no key wanted"
    workers = "1 worker" if server.workers == 1 else f"{server.workers} workers"
    known = [one for _, one in sorted(config.providers.items())]
    usable = [one for one in known if is_usable(one, config.credential_environ)]
    unusable = sum(not one.lacks_address for one in known) - len(usable)
    rows = [
        ("server", f"{address(server.host, server.port)}, {workers}, {access}"),
        ("ledger", hide_password(config.ledger.url)),
        *(("provider", _provider(one)) for one in usable),
        *(
            ("route", _route(name, route))
            for name, route in config.models.items()
            if not isinstance(route, str)
        ),
        *([("others", f"{unusable} that need a key of the client's own")] if unusable else []),
        *(("warning", text) for text in config.warnings),
    ]
    head = f"OK: {config.source or 'no file, the defaults hold'}\n"
    return head + "".join(f"  {name:<9} {text}\n" for name, text in rows)


def address(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _location(provider: Provider) -> str:
    """A provider's address. A local model needs no key; some clouds compose their address of
    options."""
    if provider.base_url is not None:
        return f"at {provider.base_url}"
    if provider.key_env is None:
        return "at this machine"
    return "at an address of its options" if provider.options else "without an address"


def _provider(provider: Provider) -> str:
    lacks = provider.needs_key and provider.api_key is None
    kind = "" if provider.kind == provider.name else f" ({provider.kind})"
    key = f", no key: set {provider.key_env or 'api_key'}" if lacks else ""
    variables = ", ".join(provider.sources.values())
    sources = f" (from {variables})" if variables else ""
    return f"{provider.name}{kind} {_location(provider)}{sources}{key}"


def _route(name: str, route: Route) -> str:
    """``smart: weighted, vendor/big (2, with a condition), other/small``."""
    targets = ", ".join(_target(target, route) for target in route.targets)
    return f"{name}: {route.strategy}, {targets}"


def _target(target: RouteTarget, route: Route) -> str:
    about = [f"{target.weight:g}"] if route.strategy == "weighted" else []
    about += ["with a condition"] if target.when is not None else []
    return f"{target.model} ({', '.join(about)})" if about else target.model


def hide_password(url: str) -> str:
    """The URL of a database as it may be printed."""
    return PASSWORD.sub(r"\1***@", url)
