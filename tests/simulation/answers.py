"""What simulated providers answer, in their wire formats. Each piece of text is a mark that says
which request to a provider produced it, ``[17.0][17.1]``, so that a text of two origins shows.

The shapes are those of the providers' documentation; the text is ASCII without anything to escape,
so that its bytes are the same in every format.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

MARK = re.compile(r"\[(\d+)\.(\d+)\]")
MARK_BYTES = re.compile(rb"\[\d+\.\d+\]")
SSE, JSON = b"text/event-stream", b"application/json"
DONE = b"data: [DONE]\n\n"
FIRST_INPUT = 1000
"""A request's input tokens are this and its serial number, so that records cannot be mixed up."""


def mark(serial: int, piece: int) -> str:
    return f"[{serial}.{piece}]"


class Piece(NamedTuple):
    """One event of a stream, or a whole body."""

    data: bytes
    texts: int = 0
    """Marks in it."""
    has_input: bool = False
    """It reports the input tokens."""
    has_output: bool = False
    """It reports the output tokens."""
    finishes: bool = False
    """The answer is complete with it."""


@dataclass
class Answer:
    """A complete, right answer."""

    content_type: bytes
    pieces: list[Piece]


class Asked(NamedTuple):
    """What of a request to a provider decides the answer."""

    serial: int
    model: str
    is_stream: bool
    reports_usage: bool
    texts: int
    """Marks to say."""
    ending: str = "stop"
    """Why the model stops: ``stop``, ``length`` or ``filter``."""

    @property
    def input_tokens(self) -> int:
        return FIRST_INPUT + self.serial

    @property
    def output_tokens(self) -> int:
        return max(1, self.texts)


ENDINGS = {
    "openai": {"stop": "stop", "length": "length", "filter": "content_filter"},
    "anthropic": {"stop": "end_turn", "length": "max_tokens", "filter": "refusal"},
    "gemini": {"stop": "STOP", "length": "MAX_TOKENS", "filter": "SAFETY"},
}
"""Kind of provider -> ending -> its name."""


# --- OpenAI's chat format -------------------------------------------------------------------------


def _openai_chunk(asked: Asked, delta: str, finish: str = "null") -> bytes:
    return (
        f'data: {{"id":"c-{asked.serial}","object":"chat.completion.chunk","created":7,'
        f'"model":"{asked.model}","choices":[{{"index":0,"delta":{delta},'
        f'"finish_reason":{finish}}}]}}\n\n'
    ).encode()


def _openai_usage(asked: Asked) -> str:
    given, made = asked.input_tokens, asked.output_tokens
    total = given + made
    return f'{{"prompt_tokens":{given},"completion_tokens":{made},"total_tokens":{total}}}'


def _openai_stream(asked: Asked) -> list[Piece]:
    pieces = [Piece(_openai_chunk(asked, '{"role":"assistant","content":""}'))]
    for number in range(asked.texts):
        text = mark(asked.serial, number)
        pieces.append(Piece(_openai_chunk(asked, f'{{"content":"{text}"}}'), texts=1))
    ending = f'"{ENDINGS["openai"][asked.ending]}"'
    pieces.append(Piece(_openai_chunk(asked, "{}", ending), finishes=True))
    if asked.reports_usage:
        usage = (
            f'data: {{"id":"c-{asked.serial}","object":"chat.completion.chunk","created":7,'
            f'"model":"{asked.model}","choices":[],"usage":{_openai_usage(asked)}}}\n\n'
        ).encode()
        pieces.append(Piece(usage, has_input=True, has_output=True))
    return [*pieces, Piece(DONE)]


def _openai_whole(asked: Asked) -> list[Piece]:
    said = "".join(mark(asked.serial, number) for number in range(asked.texts))
    usage = f',"usage":{_openai_usage(asked)}' if asked.reports_usage else ""
    body = (
        f'{{"id":"c-{asked.serial}","object":"chat.completion","created":7,'
        f'"model":"{asked.model}","choices":[{{"index":0,"message":{{"role":"assistant",'
        f'"content":"{said}"}},"finish_reason":"{ENDINGS["openai"][asked.ending]}"}}]{usage}}}'
    ).encode()
    return [Piece(body, asked.texts, asked.reports_usage, asked.reports_usage, finishes=True)]


# --- Anthropic's Messages -------------------------------------------------------------------------


def _event(kind: str, rest: str) -> bytes:
    return f'event: {kind}\ndata: {{"type":"{kind}"{rest}}}\n\n'.encode()


def _anthropic_head(asked: Asked) -> str:
    return f'"id":"msg_{asked.serial}","type":"message","role":"assistant","model":"{asked.model}"'


def _anthropic_stream(asked: Asked) -> list[Piece]:
    given = asked.input_tokens
    head = f',"message":{{{_anthropic_head(asked)},"content":[],"stop_reason":null,' + (
        f'"usage":{{"input_tokens":{given},"output_tokens":1}}}}'
    )
    block = ',"index":0,"content_block":{"type":"text","text":""}'
    pieces = [
        Piece(_event("message_start", head), has_input=True),
        Piece(_event("content_block_start", block)),
    ]
    for number in range(asked.texts):
        text = mark(asked.serial, number)
        delta = f',"index":0,"delta":{{"type":"text_delta","text":"{text}"}}'
        pieces.append(Piece(_event("content_block_delta", delta), texts=1))
    made = f'"usage":{{"output_tokens":{asked.output_tokens}}}'
    ending = ENDINGS["anthropic"][asked.ending]
    stop = f',"delta":{{"stop_reason":"{ending}","stop_sequence":null}},{made}'
    return [
        *pieces,
        Piece(_event("content_block_stop", ',"index":0')),
        Piece(_event("message_delta", stop), has_output=True, finishes=True),
        Piece(_event("message_stop", "")),
    ]


def _anthropic_whole(asked: Asked) -> list[Piece]:
    said = "".join(mark(asked.serial, number) for number in range(asked.texts))
    block = f'{{"type":"text","text":"{said}"}}'
    usage = f'{{"input_tokens":{asked.input_tokens},"output_tokens":{asked.output_tokens}}}'
    body = (
        f'{{{_anthropic_head(asked)},"content":[{block if said else ""}],'
        f'"stop_reason":"{ENDINGS["anthropic"][asked.ending]}","stop_sequence":null,'
        f'"usage":{usage}}}'
    ).encode()
    return [Piece(body, asked.texts, True, True, finishes=True)]


# --- Gemini ---------------------------------------------------------------------------------------


def _gemini(asked: Asked, text: str, finish: str, usage: str) -> str:
    parts = f'[{{"text":"{text}"}}]' if text else "[]"
    return (
        f'{{"candidates":[{{"content":{{"role":"model","parts":{parts}}},"index":0{finish}}}]'
        f'{usage},"modelVersion":"{asked.model}","responseId":"g-{asked.serial}"}}'
    )


def _gemini_ending(asked: Asked) -> str:
    return f',"finishReason":"{ENDINGS["gemini"][asked.ending]}"'


def _gemini_usage(asked: Asked) -> str:
    given, made = asked.input_tokens, asked.output_tokens
    return (
        f',"usageMetadata":{{"promptTokenCount":{given},"candidatesTokenCount":{made},'
        f'"totalTokenCount":{given + made}}}'
    )


def _gemini_stream(asked: Asked) -> list[Piece]:
    pieces = []
    for number in range(asked.texts):
        text = _gemini(asked, mark(asked.serial, number), "", "")
        pieces.append(Piece(f"data: {text}\r\n\r\n".encode(), texts=1))
    last = _gemini(asked, "", _gemini_ending(asked), _gemini_usage(asked))
    end = Piece(f"data: {last}\r\n\r\n".encode(), has_input=True, has_output=True, finishes=True)
    return [*pieces, end]


def _gemini_whole(asked: Asked) -> list[Piece]:
    said = "".join(mark(asked.serial, number) for number in range(asked.texts))
    body = _gemini(asked, said, _gemini_ending(asked), _gemini_usage(asked))
    return [Piece(body.encode(), asked.texts, True, True, finishes=True)]


# --- Errors ---------------------------------------------------------------------------------------


def _openai_error(message: str, kind: str, code: str | None) -> bytes:
    quoted = "null" if code is None else f'"{code}"'
    return (
        f'{{"error":{{"message":"{message}","type":"{kind}","param":null,"code":{quoted}}}}}'
    ).encode()


def _anthropic_error(message: str, kind: str, code: str | None) -> bytes:
    return (
        f'{{"type":"error","error":{{"type":"{kind}","message":"{message}"}},"request_id":"x"}}'
    ).encode()


def _gemini_error(message: str, kind: str, code: str | None) -> bytes:
    return (f'{{"error":{{"code":503,"message":"{message}","status":"{kind.upper()}"}}}}').encode()


def _openai_error_event(body: bytes) -> bytes:
    return b"data: " + body + b"\n\n"


def _anthropic_error_event(body: bytes) -> bytes:
    return b"event: error\ndata: " + body + b"\n\n"


class WireFormat(NamedTuple):
    """How a kind of provider answers."""

    kind: str
    stream: Callable[[Asked], list[Piece]]
    whole: Callable[[Asked], list[Piece]]
    error: Callable[[str, str, str | None], bytes]
    """(message, type, code) -> the body of an error."""
    error_event: Callable[[bytes], bytes]

    def answer(self, asked: Asked) -> Answer:
        if asked.is_stream:
            return Answer(SSE, self.stream(asked))
        return Answer(JSON, self.whole(asked))


WIRE_FORMATS = {
    "openai": WireFormat(
        "openai", _openai_stream, _openai_whole, _openai_error, _openai_error_event
    ),
    "anthropic": WireFormat(
        "anthropic", _anthropic_stream, _anthropic_whole, _anthropic_error, _anthropic_error_event
    ),
    "gemini": WireFormat(
        "gemini", _gemini_stream, _gemini_whole, _gemini_error, _openai_error_event
    ),
}
