"""Ollama's errors."""

from __future__ import annotations

import json
from typing import Any

import pytest

from headway import errors
from headway.providers.ollama.provider import PROVIDER

ERRORS: list[tuple[int, Any, type[errors.UpstreamError]]] = [
    (400, {"error": '"m" does not support tools'}, errors.UpstreamUnsupported),
    (401, {"error": "unauthorized", "signin_url": "https://x"}, errors.UpstreamAuth),
    (404, {"error": "model 'm' not found"}, errors.UpstreamNotFound),
    (429, {"error": "too many requests"}, errors.UpstreamRateLimited),
    (500, {"error": "llama runner process has terminated"}, errors.UpstreamError),
    (502, {"error": "upstream error"}, errors.UpstreamError),
    (503, {"error": "server busy, please try again"}, errors.UpstreamOverloaded),
]


@pytest.mark.parametrize(("status", "body", "cls"), ERRORS)
def test_an_error_has_the_class_of_its_status(
    status: int, body: Any, cls: type[errors.UpstreamError]
) -> None:
    error = PROVIDER.decode_error(status, [], json.dumps(body).encode())
    assert type(error) is cls
    assert error.message == body["error"]
