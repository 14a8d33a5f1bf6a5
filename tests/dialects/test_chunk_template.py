"""Chunks from a template are the very bytes that encoding each of them would give."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw
from msgspec.structs import replace

from headway.dialects.base import DecodedRequest, ResponseContext
from headway.dialects.chunk_template import MARK, NEVER
from headway.dialects.engine import Engine
from headway.dialects.openai.chat import OpenAIChat
from headway.events import Event, Started, Text
from headway.types import ChatRequest, Frame

NOTHING = Frame(b"", None, b"")
ODD = st.sampled_from([MARK, "\\u0000", '"', '"timestamp":-1.5', str(NEVER), "é\u2028\n", ""])
TEXTS = st.text(max_size=8) | ODD
DIALECTS = st.sampled_from([Engine(), OpenAIChat()])


def context(session: str, model: str, sse: bool) -> ResponseContext:
    request = ChatRequest(model=model, messages=Raw(b"[]"))
    call = DecodedRequest(provider=model, request=request, stream=True, session_id=session, sse=sse)
    return ResponseContext(id="id-1", request_id="id-1", created=7, call=call, sent=request)


@given(DIALECTS, TEXTS, TEXTS, st.booleans(), st.lists(TEXTS.filter(bool), min_size=3, max_size=5))
def test_a_text_reads_the_same_from_a_template_as_from_an_encoding(
    dialect: Engine | OpenAIChat, session: str, model: str, sse: bool, texts: list[str]
) -> None:
    asked = context(session, model, sse)
    started = Started("c-1", model + "-x", 5, session)
    usual, each = dialect.stream(asked), dialect.stream(asked)
    usual.encode(NOTHING, [started], 1.0)
    usual.encode(NOTHING, [Text("first")], 1.0)
    each.encode(NOTHING, [started], 1.0)
    each.encode(NOTHING, [Text("first")], 1.0)
    for at, text in enumerate(texts):
        now = 1_700_000_000 + at / 7
        quick = usual.encode(NOTHING, [Text(text)], now)
        again: list[Event] = [started, Text(text)]  # a beginning ends what was cut before
        assert quick == each.encode(NOTHING, again, now)


def test_a_text_of_the_second_choice_is_not_read_as_the_firsts() -> None:
    for dialect in (Engine(), OpenAIChat()):
        stream = dialect.stream(replace(context("s", "m", True)))
        for index in (0, 0, 1, 0):
            piece = stream.encode(NOTHING, [Text("x", index)], 1.0)
            assert piece is not None
            (choice,) = json.loads(piece.removeprefix(b"data: "))["choices"]
            assert choice["index"] == index
