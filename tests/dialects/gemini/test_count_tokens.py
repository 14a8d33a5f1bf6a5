from __future__ import annotations

import json
from typing import Any

import pytest

from headway.dialects.base import ClientRequest
from headway.dialects.gemini.count_tokens import CountTokens
from headway.errors import HeadwayError

HI = {"contents": [{"parts": [{"text": "Hi"}]}]}


@pytest.mark.parametrize("body", [HI, {"generateContentRequest": {"model": "models/x", **HI}}])
def test_the_request_may_be_wrapped(body: Any) -> None:
    inbound = ClientRequest("models/openai/m", (), json.dumps(body).encode())
    decoded = CountTokens().decode(inbound)
    assert (decoded.provider, decoded.request.model) == ("openai", "m")


def test_a_wrapper_without_contents_is_refused() -> None:
    with pytest.raises(HeadwayError):
        CountTokens().decode(ClientRequest("openai/m", (), b'{"generateContentRequest":7}'))
