"""Ports for servers that must know theirs before they listen."""

from __future__ import annotations

import random
import socket

PORTS = range(20_000, 32_000)
"""Below those that Linux and macOS give to a socket that asks for any (32768 and 49152 up): nobody
gets one of these by chance while its server is not listening yet, or is restarted."""

_random = random.SystemRandom()  # Hypothesis seeds the shared one, in all workers alike


def free_port() -> int:
    """A TCP port of 127.0.0.1 on which nothing listens, and which no other process on this machine
    gets from here as long as this one runs: it keeps the UDP port of the same number, which no
    server here uses, and which the kernel takes back however this process ends."""
    while True:
        port = _random.choice(PORTS)
        if _claim(port):
            return port


def _claim(port: int) -> bool:
    with socket.socket(type=socket.SOCK_DGRAM) as claim:
        try:
            claim.bind(("127.0.0.1", port))
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            return False
        claim.detach()  # stays open
    return True
