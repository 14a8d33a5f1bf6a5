"""Clients that send requests without a pause, and remember what each of them saw."""

from __future__ import annotations

import asyncio
import json
import random
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import uuid4

INPUT_USD, OUTPUT_USD = Decimal("0.000003"), Decimal("0.000007")
"""The prices of a token in the gateway's configuration."""
WORDS = 40
"""The longest prompt. The echo provider answers with the prompt: one token a word."""
KINDS = ("engine", "engine stream", "chat", "chat stream", "failing")
RECONNECT_S = 0.02
REPLY_S = 3.0
"""After which a client gives a connection up, which a killed process may have left to nobody."""
REFUSED_S = 0.1
"""Pause of a client whose request was refused."""


@dataclass(frozen=True)
class Seen:
    """A request whose client saw the end of the reply."""

    request_id: str
    status: int
    tokens: int
    """Of the input, and as many of the output; 0 where the provider failed."""
    attempts: int

    @property
    def cost_usd(self) -> Decimal:
        return self.tokens * (INPUT_USD + OUTPUT_USD)


@dataclass
class Load:
    """What all clients sent and saw."""

    sent: set[str] = field(default_factory=set)
    """Ids of all requests."""
    seen: list[Seen] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    """Replies that are wrong by themselves."""

    async def run(self, port: int, clients: int, stop: asyncio.Event) -> None:
        """Until ``stop`` is set: then no further request is sent, and those that run are waited
        for."""
        await asyncio.gather(*(self._client(port, stop) for _ in range(clients)))

    async def _client(self, port: int, stop: asyncio.Event) -> None:
        while not stop.is_set():
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(RECONNECT_S)
                continue
            try:
                while not stop.is_set():
                    await asyncio.wait_for(self._call(reader, writer), REPLY_S)
            except (OSError, EOFError, ValueError):
                await asyncio.sleep(RECONNECT_S)
            finally:
                writer.close()
                with suppress(OSError):
                    await writer.wait_closed()

    async def _call(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request_id, kind = str(uuid4()), random.choice(KINDS)
        words = random.randint(1, WORDS)
        self.sent.add(request_id)
        writer.write(_request(kind, words, request_id))
        status, headers, body = await _read_reply(reader)
        attempts = int(headers.get("x-headway-attempts", "0"))
        if kind == "failing":
            expected, tokens = 502, 0
        else:
            expected, tokens = 200, words
        if status == 503:
            expected, tokens = 503, 0  # refused, as configured
            await asyncio.sleep(REFUSED_S)
        if status != expected:
            self.errors.append(f"{kind} was answered with {status}: {body[:200]!r}")
        self.seen.append(Seen(request_id, status, tokens, max(1, attempts)))


def _request(kind: str, words: int, request_id: str) -> bytes:
    text = " ".join(["word"] * words)
    path, body = "/api/engine/chat/echo", _engine_body(text)
    if kind == "engine stream":
        body |= {"is_stream": True, "parameters": {"echo": {"tokens_per_second": 2000}}}
    elif kind == "failing":
        body |= {"retries": 1, "parameters": {"echo": {"fault": "cut", "fault_after": 0}}}
    elif kind.startswith("chat"):
        path = "/v1/chat/completions"
        body = {"model": "echo/echo", "messages": [{"role": "user", "content": text}]}
        if kind == "chat stream":
            body |= {"stream": True, "stream_options": {"include_usage": True}}
    data = json.dumps(body).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
        f"x-request-id: {request_id}\r\ncontent-length: {len(data)}\r\n\r\n"
    )
    return head.encode() + data


def _engine_body(text: str) -> dict[str, Any]:
    return {"model": "echo", "chat_input": text}


async def _read_reply(reader: asyncio.StreamReader) -> tuple[int, dict[str, str], bytes]:
    """Raises EOFError where the connection ends before the reply does."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.split("\r\n")
    pairs = (line.partition(":") for line in lines if line)
    headers = {name.lower(): value.strip() for name, _, value in pairs}
    status = int(first.split(" ")[1])
    if "content-length" in headers:
        return status, headers, await reader.readexactly(int(headers["content-length"]))
    body = b""
    while size := int(await reader.readuntil(b"\r\n"), 16):
        body += (await reader.readexactly(size + 2))[:-2]
    await reader.readexactly(2)
    return status, headers, body
