"""Recorded traffic of OpenAI and of vendors with its wire format, decoded by OpenAI's adapter."""

from __future__ import annotations

import json

from headway.errors import UpstreamError, UpstreamNotFound
from headway.events import Event
from headway.providers.openai.provider import PROVIDER
from support.recording_decoder import fold, read
from support.recordings import Recording, chosen, each
from support.reference_decoder import objects, texts, tools

PROVIDERS = frozenset(
    {
        "openai", "azure_openai", "groq", "deepseek", "xai", "together", "openrouter", "mistral",
        "perplexity", "huggingface", "llamacpp", "ollama",
    }
)  # fmt: skip


def is_chat(recording: Recording) -> bool:
    return recording.provider in PROVIDERS and recording.api == "chat"


RESPONSES = chosen(lambda r: is_chat(r) and r.status == 200 and "error-in" not in r.name)
FAILED_RESPONSES = chosen(lambda r: is_chat(r) and r.status == 200 and "error-in" in r.name)
ERRORS = chosen(lambda r: is_chat(r) and r.status != 200)


def events(recording: Recording, *pieces: bytes) -> list[Event]:
    return read(PROVIDER, recording, *pieces)


@each(RESPONSES)
def test_a_recorded_response_has_its_text_and_a_finish(recording: Recording) -> None:
    answer = fold(events(recording))
    assert answer.failed is None
    assert answer.is_finished
    assert answer.started is not None
    assert {i: "".join(choice.text) for i, choice in answer.choices.items()} == texts(recording)


@each(RESPONSES)
def test_a_recorded_response_has_its_tool_calls(recording: Recording) -> None:
    answer = fold(events(recording))
    made = {
        index: [(t.name, "".join(t.arguments)) for t in choice.tools.values() if not t.legacy]
        for index, choice in answer.choices.items()
    }
    assert made == tools(recording)


@each(RESPONSES)
def test_the_usage_of_a_recorded_response_is_the_last_reported(recording: Recording) -> None:
    reported = [value["usage"] for value in objects(recording) if value.get("usage")]
    answer = fold(events(recording))
    if not reported:
        assert answer.usage is None
        return
    assert answer.usage is not None
    usage, last = answer.usage.usage, reported[-1]
    assert (usage.input_tokens, usage.output_tokens) == (
        last["prompt_tokens"],
        last["completion_tokens"],
    )
    assert json.loads(bytes(answer.usage.openai_usage)) == last


STREAMS = [recording for recording in RESPONSES if recording.stream]


@each(STREAMS)
def test_a_recorded_stream_has_the_same_events_byte_by_byte(recording: Recording) -> None:
    assert events(recording, *recording.cut()) == events(recording)


@each(FAILED_RESPONSES)
def test_a_recorded_error_inside_a_response_fails_it(recording: Recording) -> None:
    answer = fold(events(recording))
    assert isinstance(answer.failed, UpstreamError)
    assert answer.failed.message
    assert not answer.is_finished


STATUSES = {400: 400, 401: 401, 403: 401, 404: 404, 413: 413, 422: 422, 429: 429}


@each(ERRORS)
def test_a_recorded_error_keeps_its_status_and_message(recording: Recording) -> None:
    error = PROVIDER.decode_error(recording.status, recording.headers, recording.body)
    is_known = type(error) is not UpstreamNotFound  # Groq says it of old models with a 400
    assert error.status == (STATUSES[recording.status] if is_known else 404)
    assert json.dumps(error.message) in json.dumps(json.loads(recording.body))
