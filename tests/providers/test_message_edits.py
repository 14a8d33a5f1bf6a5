from __future__ import annotations

import pytest
from msgspec import Raw

from headway.providers.text_rules import trim_last_message
from headway.types import ChatRequest


@pytest.mark.parametrize(
    "kept",
    ['"tool_calls":null,"x":1e400', '"x":-0', '"name":"\\u0041"', '"tool_call_id":1e400'],
)
def test_fields_that_an_edit_keeps_are_sent_as_the_clients_bytes(kept: str) -> None:
    before = '[{"role":"assistant","content":"a ",KEPT}]'.replace("KEPT", kept)
    adapted, _ = trim_last_message(ChatRequest(model="m", messages=Raw(before.encode())))
    assert bytes(adapted.messages).decode() == before.replace('"a "', '"a"')
