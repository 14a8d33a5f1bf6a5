"""Amazon Bedrock's addresses, keys, signatures, errors and embeddings, and its other door."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec import Raw

from headway import errors
from headway.errors import MissingProviderKey, RequestError
from headway.providers.bedrock import embeddings as bedrock_embeddings
from headway.providers.bedrock import mantle as bedrock_mantle
from headway.providers.bedrock import provider as bedrock
from headway.providers.capabilities import CAPABILITIES
from headway.types import ChatRequest, EmbeddingsRequest, Target, Usage
from headway.wire.sigv4 import Key, Scope, sign

NOVA = "amazon.nova-lite-v1:0"
CLAUDE = "anthropic.claude-3-7-sonnet-20250219-v1:0"
HI = Raw(b'[{"role":"user","content":"hi"}]')
KEYS = {"access_key": "AK", "secret_key": "SK"}
NOW = 1_700_000_000.0


def target(base_url: str = bedrock.BASE_URL, **fields: Any) -> Target:
    options = {"region": "us-east-1", **fields.pop("options", {})}
    return Target(provider="bedrock", base_url=base_url, options=options, **fields)


def chat(model: str = NOVA, stream: bool = False) -> ChatRequest:
    return ChatRequest(model=model, messages=HI, stream=stream)


# --- Addresses ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "stream", "options", "path"),
    [
        (NOVA, False, {}, "amazon.nova-lite-v1%3A0/converse"),
        (NOVA, True, {}, "amazon.nova-lite-v1%3A0/converse-stream"),
        (CLAUDE, False, {"api": "invoke"}, "anthropic.claude-3-7-sonnet-20250219-v1%3A0/invoke"),
        (
            CLAUDE,
            True,
            {"api": "invoke"},
            "anthropic.claude-3-7-sonnet-20250219-v1%3A0/invoke-with-response-stream",
        ),
        (
            "arn:aws:bedrock:us-east-1:1:inference-profile/us.amazon.nova-lite-v1:0",
            False,
            {},
            "arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Ainference-profile%2Fus.amazon.nova-lite-v1%3A0"
            "/converse",
        ),
    ],
)
def test_the_model_stands_in_the_path(
    model: str, stream: bool, options: dict[str, Any], path: str
) -> None:
    http = bedrock.encode_request(chat(model, stream), target(options=options))
    assert http.url.host == "bedrock-runtime.us-east-1.amazonaws.com"
    assert http.url.path == f"/model/{path}"
    accept = "application/vnd.amazon.eventstream" if stream else "application/json"
    assert dict(http.headers) == {"content-type": "application/json", "accept": accept}


@pytest.mark.parametrize(
    ("base_url", "options", "credentials", "region"),
    [
        (bedrock.BASE_URL, {"region": "r-1"}, {"region": "r-2"}, "r-1"),
        (bedrock.BASE_URL, {}, {"region": "r-2"}, "r-2"),
        ("https://bedrock-runtime.eu-west-3.amazonaws.com", {}, {}, "eu-west-3"),
        ("https://bedrock-runtime-fips.us-gov-west-1.amazonaws.com", {}, {}, "us-gov-west-1"),
        ("https://vpce-1-x.bedrock-runtime.us-west-2.vpce.amazonaws.com", {}, {}, "us-west-2"),
        ("https://bedrock-mantle.ap-south-1.api.aws/v1", {}, {}, "ap-south-1"),
        ("http://127.0.0.1:9000", {}, {}, None),
        (bedrock.BASE_URL, {}, {}, None),
    ],
)
def test_the_region_is_where_it_is_said(
    base_url: str, options: dict[str, Any], credentials: dict[str, str], region: str | None
) -> None:
    place = Target(provider="b", base_url=base_url, options=options, credentials=credentials)
    if region is not None:
        assert bedrock.region_of(place) == region
        return
    with pytest.raises(RequestError, match="b needs `region`") as caught:
        bedrock.region_of(place)
    assert caught.value.param == "region"


def test_an_address_of_ones_own_needs_no_region() -> None:
    place = Target(provider="b", base_url="http://127.0.0.1:9000/aws", api_key="k")
    http = bedrock.encode_request(chat(), place)
    assert (http.url.port, http.url.path) == (
        9000,
        f"/aws/model/{NOVA.replace(':', '%3A')}/converse",
    )
    assert bedrock.sign_request(http, place, NOW) is http


@pytest.mark.parametrize(
    ("model", "options", "why"),
    [
        (NOVA, {"api": "invoke"}, "is for Anthropic's models"),
        (CLAUDE, {"api": "chat"}, "`api` is converse or invoke, not 'chat'"),
    ],
)
def test_an_api_that_does_not_fit_is_refused(model: str, options: Any, why: str) -> None:
    with pytest.raises(RequestError, match=why):
        bedrock.encode_request(chat(model), target(options=options))


def test_a_profile_that_does_not_tell_its_model_can_be_invoked() -> None:
    arn = "arn:aws:bedrock:us-east-1:1:application-inference-profile/x"
    http = bedrock.encode_request(chat(arn), target(options={"api": "invoke"}))
    assert json.loads(http.body)["anthropic_version"] == "bedrock-2023-05-31"


# --- Keys and signatures --------------------------------------------------------------------------


def test_an_api_key_is_a_bearer_and_nothing_is_signed() -> None:
    place = target(api_key="abc", headers={"x-a": "b"}, options=KEYS)
    http = bedrock.encode_request(chat(), place)
    assert http.headers[-2:] == (("authorization", "Bearer abc"), ("x-a", "b"))
    assert bedrock.sign_request(http, place, NOW) is http


@pytest.mark.parametrize(
    ("options", "credentials", "key"),
    [
        (KEYS, {}, Key("AK", "SK")),
        ({**KEYS, "session_token": "T"}, {}, Key("AK", "SK", "T")),
        (KEYS, {"access_key": "A2", "secret_key": "S2", "session_token": "T2"},
         Key("A2", "S2", "T2")),
    ],
)  # fmt: skip
def test_a_request_is_signed_with_the_keys_that_there_are(
    options: dict[str, str], credentials: dict[str, str], key: Key
) -> None:
    place = target("http://127.0.0.1:9000", options=options, credentials=credentials)
    http = bedrock.encode_request(chat(), place)
    signed = bedrock.sign_request(http, place, NOW)
    assert signed == sign(http, key, Scope("us-east-1", "bedrock"), NOW)
    assert "/20231114/us-east-1/bedrock/aws4_request" in dict(signed.headers)["authorization"]


def test_without_any_key_aws_is_not_asked_and_another_is() -> None:
    own = target("http://127.0.0.1:9000")
    http = bedrock.encode_request(chat(), own)
    assert bedrock.sign_request(http, own, NOW) is http

    aws = target()
    with pytest.raises(MissingProviderKey, match="AWS_BEARER_TOKEN_BEDROCK"):
        bedrock.sign_request(bedrock.encode_request(chat(), aws), aws, NOW)


# --- Errors ---------------------------------------------------------------------------------------

TYPE = b"x-amzn-errortype"
REFUSALS: list[tuple[int, dict[bytes, bytes], bytes, type[errors.UpstreamError], str, Any]] = [
    (429, {TYPE: b"ThrottlingException:http://internal.amazon.com/coral/"},
     b'{"message":"Too many requests, please wait before trying again."}',
     errors.UpstreamRateLimited, "Too many requests", "ThrottlingException"),
    (429, {TYPE: b"ThrottlingException"}, b'{"message":"Too many tokens per day, please wait"}',
     errors.UpstreamQuota, "Too many tokens per day", "ThrottlingException"),
    (429, {TYPE: b"ModelNotReadyException"}, b'{"message":"m"}',
     errors.UpstreamOverloaded, "m", "ModelNotReadyException"),
    (400, {TYPE: b"ServiceQuotaExceededException"}, b'{"message":"m"}',
     errors.UpstreamQuota, "m", "ServiceQuotaExceededException"),
    (424, {TYPE: b"ModelErrorException"}, b'{"originalMessage":"o"}',
     errors.UpstreamError, "o", "ModelErrorException"),
    (408, {TYPE: b"ModelTimeoutException"}, b'{"message":"m"}',
     errors.UpstreamTimeout, "m", "ModelTimeoutException"),
    (500, {TYPE: b"InternalServerException"}, b'{"message":"m"}',
     errors.UpstreamError, "m", "InternalServerException"),
    (503, {TYPE: b"ServiceUnavailableException"}, b'{"message":"m"}',
     errors.UpstreamOverloaded, "m", "ServiceUnavailableException"),
    (403, {TYPE: b"AccessDeniedException"},
     b'{"Message":"User: arn:aws:iam::1:user/x is not authorized to perform"}',
     errors.UpstreamAuth, "User: arn:aws:iam::1:user/x", "AccessDeniedException"),
    (403, {}, b'{"Message":"Authentication failed: Please make sure your API Key is valid."}',
     errors.UpstreamAuth, "Authentication failed", None),
    (403, {TYPE: b"InvalidSignatureException:"}, b'{"message":"The request signature"}',
     errors.UpstreamAuth, "The request signature", "InvalidSignatureException"),
    (400, {}, b'{"__type":"com.amazon.coral.validate#ValidationException","message":"v"}',
     errors.UpstreamRejected, "v", "ValidationException"),
    (413, {}, b"", errors.UpstreamRejected, "The provider answered with status 413", None),
    (502, {}, b"<html>bad</html>", errors.UpstreamError, "<html>bad</html>", None),
    (418, {}, b"[" * 10_000, errors.UpstreamRejected, "[[[[", None),
    (400, {}, b'["x"]', errors.UpstreamRejected, "['x']", None),
]  # fmt: skip


@pytest.mark.parametrize(("status", "headers", "body", "cls", "start", "code"), REFUSALS)
def test_refusals(
    status: int, headers: dict[bytes, bytes], body: bytes, cls: type, start: str, code: str | None
) -> None:
    named = {**headers, b"x-amzn-requestid": b"id-1", b"retry-after": b"3"}
    error = bedrock.decode_error(status, tuple(named.items()), body)
    assert type(error) is cls
    assert error.message.startswith(start)
    assert (error.code, error.request_id, error.retry_after_s) == (code, "id-1", 3.0)


def test_a_rejection_keeps_the_providers_own_status() -> None:
    assert bedrock.decode_error(413, (), b"").status == 413
    assert bedrock.decode_error(400, (), b"").request_id is None


# --- Embeddings -----------------------------------------------------------------------------------

TITAN = "amazon.titan-embed-text-v2:0"
COHERE = "cohere.embed-english-v3"
NOVA_EMBED = "amazon.nova-2-multimodal-embeddings-v1:0"
ASKED: list[tuple[str, Any, dict[str, Any], Any]] = [
    (TITAN, "a", {"dimensions": 256, "user": "u"}, {"inputText": "a", "dimensions": 256}),
    (TITAN, ["a"], {"normalize": False}, {"inputText": "a", "normalize": False}),
    (
        "amazon.titan-embed-image-v1",
        "a",
        {"dimensions": 384},
        {"inputText": "a", "embeddingConfig": {"outputEmbeddingLength": 384}},
    ),
    ("amazon.titan-embed-image-v1", "a", {}, {"inputText": "a"}),
    (
        NOVA_EMBED,
        "a",
        {"dimensions": 256, "embeddingPurpose": "TEXT_RETRIEVAL"},
        {
            "taskType": "SINGLE_EMBEDDING",
            "singleEmbeddingParams": {
                "embeddingPurpose": "TEXT_RETRIEVAL",
                "embeddingDimension": 256,
                "text": {"truncationMode": "END", "value": "a"},
            },
        },
    ),
    (
        NOVA_EMBED,
        "a",
        {},
        {
            "taskType": "SINGLE_EMBEDDING",
            "singleEmbeddingParams": {
                "embeddingPurpose": "GENERIC_INDEX",
                "embeddingDimension": 3072,
                "text": {"truncationMode": "END", "value": "a"},
            },
        },
    ),
    (
        COHERE,
        ["a", "b"],
        {"input_type": "search_query", "encoding_format": "base64"},
        {"texts": ["a", "b"], "input_type": "search_query"},
    ),
]


def embed(model: str, given: Any, **parameters: Any) -> Any:
    request = EmbeddingsRequest(
        model=model,
        input=Raw(json.dumps(given).encode()),
        parameters={name: Raw(json.dumps(value).encode()) for name, value in parameters.items()},
    )
    http = bedrock.encode_embeddings(request, target())
    assert http.url.path.endswith("/invoke")
    return json.loads(http.body)


@pytest.mark.parametrize(("model", "given", "parameters", "body"), ASKED)
def test_embeddings_are_asked_for_in_each_vendors_words(
    model: str, given: Any, parameters: Any, body: Any
) -> None:
    assert embed(model, given, **parameters) == body


@pytest.mark.parametrize(
    ("model", "given", "why"),
    [
        (TITAN, ["a", "b"], "embeds one text a call, not 2"),
        (TITAN, [1, 2], "embeds texts, not tokens"),
        (TITAN, 5, "embeds texts, not tokens"),
        (NOVA, "a", "no model for embeddings"),
    ],
)
def test_what_cannot_be_embedded_is_refused(model: str, given: Any, why: str) -> None:
    with pytest.raises(RequestError, match=why):
        embed(model, given)


@pytest.mark.parametrize(
    ("body", "vectors", "tokens"),
    [
        (b'{"embedding":[1.5,2],"inputTextTokenCount":3}', [[1.5, 2.0]], 3),
        (b'{"embeddings":[[1,2],[3,4]]}', [[1, 2], [3, 4]], None),
        (b'{"embeddings":{"float":[[1]]}}', [[1]], None),
        (b'{"embeddings":[{"embeddingType":"TEXT","embedding":[1]}]}', [[1]], None),
    ],
)
def test_embeddings_are_read_in_each_vendors_words(
    body: bytes, vectors: Any, tokens: int | None
) -> None:
    found = bedrock_embeddings.decode(body)
    assert found.vectors == vectors
    assert found.usage == Usage(input_tokens=tokens)


@pytest.mark.parametrize("body", [b"{}", b'{"embeddings":{}}', b'{"embeddings":5}'])
def test_an_answer_without_vectors_is_garbled(body: bytes) -> None:
    with pytest.raises(ValueError, match="no embeddings"):
        bedrock_embeddings.decode(body)


# --- The other door -------------------------------------------------------------------------------


def test_the_other_door_is_signed_for_its_own_service() -> None:
    place = Target(
        provider="m",
        base_url=bedrock_mantle.PROVIDER.base_url or "",
        options={"region": "us-west-2", **KEYS},
    )
    http = bedrock_mantle.encode_request(chat("openai.gpt-oss-120b"), place)
    assert http.url.host == "bedrock-mantle.us-west-2.api.aws"
    signed = bedrock_mantle.sign_request(http, place, NOW)
    assert signed == sign(http, Key("AK", "SK"), Scope("us-west-2", "bedrock-mantle"), NOW)


def test_openais_rules_hold_for_its_models_by_their_name_there() -> None:
    request = ChatRequest(
        model="openai.gpt-5.5",
        messages=HI,
        parameters={"max_tokens": Raw(b"5"), "temperature": Raw(b"1")},
        uses_default_parameters=True,
    )
    adapted, changes = bedrock_mantle.adapt(request)
    assert adapted.model == "openai.gpt-5.5"
    assert dict(adapted.parameters) == {"max_completion_tokens": Raw(b"5")}
    assert changes == ()


@pytest.mark.parametrize("module", [bedrock, bedrock_mantle])
def test_facts_are_in_the_words_that_are_known(module: Any) -> None:
    provider = module.PROVIDER
    assert set(provider.capabilities) <= set(CAPABILITIES)
    assert provider.credentials == "aws"
    assert provider.key_env == "AWS_BEARER_TOKEN_BEDROCK"
    assert {"region", "access_key", "secret_key", "profile", "role_arn"} <= set(provider.options)
