"""Choose a model that a first call from the documentation page can use on this server."""

from __future__ import annotations

import importlib.util

from headway.pipeline.gateway import Snapshot, Upstream


def find_example_model(snapshot: Snapshot) -> tuple[str, str] | None:
    """(provider, model): the local model if its runtime is installed, else a configured model whose
    provider has what it needs, else echo. None if there is none of them. A server with gateway keys
    names no configured model, because the page is open to all."""
    upstreams = [snapshot.upstreams[name] for name in snapshot.names()]
    is_public = not snapshot.keys.digests
    launched = [one for one in upstreams if one.launcher is not None and _has_local_runtime()]
    configured = [one for one in upstreams if is_public and one.models and _has_key(one)]
    built_in = [one for one in upstreams if one.base_url and not one.base_url.startswith("http")]
    for upstream in (*launched, *configured, *built_in):
        for model in upstream.models or upstream.provider.models:
            return upstream.name, model
    return None


def _has_local_runtime() -> bool:
    return importlib.util.find_spec("xllamacpp") is not None


def _has_key(upstream: Upstream) -> bool:
    return bool(upstream.api_key) or not upstream.needs_key
