"""Bedrock's OpenAI-compatible endpoint."""

from __future__ import annotations

from msgspec import Raw

from headway.providers.bedrock import mantle
from headway.types import ChatRequest, Target
from headway.wire.sigv4 import AwsCredentials, CredentialScope, sign

NOVA = "amazon.nova-lite-v1:0"
CLAUDE = "anthropic.claude-3-7-sonnet-20250219-v1:0"
HI = Raw(b'[{"role":"user","content":"hi"}]')
KEYS = {"access_key": "AK", "secret_key": "SK"}
NOW = 1_700_000_000.0


def chat(model: str = NOVA, stream: bool = False) -> ChatRequest:
    return ChatRequest(model=model, messages=HI, stream=stream)


def test_requests_are_signed_for_the_service_bedrock_mantle() -> None:
    place = Target(
        provider="m",
        base_url=mantle.PROVIDER.base_url or "",
        options={"region": "us-west-2", **KEYS},
    )
    http = mantle.encode_request(chat("openai.gpt-oss-120b"), place)
    assert http.url.host == "bedrock-mantle.us-west-2.api.aws"
    signed = mantle.PROVIDER.sign(http, place, NOW)
    assert signed == sign(
        http, AwsCredentials("AK", "SK"), CredentialScope("us-west-2", "bedrock-mantle"), NOW
    )


def test_openais_rules_apply_to_model_ids_with_the_prefix_openai() -> None:
    request = ChatRequest(
        model="openai.gpt-5.5",
        messages=HI,
        parameters={"max_tokens": Raw(b"5"), "temperature": Raw(b"1")},
        uses_default_parameters=True,
    )
    adapted, changes = mantle.adapt(request)
    assert adapted.model == "openai.gpt-5.5"
    assert dict(adapted.parameters) == {"max_completion_tokens": Raw(b"5")}
    assert changes == ()
