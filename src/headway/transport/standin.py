"""The first moments of a connection: its socket is connected, but the event loop has yet to make a
transport of it, which takes two of its turns. Who waits is served in the meantime.
"""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from errno import EISCONN
from typing import cast

from headway.transport.connection import Connection
from headway.transport.dial import Address, prepare, tune

MADE = (0, EISCONN)
"""What ``connect`` says of a connection that was made since it was last asked: Linux, the BSDs."""


class Standin(asyncio.Transport, asyncio.Protocol):
    """A transport for ``connection`` that writes to the socket itself and reads nothing. Once the
    loop's own is there, that takes its place. Raises what the loop does not like about ``held``.

    What would end the loop's transport waits until it is made altogether: uvloop does not take the
    socket over before, and if closed by then would close its descriptor twice.
    """

    __slots__ = ("_connection", "_held", "_is_aborted", "_making", "_rest")

    def __init__(self, connection: Connection, held: socket.socket) -> None:
        self._connection = connection
        self._held = held
        self._rest: bytes | memoryview = b""
        self._is_aborted = False
        self._making = asyncio.get_running_loop().create_connection(lambda: self, sock=held)
        # Taken to its one wait by hand: a task would begin with it a turn later.
        self._making.send(None).add_done_callback(self._made)

    # --- What the connection does with a transport ----------------------------------------------

    def write(self, data: bytes | bytearray | memoryview) -> None:
        try:
            sent = self._held.send(data)
        except OSError:  # the buffer is full; or it is something that the loop will meet as well
            sent = 0
        if sent < len(data):
            self._rest = memoryview(data)[sent:]
            self._connection.pause_writing()

    def pause_reading(self) -> None:
        """Nothing is read. ``_made`` asks the sending."""

    def resume_reading(self) -> None:
        """Likewise."""

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """There is no buffer."""

    def abort(self) -> None:
        self._is_aborted = True

    # --- What the event loop calls --------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It reads from here on."""
        transport.set_protocol(self._connection)

    def _made(self, _waiter: object) -> None:
        try:
            self._making.send(None)
        except StopIteration as made:
            self._give_way(cast("asyncio.Transport", made.value[0]))
        except Exception as error:
            self._connection.connection_lost(error)

    def _give_way(self, transport: asyncio.Transport) -> None:
        connection, rest = self._connection, self._rest
        connection.use(transport)  # even to close it: with the stand-in, each would keep the other
        if self._is_aborted:
            transport.abort()
            return
        with suppress(OSError):  # macOS: of a connection that was reset, which the loop will meet
            tune(self._held)
        if rest:
            transport.write(rest)
            if not transport.get_write_buffer_size():
                connection.resume_writing()
        keep_pause(connection)


def reach(connection: Connection, address: Address) -> bool:
    """Connect it in this call and have it made welcome. False if that takes longer, or fails."""
    try:
        held = prepare(address)
        held.connect_ex(address[4])  # says that it has begun; asked again, how that went
        if held.connect_ex(address[4]) not in MADE:
            held.close()
            return False
        adopt(connection, held)
    except OSError:
        return False
    return True


def adopt(connection: Connection, held: socket.socket) -> None:
    """``held`` is connected, and is its socket from now on. Raises OSError."""
    try:
        standin = Standin(connection, held)
    except BaseException:
        held.close()
        raise
    connection.connection_made(standin)


def keep_pause(connection: Connection) -> None:
    """A loop that has just made a transport reads from it, even if told not to meanwhile: then it
    has to be told twice."""
    sending = connection.sending
    if sending is not None and sending.is_paused:
        connection.resume_reading()
        connection.pause_reading()
