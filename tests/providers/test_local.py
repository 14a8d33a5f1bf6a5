"""The local model's adapter."""

from __future__ import annotations

from msgspec import Raw

from headway.providers import KINDS
from headway.providers.local import PROVIDER
from headway.types import ChatRequest


def test_the_local_model_needs_a_launcher_but_no_address_and_no_key() -> None:
    assert PROVIDER.launch == "llama"
    assert PROVIDER.base_url is None
    assert PROVIDER.key_env is None
    assert PROVIDER.models == ("smollm2-135m-instruct",)


def test_the_local_model_takes_every_parameter() -> None:
    request = ChatRequest(model="o1", messages=Raw(b"[]"), parameters={"top_p": Raw(b"1")})
    assert PROVIDER.adapt(request) == (request, ())


def test_every_provider_is_registered_under_its_name() -> None:
    assert {"openai", "echo", "local"} <= set(KINDS)
    assert all(provider.name == kind for kind, provider in KINDS.items())
