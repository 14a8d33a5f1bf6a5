"""The sockets that ``headway serve`` listens on."""

from __future__ import annotations

import socket
import sys
from typing import Any

BACKLOG = 4096
UNSENT_LIMIT = 128 * 1024
"""Bytes for one client that the kernel buffers before they are on their way (TCP_NOTSENT_LOWAT,
tcp(7); connections inherit it from their listener). Without a limit the kernel takes megabytes for
a client that does not read, and we keep the text of all that it took."""


def listen(host: str, port: int, count: int) -> list[socket.socket]:
    """A socket for each of ``count`` workers, all at one address. They accept connections from now
    on, so a client that reads the announcement can connect at once. Raises OSError.

    On Linux each worker has a queue of its own and the kernel distributes connections over them
    (SO_REUSEPORT, socket(7)); where several wait at one queue, the first to wake up empties it.
    """
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    if count == 1 or sys.platform != "linux":
        listener = _bind(socket.socket(family, kind, protocol), address)
        listener.listen(BACKLOG)
        return [listener, *(listener.dup() for _ in range(count - 1))]
    # First without SO_REUSEPORT, so that no other server's port is shared by accident.
    with _bind(socket.socket(family, kind, protocol), address) as first:
        address = first.getsockname()
    listeners = [_bind(socket.socket(family, kind, protocol), address, 1) for _ in range(count)]
    for listener in listeners:
        listener.listen(BACKLOG)
    return listeners


def _bind(listener: socket.socket, address: Any, reuse_port: int = 0) -> socket.socket:
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if reuse_port:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if hasattr(socket, "TCP_NOTSENT_LOWAT"):
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT_LIMIT)
        listener.bind(address)
        listener.set_inheritable(True)
    except OSError:
        listener.close()
        raise
    return listener
