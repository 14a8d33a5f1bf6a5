"""Images, audio, moderations and reranking through OpenAI's own client and plain HTTP, in both
modes of the server."""

from __future__ import annotations

import base64
import io
import json
import wave
from typing import Any

import pytest

from contract.conftest import BODY_LIMIT
from support.gateway_process import SERVER_KEY, Gateway
from support.lazy_import import lazy_import
from support.openai_client import openai_client
from support.openai_upstream import CUT, HANG, Answer, Upstream, Wait
from support.waiting import until

openai = lazy_import("openai")
AUDIO_TYPE = (("content-type", "audio/mpeg"),)
JSON_TYPE = (("content-type", "application/json"),)
FORM = "multipart/form-data; boundary=a1b2"
HELLO = b"\xff\xfb" + bytes(range(256))


def passed(*steps: Any, headers: Any = JSON_TYPE, status: int = 200) -> Answer:
    """An answer that the scripted provider sends as it is."""
    return Answer(steps, status=status, headers=headers, is_verbatim=True)


def body(value: Any) -> bytes:
    return json.dumps(value).encode()


@pytest.fixture
def client(gateway: Gateway) -> Any:
    with openai_client(f"{gateway.base_url}/v1") as client:
        yield client


def part(name: str, value: bytes, filename: str = "") -> bytes:
    more = f'; filename="{filename}"' if filename else ""
    head = f'--a1b2\r\ncontent-disposition: form-data; name="{name}"{more}\r\n\r\n'
    return head.encode() + value + b"\r\n"


@pytest.mark.filterwarnings("ignore:deprecated:DeprecationWarning")
def test_the_echo_provider_answers_every_route(client: Any) -> None:
    assert not client.moderations.create(model="echo/echo", input="Hi").results[0].flagged
    made = client.images.generate(model="echo/echo", prompt="a dot", n=2)
    assert len(made.data) == made.usage.output_tokens == 2
    png = base64.b64decode(made.data[0].b64_json)
    changed = client.images.edit(model="echo/echo", image=("a.png", png), prompt="b")
    varied = client.images.create_variation(model="echo/echo", image=("a.png", png))
    assert changed.data[0].b64_json == varied.data[0].b64_json == made.data[0].b64_json
    (event,) = client.images.generate(model="echo/echo", prompt="a dot", stream=True)
    assert event.type == "image_generation.completed"
    speech = client.audio.speech.create(model="echo/echo", input="one two", voice="alloy").content
    with wave.open(io.BytesIO(speech)) as file:
        assert file.getnframes() == 1600
    heard = client.audio.transcriptions.create(model="echo/echo", file=("a.wav", speech))
    assert heard.text == f"file, {len(speech)} bytes"
    kinds = {"model": "echo/echo", "file": ("a.wav", speech)}
    assert client.audio.translations.create(**kinds, response_format="text") == f"{heard.text}\n"
    *_, done = client.audio.transcriptions.create(**kinds, stream=True)
    assert (done.type, done.text) == ("transcript.text.done", heard.text)


def test_a_ranking_is_answered_in_the_shape_of_its_route(gateway: Gateway) -> None:
    asked = {"model": "echo/echo", "query": "bear", "documents": ["x", "a bear"]}
    for path, fields in (
        ("/v1/rerank", {"model", "usage", "results"}),
        ("/openai/v1/rerank", {"model", "usage", "results"}),
        ("/v2/rerank", {"id", "meta", "results"}),
    ):
        reply = gateway.client.call("POST", path, asked)
        assert reply.status == 200, path
        assert fields <= reply.json.keys()
        assert reply.json["results"][0]["index"] == 1


def test_a_form_reaches_the_provider_with_the_model_behind_the_file(
    gateway: Gateway, upstream: Upstream
) -> None:
    upstream.play(passed(body({"text": "Hi", "usage": {"type": "duration", "seconds": 2}})))
    file, rest = part("file", HELLO, "a.mp3"), part("unknown", b"1")
    for order in ((file, b"M", rest), (b"M", file, rest)):
        sent, expected = (
            b"".join(part("model", name) if one == b"M" else one for one in order) + b"--a1b2--"
            for name in (b"openai/whisper-1", b"whisper-1")
        )
        reply = gateway.client.call(
            "POST", "/v1/audio/transcriptions", sent, headers={"content-type": FORM}
        )
        assert (reply.status, reply.json["text"]) == (200, "Hi")
        assert upstream.last.body == expected
        assert upstream.last.headers["content-type"] == FORM
        assert (upstream.last.path, upstream.last.key) == ("/v1/audio/transcriptions", SERVER_KEY)
        assert reply.headers["x-headway-provider"] == "openai"


def test_the_official_client_sends_files_of_every_kind(client: Any, upstream: Upstream) -> None:
    usage = {
        "input_tokens": 10,
        "input_tokens_details": {"text_tokens": 4, "image_tokens": 6},
        "output_tokens": 20,
        "total_tokens": 30,
    }
    upstream.play(passed(body({"created": 1, "data": [{"b64_json": "AA=="}], "usage": usage})))
    images = [("a.png", HELLO), ("b.png", HELLO)]
    edited = client.images.with_raw_response.edit(
        model="openai/gpt-image-1", image=images, prompt="a"
    )
    assert upstream.last.body.count(HELLO) == 2
    assert b"openai/gpt-image-1" not in upstream.last.body
    assert edited.headers["x-headway-input-tokens"] == "10"
    assert edited.parse().usage.output_tokens == 20
    upstream.play(passed(b"1\n00:00:00,000\nHi\n", headers=(("content-type", "text/plain"),)))
    said = client.audio.transcriptions.create(
        model="openai/whisper-1", file=("a.mp3", HELLO), response_format="srt"
    )
    assert said == "1\n00:00:00,000\nHi\n"
    upstream.play(passed(body({"error": {"message": "no", "code": "bad_voice"}}), status=400))
    with pytest.raises(openai.BadRequestError, match="no"):
        client.audio.speech.create(model="openai/tts-1", input="Hi", voice="alloy")


def test_audio_arrives_piece_by_piece_and_a_cut_is_noticed(client: Any, upstream: Upstream) -> None:
    upstream.play(passed(HELLO, Wait(0.3), HELLO, headers=AUDIO_TYPE))
    speak = client.audio.speech.with_streaming_response.create
    with speak(model="openai/tts-1", input="Hi", voice="alloy") as speech:
        assert speech.headers["content-type"] == "audio/mpeg"
        pieces = speech.iter_bytes()
        assert next(pieces) == HELLO
        assert not upstream.last.finished  # the rest is not there yet
        assert b"".join(pieces) == HELLO
    upstream.play(passed(HELLO, Wait(0.1), CUT, headers=AUDIO_TYPE))
    with (
        speak(model="openai/tts-1", input="Hi", voice="alloy") as speech,
        pytest.raises(Exception, match=r"incomplete|closed|peer"),
    ):
        list(speech.iter_bytes())


def test_a_client_of_http_1_0_sees_a_reset_where_the_body_breaks_off(
    server: Gateway, upstream: Upstream
) -> None:
    upstream.play(passed(HELLO, Wait(0.2), CUT, headers=AUDIO_TYPE))
    asked = body({"model": "openai/tts-1", "input": "Hi"})
    head = f"POST /v1/audio/speech HTTP/1.0\r\nhost: a\r\ncontent-length: {len(asked)}\r\n\r\n"
    stream = server.client.connect()
    stream.send(head.encode() + asked)
    with stream.read_head(), pytest.raises(ConnectionResetError):
        list(iter(lambda: stream.sock.recv(65536), b""))


def test_a_client_that_leaves_stops_the_provider(client: Any, upstream: Upstream) -> None:
    upstream.play(passed(HELLO, HANG, headers=AUDIO_TYPE))
    speak = client.audio.speech.with_streaming_response.create
    with speak(model="openai/tts-1", input="Hi", voice="alloy") as speech:
        assert next(speech.iter_bytes()) == HELLO
    until(lambda: upstream.last.closed_at)


def test_a_form_at_the_limit_is_taken_and_one_over_it_refused(
    gateway: Gateway, upstream: Upstream
) -> None:
    upstream.play(passed(body({"text": "Hi"})))
    frame = len(part("file", b"", "a") + part("model", b"openai/whisper-1") + b"--a1b2--")
    for extra, status in ((0, 200), (1, 413)):
        file = part("file", b'"' * (BODY_LIMIT - frame + extra), "a")
        sent = file + part("model", b"openai/whisper-1") + b"--a1b2--"
        reply = gateway.client.call(
            "POST", "/v1/audio/transcriptions", sent, headers={"content-type": FORM}
        )
        assert (len(sent) - BODY_LIMIT, reply.status) == (extra, status)


def test_a_hostile_form_is_refused_with_what_is_wrong(gateway: Gateway, upstream: Upstream) -> None:
    for sent, content_type, reason in (
        (part("model", b"openai/m"), FORM, "no end"),
        (part("file", b"x", "a") + b"--a1b2--", FORM, "`model` is missing"),
        (b"--a1b2\r\n" * 20000, FORM, "headers of part 1"),
        (part("model", b"openai/m") * 3 + b"--a1b2--", FORM, "one field"),
        (b"x", "multipart/form-data", "boundary"),
        (b"model=m", "application/x-www-form-urlencoded", "multipart/form-data"),
    ):
        reply = gateway.client.call(
            "POST", "/v1/images/edits", sent, headers={"content-type": content_type}
        )
        assert 400 <= reply.status < 500, reason
        assert reason in reply.json["error"]["message"]
    assert upstream.exchanges == []
