"""TLS over a plain transport: the protocol of the transport below it, and the transport of the
protocol above it.

It drives an ``ssl.SSLObject`` itself, in place of the event loops' own TLS layers. Those serve
every kind of protocol, with a queue of writes and a state machine for flushing and shutdown, and
allocate 256 KiB for each read of a record (``SSL_READ_MAX_SIZE`` in uvloop, ``max_size`` in
asyncio): with an unlucky heap, the C library then takes memory from the kernel and gives it back
for every response, which doubles the cost of a request in this package. Here a read allocates
16 KiB, a request is one write, and what arrives is handed up in the callback that read it. Closing
is always ``abort``: no ``close_notify`` is sent.
"""

from __future__ import annotations

import asyncio
import ssl
from typing import Any, cast

MAX_RECORD = 16_384
"""Bytes of plaintext in one TLS record at most (RFC 8446, section 5.1). A read of that size takes a
whole record, and OpenSSL reads no further ahead (SSL_CTX_set_read_ahead(3): off by default), so
that nothing is left in it when ``MemoryBIO.pending`` is 0."""

NO_PROTOCOL = asyncio.Protocol()


class TlsStream(asyncio.Protocol, asyncio.Transport):
    """The client's side of one TLS connection. When the handshake is complete and the certificate
    verified, ``protocol`` gets ``connection_made`` and ``ready`` its result. If it fails, ``ready``
    gets the OSError (mostly an ssl.SSLError) and ``protocol`` nothing."""

    def __init__(
        self, protocol: asyncio.Protocol, context: ssl.SSLContext, server_name: str
    ) -> None:
        self._protocol = protocol
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._ssl = context.wrap_bio(self._incoming, self._outgoing, server_hostname=server_name)
        self._decrypt, self._encrypt = self._ssl.read, self._ssl.write
        self._is_made = False
        self._error: ssl.SSLError | None = None
        """Why the connection is being aborted."""
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    # --- Called by the transport below ---------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._do_handshake()

    def data_received(self, data: bytes) -> None:
        incoming = self._incoming
        incoming.write(data)
        if not self._is_made and not self._do_handshake():
            return
        # Fetched before it is called: a call of an attribute looks among the methods first.
        decrypt = self._decrypt
        try:
            plaintext = decrypt(MAX_RECORD)
        except ssl.SSLError as error:
            self._on_no_data(error)
            return
        if plaintext and not incoming.pending:
            self._protocol.data_received(plaintext)
        else:
            self._read_rest(plaintext)

    def eof_received(self) -> None:
        """With or without ``close_notify``: HTTP itself says whether a message is complete."""
        if self._is_made:
            self._protocol.eof_received()

    def connection_lost(self, error: Exception | None) -> None:
        protocol, self._protocol = self._protocol, NO_PROTOCOL  # each referred to the other
        if self._is_made:
            protocol.connection_lost(error or self._error)
        else:
            self._fail_handshake(error or ConnectionResetError("closed during the TLS handshake"))

    def pause_writing(self) -> None:
        if self._is_made:
            self._protocol.pause_writing()

    def resume_writing(self) -> None:
        if self._is_made:
            self._protocol.resume_writing()

    # --- Called by the protocol above ----------------------------------------------------------

    def write(self, data: bytes) -> None:  # type: ignore[override]  # bytes are all that is written
        encrypt = self._encrypt
        try:
            encrypt(data)
        except ssl.SSLError as error:  # also while the peer renegotiates (TLS 1.2), which is rare
            self._abort_with(error)
        else:
            self._transport.write(self._outgoing.read())

    def abort(self) -> None:
        self._transport.abort()

    def close(self) -> None:
        self._transport.close()

    def is_closing(self) -> bool:
        return self._transport.is_closing()

    def pause_reading(self) -> None:
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        self._transport.resume_reading()

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self._transport.set_write_buffer_limits(high, low)

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self._protocol = cast("asyncio.Protocol", protocol)

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self._ssl if name == "ssl_object" else self._transport.get_extra_info(name, default)

    # --- TLS -----------------------------------------------------------------------------------

    def _do_handshake(self) -> bool:
        """Go on with the handshake. Whether it is complete."""
        try:
            self._ssl.do_handshake()
        except ssl.SSLWantReadError:
            self._transport.write(self._outgoing.read())
            return False
        except ssl.SSLError as error:
            self._transport.write(self._outgoing.read())  # the alert that tells the peer why
            self._transport.close()
            self._fail_handshake(error)
            return False
        self._transport.write(self._outgoing.read())
        self._is_made = True
        self._protocol.connection_made(self)
        if not self.ready.done():
            self.ready.set_result(None)
        return True

    def _fail_handshake(self, error: Exception) -> None:
        if not self.ready.done():
            self.ready.set_exception(error.with_traceback(None))  # its frames refer to ``self``

    def _read_rest(self, plaintext: bytes) -> None:
        """After the first of several records, or ``close_notify`` (``plaintext`` is empty). Their
        content goes up in one piece."""
        parts = [plaintext]
        error: ssl.SSLError | None = None
        while parts[-1] and self._incoming.pending:
            try:
                parts.append(self._ssl.read(MAX_RECORD))
            except ssl.SSLError as raised:
                error = raised
                break
        has_ended = not parts[-1]
        if data := b"".join(parts):
            self._protocol.data_received(data)
        if error is not None:
            self._on_no_data(error)
        elif has_ended:
            self.eof_received()
            self._transport.close()

    def _on_no_data(self, error: ssl.SSLError) -> None:
        """There is no complete record; what was read may have been a part of one, or a message of
        TLS itself that has to be answered. Or there will be none."""
        if not isinstance(error, ssl.SSLWantReadError):
            self._abort_with(error)
        elif self._outgoing.pending:
            self._transport.write(self._outgoing.read())

    def _abort_with(self, error: ssl.SSLError) -> None:
        """``connection_lost`` follows, and passes ``error`` on."""
        self._error = error.with_traceback(None)
        self._transport.abort()
