"""Relay TCP connections and delay every byte: ``python -m bench.delay SECONDS LISTEN:TARGET ...``.

Simulates network latency to a provider on this machine, without the root rights that a network
emulator needs. ``SECONDS`` is the delay of each direction; ports are on 127.0.0.1.
"""

from __future__ import annotations

import asyncio
import sys
from typing import cast

import uvloop


class Side(asyncio.Protocol):
    """One end of a relayed connection. Data waits until the other end is connected."""

    def __init__(self, delay_s: float) -> None:
        self.delay_s = delay_s
        self.other: Side | None = None
        self.transport: asyncio.Transport | None = None
        self.early: list[bytes] = []
        self.loop = asyncio.get_running_loop()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self.loop.call_later(self.delay_s, self.forward, data)

    def forward(self, data: bytes) -> None:
        other = self.other
        if other is None or other.transport is None:
            self.early.append(data)
        elif not other.transport.is_closing():
            other.transport.write(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self.loop.call_later(self.delay_s, self.close_other)

    def close_other(self) -> None:
        if self.other is not None and self.other.transport is not None:
            self.other.transport.close()


class Accepted(Side):
    """The end of the client, which connects the other end."""

    def __init__(self, delay_s: float, target: int) -> None:
        super().__init__(delay_s)
        self.target = target

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.connecting = self.loop.create_task(self.connect())

    async def connect(self) -> None:
        await asyncio.sleep(self.delay_s)
        target = Side(self.delay_s)
        target.other = self
        try:
            await self.loop.create_connection(lambda: target, "127.0.0.1", self.target)
        except OSError:
            assert self.transport is not None
            self.transport.close()
            return
        self.other = target
        for data in self.early:
            self.forward(data)


async def serve(delay_s: float, targets: dict[int, int]) -> None:
    loop = asyncio.get_running_loop()
    servers = [
        await loop.create_server(
            lambda target=target: Accepted(delay_s, target), "127.0.0.1", port, backlog=4096
        )
        for port, target in targets.items()
    ]
    await asyncio.gather(*(server.serve_forever() for server in servers))


if __name__ == "__main__":
    ports = [pair.split(":") for pair in sys.argv[2:]]
    uvloop.run(serve(float(sys.argv[1]), {int(listen): int(target) for listen, target in ports}))
