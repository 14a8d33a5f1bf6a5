"""``POST /v1/fim/completions``: code between a ``prompt`` and a ``suffix`` (docs.mistral.ai/api,
Fill in the Middle), as the autocompletion of editors asks for it.

The request is one of legacy completions; the response is a chat completion.
"""

from __future__ import annotations

from msgspec import Struct

from headway.dialects.base import ResponseContext, StreamEncoder
from headway.dialects.openai.chat import OpenAIChat, OpenAIChatStream
from headway.dialects.openai.completions import OpenAICompletions
from headway.response_accumulator import ResponseAccumulator

CHAT = OpenAIChat()


class FimCompletions(OpenAICompletions):
    """The dialect of ``/v1/fim/completions``."""

    name = "fim_completions"
    route = "/v1/fim/completions"

    def encode(
        self, context: ResponseContext, response: ResponseAccumulator, metrics: Struct, now: float
    ) -> bytes:
        return CHAT.encode(context, response, metrics, now)

    def passes_through(self, body: bytes) -> bool:
        return CHAT.passes_through(body)

    def stream(self, context: ResponseContext) -> StreamEncoder:
        return OpenAIChatStream(context)
