"""Whether a configured provider has the models of its kind's vendor."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from headway.pipeline.gateway import Upstream


def serves_vendor_models(upstream: Upstream) -> bool:
    """Whether the server at the configured address has the vendor's models: it does if the address
    is the vendor's or a region of it, or if the provider is configured under the vendor's name. A
    self-hosted server that speaks a vendor's API under another name has models of its own."""
    provider = upstream.provider
    if upstream.name == provider.name or upstream.base_url in (None, provider.base_url):
        return True
    configured, vendors = _host(upstream.base_url), _host(provider.base_url)
    if configured is None or vendors is None:
        return False
    joint = "[.-]" if vendors.count(".") > 1 else "[.]"  # evil-vendor.com is not under vendor.com
    pattern = re.escape(vendors).replace(r"\{region\}", "[^.]+")
    return re.fullmatch(rf"(?:[a-z0-9.-]+{joint})?{pattern}", configured) is not None


def _host(base_url: str | None) -> str | None:
    return urlsplit(base_url or "").hostname
