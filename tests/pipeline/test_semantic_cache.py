"""Requests that mean the same as an earlier one."""

from __future__ import annotations

import json
from typing import Any

from msgspec.structs import replace

from headway.pipeline.cache_policy import CachePolicy, SemanticRules
from headway.pipeline.embedding_call import embed
from headway.record import Feedback
from headway.response_cache.memory import MemoryCache
from headway.response_cache.semantic import SemanticIndex
from support.for_each import for_each
from support.pipeline_fakes import HELLO, WHOLE, Gate, ListSink, Pipe, in_loop

VECTORS = {
    "What is 1+1?": [1.0, 0.0],
    "How much is 1+1?": [0.96, 0.28],
    "Who are you?": [0.0, 1.0],
    "Hello!": [1.0, 0.0],
    "Two.": [0.6, 0.8],
}


def similar(*, serves: bool, threshold: float = 0.9) -> Pipe:
    pipe = Pipe()
    rules = SemanticRules(model="openai/embed", threshold=threshold, serves=serves)
    policy = CachePolicy(ttl_s=60.0, semantic=rules)
    pipe.gateway.snapshot = replace(pipe.gateway.snapshot, cache=policy)
    pipe.gateway.response_cache = MemoryCache(1_000_000)
    pipe.gateway.semantic_index = SemanticIndex(100)

    async def vector_of(model: str, text: str, headers: Any, query: str) -> list[float] | None:
        assert model == "openai/embed"
        return VECTORS.get(text)

    pipe.gateway.embed = vector_of
    return pipe


def ask(pipe: Pipe, text: str, *earlier: Any, **fields: Any) -> ListSink:
    pipe.sink = ListSink()
    messages = [*earlier, {"role": "user", "content": text}]
    pipe.ask_openai(messages=messages, **fields)
    return pipe.sink


def feedback(pipe: Pipe) -> list[tuple[str | None, float | None, Any]]:
    found = [each for each in pipe.entries if isinstance(each, Feedback)]
    return [(each.label, each.score, json.loads(each.comment or "null")) for each in found]


@for_each("stream", [False, True])
def test_a_request_that_means_the_same_is_served_with_the_kept_answer(stream) -> None:
    pipe = similar(serves=True)
    ask(pipe, "What is 1+1?")
    pipe.upstream.whole(WHOLE)
    sink = ask(pipe, "How much is 1+1?", stream=stream)
    assert len(pipe.upstream_requests) == 1
    assert sink.headers[b"x-headway-cache"] == b"hit"
    assert sink.headers[b"x-headway-cache-similarity"] == b"0.9600"
    assert b"Hello!" in sink.body
    first, second = pipe.records
    assert (second.cache, second.cost_usd) == ("hit", "0")
    said = {"prompt_similarity": 0.96, "call_id": first.call_id}
    assert feedback(pipe) == [("semantic-cache-served", None, said)]


@for_each(
    ("text", "earlier", "fields"),
    [
        ("Who are you?", [], {}),
        ("How much is 1+1?", [{"role": "system", "content": "Lie."}], {}),
        ("How much is 1+1?", [], {"temperature": 0}),
        ("No vector", [], {}),
    ],
)
def test_another_meaning_conversation_or_parameter_is_another_request(
    text, earlier, fields
) -> None:
    pipe = similar(serves=True)
    ask(pipe, "What is 1+1?")
    pipe.upstream.whole(WHOLE)
    ask(pipe, text, *earlier, **fields)
    assert len(pipe.upstream_requests) == 2
    assert feedback(pipe) == []


def test_an_answer_below_the_threshold_is_not_served() -> None:
    pipe = similar(serves=True, threshold=0.97)
    ask(pipe, "What is 1+1?")
    pipe.upstream.whole(WHOLE)
    ask(pipe, "How much is 1+1?")
    assert len(pipe.upstream_requests) == 2


def test_a_kept_answer_that_has_expired_is_not_served() -> None:
    pipe = similar(serves=True)
    ask(pipe, "What is 1+1?")
    pipe.upstream.whole(WHOLE)
    pipe.clock.now += 61.0
    ask(pipe, "How much is 1+1?")
    assert len(pipe.upstream_requests) == 2


@for_each("stream", [False, True])
def test_the_shadow_mode_serves_nothing_and_says_what_it_would_have_served(stream) -> None:
    pipe = similar(serves=False)
    ask(pipe, "What is 1+1?")
    pipe.upstream.whole(WHOLE)
    sink = ask(pipe, "How much is 1+1?", stream=stream)
    assert len(pipe.upstream_requests) == 2
    if stream:
        pipe.upstream.stream(HELLO.replace(b"Hello", b"Two").replace(b'"!"', b'"."'))
    else:
        pipe.upstream.whole(WHOLE.replace(b"Hello!", b"Two."))
    assert b"Two" in sink.body
    assert sink.headers[b"x-headway-cache"] == b"miss"
    first = pipe.records[0]
    said = {"prompt_similarity": 0.96, "call_id": first.call_id}
    ((label, score, comment),) = feedback(pipe)
    assert (label, comment) == ("semantic-cache-shadow", said)
    assert score is not None
    assert abs(score - 0.6) < 1e-6


def test_the_same_answer_is_not_compared_by_its_vector() -> None:
    pipe = similar(serves=False)
    for text in ("What is 1+1?", "How much is 1+1?"):
        ask(pipe, text)
        pipe.upstream.whole(WHOLE.replace(b"Hello!", b"No vector"))
    ((_, score, _),) = feedback(pipe)
    assert score == 1.0


def test_answers_without_vectors_have_no_similarity() -> None:
    pipe = similar(serves=False)
    for text, answer in (("What is 1+1?", b"One"), ("How much is 1+1?", b"Three")):
        ask(pipe, text)
        pipe.upstream.whole(WHOLE.replace(b"Hello!", answer))
    ((_, score, _),) = feedback(pipe)
    assert score is None


def test_a_client_that_leaves_while_the_vector_is_awaited_gets_nothing() -> None:
    pipe = similar(serves=True)
    gate: Gate[None] = Gate()

    async def wait(*_: Any) -> None:
        await gate.wait()

    pipe.gateway.embed = wait
    sink = ask(pipe, "What is 1+1?")
    sink.leave()
    assert pipe.upstream_requests == []
    assert not pipe.gateway.active
    gate.set(None)


# --- The vectors ----------------------------------------------------------------------------------


def test_vectors_are_asked_for_as_calls_of_the_gateway() -> None:
    pipe = Pipe(keys=("hw-a",))
    found: list[Any] = []

    async def run() -> None:
        headers = [(b"x-api-key", b"hw-a"), (b"accept", b"*/*")]
        found.append(await embed(pipe.gateway, "openai/embed", "Hi" * 9000, headers, ""))

    in_loop(lambda: pipe.gateway.start(run()))
    sent = json.loads(pipe.upstream.request.body)
    assert sent == {"model": "embed", "input": "Hi" * 4000, "encoding_format": "float"}
    vector = {"object": "embedding", "index": 0, "embedding": [0.5, 1.0]}
    reply = {"object": "list", "data": [vector], "model": "e", "usage": {"prompt_tokens": 1}}
    pipe.upstream.whole(json.dumps(reply).encode())
    assert found == [[0.5, 1.0]]
    (record,) = pipe.records
    assert record.tags == ("semantic-cache",)
    assert record.key_id != "anonymous"


@for_each("reply", [(b'{"error": {"message": "No."}}', 400), (b'{"data": []}', 200), (b"[]", 200)])
def test_without_an_answer_there_is_no_vector(reply) -> None:
    pipe = Pipe()
    found: list[Any] = []

    async def run() -> None:
        found.append(await embed(pipe.gateway, "openai/embed", "Hi", (), ""))

    in_loop(lambda: pipe.gateway.start(run()))
    pipe.upstream.whole(*reply)
    assert found == [None]


def test_a_vector_that_nobody_waits_for_any_more_is_cancelled() -> None:
    pipe = Pipe()
    task: list[Any] = []

    async def run() -> None:
        await embed(pipe.gateway, "openai/embed", "Hi", (), "")

    in_loop(lambda: task.append(pipe.gateway.start(run())))
    in_loop(lambda: task[0].cancel())
    assert pipe.upstream.history == ["cancel"]
