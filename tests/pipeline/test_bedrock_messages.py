"""Anthropic's format over Claude on Bedrock, through the pipeline: what the client gets of recorded
responses is what the model said, event by event."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from typing import Any

from headway.dialects.anthropic.messages import AnthropicMessages
from headway.dialects.base import ClientRequest
from headway.providers.bedrock.provider import PROVIDER
from headway.wire.aws_event_stream import EventStreamFramer
from support.event_stream_messages import encode_message
from support.pipeline_fakes import Pipe
from support.recordings import Recording, chosen, each

EVENT_STREAM = [(b"content-type", b"application/vnd.amazon.eventstream")]
CLAUDE = "openai/us.anthropic.claude-sonnet-4-5-20250929-v1:0"
ANSWERS = chosen(
    lambda r: (
        r.provider == "bedrock"
        and r.api.startswith("invoke")
        and r.status == 200
        and r.name.endswith("claude")
        and "stop-sequences" not in r.name  # text completions, before Messages
    )
)


def ask(stream: bool, **fields: Any) -> Pipe:
    pipe = Pipe(
        provider=PROVIDER,
        base_url="https://bedrock-runtime.us-east-1.amazonaws.com",
        options={"region": "us-east-1"},
    )
    body = {"model": CLAUDE, "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}]}
    body |= {"stream": stream, **fields}
    headers = ((b"anthropic-beta", b"claude-code-20250219"),)
    pipe.send(ClientRequest("", headers, json.dumps(body).encode()), AnthropicMessages())
    return pipe


def play(recording: Recording, size: int | None = None) -> Pipe:
    pipe = ask(recording.stream)
    if not recording.stream:
        pipe.upstream.whole(recording.body)
        return pipe
    pipe.upstream.respond(EVENT_STREAM)
    body = recording.body
    for at in range(0, len(body), size or len(body)):
        pipe.upstream.chunk(body[at : at + (size or len(body))])
    pipe.upstream.end()
    return pipe


def model_events(recording: Recording) -> list[Any]:
    messages = EventStreamFramer().feed(recording.body)
    return [json.loads(b64decode(json.loads(message.data)["bytes"])) for message in messages]


@each(ANSWERS)
def test_the_client_gets_what_the_model_said(recording: Recording) -> None:
    pipe = play(recording)
    assert pipe.upstream.request.url.path.rpartition("/")[2].startswith("invoke")
    if recording.stream:
        events = [piece.split(b"\n") for piece in pipe.sink.body.split(b"\n\n")[:-1]]
        told = [json.loads(lines[1].removeprefix(b"data: ")) for lines in events]
        assert told == model_events(recording)
        assert [lines[0] for lines in events] == [b"event: " + e["type"].encode() for e in told]
        assert play(recording, 7).sink.body == pipe.sink.body
    else:
        assert pipe.sink.body == recording.body
    [record] = pipe.records
    assert (record.outcome, record.tokens_source) == ("ok", "reported")
    assert record.transformations == (
        "dropped anthropic-beta: claude-code-20250219 is unknown to Amazon Bedrock",
    )


def test_an_exception_in_the_stream_is_an_error_event() -> None:
    pipe = ask(stream=True)
    start = {"type": "message_start", "message": {"id": "msg_1", "usage": {"input_tokens": 1}}}

    payload = json.dumps({"bytes": b64encode(json.dumps(start).encode()).decode()}).encode()
    pipe.upstream.respond(EVENT_STREAM)
    pipe.upstream.chunk(
        encode_message({":event-type": "chunk", ":message-type": "event"}, payload),
        encode_message(
            {":exception-type": "modelStreamErrorException", ":message-type": "exception"},
            b'{"message": "It broke"}',
        ),
    )
    *_, last, _ = pipe.sink.body.split(b"\n\n")
    assert b"event: error" in last
    assert b"It broke" in last
    assert pipe.records[0].outcome == "error"


def test_other_models_are_asked_through_converse() -> None:
    pipe = ask(stream=False, model="openai/amazon.nova-pro-v1:0")
    assert pipe.upstream.request.url.path.endswith("/converse")
