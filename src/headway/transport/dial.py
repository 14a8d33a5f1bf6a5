"""A connected TCP socket to a host by whichever address answers first: Happy Eyeballs (RFC 8305).

Our own because uvloop's ``create_connection`` has none: it tries one address after the other, each
for minutes.
"""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from collections.abc import Sequence
from itertools import chain, zip_longest
from typing import Any

STAGGER_S = 0.25
"""Between attempts: RFC 8305, section 8, Connection Attempt Delay."""

Address = tuple[int, int, int, str, Any]
"""One row of getaddrinfo."""

KEEPALIVE = (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 15), ("TCP_KEEPCNT", 4))
"""A model may think for minutes in silence: a middlebox must not forget the connection, and a peer
that is gone should be noticed before the idle timeout."""


async def dial(host: str, port: int) -> socket.socket:
    """Raises OSError (socket.gaierror among them): of several, that of the first attempt."""
    addresses = interleave(await _resolve(host, port))
    if len(addresses) == 1:
        return await _connect(addresses[0])
    return await _race(deque(addresses))


async def _resolve(host: str, port: int) -> Sequence[Address]:
    """An address needs no resolver, and asyncio's is a thread."""
    known = numeric(host, port)
    if known is not None:
        return [known]
    return await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)


def numeric(host: str, port: int) -> Address | None:
    """None if ``host`` is a name, or if not even that can be found out (it may take a descriptor,
    and there is none): then ``dial`` meets the same, where it can be said."""
    kind, flags = socket.SOCK_STREAM, socket.AI_NUMERICHOST
    try:
        return socket.getaddrinfo(host, port, type=kind, flags=flags)[0]
    except (OSError, UnicodeError):
        return None


def interleave(found: Sequence[Address]) -> list[Address]:
    """Families in turn, the resolver's first choice first (RFC 8305, section 4)."""
    families: dict[int, list[Address]] = {}
    for address in found:
        families.setdefault(address[0], []).append(address)
    turns = zip_longest(*families.values())
    return [address for address in chain.from_iterable(turns) if address is not None]


async def _race(addresses: deque[Address]) -> socket.socket:
    running: set[asyncio.Task[socket.socket]] = set()
    errors: list[BaseException] = []
    try:
        while addresses or running:
            if addresses:
                running.add(asyncio.create_task(_connect(addresses.popleft())))
            wait = STAGGER_S if addresses else None
            done, running = await asyncio.wait(
                running, timeout=wait, return_when=asyncio.FIRST_COMPLETED
            )
            won = _first_socket(done, errors)
            if won is not None:
                return won
    finally:
        await _call_off(running)
    raise errors[0]


def _first_socket(
    done: set[asyncio.Task[socket.socket]], errors: list[BaseException]
) -> socket.socket | None:
    won: socket.socket | None = None
    for task in done:
        error = task.exception()
        if error is not None:
            errors.append(error)
        elif won is None:
            won = task.result()
        else:
            task.result().close()
    return won


async def _call_off(running: set[asyncio.Task[socket.socket]]) -> None:
    for task in running:
        task.cancel()
    for outcome in await asyncio.gather(*running, return_exceptions=True):
        if isinstance(outcome, socket.socket):
            outcome.close()


async def _connect(address: Address) -> socket.socket:
    held = prepare(address)
    try:
        tune(held)
        await asyncio.get_running_loop().sock_connect(held, address[4])
    except BaseException:
        held.close()
        raise
    return held


def prepare(address: Address) -> socket.socket:
    """A socket that waits for nothing. Raises OSError if there can be no more of them."""
    family, kind, protocol, _, _ = address
    held = socket.socket(family, kind, protocol)
    held.setblocking(False)
    return held


def tune(held: socket.socket) -> None:
    held.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    held.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in KEEPALIVE:
        if hasattr(socket, name):
            held.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
