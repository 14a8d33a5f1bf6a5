from __future__ import annotations

from collections.abc import Callable

from headway.errors import UpstreamDisconnected
from headway.pipeline.shared_response import ResponseReader, SharedResponse
from headway.types import Headers
from support.pipeline_fakes import SSE


class Receiver:
    """Notes what it is called with. ``on`` is called with each note."""

    def __init__(self) -> None:
        self.got: list[object] = []
        self.on: Callable[[object], None] = lambda _: None

    def _note(self, note: object) -> None:
        self.got.append(note)
        self.on(note)

    def on_sent(self, now: float) -> None:
        self._note("sent")

    def on_response(self, status: int, headers: Headers, now: float) -> None:
        assert list(headers) == list(SSE)
        self._note(status)

    def on_chunk(self, data: bytes, now: float) -> None:
        self._note(data)

    def on_end(self, now: float) -> None:
        self._note("end")

    def on_error(self, error: Exception, now: float) -> None:
        self._note(error)


class Request:
    def __init__(self) -> None:
        self.history: list[str] = []

    def cancel(self) -> None:
        self.history.append("cancel")

    def finish(self) -> None:
        self.history.append("finish")

    def pause(self) -> None:
        self.history.append("pause")

    def resume(self) -> None:
        self.history.append("resume")


def begun(limit: float = 1000) -> tuple[SharedResponse, Receiver, ResponseReader, Request]:
    """With one reader, and one piece that has arrived."""
    shared, receiver, request = SharedResponse(lambda: 9.0, limit), Receiver(), Request()
    reader = shared.join(receiver)
    shared.on_sent(1.0)
    shared.bind(request)
    shared.on_response(200, SSE, 2.0)
    shared.on_chunk(b"a", 3.0)
    return shared, receiver, reader, request


def joined(shared: SharedResponse) -> tuple[Receiver, ResponseReader]:
    receiver = Receiver()
    reader = shared.join(receiver)
    reader.start(4.0)
    return receiver, reader


def test_a_late_reader_gets_the_response_from_its_beginning() -> None:
    shared, first, _, request = begun()
    second, _ = joined(shared)
    shared.on_chunk(b"b", 5.0)
    shared.on_end(6.0)
    assert first.got == second.got == ["sent", 200, b"a", b"b", "end"]
    assert request.history == ["finish"]


def test_a_reader_of_a_complete_response_gets_all_of_it() -> None:
    shared, _, _, _ = begun()
    shared.on_end(5.0)
    late, _ = joined(shared)
    assert late.got == ["sent", 200, b"a", "end"]


def test_a_paused_reader_delays_no_other() -> None:
    shared, first, reader, request = begun()
    second, other = joined(shared)
    reader.pause()
    reader.pause()
    shared.on_chunk(b"b", 5.0)
    assert first.got[-1] == b"a"
    assert second.got[-1] == b"b"
    assert request.history == []
    other.pause()
    assert request.history == ["pause"]
    reader.resume()
    reader.resume()
    assert first.got[-1] == b"b"
    assert request.history == ["pause", "resume"]
    shared.on_end(6.0)
    assert first.got[-1] == second.got[-1] == "end", "nothing more is to be read"
    assert request.history == ["pause", "resume", "finish"]


def test_a_paused_reader_that_leaves_lets_the_others_go_on() -> None:
    shared, _, reader, request = begun()
    _, other = joined(shared)
    reader.pause()
    other.pause()
    reader.cancel()
    assert request.history == ["pause"]
    other.resume()
    assert request.history == ["pause", "resume"]


def test_the_provider_is_released_when_the_last_reader_has_left() -> None:
    shared, _, reader, request = begun()
    _, other = joined(shared)
    reader.cancel()
    reader.cancel()
    assert request.history == []
    assert shared.reader_count == 1
    other.cancel()
    assert request.history == ["cancel"]
    assert not shared.reader_count


def test_a_response_that_was_cancelled_cannot_be_joined() -> None:
    shared, _, reader, _ = begun()
    reader.cancel()
    assert not shared.can_be_joined

    complete, _, _, _ = begun()
    complete.on_end(4.0)
    read, _, has_enough, _ = begun()
    _, other = joined(read)
    has_enough.finish()
    other.cancel()
    for shared in (complete, read):
        assert not shared.reader_count
        assert shared.can_be_joined


def test_a_reader_that_has_enough_gets_no_more() -> None:
    shared, first, reader, request = begun()
    second, _ = joined(shared)

    def leave(note: object) -> None:
        if note == b"b":
            reader.finish()

    first.on = leave
    shared.on_chunk(b"b", 5.0)
    shared.on_chunk(b"c", 6.0)
    assert first.got[-1] == b"b"
    assert second.got[-1] == b"c"
    assert request.history == []


def test_an_error_reaches_all_readers() -> None:
    shared, first, _, request = begun()
    second, _ = joined(shared)
    assert shared.can_be_joined
    error = UpstreamDisconnected("The connection broke.")
    shared.on_error(error, 5.0)
    assert first.got[-1] is second.got[-1] is error
    assert request.history == ["cancel"]
    assert not shared.can_be_joined


def test_a_response_can_be_joined_once_it_has_begun_well() -> None:
    shared = SharedResponse(lambda: 9.0)
    shared.join(Receiver())
    assert not shared.can_be_joined
    shared.on_response(200, SSE, 2.0)
    assert not shared.can_be_joined
    shared.on_chunk(b"a", 3.0)
    assert shared.can_be_joined
    refused = SharedResponse(lambda: 9.0)
    refused.join(Receiver())
    refused.on_response(429, SSE, 2.0)
    refused.on_chunk(b"{}", 3.0)
    assert not refused.can_be_joined


def test_of_a_long_response_only_what_is_not_read_is_held() -> None:
    shared, first, reader, _ = begun(limit=3)
    reader.pause()
    shared.on_chunk(b"bcd", 5.0)
    assert not shared.can_be_joined
    assert shared.pieces == [b"bcd"]
    shared.on_chunk(b"e", 6.0)
    assert shared.pieces == [b"bcd", b"e"]
    reader.resume()
    assert first.got[-2:] == [b"bcd", b"e"]
    shared.on_chunk(b"f", 7.0)
    assert shared.pieces == []
    assert first.got[-1] == b"f"


def test_a_response_without_readers_is_cancelled_when_it_is_bound() -> None:
    shared, request = SharedResponse(lambda: 9.0), Request()
    shared.join(Receiver()).cancel()
    shared.bind(request)
    assert request.history == ["cancel"]


def test_a_piece_that_arrives_while_another_is_delivered_comes_after_it() -> None:
    shared, first, _, _ = begun()

    def more(note: object) -> None:
        if note == b"b":
            shared.on_chunk(b"c", 5.0)

    first.on = more
    shared.on_chunk(b"b", 5.0)
    assert first.got[-2:] == [b"b", b"c"]
