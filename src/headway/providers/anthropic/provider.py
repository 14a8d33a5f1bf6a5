"""The Claude API: Anthropic's Messages (platform.claude.com/docs/en/api/messages)."""

from headway.providers.anthropic import rate_limits
from headway.providers.anthropic.errors import decode_error
from headway.providers.anthropic.model_list import model_list
from headway.providers.anthropic.native_request import COUNT, encode_native
from headway.providers.anthropic.native_request import adapt as adapt_native
from headway.providers.anthropic.parameters import adapt
from headway.providers.anthropic.relayed_text import read_relayed_text
from headway.providers.anthropic.request import API_VERSION, encode_request
from headway.providers.anthropic.response import decode_event, decode_response
from headway.providers.anthropic.wire_rules import RULES
from headway.providers.base import Provider
from headway.providers.capabilities import native
from headway.providers.http_headers import Pairs
from headway.providers.native_api import NativeApi, ReadableRoute
from headway.providers.wire_formats import ANTHROPIC
from headway.providers.wire_rules import with_rules
from headway.types import Parameter, Target

PARAMETERS = (
    # Anthropic's maximum (and Bedrock's) is 1; more, up to OpenAI's, is clamped and not refused.
    Parameter(
        id="temperature", name="Temperature", type="float", default=1, min=0, max=2, step=0.01
    ),
    Parameter(id="max_tokens", name="Maximum tokens", type="integer", default=2048, min=1, step=1),
    Parameter(id="top_p", name="Top P", type="float", default=1, min=0, max=1, step=0.01),
    Parameter(id="top_k", name="Top K", type="integer", min=0, step=1),
)
CAPABILITIES = {
    **native("stream", "tools", "images", "reasoning_replay", "citations"),
    "tool_choice": "native: as an instruction in the prompt for most models from 5.5 on",
    "documents": "native: PDF and text",
    "json_object": "emulated: as an instruction in the prompt",
    "json_schema": "native: from 4.5 on, for older models as an instruction in the prompt",
    "reasoning": "native: effort from 4.6 on, a budget for older models",
    "caching": "native: 5m and 1h",
}


def authorization(target: Target) -> Pairs:
    return () if target.api_key is None else (("x-api-key", target.api_key),)


NATIVE = NativeApi(
    headers=authorization,
    defaults=(("anthropic-version", API_VERSION),),
    routes=(ReadableRoute("/messages"),),
)

PROVIDER = Provider(
    **ANTHROPIC.facts,
    wire="anthropic_messages",
    encode_request=encode_request,
    encode_native=encode_native,
    adapt_native=adapt_native,
    token_count=COUNT,
    decode_response=decode_response,
    decode_event=decode_event,
    decode_error=decode_error,
    read_relayed_text=read_relayed_text,
    text_event="content_block_delta",
    adapt=with_rules(RULES, adapt),
    wire_rules=RULES,
    prefill_models="",
    price_id="anthropic",
    rate_limits=rate_limits.HEADERS,
    list_models=model_list(API_VERSION),
    native=NATIVE,
    parameters=PARAMETERS,
    options={
        "api_version": f"the `anthropic-version` header; {API_VERSION} by default",
        "beta": "names of beta features for the `anthropic-beta` header, a list or with commas",
    },
    capabilities=CAPABILITIES,
)
