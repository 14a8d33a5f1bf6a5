"""Real traffic of OpenAI and of those who speak its wire, read by the plain adapter."""

from __future__ import annotations

import json

from headway.errors import UpstreamError
from headway.providers.openai.provider import PROVIDER
from headway.types import Event
from support.recording_decoder import fold, read
from support.recordings import Recording, chosen, each
from support.reference_decoder import objects, texts, tools

SPEAKERS = frozenset(
    {
        "openai", "azure_openai", "groq", "deepseek", "xai", "together", "openrouter", "mistral",
        "perplexity", "huggingface", "llamacpp", "ollama",
    }
)  # fmt: skip


def is_chat(recording: Recording) -> bool:
    return recording.provider in SPEAKERS and recording.api == "chat"


ANSWERS = chosen(lambda r: is_chat(r) and r.status == 200 and "error-in" not in r.name)
FAILURES = chosen(lambda r: is_chat(r) and r.status == 200 and "error-in" in r.name)
REFUSALS = chosen(lambda r: is_chat(r) and r.status != 200)


def events(recording: Recording, *pieces: bytes) -> list[Event]:
    return read(PROVIDER, recording, *pieces)


@each(ANSWERS)
def test_a_recorded_answer_is_finished_and_says_what_it_said(recording: Recording) -> None:
    answer = fold(events(recording))
    assert answer.failed is None
    assert answer.is_finished
    assert answer.started is not None
    assert {i: "".join(choice.text) for i, choice in answer.choices.items()} == texts(recording)


@each(ANSWERS)
def test_a_recorded_answer_makes_the_calls_that_it_made(recording: Recording) -> None:
    answer = fold(events(recording))
    made = {
        index: [(t.name, "".join(t.arguments)) for t in choice.tools.values() if not t.legacy]
        for index, choice in answer.choices.items()
    }
    assert made == tools(recording)


@each(ANSWERS)
def test_the_usage_of_a_recorded_answer_is_the_last_that_it_reported(recording: Recording) -> None:
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


STREAMS = [recording for recording in ANSWERS if recording.stream]


@each(STREAMS)
def test_a_recorded_stream_makes_the_same_events_byte_by_byte(recording: Recording) -> None:
    assert events(recording, *recording.cut()) == events(recording)


@each(FAILURES)
def test_a_recorded_failure_in_an_answer_is_told(recording: Recording) -> None:
    answer = fold(events(recording))
    assert isinstance(answer.failed, UpstreamError)
    assert answer.failed.message
    assert not answer.is_finished


OURS = {400: 400, 401: 401, 403: 401, 404: 404, 413: 413, 422: 422, 429: 429}


@each(REFUSALS)
def test_a_recorded_refusal_keeps_its_status_and_the_providers_words(recording: Recording) -> None:
    error = PROVIDER.decode_error(recording.status, recording.headers, recording.body)
    assert error.status == OURS[recording.status]
    assert json.dumps(error.message) in json.dumps(json.loads(recording.body))
