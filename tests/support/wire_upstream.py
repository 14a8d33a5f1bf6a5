"""A provider of several wire formats, for end-to-end tests of dialects: it answers each request in
the format of its path, whole or streamed as the request asks, with the pieces of ``wire_scripts``.

    with WireUpstream() as upstream:
        config = {"providers": upstream.providers()}
        upstream.pieces = Pieces(thought=())
        ...
        upstream.last.json
"""

from __future__ import annotations

import json
from types import TracebackType
from typing import Any

from support.scripted_server import Received, Reply, ThreadedServer, answer, chunked
from support.wire_scripts import JSON, SCRIPTS, Pieces, Script

KEY = "sk-wire-upstream"
ROUTES = {
    "/chat/completions": "openai",
    "/messages": "anthropic",
    "/responses": "openai_responses",
    ":generateContent": "gemini",
    ":streamGenerateContent": "gemini",
    "/api/chat": "ollama",
    "/api/generate": "ollama",
}
"""The end of a path -> the name of its script."""
BASES = {
    "openai": "/v1",
    "anthropic": "",
    "openai_responses": "/v1",
    "gemini": "/v1beta",
    "ollama": "",
}
"""The kind of a provider -> the path of its base URL."""


def generated(script: Script) -> Script:
    """Ollama's script with texts in place of messages."""

    def flat(value: Any) -> Any:
        message = value["message"]
        fields = {"response": message.get("content", ""), "thinking": message.get("thinking")}
        return {**{k: v for k, v in value.items() if k != "message"}, **fields}

    events = [(name, flat(value)) for name, value in script.events]
    return script._replace(whole=flat(script.whole), events=events)


class WireUpstream:
    def __init__(self) -> None:
        self.pieces = Pieces()
        self.reply: Reply | None = None
        """Instead of a script, for the next requests."""
        self.script: Script | None = None
        """Instead of the one of the path."""
        self._server = ThreadedServer([self._answer])

    def __enter__(self) -> WireUpstream:
        self._server.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.__exit__(kind, error, trace)

    def providers(self) -> dict[str, Any]:
        """Their configuration: each kind under its own name."""
        return {
            kind: {"kind": kind, "base_url": self._server.url + base, "api_key": KEY}
            for kind, base in BASES.items()
        }

    def reset(self) -> None:
        self.pieces, self.reply, self.script = Pieces(), None, None
        self._server.requests.clear()

    @property
    def requests(self) -> list[Received]:
        return self._server.requests

    @property
    def last(self) -> Received:
        return self.requests[-1]

    @property
    def last_json(self) -> Any:
        return json.loads(self.last.body)

    def _answer(self, received: Received) -> Reply:
        if self.reply is not None:
            return self.reply
        path = received.target.partition("?")[0]
        name = next((script for end, script in ROUTES.items() if path.endswith(end)), None)
        if name is None:
            return answer(b'{"error": {"message": "no such route"}}', 404)
        script = self.script or SCRIPTS[name](self.pieces)
        if path.endswith("/api/generate"):
            script = generated(script)
        if path.endswith(":streamGenerateContent") or json.loads(received.body).get("stream"):
            pieces = [*(script.write(*each) for each in script.events), script.end]
            headers = [("content-type", script.content_type)]
            return chunked(*filter(None, pieces), headers=headers)
        return answer(json.dumps(script.whole).encode(), headers=[("content-type", JSON)])
