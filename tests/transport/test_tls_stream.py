"""TLS over a plain transport, record by record: the server is an ``ssl.SSLObject`` in memory."""

from __future__ import annotations

import asyncio
import gc
import ssl
import weakref
from collections.abc import Callable
from typing import Any

import pytest

from headway.transport.tls import TlsSettings, build_context
from headway.transport.tls_stream import TlsStream
from support.garbage import collect_garbage

Certificates = Any  # the class is the conftest's


class LowerTransport(asyncio.Transport):
    """The plain transport: keeps what is written, and the names of the other calls."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []
        self.calls: list[str] = []

    def write(self, data: Any) -> None:
        self.written.append(bytes(data))

    def abort(self) -> None:
        self.calls.append("abort")

    def close(self) -> None:
        self.calls.append("close")

    def is_closing(self) -> bool:
        return bool({"abort", "close"} & set(self.calls))

    def pause_reading(self) -> None:
        self.calls.append("pause_reading")

    def resume_reading(self) -> None:
        self.calls.append("resume_reading")

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self.calls.append(f"limits {high} {low}")

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return {"peername": "peer"}.get(name, default)


class UpperProtocol(asyncio.Protocol):
    """The protocol above: notes every call."""

    def __init__(self) -> None:
        self.log: list[Any] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.log.append("made")

    def data_received(self, data: bytes) -> None:
        self.log.append(data)

    def eof_received(self) -> None:
        self.log.append("eof")

    def connection_lost(self, error: Exception | None) -> None:
        self.log.append(error)

    def pause_writing(self) -> None:
        self.log.append("pause_writing")

    def resume_writing(self) -> None:
        self.log.append("resume_writing")


class Pair:
    """A ``TlsStream`` and a server that talk through lists of bytes."""

    def __init__(self, server: ssl.SSLContext, client: ssl.SSLContext, name: str = "localhost"):
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.server = server.wrap_bio(self.incoming, self.outgoing, server_side=True)
        self.lower, self.upper = LowerTransport(), UpperProtocol()
        self.stream = TlsStream(self.upper, client, name)

    def shake_hands(self) -> None:
        self.stream.connection_made(self.lower)
        done = False
        while not done:
            self.deliver_to_server()
            try:
                self.server.do_handshake()
                done = True
            except ssl.SSLWantReadError:
                pass
            self.stream.data_received(self.outgoing.read())
        self.deliver_to_server()

    def deliver_to_server(self) -> None:
        for data in self.lower.written:
            self.incoming.write(data)
        self.lower.written.clear()

    def encrypt(self, *parts: bytes) -> bytes:
        for part in parts:
            self.server.write(part)
        return self.outgoing.read()


Test = Callable[[Pair], None]


@pytest.fixture(params=[ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["1.2", "1.3"])
def server_context(request: pytest.FixtureRequest, certificates: Certificates) -> ssl.SSLContext:
    context = certificates.server()
    context.minimum_version = context.maximum_version = request.param
    return context


@pytest.fixture
def client_context(certificates: Certificates) -> ssl.SSLContext:
    return build_context(TlsSettings(ca_file=certificates.ca_file))


@pytest.fixture
def connected(
    server_context: ssl.SSLContext, client_context: ssl.SSLContext
) -> Callable[[Test], None]:
    """Runs a test with a pair whose handshake is complete."""

    def play(test: Test) -> None:
        async def main() -> None:
            pair = Pair(server_context, client_context)
            pair.shake_hands()
            await pair.stream.ready
            assert pair.upper.log == ["made"]
            pair.upper.log.clear()
            test(pair)

        asyncio.run(main())

    return play


Connected = Callable[[Test], None]


def test_data_is_sent_in_one_write(connected: Connected) -> None:
    def test(pair: Pair) -> None:
        pair.stream.write(b"a" * 1000)
        assert len(pair.lower.written) == 1
        pair.deliver_to_server()
        assert pair.server.read(2000) == b"a" * 1000
        pair.stream.write(b"b" * 100_000)
        assert len(pair.lower.written) == 1

    connected(test)


def test_records_that_arrive_together_are_handed_up_together(connected: Connected) -> None:
    def test(pair: Pair) -> None:
        pair.stream.data_received(pair.encrypt(b"a", b"b", b"c"))
        assert pair.upper.log == [b"abc"]
        pair.stream.data_received(pair.encrypt(bytes(50_000)))
        assert pair.upper.log[1:] == [bytes(50_000)]

    connected(test)


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_records_that_arrive_in_pieces_are_handed_up_when_complete(
    connected: Connected, size: int
) -> None:
    def test(pair: Pair) -> None:
        data = pair.encrypt(b"a" * 900, b"b" * 900)
        for at in range(0, len(data), size):
            pair.stream.data_received(data[at : at + size])
        assert b"".join(pair.upper.log) == b"a" * 900 + b"b" * 900

    connected(test)


def test_close_notify_is_the_end_of_input(connected: Connected) -> None:
    def test(pair: Pair) -> None:
        data = pair.encrypt(b"last")
        with pytest.raises(ssl.SSLWantReadError):
            pair.server.unwrap()
        pair.stream.data_received(data + pair.outgoing.read())
        assert pair.upper.log == [b"last", "eof"]
        assert pair.lower.calls == ["close"]

    connected(test)


def test_an_end_without_close_notify_is_the_end_of_input_too(connected: Connected) -> None:
    def test(pair: Pair) -> None:
        assert not pair.stream.eof_received()  # type: ignore[func-returns-value]
        assert pair.upper.log == ["eof"]

    connected(test)


def test_a_tampered_record_aborts_the_connection_with_its_error(connected: Connected) -> None:
    def test(pair: Pair) -> None:
        good, bad = pair.encrypt(b"good"), bytearray(pair.encrypt(b"bad"))
        bad[-1] ^= 1
        pair.stream.data_received(good + bytes(bad))
        assert pair.upper.log == [b"good"]
        assert pair.lower.calls == ["abort"]
        pair.stream.connection_lost(None)
        assert isinstance(pair.upper.log[-1], ssl.SSLError)

    connected(test)


def test_a_write_that_fails_in_tls_aborts_and_does_not_raise(connected: Connected) -> None:
    def test(pair: Pair) -> None:
        bad = bytearray(pair.encrypt(b"bad"))
        bad[-1] ^= 1
        pair.stream.data_received(bytes(bad))
        pair.lower.written.clear()
        pair.stream.write(b"x")
        assert pair.lower.written == []
        pair.stream.connection_lost(None)
        assert isinstance(pair.upper.log[-1], ssl.SSLError)

    connected(test)


def test_pauses_and_limits_are_those_of_the_transport_below(connected: Connected) -> None:
    def test(pair: Pair) -> None:
        pair.stream.pause_reading()
        pair.stream.resume_reading()
        pair.stream.set_write_buffer_limits(0, 0)
        pair.stream.pause_writing()
        pair.stream.resume_writing()
        pair.stream.abort()
        assert pair.stream.is_closing()
        assert pair.lower.calls == ["pause_reading", "resume_reading", "limits 0 0", "abort"]
        assert pair.upper.log == ["pause_writing", "resume_writing"]
        assert pair.stream.get_extra_info("peername") == "peer"
        assert isinstance(pair.stream.get_extra_info("ssl_object"), ssl.SSLObject)

    connected(test)


def test_a_certificate_that_does_not_verify_fails_the_handshake_and_the_server_is_reported(
    server_context: ssl.SSLContext, client_context: ssl.SSLContext
) -> None:
    async def main() -> None:
        pair = Pair(server_context, client_context, "other.test")
        pair.stream.connection_made(pair.lower)
        pair.deliver_to_server()
        with pytest.raises(ssl.SSLWantReadError):
            pair.server.do_handshake()
        pair.stream.data_received(pair.outgoing.read())
        with pytest.raises(ssl.SSLCertVerificationError):
            await pair.stream.ready
        assert pair.lower.calls == ["close"]
        pair.deliver_to_server()
        with pytest.raises(ssl.SSLError, match="ALERT"):
            pair.server.do_handshake()
        pair.stream.connection_lost(None)
        assert pair.upper.log == []

    asyncio.run(main())


def test_an_end_during_the_handshake_is_an_error_of_it(
    server_context: ssl.SSLContext, client_context: ssl.SSLContext
) -> None:
    async def main() -> None:
        pair = Pair(server_context, client_context)
        pair.stream.connection_made(pair.lower)
        pair.stream.pause_writing()
        pair.stream.resume_writing()
        pair.stream.eof_received()
        pair.stream.connection_lost(None)
        with pytest.raises(ConnectionResetError, match="handshake"):
            await pair.stream.ready
        assert pair.upper.log == []

    asyncio.run(main())


def test_a_cancelled_handshake_is_no_error(
    server_context: ssl.SSLContext, client_context: ssl.SSLContext
) -> None:
    async def main() -> None:
        pair = Pair(server_context, client_context)
        pair.stream.ready.cancel()
        pair.shake_hands()
        assert pair.upper.log == ["made"]
        pair.stream.connection_lost(None)

        pair = Pair(server_context, client_context)
        pair.stream.ready.cancel()
        pair.stream.connection_made(pair.lower)
        pair.stream.connection_lost(None)
        assert pair.upper.log == []

    asyncio.run(main())


def test_a_lost_connection_leaves_nothing_for_the_garbage_collector(
    certificates: Certificates, client_context: ssl.SSLContext
) -> None:
    async def main() -> None:
        pair = Pair(certificates.server(), client_context)
        pair.shake_hands()
        pair.upper.stream = pair.stream  # type: ignore[attr-defined]
        left = weakref.ref(pair.upper)
        collect_garbage()
        gc.disable()
        try:
            pair.stream.connection_lost(None)
            del pair
            assert left() is None
        finally:
            gc.enable()

    asyncio.run(main())
