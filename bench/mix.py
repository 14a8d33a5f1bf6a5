"""The kinds of request in a soak test: the request, the expected reply, and the expected
records."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from bench import canned
from bench.gateways import CHAT, CLIENT_KEY

SSE = {"accept": "text/event-stream"}
WRONG_KEY = {"authorization": "Bearer sk-somebody-elses"}


class Kind(Struct, frozen=True):
    """``weight`` is its share of the mix; the reply must have ``status`` and contain ``holds``;
    ``records`` is the number of lines in the spool. If ``leaves``, the client closes its connection
    at the first bytes of an endless reply."""

    name: str
    weight: int
    path: str
    body: bytes
    status: int = 200
    holds: bytes = b""
    headers: Mapping[str, str] = {}
    records: int = 1
    leaves: bool = False

    def request(self) -> bytes:
        headers = {"host": "127.0.0.1", "content-type": "application/json", **CLIENT_KEY}
        lines = [f"{name}: {value}" for name, value in {**headers, **self.headers}.items()]
        head = [f"POST {self.path} HTTP/1.1", *lines, f"content-length: {len(self.body)}"]
        return "\r\n".join([*head, "", ""]).encode() + self.body


def _engine(provider: str) -> str:
    return f"/api/engine/chat/{provider}"


DONE = b"data: [DONE]"
TOLD = b'"metrics":{"input_tokens":12,'
ERROR = b'"error":{'
JOINED = _engine("joined")

MIX = (
    Kind("relay whole", 20, CHAT, canned.chat("plain/quick"), holds=b'"usage":{'),
    Kind("relay stream", 15, CHAT, canned.chat("plain/quick", stream=True), holds=DONE),
    Kind("engine NDJSON", 12, JOINED, canned.engine(stream=True), holds=TOLD),
    Kind("engine SSE", 12, JOINED, canned.engine(stream=True), holds=DONE, headers=SSE),
    Kind("engine joined", 12, JOINED, canned.engine(), holds=TOLD),
    Kind("401 wrong key", 6, CHAT, canned.chat("plain/quick"), 401, ERROR, WRONG_KEY, records=0),
    Kind("404 provider", 5, _engine("nobody"), canned.engine(), 404, ERROR),
    Kind("422 field", 5, JOINED, canned.engine(model=7), 422, ERROR),
    Kind("429 upstream", 5, JOINED, canned.engine(model="status-429"), 429, ERROR),
    Kind("500 upstream", 4, CHAT, canned.chat("plain/status-500"), 502, ERROR),
    Kind("cut stream", 2, CHAT, canned.chat("plain/cut", stream=True), 200, ERROR),
    Kind("cut joined", 1, JOINED, canned.engine(model="cut"), 502, ERROR),
    Kind("client leaves", 1, CHAT, canned.chat("plain/endless", stream=True), 200, leaves=True),
)
