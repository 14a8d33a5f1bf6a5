"""The embedded model: a llama.cpp server on this machine, which speaks OpenAI's wire.

It needs no key and has no price: what it costs is your own electricity.
"""

from __future__ import annotations

from msgspec.structs import replace

from headway.providers.base import unchanged
from headway.providers.openai import provider as openai

PROVIDER = replace(
    openai.PROVIDER,
    name="local",
    title="Local",
    base_url=None,
    key_env=None,
    adapt=unchanged,
    encode_embeddings=None,
    decode_embeddings=None,
    price_id=None,
    list_models=None,
    models=("smollm2-135m-instruct",),
    launch="llama",
    capabilities={
        "stream": "native",
        "json_object": "native",
        "json_schema": "native",
        "logprobs": "native",
    },
)
