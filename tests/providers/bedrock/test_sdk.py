"""AWS's SDK as the reference: equal requests, equal signatures, and equal decoded responses."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from headway.providers import wire_formats
from headway.providers.bedrock.provider import PROVIDER
from headway.providers.bedrock.response import FINISH_REASONS
from headway.providers.bedrock.signing import sign_request
from headway.types import HttpRequest, Target
from headway.wire.sigv4 import AwsCredentials, CredentialScope, sign
from headway.wire.url import join
from support.canned_responses import BEDROCK, Wire
from support.lazy_import import lazy_import
from support.scripted_server import Received, ThreadedServer
from support.sdk_conversation import (
    CONVERSATION,
    FORMAT,
    IMAGE,
    SCHEMA,
    TOOLS,
    calls,
    encoded,
    read,
    served,
)
from support.tool_call_responses import BEDROCK_CALLING

boto3 = lazy_import("boto3")
botocore = lazy_import("botocore")

BASE_URL = wire_formats.BEDROCK.base_url or ""

NOW = 1_700_000_000.0
CLAUDE = "us.anthropic.claude-3-7-sonnet-20250219-v1:0"
SONNET = "anthropic.claude-sonnet-4-5-20250929-v1:0"
PROFILE = "arn:aws:bedrock:us-east-1:1:inference-profile/us.amazon.nova-lite-v1:0"
HELLO = [{"role": "user", "content": [{"text": "Hello"}]}]
KEYS = {"access_key": "AKIDEXAMPLE", "secret_key": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"}
SAID = [
    {
        "role": "user",
        "content": [{"text": "See:"}, {"image": {"format": "png", "source": {"bytes": IMAGE}}}],
    },
    {
        "role": "assistant",
        "content": [
            {"text": "Let me look."},
            {"toolUse": {"toolUseId": "call_1", "name": "weather", "input": {"city": "Bonn"}}},
        ],
    },
    {
        "role": "user",
        "content": [{"toolResult": {"toolUseId": "call_1", "content": [{"text": "Sunny"}]}}],
    },
]
SPEC = {"name": "weather", "description": "The weather.", "inputSchema": {"json": SCHEMA}}

# the SDK's arguments, and the same in OpenAI's format
ASKED: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "tools, their results, an image and sampling": (
        {
            "modelId": CLAUDE,
            "system": [{"text": "Be kind."}],
            "messages": SAID,
            "toolConfig": {"tools": [{"toolSpec": SPEC}], "toolChoice": {"any": {}}},
            "inferenceConfig": {
                "maxTokens": 4096,
                "temperature": 0.5,
                "topP": 0.9,
                "stopSequences": ["END"],
            },
            "additionalModelRequestFields": {"top_k": 5},
        },
        {
            "model": CLAUDE,
            "messages": CONVERSATION,
            "tools": TOOLS,
            "tool_choice": "required",
            "max_tokens": 4096,
            "temperature": 0.5,
            "top_p": 0.9,
            "stop": "END",
            "top_k": 5,
        },
    ),
    "thoughts and a schema": (
        {
            "modelId": SONNET,
            "messages": HELLO,
            "inferenceConfig": {"maxTokens": 4096},
            "additionalModelRequestFields": {
                "thinking": {"type": "enabled", "budget_tokens": 1024}
            },
            "outputConfig": {
                "textFormat": {
                    "type": "json_schema",
                    "structure": {
                        "jsonSchema": {
                            "name": "place",
                            "schema": json.dumps(SCHEMA, separators=(",", ":")),
                        }
                    },
                }
            },
        },
        {
            "model": SONNET,
            "max_tokens": 4096,
            "reasoning": {"max_tokens": 1024},
            "response_format": FORMAT,
        },
    ),
    "a profile by its name": (
        {"modelId": PROFILE, "messages": HELLO},
        {"model": PROFILE},
    ),
}


@pytest.fixture(autouse=True)
def _nobodys_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_BEARER_TOKEN_BEDROCK", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, "/dev/null")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


def sdk_response(server: ThreadedServer, stream: bool, token: str | None, **arguments: Any) -> Any:
    """The response as the SDK decodes it: whole, or the list of events."""
    client = boto3.client(
        "bedrock-runtime",
        region_name="us-east-1",
        endpoint_url=server.url,
        aws_access_key_id=KEYS["access_key"],
        aws_secret_access_key=KEYS["secret_key"],
        aws_session_token=token,
        config=botocore.config.Config(retries={"max_attempts": 0}, proxies={}),
    )
    try:
        if not stream:
            return client.converse(**arguments)
        return list(client.converse_stream(**arguments)["stream"])
    finally:
        client.close()


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("what", ASKED)
def test_our_request_equals_the_request_of_the_sdk(what: str, stream: bool) -> None:
    theirs, words = ASKED[what]
    with ThreadedServer([served(BEDROCK[stream])]) as server:
        sdk_response(server, stream, None, **theirs)
        asked = server.requests[0]
        target = Target(provider="b", base_url=server.url, options={"region": "us-east-1"})
    ours = encoded(PROVIDER, target, stream=stream, **words)
    assert (ours.method, ours.url.path) == (asked.method, asked.target)
    assert json.loads(ours.body) == json.loads(asked.body)
    assert dict(ours.headers)["content-type"] == asked.header("content-type")


@pytest.mark.parametrize("token", [None, "a/session+token="])
@pytest.mark.parametrize("what", ASKED)
def test_the_sdk_gives_our_request_the_same_signature(what: str, token: str | None) -> None:
    options = {"region": "us-east-1", **KEYS, "session_token": token}
    target = Target(provider="b", base_url=BASE_URL, options=options)
    ours = sign_request("bedrock", encoded(PROVIDER, target, **ASKED[what][1]), target, NOW)
    headers = dict(ours.headers)
    signature = headers.pop("authorization")
    url = f"{ours.url.scheme}://{ours.url.host}{ours.url.path}"
    again = botocore.awsrequest.AWSRequest(ours.method, url, headers=headers, data=ours.body)
    again.context["timestamp"] = datetime.fromtimestamp(NOW, UTC).strftime("%Y%m%dT%H%M%SZ")
    keys = botocore.credentials.Credentials(KEYS["access_key"], KEYS["secret_key"], token)
    signer = botocore.auth.SigV4Auth(keys, "bedrock", "us-east-1")
    text = signer.string_to_sign(again, signer.canonical_request(again))
    assert signature.endswith(f", Signature={signer.signature(text, again)}")
    names = signer.signed_headers(signer.headers_to_sign(again))
    assert f"Credential={signer.scope(again)}, SignedHeaders={names}," in signature


@pytest.mark.parametrize("token", [None, "a/session+token="])
@pytest.mark.parametrize("what", ASKED)
def test_we_give_the_request_of_the_sdk_the_same_signature(what: str, token: str | None) -> None:
    with ThreadedServer([served(BEDROCK.whole)]) as server:
        sdk_response(server, False, token, **ASKED[what][0])
        asked, url = server.requests[0], server.url
    authorization = str(asked.header("authorization"))
    names = authorization.partition("SignedHeaders=")[2].partition(",")[0].split(";")
    kept = tuple(pair for pair in asked.headers if pair[0] in names and pair[0] != "host")
    request = HttpRequest(join(url, asked.target), kept, asked.body)
    key = AwsCredentials(KEYS["access_key"], KEYS["secret_key"], token)
    signed = sign(request, key, CredentialScope("us-east-1", "bedrock"), seconds(asked))
    assert dict(signed.headers)["authorization"] == authorization


def seconds(asked: Received) -> float:
    date = datetime.strptime(str(asked.header("x-amz-date")), "%Y%m%dT%H%M%SZ")
    return date.replace(tzinfo=UTC).timestamp()


@pytest.mark.parametrize("wire", [BEDROCK, BEDROCK_CALLING], ids=["text", "thoughts and calls"])
@pytest.mark.parametrize("stream", [False, True])
def test_our_response_equals_the_response_that_the_sdk_decodes(wire: Wire, stream: bool) -> None:
    with ThreadedServer([served(wire[stream])]) as server:
        answer = sdk_response(server, stream, None, modelId=CLAUDE, messages=HELLO)
    said = folded(answer) if stream else answer
    ours = read(PROVIDER, wire[stream], stream=stream)
    choice, usage = ours.choices[0], ours.reported()
    blocks, spent = said["output"]["message"]["content"], said["usage"]
    assert "".join(choice.text) == "".join(b.get("text", "") for b in blocks)
    thoughts = [b["reasoningContent"]["reasoningText"] for b in blocks if "reasoningContent" in b]
    assert "".join(choice.reasoning) == "".join(thought["text"] for thought in thoughts)
    called = [b["toolUse"] for b in blocks if "toolUse" in b]
    assert calls(ours) == [(c["toolUseId"], c["name"], c["input"]) for c in called]
    assert choice.finish_reason == FINISH_REASONS[said["stopReason"]]
    cached = spent.get("cacheReadInputTokens"), spent.get("cacheWriteInputTokens")
    assert (usage.cache_read_tokens, usage.cache_write_tokens) == cached
    assert usage.input_tokens == spent["inputTokens"] + sum(count or 0 for count in cached)
    assert usage.output_tokens == spent["outputTokens"]


def folded(events: list[dict[str, Any]]) -> dict[str, Any]:
    """The whole response, assembled from the SDK's events."""
    blocks: dict[int, dict[str, Any]] = {}
    rest: dict[str, Any] = {}
    for event in events:
        ((kind, value),) = event.items()
        if kind == "contentBlockStart":
            blocks[value["contentBlockIndex"]] = {"toolUse": {**value["start"]["toolUse"]}}
        elif kind == "contentBlockDelta":
            grow(blocks.setdefault(value["contentBlockIndex"], {}), value["delta"])
        else:
            rest.update(value)
    for block in blocks.values():
        if "toolUse" in block:
            block["toolUse"]["input"] = json.loads(block["toolUse"]["input"])
        if "reasoningContent" in block:
            block["reasoningContent"] = {"reasoningText": block["reasoningContent"]}
    return {**rest, "output": {"message": {"content": list(blocks.values())}}}


def grow(block: dict[str, Any], delta: dict[str, Any]) -> None:
    for name, piece in delta.items():
        if isinstance(piece, str):
            block[name] = block.get(name, "") + piece
        else:
            grow(block.setdefault(name, {}), piece)
