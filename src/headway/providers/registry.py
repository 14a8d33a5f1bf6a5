"""The kinds of provider, by the facts that the configuration needs of them. Importing the adapters
takes longer than all else that a server does to start, so each is imported when it is first used.

Adding a wire format is a package or module, and an entry in ``wire_formats``. Adding a vendor of an
OpenAI-compatible API is a module in ``openai_compatible/vendors``, and nothing here.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from importlib import import_module
from pkgutil import iter_modules

from headway.providers.openai_compatible import vendors
from headway.providers.wire_formats import WIRE_FORMATS, ProviderEntry

ALIASES: Mapping[str, str] = {"azure": "azure_openai", "vertexai": "vertex"}
"""Other names under which clients may address a kind."""
BEFORE_VENDORS = "mistral"
"""Lists of kinds show the vendors after this one."""


@lru_cache(maxsize=1)
def entries() -> Mapping[str, ProviderEntry]:
    """Every kind by its name, in the order in which lists show them."""
    names = [entry.name for entry in WIRE_FORMATS]
    split = names.index(BEFORE_VENDORS) + 1
    ordered = (*WIRE_FORMATS[:split], *_vendor_entries(), *WIRE_FORMATS[split:])
    return {entry.name: entry for entry in ordered}


def _vendor_entries() -> list[ProviderEntry]:
    """An entry for each module in ``openai_compatible/vendors``. The modules are declarations:
    importing all of them builds no adapter."""
    ordered = []
    for info in iter_modules(vendors.__path__):
        module = f"openai_compatible.vendors.{info.name}"
        vendor = import_module(f"headway.providers.{module}").VENDOR
        name = info.name.rstrip("_")
        entry = ProviderEntry(
            name, vendor.title, vendor.base_url, vendor.key_env, vendor.environ, module
        )
        ordered.append((vendor.order, name, entry))
    return [entry for _, _, entry in sorted(ordered, key=lambda each: each[:2])]
