from __future__ import annotations

import json
from typing import Any

from headway.providers.native_api import SocketReport
from headway.providers.openai.realtime import read_message
from headway.types import Usage


def read(event: Any) -> SocketReport | None:
    return read_message(json.dumps(event).encode())


def test_a_response_reports_its_tokens_by_kind() -> None:
    usage = {
        "total_tokens": 253,
        "input_tokens": 132,
        "output_tokens": 121,
        "input_token_details": {
            "text_tokens": 119,
            "audio_tokens": 13,
            "image_tokens": 1,
            "cached_tokens": 64,
            "cached_tokens_details": {"text_tokens": 64, "audio_tokens": 2, "image_tokens": 3},
        },
        "output_token_details": {"text_tokens": 30, "audio_tokens": 91},
    }
    assert read({"type": "response.done", "response": {"usage": usage}}) == SocketReport(
        usage=Usage(
            input_tokens=132,
            output_tokens=121,
            cache_read_tokens=64,
            input_audio_tokens=13,
            input_image_tokens=1,
            cache_read_audio_tokens=2,
            cache_read_image_tokens=3,
            output_audio_tokens=91,
        )
    )
    bare = {"type": "response.done", "response": {"usage": {"input_tokens": 1}}}
    assert read(bare) == SocketReport(usage=Usage(input_tokens=1))


def test_a_session_reports_its_model() -> None:
    for name in ("session.created", "session.updated"):
        event = {"type": name, "session": {"model": "gpt-realtime"}}
        assert read(event) == SocketReport(model="gpt-realtime"), name


def test_other_messages_report_nothing() -> None:
    for event in (
        {"type": "response.output_audio.delta", "delta": "AAAA"},
        {"type": "response.done", "response": None},
        {"type": "response.done", "response": {"usage": None}},
        {"type": "session.created"},
        {"type": "session.created", "session": {}},
        {"type": "other", "text": '"response.done"', "session": {"model": "m"}},
        ["response.done"],
    ):
        assert read(event) is None, event
    for payload in (b"", b'"response.done" and no JSON', b'{"type":"response.done"\xff}'):
        assert read_message(payload) is None, payload
