"""Requests are signed with AWS credentials, or carry an API key."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import Raw

from headway.errors import MissingProviderKey
from headway.providers.bedrock.request import encode_request
from headway.providers.bedrock.signing import sign_request
from headway.providers.wire_formats import BEDROCK
from headway.types import ChatRequest, Target
from headway.wire.sigv4 import AwsCredentials, CredentialScope, sign

BASE_URL = BEDROCK.base_url or ""

NOVA = "amazon.nova-lite-v1:0"
CLAUDE = "anthropic.claude-3-7-sonnet-20250219-v1:0"
HI = Raw(b'[{"role":"user","content":"hi"}]')
KEYS = {"access_key": "AK", "secret_key": "SK"}
NOW = 1_700_000_000.0


def target(base_url: str = BASE_URL, **fields: Any) -> Target:
    options = {"region": "us-east-1", **fields.pop("options", {})}
    return Target(provider="bedrock", base_url=base_url, options=options, **fields)


def chat(model: str = NOVA, stream: bool = False) -> ChatRequest:
    return ChatRequest(model=model, messages=HI, stream=stream)


def test_an_api_key_is_a_bearer_token_and_the_request_is_not_signed() -> None:
    place = target(api_key="abc", headers={"x-a": "b"}, options=KEYS)
    http = encode_request(chat(), place)
    assert http.headers[-2:] == (("authorization", "Bearer abc"), ("x-a", "b"))
    assert sign_request("bedrock", http, place, NOW) is http


@pytest.mark.parametrize(
    ("options", "credentials", "key"),
    [
        (KEYS, {}, AwsCredentials("AK", "SK")),
        ({**KEYS, "session_token": "T"}, {}, AwsCredentials("AK", "SK", "T")),
        (KEYS, {"access_key": "A2", "secret_key": "S2", "session_token": "T2"},
         AwsCredentials("A2", "S2", "T2")),
    ],
)  # fmt: skip
def test_a_request_is_signed_with_the_credentials_of_the_source_or_the_options(
    options: dict[str, str], credentials: dict[str, str], key: AwsCredentials
) -> None:
    place = target("http://127.0.0.1:9000", options=options, credentials=credentials)
    http = encode_request(chat(), place)
    signed = sign_request("bedrock", http, place, NOW)
    assert signed == sign(http, key, CredentialScope("us-east-1", "bedrock"), NOW)
    assert "/20231114/us-east-1/bedrock/aws4_request" in dict(signed.headers)["authorization"]


def test_without_credentials_aws_is_not_called_and_another_host_is() -> None:
    own = target("http://127.0.0.1:9000")
    http = encode_request(chat(), own)
    assert sign_request("bedrock", http, own, NOW) is http

    aws = target()
    with pytest.raises(MissingProviderKey, match="AWS_BEARER_TOKEN_BEDROCK"):
        sign_request("bedrock", encode_request(chat(), aws), aws, NOW)
