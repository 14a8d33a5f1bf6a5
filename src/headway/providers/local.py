"""The local model: a llama.cpp server that the gateway starts on this machine, in OpenAI's wire
format. It needs no key and has no price."""

from msgspec.structs import replace

from headway.providers.base import unchanged
from headway.providers.capabilities import native
from headway.providers.openai import provider as openai
from headway.providers.wire_formats import LOCAL

PROVIDER = replace(
    openai.PROVIDER,
    **LOCAL.facts,
    adapt=unchanged,
    encode_embeddings=None,
    decode_embeddings=None,
    price_id=None,
    list_models=None,
    models=("smollm2-135m-instruct",),
    launch="llama",
    capabilities=native("stream", "json_object", "json_schema", "logprobs"),
)
