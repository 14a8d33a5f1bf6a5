"""The scripted models answer as the other tests expect."""

from __future__ import annotations

from typing import Any

from page.servers import HOSTILE, LOCAL, SCRIPTS, SENTENCES
from support.gateway_process import Gateway


def test_each_model_answers_by_its_script(server: Gateway) -> None:
    listed = {
        row["id"] for row in server.client.get("/api/models?usable=true&kind=chat").json["data"]
    }
    assert listed >= {*SCRIPTS, LOCAL}

    answers = {name: _ask(server, name) for name in ("hostile", "thinking", "tools", "limited")}
    assert answers["hostile"][1]["choices"][0]["message"]["content"] == HOSTILE
    assert answers["thinking"][1]["choices"][0]["message"]["content"] == "So: 42."
    assert answers["tools"][1]["choices"][0]["finish_reason"] == "tool_calls"
    assert answers["limited"][0] == 429
    assert len(SENTENCES.split()) == 72


def _ask(server: Gateway, model: str) -> tuple[int, Any]:
    body = {"model": model, "messages": [{"role": "user", "content": "Hi"}]}
    reply = server.client.call("POST", "/v1/chat/completions", body)
    return reply.status, reply.json
