"""The errors for providers that a gateway does not have."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from headway.pipeline.unknown_provider import unknown_provider
from headway.providers import KINDS
from support.pipeline_fakes import Pipe

OWN = [kind for kind, one in KINDS.items() if "127.0.0.1" in (one.base_url or "")]


def pipe_with(kind: str) -> Pipe:
    """A gateway on which nobody configured the kind."""
    provider = KINDS[kind]
    pipe = Pipe()
    snapshot = pipe.gateway.snapshot
    absent = replace(
        snapshot.upstreams["openai"],
        name=kind,
        provider=provider,
        base_url=provider.base_url,
        api_key=None,
        needs_key=False,
        lacks_address=True,
    )
    upstreams = {**snapshot.upstreams, kind: absent}
    pipe.gateway.snapshot = replace(snapshot, upstreams=upstreams)
    return pipe


@pytest.mark.parametrize("kind", OWN)
def test_a_server_of_ones_own_that_nobody_configured_is_404_with_the_remedy(kind: str) -> None:
    error = unknown_provider(pipe_with(kind).gateway.snapshot, kind)
    assert (error.status, error.type, error.param) == (404, "not_found_error", "provider")
    assert f"set providers.{kind}.base_url" in error.message
    assert "such as http://HOST:" in error.message
    assert ("OLLAMA_HOST" in error.message) is (kind == "ollama")
    assert error.provider == kind
