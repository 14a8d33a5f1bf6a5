"""Errors inside responses of the Responses API."""

from __future__ import annotations

import json
from typing import Any

import pytest

from headway import errors
from headway.events import Event, Failed
from headway.providers.openai_responses.provider import PROVIDER
from headway.types import Frame

HEAD = {"id": "resp_1", "model": "gpt-5-2025", "created_at": 1700000000.0, "service_tier": "auto"}


def read(*events: Any) -> list[Event]:
    state: dict[str, Any] = {}
    frames = [Frame(json.dumps(event).encode(), event.get("type"), b"") for event in events]
    return [event for frame in frames for event in PROVIDER.decode_event(frame, state)]


def event(kind: str, **fields: Any) -> Any:
    return {"type": f"response.{kind}", "sequence_number": 1, "obfuscation": "x", **fields}


def ended(kind: str = "completed", **fields: Any) -> Any:
    return event(kind, response={**HEAD, "status": kind, "output": [], **fields})


def whole(**fields: Any) -> list[Event]:
    return PROVIDER.decode_response(json.dumps({**HEAD, "status": "completed", **fields}).encode())


ERRORS: list[tuple[Any, type[errors.UpstreamError], str, str | None]] = [
    (
        {"type": "error", "code": "rate_limit_exceeded", "message": "Slow.", "param": None},
        errors.UpstreamRateLimited,
        "Slow.",
        "rate_limit_exceeded",
    ),
    (
        {"type": "error", "error": {"type": "server_error", "code": None, "message": "Oh."}},
        errors.UpstreamError,
        "Oh.",
        "server_error",
    ),
    ({"type": "error", "code": None, "message": "Oh."}, errors.UpstreamError, "Oh.", None),
    (
        {"error": {"message": "Gone.", "code": "model_not_found"}},
        errors.UpstreamNotFound,
        "Gone.",
        "model_not_found",
    ),
    (
        ended("failed", error={"code": "server_error", "message": "Broken."}),
        errors.UpstreamError,
        "Broken.",
        "server_error",
    ),
    (
        ended("failed", error={"code": "invalid_prompt", "message": "Bad."}),
        errors.UpstreamRejected,
        "Bad.",
        "invalid_prompt",
    ),
    (
        ended("failed", error=None),
        errors.UpstreamError,
        "The provider reported an error with no message.",
        None,
    ),
    (event("cancelled"), errors.UpstreamError, "The provider reported an error with no message.",
     None),
]  # fmt: skip


@pytest.mark.parametrize(("sent", "cls", "text", "code"), ERRORS)
def test_an_error_event_fails_the_response(
    sent: Any, cls: type[errors.UpstreamError], text: str, code: str | None
) -> None:
    (failed,) = read(sent)
    assert isinstance(failed, Failed)
    assert type(failed.error) is cls
    assert isinstance(failed.error, errors.UpstreamError)
    assert (failed.error.message, failed.error.code) == (text, code)


def test_an_error_in_a_body_of_status_200_fails_the_response() -> None:
    (failed,) = whole(status="failed", error={"code": "server_error", "message": "Broken."})
    assert isinstance(failed, Failed)
    (failed,) = PROVIDER.decode_response(b'{"error": {"message": "No.", "type": "x"}}')
    assert isinstance(failed, Failed)
    assert str(failed.error) == "No."
