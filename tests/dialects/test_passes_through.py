from __future__ import annotations

import pytest

from headway.dialects.base import Dialect
from headway.dialects.engine import Engine
from headway.dialects.openai.chat import OpenAIChat
from headway.dialects.openai.embeddings import OpenAIEmbeddings

COMPLETION = (
    b'{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,'
    b'"message":{"role":"assistant","content":"Hi"},"finish_reason":"stop"}]}'
)


@pytest.mark.parametrize(
    ("dialect", "body", "expected"),
    [
        (OpenAIChat(), COMPLETION, True),
        (OpenAIChat(), COMPLETION.replace(b'"stop"', b'""'), False),
        (OpenAIEmbeddings(), b'{"object":"list","data":[]}', False),
        (Engine(), COMPLETION, False),
    ],
)
def test_only_a_standard_completion_passes_through(
    dialect: Dialect, body: bytes, expected: bool
) -> None:
    assert dialect.passes_through(body) is expected
