"""Addresses that are made of an option, and shortcuts past the decoders."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec import Raw

from headway.errors import InvalidField
from headway.providers import FACTS, KINDS
from headway.types import EmbeddingsRequest, Target
from support.adapter_requests import chat

REQUEST = chat("m", [{"role": "user", "content": "Hi"}])
ADDRESSES = [
    ("cloudflare", {"account_id": "a1"}, "api.cloudflare.com", "/client/v4/accounts/a1/ai/v1"),
    ("databricks", {"workspace": "dbc.example"}, "dbc.example", "/serving-endpoints"),
]


@pytest.mark.parametrize(("kind", "options", "host", "path"), ADDRESSES)
def test_the_address_is_made_of_an_option(
    kind: str, options: dict[str, str], host: str, path: str
) -> None:
    provider = KINDS[kind]
    target = Target(provider=kind, base_url="", options=options)
    url = provider.encode_request(REQUEST, target).url
    assert (url.host, url.path) == (host, f"{path}/chat/completions")
    assert provider.encode_embeddings is not None
    url = provider.encode_embeddings(EmbeddingsRequest(model="m", input=Raw(b'"a"')), target).url
    assert (url.host, url.path) == (host, f"{path}/embeddings")
    with_base_url = Target(provider=kind, base_url="http://127.0.0.1:1/v1", options=options)
    assert provider.encode_request(REQUEST, with_base_url).url.host == "127.0.0.1"


@pytest.mark.parametrize(("kind", "options", "host", "path"), ADDRESSES)
def test_the_error_for_a_missing_address_names_the_option_and_its_variable(
    kind: str, options: dict[str, str], host: str, path: str
) -> None:
    (option,) = options
    variable = FACTS[kind].environ[option].name
    expected = f"set {variable} in .*, or {option} or base_url"
    with pytest.raises(InvalidField, match=expected) as raised:
        KINDS[kind].encode_request(REQUEST, Target(provider=kind, base_url=""))
    assert raised.value.param == option


def chunk(**more: Any) -> bytes:
    return json.dumps({"choices": [{"index": 0, "delta": {"content": "Hi"}}], **more}).encode()


def test_text_is_read_by_the_shortcut_unless_a_transform_changes_the_chunk() -> None:
    read_text = KINDS["groq"].read_text
    assert read_text is not None
    assert read_text(chunk()) == "Hi"
    assert read_text(chunk(x_groq={"id": "1"})) is None
    assert KINDS["deepseek"].read_text is KINDS["openai"].read_text
    assert KINDS["xai"].read_text is KINDS["openai"].read_text
    assert KINDS["openrouter"].read_text is None
