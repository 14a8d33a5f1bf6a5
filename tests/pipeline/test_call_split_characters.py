"""A character that a provider splits over two events, or of which only a part comes, in every wire
format and on every route. What stays alone is U+FFFD."""

from __future__ import annotations

import json

from support.for_each import for_each
from support.played_script import ROUTES, play
from support.wire_scripts import SCRIPTS, Pieces, Script

HALVES = ("a\ud83d", "\ude00b")
"""Surrogates, which ``json.dumps`` writes as escapes."""
ROUTE = for_each("route", list(ROUTES))
WIRE = for_each("wire", list(SCRIPTS))
STREAMED_ARGUMENTS = [wire for wire in SCRIPTS if wire not in ("gemini", "vertex", "ollama")]
"""The others send arguments as an object, whole."""


def in_bytes(data: bytes, script: Script) -> bytes:
    """``data`` with bytes of UTF-8 for the letters of a mark."""
    assert script.content_type != "application/vnd.amazon.eventstream"
    return data.replace(b"QX", b"\xf0\x9f").replace(b"XQ", b"\x98\x80").replace(b"QQ", b"\xff")


@ROUTE
@WIRE
def test_the_halves_of_a_character_in_two_texts_are_joined(wire: str, route: str) -> None:
    reply = play(SCRIPTS[wire](Pieces(text=HALVES)), route)
    assert reply.text == "a😀b"
    assert reply.calls[0].arguments in ('{"city":"Bonn"}', '{"city": "Bonn"}')
    assert reply.record.outcome == "ok"


@ROUTE
@WIRE
def test_the_halves_of_a_character_in_two_pieces_of_reasoning_are_joined(
    wire: str, route: str
) -> None:
    reply = play(SCRIPTS[wire](Pieces(thought=HALVES)), route)
    assert "a😀b" in reply.reasoning
    assert reply.text == "Hello there"
    assert "\ufffd" not in json.dumps(reply.objects, ensure_ascii=False)


@ROUTE
@for_each("wire", STREAMED_ARGUMENTS)
def test_the_halves_of_a_character_in_two_pieces_of_arguments_are_joined(
    wire: str, route: str
) -> None:
    reply = play(SCRIPTS[wire](Pieces(arguments=('{"a":"\ud83d', '\ude00"}'))), route)
    assert json.loads(reply.calls[0].arguments) == {"a": "😀"}
    assert reply.text == "Hello there"


@ROUTE
@WIRE
@for_each(
    ("pieces", "text"),
    [
        (("a\ud83d", "b"), "a\ufffdb"),
        (("a", "\ude00b"), "a\ufffdb"),
        (("a", "b\ud83d"), "ab\ufffd"),
        (("\ud83d", "\ud83d", "\ude00"), "\ufffd😀"),
        (("\ud83d", "\ude00", "c", "d"), "😀cd"),
    ],
    ids=["first", "second", "last", "two", "alone"],
)
def test_a_half_that_stays_alone_is_replaced(
    wire: str, route: str, pieces: tuple[str, ...], text: str
) -> None:
    reply = play(SCRIPTS[wire](Pieces(text=pieces, arguments=())), route)
    assert reply.text == text
    assert reply.finish_reason == "stop"
    assert reply.record.outcome == "ok"


@ROUTE
@WIRE
def test_a_half_that_stays_alone_in_arguments_is_replaced(wire: str, route: str) -> None:
    reply = play(SCRIPTS[wire](Pieces(arguments=('{"a":"\ud83d', 'x"}'))), route)
    assert "\ufffdx" in reply.calls[0].arguments


@ROUTE
@WIRE
def test_a_half_at_the_end_of_the_reasoning_is_replaced(wire: str, route: str) -> None:
    reply = play(SCRIPTS[wire](Pieces(thought=("a", "b\ud83d"))), route)
    assert "ab\ufffd" in reply.reasoning
    assert reply.text == "Hello there"


TEXT_WIRES = [wire for wire in SCRIPTS if not wire.startswith("bedrock")]


@ROUTE
@for_each("wire", TEXT_WIRES)
def test_a_character_of_which_two_events_have_the_bytes_is_joined(wire: str, route: str) -> None:
    script = SCRIPTS[wire](Pieces(text=("aQX", "XQb"), arguments=()))
    whole = in_bytes(json.dumps(script.whole).encode(), script)
    reply = play(script, route, whole=whole, streamed=in_bytes(script.streamed(), script))
    assert reply.text == "a😀b"
    assert reply.record.outcome == "ok"


@ROUTE
@for_each("wire", TEXT_WIRES)
def test_a_byte_that_is_not_utf8_is_replaced(wire: str, route: str) -> None:
    script = SCRIPTS[wire](Pieces(text=("aQQ", "QXb", "cQX"), arguments=()))
    whole = in_bytes(json.dumps(script.whole).encode(), script)
    reply = play(script, route, whole=whole, streamed=in_bytes(script.streamed(), script))
    assert reply.text == "a\ufffd\ufffdbc\ufffd"
    assert reply.record.outcome == "ok"


@ROUTE
@for_each("wire", TEXT_WIRES)
@for_each("value", [b'"\xff"', b'"\\ud83d"', b"NaN", b"-Infinity", b'"\t\x01"'])
def test_a_field_that_nobody_needs_may_be_no_json(wire: str, route: str, value: bytes) -> None:
    script = SCRIPTS[wire](Pieces())

    def changed(data: bytes) -> bytes:
        return data.replace(b'{"', b'{"unknown": ' + value + b', "', 1)

    parts = [changed(script.write(*event)) for event in script.events]
    whole = changed(json.dumps(script.whole).encode())
    reply = play(script, route, whole=whole, streamed=b"".join(parts) + script.end)
    assert reply.text == "Hello there"
    assert reply.calls[0].name == "weather"
    assert reply.record.outcome == "ok"


@ROUTE
@WIRE
def test_halves_in_ids_and_names_are_replaced(wire: str, route: str) -> None:
    script = SCRIPTS[wire](Pieces())

    def changed(text: str) -> str:
        for name in ("weather", "chatcmpl-1", "msg_1", "resp_1", "co-1", "call_1", "toolu_1"):
            text = text.replace(f'"{name}"', f'"{name}\\ud83d"')
        return text

    events = [(name, json.loads(changed(json.dumps(value)))) for name, value in script.events]
    whole = changed(json.dumps(script.whole)).encode()
    reply = play(script, route, whole=whole, streamed=script.streamed(events))
    assert reply.text == "Hello there"
    assert reply.calls[0].name == "weather\ufffd"
    assert reply.record.outcome == "ok"


@for_each("size", [1, 7, 100])
@WIRE
def test_a_stream_may_be_cut_anywhere(wire: str, size: int) -> None:
    from support.pipeline_fakes import Pipe
    from support.played_script import adapter, read_reply

    script = SCRIPTS[wire](Pieces(text=HALVES))
    pipe = Pipe(provider=adapter(script.kind))
    pipe.ask_openai(stream=True)
    pipe.upstream.respond([(b"content-type", script.content_type.encode())])
    body = script.streamed()
    pipe.upstream.chunk(*(body[at : at + size] for at in range(0, len(body), size)))
    if not pipe.upstream.is_over:
        pipe.upstream.end()
    assert read_reply(pipe).text == "a😀b"
