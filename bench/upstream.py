"""A provider whose behaviour is the name of the requested model: ``python -m bench.upstream PORT``.

``paced`` streams 100 tokens, one every 20 ms, each in an HTTP chunk of its own; ``endless`` one
every 5 ms for as long as somebody reads. ``uneven`` streams its first token after 20 ms, but after
a second for every twentieth request. ``quick`` answers at once, ``status-500`` with that
status, ``cut`` ends its stream in the middle by closing the connection.
"""

from __future__ import annotations

import asyncio
import json
import sys
from http import HTTPStatus
from itertools import chain, repeat
from typing import cast

import httptools
import uvloop
from msgspec import Struct

from bench import canned


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
END = b"0\r\n\r\n"
TOKEN = canned.events([" token"])[1]


class Pace(Struct, frozen=True):
    """So many tokens, so many seconds apart."""

    tokens: int
    gap_s: float


PACES = {"paced": Pace(100, 0.02), "endless": Pace(1_000_000, 0.005)}
FIRST, *_, FINISH, USAGE, DONE = canned.events([])
WHOLE = canned.whole_answer()
QUICK = HEAD + b"".join(chunk(event) for event in canned.events(canned.TOKENS)) + END
CUT = HEAD + b"".join(chunk(event) for event in canned.events(canned.TOKENS)[:10])


def response(status: int, body: bytes) -> bytes:
    phrase = HTTPStatus(status).phrase.encode()
    head = b"HTTP/1.1 %d %b\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
    return head % (status, phrase, len(body)) + body


def refusal(status: int) -> bytes:
    return response(status, canned.dump({"error": {"message": "as asked", "code": str(status)}}))


SLOW_EVERY = 20
SLOW_S, USUAL_S = 1.0, 0.02


class Provider(asyncio.Protocol):
    uneven = 0
    """Requests for that model so far."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.parser = httptools.HttpRequestParser(self)
        self.timer: asyncio.TimerHandle | None = None

    def connection_lost(self, exc: Exception | None) -> None:
        if self.timer is not None:
            self.timer.cancel()

    def data_received(self, data: bytes) -> None:
        self.parser.feed_data(data)

    def on_message_begin(self) -> None:
        self.body = b""

    def on_body(self, body: bytes) -> None:
        self.body += body

    def on_message_complete(self) -> None:
        if self.parser.get_method() != b"POST":  # some gateways look around first
            self.transport.write(refusal(404))
            return
        request = json.loads(self.body)
        play, _, argument = request["model"].partition("-")
        if play == "status":
            self.transport.write(refusal(int(argument)))
        elif play == "cut":
            self.transport.write(CUT)
            self.transport.close()
        elif not request.get("stream"):
            self.transport.write(response(200, WHOLE))
        elif play == "uneven":
            Provider.uneven += 1
            is_slow = Provider.uneven % SLOW_EVERY == 0
            wait_s = SLOW_S if is_slow else USUAL_S
            self.timer = asyncio.get_running_loop().call_later(wait_s, self.transport.write, QUICK)
        elif play in PACES:
            self.play(PACES[play])
        else:
            self.transport.write(QUICK)

    def play(self, pace: Pace) -> None:
        self.transport.write(HEAD + chunk(FIRST))
        last = chunk(FINISH) + chunk(USAGE) + chunk(DONE) + END
        self.steps = chain(repeat(chunk(TOKEN), pace.tokens), [last])
        self.later(pace.gap_s)

    def later(self, gap_s: float) -> None:
        self.timer = asyncio.get_running_loop().call_later(gap_s, self.step, gap_s)

    def step(self, gap_s: float) -> None:
        data = next(self.steps, None)
        if data is not None:
            self.transport.write(data)
            self.later(gap_s)


async def serve(port: int) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Provider, "127.0.0.1", port, backlog=4096)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
