from __future__ import annotations

from msgspec import Raw

from headway.providers import KINDS
from headway.providers.local import PROVIDER
from headway.types import ChatRequest


def test_the_embedded_model_is_launched_and_needs_neither_address_nor_key() -> None:
    assert PROVIDER.launch == "llama"
    assert PROVIDER.base_url is None
    assert PROVIDER.key_env is None
    assert PROVIDER.models == ("smollm2-135m-instruct",)


def test_it_takes_every_parameter_whatever_its_model_is_called() -> None:
    request = ChatRequest(model="o1", messages=Raw(b"[]"), parameters={"top_p": Raw(b"1")})
    assert PROVIDER.adapt(request) == (request, ())


def test_every_kind_is_known_by_its_own_name() -> None:
    assert {"openai", "echo", "local"} <= set(KINDS)
    assert all(provider.name == kind for kind, provider in KINDS.items())
