"""What the token counter gets of a request, where the provider reports no usage."""

from __future__ import annotations

import json

import pytest
from msgspec import Raw

from headway.pipeline.provider_calls import prompt_of
from headway.types import ChatRequest, EmbeddingsRequest


@pytest.mark.parametrize(
    ("given", "texts"),
    [('"one"', ["one"]), ('["one", "two"]', ["one", "two"]), ("[[1, 2], 3]", []), ("[]", [])],
)
def test_the_texts_of_an_embeddings_request_are_counted_as_user_messages(
    given: str, texts: list[str]
) -> None:
    request = EmbeddingsRequest(model="m", input=Raw(given.encode()))
    expected = [{"role": "user", "content": text} for text in texts]
    assert json.loads(prompt_of(request)) == expected


def test_the_messages_of_a_chat_request_are_counted_as_they_are() -> None:
    assert prompt_of(ChatRequest(model="m", messages=Raw(b"[1]"))) == b"[1]"
