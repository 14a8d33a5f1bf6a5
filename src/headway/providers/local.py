"""The local model: a llama.cpp server that the gateway starts on this machine, in OpenAI's wire
format. It needs no key and has no price."""

from functools import partial

from msgspec import Raw
from msgspec.structs import replace

from headway.providers.capabilities import native
from headway.providers.capability_rules import drop_unsupported, refuse_content
from headway.providers.converted_messages import drop_details
from headway.providers.openai import provider as openai
from headway.providers.openai.completions import Completions, with_completions
from headway.providers.openai_compatible.wire_rules import CALL_RULES
from headway.providers.parameter_rules import value_in
from headway.providers.transformations import emulated
from headway.providers.wire_formats import LOCAL
from headway.providers.wire_rules import (
    SUBJECTS,
    Adapted,
    chain,
    mended,
    override,
    refused,
    with_rules,
)
from headway.types import ChatRequest

CAPABILITIES = native("stream", "json_object", "json_schema", "logprobs")
SERVER = "https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md"
PENALTIES = ("repeat_penalty", "frequency_penalty", "presence_penalty", "dry_multiplier")
"""The server's parameters against repetitions."""
REPEAT_PENALTY = "1.1"

_drop_unsupported = drop_unsupported("the local model", CAPABILITIES)
_refuse_content = refuse_content("The local model", CAPABILITIES)
WIRE_RULES = override(
    openai.CHAT.wire_rules,
    *CALL_RULES,
    *(
        refused(subject, _refuse_content, SERVER)
        for subject in SUBJECTS
        if subject.startswith("image_") or subject in ("pdf_as_image", "document_alone")
    ),
    *(
        mended(subject, _drop_unsupported, SERVER, note="the tools are left out")
        for subject in ("schema_keywords", "tools_with_json", "function_name_digit")
    ),
)


def penalize_repetition(request: ChatRequest) -> Adapted:
    """With the default ``repeat_penalty`` for a client that sends nothing against repetitions: a
    model of this size, when sampled, may repeat one word until ``max_tokens``. At temperature 0
    the output stays as it is."""
    parameters = request.parameters
    given = () if request.uses_default_parameters else PENALTIES
    if value_in(parameters, "temperature") == 0 or any(name in parameters for name in given):
        return request, ()
    adapted = replace(
        request, parameters={**parameters, "repeat_penalty": Raw(REPEAT_PENALTY.encode())}
    )
    return adapted, (emulated("repeat_penalty", f"as the default {REPEAT_PENALTY}"),)


CHAT = replace(
    openai.CHAT,
    **LOCAL.facts,
    has_custom_tools=False,
    adapt=with_rules(WIRE_RULES, partial(chain, (drop_details, penalize_repetition))),
    wire_rules=WIRE_RULES,
    encode_embeddings=None,
    decode_embeddings=None,
    price_id=None,
    list_models=None,
    models=("smollm2-135m-instruct",),
    prefill_models="",
    launch="llama",
    capabilities=CAPABILITIES,
)
PROVIDER = with_completions(CHAT, Completions())
