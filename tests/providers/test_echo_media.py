"""The echo provider's images, audio, moderations and rankings are valid, and follow the script."""

from __future__ import annotations

import io
import json
import wave
import zlib
from base64 import b64decode
from typing import Any

from headway.providers.echo import PROVIDER, respond
from headway.providers.echo_media import MAX_DOCUMENTS, MAX_IMAGES, MAX_WORDS, MEDIA
from headway.providers.echo_script import EchoChunk, ScriptedResponse
from headway.providers.operations import OPERATIONS, encode_operation
from headway.types import RelayedRequest, Target

FORM = "multipart/form-data; boundary=a1"


def ask(path: str, **fields: Any) -> ScriptedResponse:
    return respond(json.dumps(fields).encode(), path, "application/json")


def ask_form(path: str, **fields: str) -> ScriptedResponse:
    body = b'--a1\r\ncontent-disposition: form-data; name=file; filename="a.wav"\r\n\r\n12345\r\n'
    for name, value in fields.items():
        head = f"--a1\r\ncontent-disposition: form-data; name={name}\r\n\r\n"
        body += f"{head}{value}\r\n".encode()
    return respond(body + b"--a1--", path, FORM)


def sent(response: ScriptedResponse) -> bytes:
    return b"".join(chunk.data or b"" for chunk in response.chunks)


def events(response: ScriptedResponse) -> list[Any]:
    assert response.headers == [(b"content-type", b"text/event-stream")]
    frames = sent(response).decode().removesuffix("\n\n").split("\n\n")
    return [json.loads(frame.removeprefix("data: ")) for frame in frames]


def test_every_operation_is_answered_at_its_path() -> None:
    assert {f"/{name}" for name in OPERATIONS} == set(MEDIA)
    assert PROVIDER.operations.keys() == OPERATIONS.keys()
    for name, operation in PROVIDER.operations.items():
        request = RelayedRequest(operation=name, model="echo")
        http = encode_operation(operation, request, Target(provider="echo", base_url="echo://echo"))
        assert http.url.path == f"/{name}"


def test_moderations_flag_nothing() -> None:
    for given, number in (("Hi", 1), (["Hi", "you"], 2)):
        results = json.loads(sent(ask("/moderations", input=given)))["results"]
        assert [result["flagged"] for result in results] == [False] * number


def test_documents_are_ranked_by_the_words_that_they_share() -> None:
    documents = ["no bear", {"text": "a Panda"}, "a panda bear"]
    body = json.loads(sent(ask("/rerank", query="Panda bear?", documents=documents)))
    assert [(one["index"], one["relevance_score"]) for one in body["results"]] == [
        (2, 1.0),
        (0, 0.5),
        (1, 0.5),
    ]
    assert body["usage"] == {"prompt_tokens": 9, "total_tokens": 9}
    few = ask("/rerank", query="", documents=documents, top_n=1, echo={"usage": "none"})
    assert json.loads(sent(few)) == {
        "model": "echo",
        "results": [{"index": 0, "relevance_score": 0.0}],
    }


def test_images_are_valid_and_as_many_as_are_asked_for() -> None:
    body = json.loads(sent(ask("/images/generations", prompt="a red dot", n=2)))
    assert body["usage"]["output_tokens"] == len(body["data"]) == 2
    png = b64decode(body["data"][0]["b64_json"])
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    data = png.index(b"IDAT") + 4
    assert len(zlib.decompress(png[data : data + 10])) == 2  # the filter, and one pixel
    (done,) = events(ask("/images/generations", prompt="a dot", stream=True))
    assert (done["type"], done["usage"]["input_tokens"]) == ("image_generation.completed", 2)
    (done,) = events(ask_form("/images/edits", prompt="a dot", stream="true"))
    assert done["type"] == "image_edit.completed"


def test_speech_is_a_wav_file_in_pieces_or_events() -> None:
    response = ask("/audio/speech", input="one two three")
    assert response.headers == [(b"content-type", b"audio/wav")]
    assert len(response.chunks) == 4
    with wave.open(io.BytesIO(sent(response))) as file:
        assert (file.getnchannels(), file.getframerate(), file.getnframes()) == (1, 8000, 2400)
    delta, done = events(ask("/audio/speech", input="one", stream_format="sse"))
    assert len(b64decode(delta["audio"])) == 800
    assert done["usage"] == {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2}


def test_transcripts_name_the_files_in_each_format() -> None:
    text = "file, 5 bytes"
    assert json.loads(sent(ask_form("/audio/transcriptions")))["text"] == text
    verbose = json.loads(sent(ask_form("/audio/translations", response_format="verbose_json")))
    assert (verbose["text"], verbose["duration"]) == (text, 1.0)
    for kind, start in (("text", ""), ("srt", "1\n00:00:00,000 --> "), ("vtt", "WEBVTT\n")):
        response = ask_form("/audio/transcriptions", response_format=kind)
        assert response.headers == [(b"content-type", b"text/plain; charset=utf-8")]
        said = sent(response).decode()
        assert said.startswith(start)
        assert said.endswith(f"{text}\n")
    *deltas, done = events(ask_form("/audio/transcriptions", stream="true"))
    assert "".join(one["delta"] for one in deltas) == done["text"] == text
    assert json.loads(sent(ask("/audio/transcriptions", file="x")))["text"] == "no file"


def test_the_script_controls_time_and_faults() -> None:
    slow = {"latency": 1, "first_token": 2, "tokens_per_second": 4}
    response = ask("/audio/speech", input="one two", echo=slow)
    assert response.delay == 1
    assert [chunk.delay for chunk in response.chunks] == [2, 0.25, 0.25]
    for fault, last, ends in (
        ("cut", EchoChunk(0, None), True),
        ("malformed", EchoChunk(0, b"data: {\n\n"), True),
        ("error_event", None, True),
        ("stall", None, False),
    ):
        response = ask("/audio/speech", input="one", echo={"fault": fault})
        assert len(response.chunks) == (1 if fault == "stall" else 2)
        assert last is None or response.chunks[-1] == last
        assert response.ends is ends
    assert b"scripted" in sent(ask("/audio/speech", input="one", echo={"fault": "error_event"}))
    for path in MEDIA:
        assert ask(path, input="x", echo={"fault": "rate_limit"}).status == 429
        assert ask_form(path, echo='{"fault": "error"}').status == 500


def test_what_cannot_be_read_is_a_400() -> None:
    for path, fields in (
        ("/rerank", {"query": "x"}),
        ("/rerank", {"documents": ["x"] * (MAX_DOCUMENTS + 1)}),
        ("/images/generations", {"n": MAX_IMAGES + 1}),
        ("/images/generations", {"n": "x"}),
        ("/images/generations", {"n": {"a": 1}}),
        ("/audio/speech", {"input": "x " * (MAX_WORDS + 1)}),
        ("/moderations", {"echo": {"unknown": 1}}),
    ):
        assert ask(path, **fields).status == 400, fields
    assert respond(b"[]", "/moderations").status == 400
    assert respond(b"", "/audio/transcriptions", FORM).status == 400
