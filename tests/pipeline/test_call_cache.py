"""Calls that are answered from the cache, or with the response to an identical call in flight."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec.structs import replace

from headway.dialects.base import ClientRequest
from headway.dialects.openai.embeddings import OpenAIEmbeddings
from headway.errors import UpstreamDisconnected
from headway.pipeline.cache_policy import CachePolicy, policy_for
from headway.ports import CachedResponse
from headway.response_cache.memory import MemoryCache
from headway.routing.route import CacheRule
from support.for_each import for_each
from support.pipeline_fakes import (
    DONE,
    HELLO,
    ROLE,
    STOP,
    USAGE,
    WHOLE,
    Gate,
    ListSink,
    Pipe,
    event,
    in_loop,
    text,
)
from support.played_dialects import REQUESTS
from support.routed_pipe import ROUTE, RoutedPipe

NO_STORE, NO_CACHE = (b"cache-control", b"no-store"), (b"cache-control", b"no-cache")


def caching(*, keys: tuple[str, ...] = (), **policy: Any) -> Pipe:
    pipe = Pipe(keys=keys)
    rules = CachePolicy(**{"ttl_s": 60.0, **policy})
    pipe.gateway.snapshot = replace(pipe.gateway.snapshot, cache=rules)
    pipe.gateway.response_cache = MemoryCache(1_000_000)
    return pipe


def ask(pipe: Pipe, *headers: tuple[bytes, bytes], **fields: Any) -> ListSink:
    """A call with a client of its own."""
    pipe.sink = ListSink()
    pipe.ask_openai(*headers, **fields)
    return pipe.sink


def status(sink: ListSink) -> bytes | None:
    return sink.headers.get(b"x-headway-cache")


def test_an_identical_request_is_answered_without_the_provider() -> None:
    pipe = caching()
    first = ask(pipe)
    pipe.upstream.whole(WHOLE)
    pipe.clock.now += 5.5
    second = ask(pipe)
    assert len(pipe.upstream_requests) == 1
    assert (status(first), status(second)) == (b"miss", b"hit")
    assert second.headers[b"age"] == b"5"
    assert second.headers[b"x-headway-cost-usd"] == b"0"
    assert second.headers[b"x-headway-attempts"] == b"0"
    assert second.json["choices"] == first.json["choices"]
    assert second.json["id"] != first.json["id"]
    miss, hit = pipe.records
    assert (miss.cache, miss.saved_usd, miss.cost_usd) == ("miss", None, "0.000058")
    assert (hit.cache, hit.saved_usd, hit.cost_usd) == ("hit", "0.000058", "0")
    assert (hit.input_tokens, hit.output_tokens, hit.attempts) == (6, 26, 0)
    assert hit.line_items == ()


@for_each("name", [name for name in REQUESTS if "stream" not in name])
def test_every_dialect_is_answered_from_the_cache_whole_and_streamed(name) -> None:
    """Whatever the first of them asked for, the second gets what it asks for."""
    for first, second in ((name, name + " stream"), (name + " stream", name)):
        if second not in REQUESTS or first not in REQUESTS:
            continue
        pipe = caching()
        sent = []
        for asked in (first, second, first):
            dialect, request = REQUESTS[asked]
            pipe.sink = ListSink()
            pipe.send(request, dialect)
            if not sent:
                if pipe.upstream.request.body.find(b'"stream":true') >= 0:
                    pipe.upstream.stream(HELLO)
                else:
                    pipe.upstream.whole(WHOLE)
            sent.append(pipe.sink)
            assert pipe.sink.is_over
            assert b"Hello!" in b"".join(pipe.sink.pieces or [pipe.sink.body]) or (
                b"Hello" in pipe.sink.body
            )
        assert [status(sink) for sink in sent] == [b"miss", b"hit", b"hit"]
        assert len(pipe.upstream_requests) == 1


def test_a_stream_is_replayed_as_the_provider_sent_it_but_for_its_id() -> None:
    pipe = caching()
    first = ask(pipe, stream=True)
    pipe.upstream.stream(*HELLO.splitlines(keepends=True))
    second = ask(pipe, stream=True)
    call_id = pipe.records[1].call_id
    expected = first.body.replace(b'"c-1"', f'"c-{call_id.replace("-", "")}"'.encode())
    assert second.body == expected
    assert pipe.records[1].reply_id == "c-" + call_id.replace("-", "")


def test_a_stream_is_replayed_at_its_pace_where_the_rules_say_so() -> None:
    pipe = caching(replays_pace=True)
    ask(pipe, stream=True)
    pipe.upstream.respond()
    for piece in (ROLE, text("Hel"), text("lo"), STOP, USAGE, DONE):
        pipe.clock.now += 0.5
        pipe.upstream.chunk(piece)
    pipe.sleeping = Gate()
    sink = ask(pipe, stream=True)
    assert sink.body == b""
    pipe.clock.now += 1.0
    gate, pipe.sleeping = pipe.sleeping, Gate()
    gate.set(None)
    assert b"Hel" in sink.body
    assert b'"lo"' not in sink.body
    pipe.clock.now += 5.0
    pipe.sleeping.set(None)
    assert sink.is_over
    assert sink.pieces[-1].endswith(DONE)


def test_an_answer_expires() -> None:
    pipe = caching(ttl_s=60.0)
    ask(pipe)
    pipe.upstream.whole(WHOLE)
    pipe.clock.now += 59.9
    assert status(ask(pipe)) == b"hit"
    pipe.clock.now += 0.2
    ask(pipe)
    assert len(pipe.upstream_requests) == 2


@for_each(
    ("first", "second", "sent"),
    [
        ({"temperature": 0}, {"temperature": 1}, 2),
        ({"user": "a"}, {"user": "b"}, 1),
        ({"model": "openai/gpt-4o"}, {"model": "openai/gpt-4o-mini"}, 2),
    ],
)
def test_another_request_has_another_answer(first, second, sent) -> None:
    pipe = caching()
    ask(pipe, **first)
    pipe.upstream.whole(WHOLE)
    ask(pipe, **second)
    assert len(pipe.upstream_requests) == sent


def test_each_gateway_key_has_its_own_answers_unless_the_rules_say_otherwise() -> None:
    for per_key, sent in ((True, 2), (False, 1)):
        pipe = caching(keys=("hw-a", "hw-b"), per_key=per_key)
        ask(pipe, (b"x-api-key", b"hw-a"))
        pipe.upstream.whole(WHOLE)
        ask(pipe, (b"x-api-key", b"hw-b"))
        assert len(pipe.upstream_requests) == sent


def test_a_client_with_a_provider_key_of_its_own_has_its_own_answers() -> None:
    pipe = caching()
    for key in (b"sk-1", b"sk-2"):
        ask(pipe, (b"x-headway-provider-key", key))
        pipe.upstream.whole(WHOLE)
    ask(pipe)
    assert len(pipe.upstream_requests) == 3


def finished(reason: str, **message: Any) -> bytes:
    body = json.loads(WHOLE)
    body["choices"][0]["finish_reason"] = reason
    body["choices"][0]["message"].update(message)
    return json.dumps(body).encode()


@for_each(
    "body",
    [finished("length"), finished("content_filter"), finished("stop", refusal="No.", content=None)],
    ids=["cut off", "filtered", "refused"],
)
def test_an_answer_that_is_not_whole_is_not_kept(body) -> None:
    pipe = caching()
    for _ in range(2):
        ask(pipe)
        pipe.upstream.whole(body)
    assert len(pipe.upstream_requests) == 2


def test_an_error_is_not_kept() -> None:
    pipe = caching()
    failed = ask(pipe)
    pipe.upstream.whole(b'{"error": {"message": "Busy."}}', 500)
    assert failed.status == 502
    broken = ask(pipe, stream=True)
    pipe.upstream.stream(ROLE, text("Hel"))
    pipe.upstream.fail(UpstreamDisconnected("The connection broke."))
    assert b"broke" in broken.body
    in_place = ask(pipe)
    pipe.upstream.whole(b'{"error": {"message": "Busy."}}')
    assert in_place.status != 200
    ask(pipe)
    assert len(pipe.upstream_requests) == 4


def test_a_response_that_is_too_long_is_not_kept() -> None:
    pipe = caching(response_limit=100)
    for stream in (False, True):
        for _ in range(2):
            sink = ask(pipe, stream=stream)
            pipe.upstream.stream(HELLO) if stream else pipe.upstream.whole(WHOLE)
            assert sink.is_over
    assert len(pipe.upstream_requests) == 4


@for_each(
    ("fields", "rules", "sent"),
    [
        ({"tools": [{"type": "function", "function": {"name": "f"}}]}, {}, 2),
        ({"tools": [{"type": "function", "function": {"name": "f"}}]}, {"with_tools": True}, 1),
        ({"previous_response_id": "resp_1"}, {}, 2),
    ],
)
def test_requests_with_tools_or_state_are_left_out(fields, rules, sent) -> None:
    pipe = caching(**rules)
    ask(pipe, **fields)
    pipe.upstream.whole(WHOLE)
    again = ask(pipe, **fields)
    assert len(pipe.upstream_requests) == sent
    if sent == 2:
        pipe.upstream.whole(WHOLE)
        assert status(again) == b"bypass"
        assert pipe.records[1].cache == "bypass"


def test_a_request_can_refuse_to_be_kept() -> None:
    pipe = caching()
    ask(pipe, NO_STORE)
    pipe.upstream.whole(WHOLE)
    ask(pipe)
    assert len(pipe.upstream_requests) == 2
    pipe.upstream.whole(WHOLE)
    assert status(ask(pipe, NO_STORE)) == b"hit", "it may read"


def test_a_request_can_ask_for_a_new_answer_which_is_kept() -> None:
    pipe = caching()
    ask(pipe)
    pipe.upstream.whole(WHOLE)
    ask(pipe, NO_CACHE)
    assert len(pipe.upstream_requests) == 2
    pipe.upstream.whole(WHOLE.replace(b"Hello!", b"Bye!"))
    assert b"Bye!" in ask(pipe).body


def test_a_request_that_wants_neither_bypasses_the_cache() -> None:
    pipe = caching()
    sink = ask(pipe, (b"cache-control", b"no-cache, no-store"))
    pipe.upstream.whole(WHOLE)
    assert status(sink) == b"bypass"


def test_a_request_can_say_how_old_an_answer_may_be() -> None:
    pipe = caching()
    ask(pipe)
    pipe.upstream.whole(WHOLE)
    pipe.clock.now += 10.0
    assert status(ask(pipe, (b"cache-control", b"max-age=10"))) == b"hit"
    ask(pipe, (b"cache-control", b"max-age=9"))
    assert len(pipe.upstream_requests) == 2


def test_without_a_rule_only_a_request_that_says_so_is_kept() -> None:
    pipe = caching(ttl_s=None)
    plain = ask(pipe)
    pipe.upstream.whole(WHOLE)
    assert status(plain) is None
    assert pipe.records[0].cache is None
    ttl = (b"x-headway-cache-ttl", b"30")
    ask(pipe, ttl)
    pipe.upstream.whole(WHOLE)
    assert len(pipe.upstream_requests) == 2
    pipe.clock.now += 29.0
    assert status(ask(pipe, ttl)) == b"hit"
    ask(pipe)
    assert len(pipe.upstream_requests) == 3


def test_embeddings_are_kept_too() -> None:
    pipe = caching()
    body = json.dumps({"model": "openai/text-embedding-3-small", "input": "Hi"}).encode()
    answer = {
        "object": "list",
        "data": [{"object": "embedding", "index": 0, "embedding": [0.5, 1.0]}],
        "model": "text-embedding-3-small",
        "usage": {"prompt_tokens": 1, "total_tokens": 1},
    }
    for _ in range(2):
        pipe.sink = ListSink()
        pipe.send(ClientRequest("", (), body), OpenAIEmbeddings())
        if len(pipe.records) == 0:
            pipe.upstream.whole(json.dumps(answer).encode())
        assert pipe.sink.json["data"][0]["embedding"] == [0.5, 1.0]
    assert len(pipe.upstream_requests) == 1


def test_a_kept_response_that_cannot_be_read_leads_to_the_provider() -> None:
    pipe = caching()
    ask(pipe)
    pipe.upstream.whole(WHOLE)
    cache = pipe.gateway.response_cache
    assert isinstance(cache, MemoryCache)
    ((key, kept),) = cache._responses.items()
    cache.put(key, replace(kept, pieces=(b"{",)))
    sink = ask(pipe)
    assert len(pipe.upstream_requests) == 2
    pipe.upstream.whole(WHOLE)
    assert status(sink) == b"miss"
    assert sink.json["choices"][0]["message"]["content"] == "Hello!"
    assert [record.cache for record in pipe.records] == ["miss", "miss"]


def test_a_response_of_a_provider_that_is_not_served_any_more_is_not_used() -> None:
    pipe = caching()
    ask(pipe)
    pipe.upstream.whole(WHOLE)
    cache = pipe.gateway.response_cache
    assert isinstance(cache, MemoryCache)
    ((key, kept),) = cache._responses.items()
    cache.put(key, replace(kept, provider="gone"))
    ask(pipe)
    assert len(pipe.upstream_requests) == 2


class SharedCache(MemoryCache):
    """Finds nothing at once."""

    is_shared = True

    def __init__(self) -> None:
        super().__init__(1_000_000)
        self.gate: Gate[None] | None = None

    def get(self, key: bytes, now: float) -> CachedResponse | None:
        return None

    async def load(self, key: bytes, now: float) -> CachedResponse | None:
        if self.gate is not None:
            await self.gate.wait()
        return MemoryCache.get(self, key, now)


def test_a_cache_that_is_shared_is_awaited() -> None:
    pipe = caching()
    pipe.gateway.response_cache = cache = SharedCache()
    ask(pipe)
    pipe.upstream.whole(WHOLE)
    assert status(ask(pipe)) == b"hit"
    cache.gate = Gate()
    left = ask(pipe)
    left.leave()
    assert left.body == b""
    assert pipe.records[-1].outcome == "cancelled"
    assert not pipe.gateway.active


# --- Identical calls in flight --------------------------------------------------------------------


def two(pipe: Pipe, **fields: Any) -> tuple[ListSink, ListSink]:
    """Two identical calls of which the first was sent."""
    first, second = ask(pipe, temperature=0, **fields), ask(pipe, temperature=0, **fields)
    assert len(pipe.upstream_requests) == 1
    return first, second


@pytest.mark.parametrize("stream", [False, True])
def test_identical_calls_in_flight_share_one_response(stream: bool) -> None:
    pipe = caching()
    first, second = two(pipe, stream=stream)
    if stream:
        pipe.upstream.stream(ROLE, text("Hel"))
        assert b"Hel" in first.body
        assert b"Hel" in second.body
        third = ask(pipe, temperature=0, stream=True)
        assert b"Hel" in third.body
        pipe.upstream.chunk(text("lo"), STOP, USAGE, DONE)
        assert third.body == second.body
    else:
        pipe.upstream.whole(WHOLE)
    assert first.body == second.body
    assert pipe.upstream.history == ["finish"]
    statuses = [record.cache for record in pipe.records]
    assert statuses == ["miss"] + ["coalesced"] * (2 if stream else 1)
    assert [record.cost_usd for record in pipe.records][:2] == ["0.000058", "0"]
    assert pipe.records[1].saved_usd == "0.000058"
    assert pipe.gateway.in_flight == {}


def test_only_deterministic_calls_share_a_response_unless_the_rules_say_otherwise() -> None:
    for rule, temperature, sent in (
        ("deterministic", 1, 2),
        ("deterministic", 0, 1),
        ("all", 1, 1),
        ("off", 0, 2),
    ):
        pipe = caching(coalesce=rule)
        ask(pipe, temperature=temperature)
        ask(pipe, temperature=temperature)
        assert len(pipe.upstream_requests) == sent


def test_a_waiting_call_is_sent_when_the_first_one_fails() -> None:
    pipe = caching()
    first, second = two(pipe)
    third = ask(pipe, temperature=0)
    pipe.upstream.whole(b'{"error": {"message": "Busy."}}', 500)
    assert first.status == 502
    assert len(pipe.upstream_requests) == 2, "the third waits for the second"
    pipe.upstream.whole(WHOLE)
    assert (second.status, third.status) == (200, 200)
    assert [record.cache for record in pipe.records] == ["miss", "miss", "coalesced"]


def test_a_stream_that_breaks_before_content_sends_those_that_read_it_to_the_provider() -> None:
    pipe = caching()
    first, second = two(pipe, stream=True)
    pipe.upstream.stream(ROLE)
    pipe.upstream.fail(UpstreamDisconnected("The connection broke."))
    assert b"broke" in first.body
    assert len(pipe.upstream_requests) == 2
    pipe.upstream.stream(HELLO)
    assert second.body.endswith(DONE)
    assert b"broke" not in second.body


def test_a_stream_that_breaks_later_breaks_for_all() -> None:
    pipe = caching()
    first, second = two(pipe, stream=True)
    pipe.upstream.stream(ROLE, text("Hel"))
    pipe.upstream.fail(UpstreamDisconnected("The connection broke."))
    assert b"broke" in first.body
    assert b"broke" in second.body
    assert len(pipe.upstream_requests) == 1
    assert pipe.gateway.in_flight == {}


def test_the_response_goes_on_for_the_others_when_its_own_client_leaves() -> None:
    pipe = caching()
    first, second = two(pipe, stream=True)
    pipe.upstream.stream(ROLE, text("Hel"))
    pipe.sleeping = Gate()
    first.leave()
    assert pipe.upstream.history in ([], ["resume"])
    pipe.upstream.chunk(text("lo"), STOP, USAGE, DONE)
    assert second.body.endswith(DONE)
    pipe.sleeping.set(None)
    leader, follower = sorted(pipe.records, key=lambda record: record.cache or "", reverse=True)
    assert (leader.outcome, leader.cost_usd, leader.is_drained) == ("cancelled", "0.000058", True)
    assert (follower.outcome, follower.cost_usd) == ("ok", "0")


def test_a_waiting_call_is_sent_when_the_client_of_the_first_leaves_before_its_response() -> None:
    pipe = caching()
    first, second = two(pipe)
    first.leave()
    assert pipe.upstream_requests[0].history == ["cancel"]
    assert len(pipe.upstream_requests) == 2
    pipe.upstream.whole(WHOLE)
    assert second.status == 200


def test_a_response_ends_when_the_last_of_those_who_read_it_has_left() -> None:
    pipe = caching()
    first, second = two(pipe, stream=True)
    pipe.upstream.stream(ROLE, text("Hel"))
    pipe.sleeping = Gate()
    first.leave()
    second.leave()
    assert "cancel" not in pipe.upstream.history
    pipe.sleeping.set(None)  # the next look at the limits
    assert "cancel" in pipe.upstream.history
    assert [record.outcome for record in pipe.records] == ["cancelled", "cancelled"]
    assert pipe.gateway.active == set()


def test_comments_before_the_call_was_sent_itself_are_on_record() -> None:
    pipe = caching()
    sinks, calls = [], []
    for _ in range(2):
        sinks.append(ask(pipe, stream=True, temperature=0))
        calls.append(pipe.call)
    pipe.upstream.stream(ROLE)
    in_loop(lambda: calls[1].keep_alive(pipe.clock.now, 0.0))
    pipe.upstream.fail(UpstreamDisconnected("It broke."))
    assert sinks[1].body.startswith(b": keep-alive")
    pipe.upstream.stream(HELLO)
    assert sinks[1].body.endswith(DONE)
    assert pipe.records[-1].response_bytes == len(sinks[1].body)


def test_nobody_waits_for_a_response_that_ended_with_its_client() -> None:
    pipe = caching()
    pipe.counting = Gate()
    first = ask(pipe, stream=True, temperature=0)
    pipe.upstream.stream(ROLE, text("Hel"))
    first.leave()  # what it got is counted, and the call is not over yet
    second = ask(pipe, stream=True, temperature=0)
    assert len(pipe.upstream_requests) == 2
    pipe.upstream.stream(HELLO)
    assert second.body.endswith(DONE)
    pipe.counting.set(None)
    assert pipe.gateway.in_flight == {}


def test_a_reader_that_leaves_cancels_nothing_of_the_others() -> None:
    pipe = caching()
    first, second = two(pipe, stream=True)
    pipe.upstream.stream(ROLE, text("Hel"))
    second.leave()
    assert "cancel" not in pipe.upstream.history
    pipe.upstream.chunk(text("lo"), STOP, USAGE, DONE)
    assert first.body.endswith(DONE)
    left = [record for record in pipe.records if record.outcome == "cancelled"]
    assert [record.cost_usd for record in left] == ["0"]


def test_a_slow_reader_delays_no_other() -> None:
    pipe = caching()
    first, second = two(pipe, stream=True)
    pipe.upstream.stream(ROLE, text("Hel"))
    assert first.on_pause is not None
    first.on_pause()
    pipe.upstream.chunk(text("lo"))
    assert b'"lo"' not in first.body
    assert b'"lo"' in second.body
    assert "pause" not in pipe.upstream.history
    assert first.on_resume is not None
    first.on_resume()
    assert b'"lo"' in first.body


def test_a_call_that_wants_a_new_answer_shares_none() -> None:
    pipe = caching()
    ask(pipe, temperature=0)
    ask(pipe, NO_CACHE, temperature=0)
    assert len(pipe.upstream_requests) == 2


def test_a_call_with_retries_is_retried_and_shared() -> None:
    pipe = caching()
    sinks = []
    for _ in range(2):
        pipe.sink = ListSink()
        sinks.append(pipe.sink)
        pipe.ask(is_stream=True, retries=2, parameters={"temperature": 0})
    pipe.upstream.whole(b'{"error": {"message": "Busy."}}', 500)
    assert len(pipe.upstream_requests) == 2
    pipe.upstream.stream(HELLO)
    assert all(sink.is_over for sink in sinks)
    assert [record.cache for record in pipe.records] == ["miss", "miss", "coalesced"]


def test_the_last_event_with_choices_is_not_lost_where_usage_is_unknown() -> None:
    pipe = caching()
    ask(pipe, stream=True)
    pipe.upstream.stream(ROLE, text("Hi"), event(finish="stop"), DONE)
    hit = ask(pipe, stream=True)
    assert status(hit) == b"hit"
    assert hit.body.endswith(DONE)
    assert pipe.records[-1].tokens_source == "counted"


# --- Routes ---------------------------------------------------------------------------------------


def test_a_route_has_a_rule_of_its_own() -> None:
    pipe = RoutedPipe(cache=CacheRule(ttl_s=60.0))
    pipe.gateway.response_cache = MemoryCache(1_000_000)
    sinks = []
    for _ in range(2):
        pipe.sink = ListSink()
        sinks.append(pipe.sink)
        pipe.ask_route()
        if len(sinks) == 1:
            pipe.asked("one").whole(b'{"error": {"message": "Busy."}}', 500)
            pipe.asked("two").whole(WHOLE)
    assert [status(sink) for sink in sinks] == [b"miss", b"hit"]
    assert pipe.requests == (1, 1, 0)
    hit = pipe.records[-1]
    assert (hit.provider, hit.cache, hit.cost_usd) == ("two", "hit", "0")
    assert (hit.route_name, hit.attempt, hit.attempts) == (ROUTE, 0, 0)
    assert pipe.sink.headers[b"x-headway-served-by"] == b"two/m-two"
    assert pipe.sink.headers[b"x-headway-route"] == ROUTE.encode()


@for_each(
    ("rule", "expected"),
    [
        (CacheRule(ttl_s=5.0), ("deterministic", False, False)),
        (CacheRule(ttl_s=5.0, coalesces=False), ("off", False, False)),
        (CacheRule(ttl_s=5.0, coalesces_always=True, with_tools=True), ("all", True, False)),
        (CacheRule(ttl_s=5.0, replays_pace=True), ("deterministic", False, True)),
    ],
)
def test_the_rule_of_a_route_comes_before_the_general_policy(rule, expected) -> None:
    general = CachePolicy(ttl_s=1.0, per_key=False, response_limit=7)
    policy = policy_for(general, rule, ())
    assert policy is not None
    assert (policy.coalesce, policy.with_tools, policy.replays_pace) == expected
    assert (policy.ttl_s, policy.per_key, policy.response_limit) == (5.0, False, 7)
    assert policy_for(None, None, ()) is None


def test_an_answer_that_was_read_once_is_given_again_without_being_read() -> None:
    pipe = caching()
    ask(pipe)
    pipe.upstream.whole(WHOLE)
    pipe.clock.now += 5.5
    sinks = [ask(pipe), ask(pipe)]
    read, known = pipe.records[1:]
    assert len(pipe.gateway.known_replies) == 1
    assert [sink.headers[b"age"] for sink in sinks] == [b"5", b"5"]
    assert {name for name, _ in sinks[0].headers.items()} == set(sinks[1].headers)
    for name in set(sinks[0].headers) - {b"x-request-id", b"content-length", b"server-timing"}:
        assert sinks[0].headers[name] == sinks[1].headers[name]
    texts = [replace(each, id="", call_id="", request_id="", reply_id="") for each in (read, known)]
    assert texts[0] == texts[1]
    assert known.reply_id == sinks[1].json["id"] != sinks[0].json["id"]
    assert {**sinks[0].json, "id": ""} == {**sinks[1].json, "id": ""}


def test_an_answer_is_read_again_for_a_request_with_other_fields_that_the_key_leaves_out() -> None:
    pipe = caching()
    ask(pipe)
    pipe.upstream.whole(WHOLE)
    for user in ("one", "one", "two"):
        assert status(ask(pipe, user=user)) == b"hit"
        (known,) = pipe.gateway.known_replies.values()
        assert known.unkeyed == (("user", f'"{user}"'.encode()),)
    assert len(pipe.upstream_requests) == 1
