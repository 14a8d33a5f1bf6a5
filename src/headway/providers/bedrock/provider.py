"""Amazon Bedrock: Converse for every model, and Anthropic's own format through invoke for its
clients, or if configured for all
(docs.aws.amazon.com/bedrock/latest/APIReference/API_Operations_Amazon_Bedrock_Runtime.html)."""

from functools import partial

from headway.providers.anthropic.provider import PARAMETERS
from headway.providers.base import Provider
from headway.providers.bedrock.anthropic_wire import with_anthropic_wire
from headway.providers.bedrock.embeddings import decode_embeddings
from headway.providers.bedrock.endpoint import base_url
from headway.providers.bedrock.errors import decode_error
from headway.providers.bedrock.model_list import model_list
from headway.providers.bedrock.parameters import adapt
from headway.providers.bedrock.request import encode_embeddings, encode_request
from headway.providers.bedrock.response import decode_event, decode_response, repair_event
from headway.providers.bedrock.signing import CREDENTIAL_OPTIONS, SECRET_OPTIONS, sign_request
from headway.providers.bedrock.token_counts import CONVERSE_COUNT
from headway.providers.bedrock.wire_rules import RULES
from headway.providers.capabilities import native
from headway.providers.native_api import NativeApi, ReadableRoute
from headway.providers.wire_formats import BEDROCK
from headway.providers.wire_rules import with_rules
from headway.wire.aws_event_stream import EventStreamFramer

OPTIONS = {
    **CREDENTIAL_OPTIONS,
    "api": "converse, which is the default, or invoke, for Anthropic's models in their own format;"
    " clients of that format get invoke unless this says converse",
    "beta": "names of Anthropic's beta features, a list or with commas",
}
CAPABILITIES = {
    **native("stream", "tools", "citations"),
    "tool_choice": "partial: none is emulated; for older families as an instruction in the prompt",
    "images": "native: as data or in S3",
    "documents": "native: as data or in S3",
    "audio": "native: where the model supports it",
    "json_object": "emulated: as an instruction in the prompt",
    "json_schema": "native: where the model enforces schemas, else as an instruction in the prompt",
    "reasoning": "native: Claude, Nova 2 and OpenAI's models",
    "reasoning_replay": "native: Claude",
    "caching": "native: 5m and 1h",
    "embeddings": "native: Titan, Nova and Cohere",
}

PRICE_HEADERS = {
    b"x-amzn-bedrock-service-tier": "service_tier",
    b"x-amzn-bedrock-performanceconfig-latency": "latency",
}
"""Of invoke, whose body has the model's own format (API_runtime_InvokeModel.html)."""

NATIVE = NativeApi(
    base_url=base_url,
    routes=(ReadableRoute(r"/model/(?P<model>[^/]+)/converse(?:-stream)?"),),
)

CONVERSE = Provider(
    **BEDROCK.facts,
    wire="bedrock_converse",
    encode_request=encode_request,
    decode_response=decode_response,
    decode_event=decode_event,
    decode_error=decode_error,
    repair_event=repair_event,
    adapt=with_rules(RULES, adapt),
    wire_rules=RULES,
    prefill_models=r".*claude",
    token_count=CONVERSE_COUNT,
    framer=EventStreamFramer,
    encode_embeddings=encode_embeddings,
    decode_embeddings=decode_embeddings,
    sign=partial(sign_request, "bedrock"),
    price_id="aws",
    price_headers=PRICE_HEADERS,
    list_models=model_list(base_url),
    native=NATIVE,
    parameters=PARAMETERS,
    options=OPTIONS,
    secrets=SECRET_OPTIONS,
    capabilities=CAPABILITIES,
)
PROVIDER = with_anthropic_wire(CONVERSE)
