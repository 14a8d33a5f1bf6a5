"""OpenRouter's errors: of one choice, of the whole, and of the provider that it routed to."""

from __future__ import annotations

import json

import pytest

from headway.errors import UpstreamOverloaded
from headway.providers import KINDS
from support.compatible_responses import collect, decoded, streamed
from support.openai_completions import finish, text


def test_the_error_of_a_choice_is_the_failure() -> None:
    error = {"code": 503, "message": "no instance"}
    failed = collect(
        decoded("openrouter", {"content": ""}, choice={"finish_reason": "error", "error": error})
    ).failed
    assert isinstance(failed, UpstreamOverloaded)
    assert failed.message == "no instance"


def test_the_error_of_a_chunk_is_the_failure() -> None:
    said = {**finish("error"), "error": {"code": 502, "message": "upstream died"}}
    failed = collect(streamed("openrouter", text("Hi"), said)).failed
    assert str(failed) == "upstream died"


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (
            '{"error":{"message":"no such tool","code":400}}',
            "Provider returned error: no such tool",
        ),
        ("no such tool", "Provider returned error: no such tool"),
        (None, "Provider returned error"),
    ],
)
def test_the_message_has_the_response_of_the_routed_provider(raw: str | None, message: str) -> None:
    said = {"message": "Provider returned error", "code": 400, "metadata": {"raw": raw}}
    decode = KINDS["openrouter"].decode_error
    error = decode(400, (), json.dumps({"error": said}).encode())
    assert (error.message, error.status, error.retryable) == (message, 400, False)
    assert decode(404, (), b'{"error":{"message":"none"}}').message == "none"
    assert decode(502, (), b"<html>").message == "<html>"
    for odd in (b'{"error":"\xff"}', b"[" * 100_000):
        assert decode(502, (), odd).retryable
