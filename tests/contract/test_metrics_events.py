"""Streams with metrics, read by official clients, which see their usual answer."""

from __future__ import annotations

import json
from typing import Any

from support.gateway_process import HELLO, Gateway
from support.lazy_import import lazy_import
from support.openai_upstream import Upstream

openai = lazy_import("openai")
anthropic = lazy_import("anthropic")
genai = lazy_import("google.genai")
ollama = lazy_import("ollama")

MODEL = "openai/gpt-4o"
MESSAGES: Any = [{"role": "user", "content": HELLO}]
HEADERS = {"x-headway-metrics": "1"}
ANSWER = "Hello there!"


def open_openai(gateway: Gateway) -> Any:
    base_url = f"{gateway.base_url}/v1"
    return openai.OpenAI(
        base_url=base_url, api_key="x", max_retries=0, _strict_response_validation=True
    )


def test_openai_reads_chat(gateway: Gateway, upstream: Upstream) -> None:
    with open_openai(gateway) as sdk:
        options = {"include_usage": True, "include_metrics": True}
        chunks = list(
            sdk.chat.completions.create(
                model=MODEL, messages=MESSAGES, stream=True, stream_options=options
            )
        )
        text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
        assert text == ANSWER
        assert chunks[-1].metrics["output_tokens"] is not None
        assert b"include_metrics" not in json.dumps(upstream.last.json).encode()
        with sdk.chat.completions.stream(
            model=MODEL, messages=MESSAGES, extra_headers=HEADERS
        ) as stream:
            final = stream.get_final_completion()
        assert final.choices[0].message.content == ANSWER


def test_openai_reads_responses(gateway: Gateway, upstream: Upstream) -> None:
    with open_openai(gateway) as sdk:
        asked = {"model": MODEL, "input": HELLO, "extra_headers": HEADERS}
        *_, last = sdk.responses.create(**asked, stream=True)
        assert last.type == "response.completed"
        assert last.metrics["output_tokens"] is not None
        with sdk.responses.stream(**asked) as stream:
            for _ in stream:
                pass
            assert stream.get_final_response().output_text == ANSWER


def test_anthropic_reads_messages(gateway: Gateway, upstream: Upstream) -> None:
    with anthropic.Anthropic(
        base_url=gateway.base_url, api_key="x", max_retries=0, _strict_response_validation=True
    ) as sdk:
        asked = {"model": MODEL, "max_tokens": 9, "messages": MESSAGES, "extra_headers": HEADERS}
        with sdk.messages.stream(**asked) as stream:
            kinds = [event.type for event in stream]
            message = stream.get_final_message()
        assert message.content[0].text == ANSWER
        assert kinds[-1] == "message_stop"


def test_google_reads_contents(gateway: Gateway, upstream: Upstream) -> None:
    options = {"base_url": gateway.base_url, "headers": HEADERS}
    sdk = genai.Client(api_key="x", http_options=options)
    parts = list(sdk.models.generate_content_stream(model=MODEL, contents=HELLO))
    assert "".join(part.text or "" for part in parts) == ANSWER
    chat = sdk.chats.create(model=MODEL)
    assert "".join(part.text or "" for part in chat.send_message_stream(HELLO)) == ANSWER
    said = [part.text for turn in chat.get_history(curated=True) for part in turn.parts]
    assert "".join(said[1:]) == ANSWER, "the turn is valid"


def test_ollama_reads_lines(gateway: Gateway, upstream: Upstream) -> None:
    with ollama.Client(host=gateway.base_url, headers=HEADERS) as sdk:
        lines = list(sdk.chat(model=MODEL, messages=MESSAGES, stream=True))
    assert "".join(line.message.content for line in lines) == ANSWER
    assert lines[-1].done
