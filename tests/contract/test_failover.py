"""The first target of a route fails in every way in which a socket can, before any content, and the
client gets the second one's answer: the same as from that target alone, in every dialect, whole and
streamed.
"""

from __future__ import annotations

import itertools
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from contract.test_faults import (
    AFTER,
    BEFORE,
    CHUNKED,
    EVENTS,
    GOOD,
    JSON,
    LAST,
    OK,
    WHOLE,
    WHOLE_BEGUN,
    WHOLE_GOOD,
    Script,
    chunk,
)
from support.for_each import for_each
from support.gateway_process import SERVER_KEY, Gateway
from support.openai_completions import role
from support.openai_upstream import sse_event
from support.ports import free_port
from support.raw_client import Reply
from support.scripted_server import Received, Step, ThreadedServer, answer
from support.waiting import PATIENCE_S

TIMEOUTS = {"connect": 1.0, "first_byte": 0.4, "idle": 0.4, "total": 1.5}
"""Of the providers that fail. The one that answers has time, also on a busy machine."""
PATIENT = dict.fromkeys(TIMEOUTS, PATIENCE_S)
ASKED = [{"role": "user", "content": "Hello"}]
ALONE = "second/gpt-4o"


def openai_chat(model: str, stream: bool) -> tuple[str, Any]:
    return "/v1/chat/completions", {"model": model, "messages": ASKED, "stream": stream}


def completions(model: str, stream: bool) -> tuple[str, Any]:
    return "/v1/completions", {"model": model, "prompt": "Hello", "stream": stream}


def responses(model: str, stream: bool) -> tuple[str, Any]:
    return "/v1/responses", {"model": model, "input": "Hello", "stream": stream}


def messages(model: str, stream: bool) -> tuple[str, Any]:
    body = {"model": model, "max_tokens": 99, "messages": ASKED, "stream": stream}
    return "/v1/messages", body


def gemini(model: str, stream: bool) -> tuple[str, Any]:
    method = "streamGenerateContent?alt=sse" if stream else "generateContent"
    contents = [{"role": "user", "parts": [{"text": "Hello"}]}]
    return f"/v1beta/models/{model}:{method}", {"contents": contents}


def ollama(model: str, stream: bool) -> tuple[str, Any]:
    return "/api/chat", {"model": model, "messages": ASKED, "stream": stream}


DIALECTS = (openai_chat, completions, responses, messages, gemini, ollama)
WAYS = {
    f"{dialect.__name__}{', streamed' if stream else ''}": (dialect, stream)
    for dialect in DIALECTS
    for stream in (False, True)
}

# --- Faults ---------------------------------------------------------------------------------------

PARTIAL_TEXT = {
    **role(), "choices": [{"index": 0, "delta": {"content": "PARTIAL"}, "finish_reason": None}]
}  # fmt: skip
FIRST = OK + EVENTS + CHUNKED + chunk(sse_event(role()))
"""An event without content: nothing that commits a stream."""
PARTIAL = FIRST + chunk(sse_event(PARTIAL_TEXT))
ERROR = b'{"error": {"message": "boom", "type": "server_error"}}'
STATUSES = (408, 409, 429, 500, 502, 503, 504, 529)


def both(*steps: Step) -> tuple[Sequence[Step], Sequence[Step]]:
    return steps, steps


FAULTS: dict[str, tuple[Sequence[Step], Sequence[Step]]] = {
    **{name: both(*steps) for name, (steps, _) in BEFORE.items()},
    **{
        f"{name}, before content": ([FIRST, 0.02, *steps], [WHOLE_BEGUN, 0.02, *steps])
        for name, (steps, _) in AFTER.items()
    },
    **{f"status {status}": both(answer(ERROR, status)) for status in STATUSES},
    "a refused key": both(answer(ERROR, 401)),
    "no such model": both(answer(ERROR, 404)),
    "an error for a stream": both(answer(ERROR)),
    "an error as the first event": (
        [OK + EVENTS + CHUNKED + chunk(b"data: " + ERROR + b"\n\n") + LAST],
        [answer(ERROR)],
    ),
    "a stream that ends at once": ([OK + EVENTS + CHUNKED + LAST], [answer(b"")]),
    "a stream without a finish": ([FIRST + LAST], [answer(b"{}")]),
    "a page": both(answer(b"<html>Busy</html>", headers=[("content-type", "text/html")])),
    "no JSON": ([OK + EVENTS + CHUNKED + chunk(b"data: {\n\n") + LAST], [answer(b"{")]),
    "a body shorter than its length": (
        [OK + EVENTS + b"content-length: 5000\r\n\r\n" + sse_event(role()), "close"],
        [OK + JSON + b"content-length: 5000\r\n\r\n" + WHOLE, "close"],
    ),
}


OTHERS = {
    "a refused request": both(answer(ERROR, 400)),
    "a busy provider": both(answer(ERROR, 503)),
    **{
        f"{name}, after content": ([PARTIAL, 0.03, *steps], [WHOLE_BEGUN, 0.03, *steps])
        for name, (steps, _) in AFTER.items()
    },
}
NUMBERS = {case: number for number, case in enumerate(itertools.product([*FAULTS, *OTHERS], WAYS))}
"""Each fault in each way has a provider of its own, so that none is left alone for what another one
did."""


def provider_of(fault: str, way: str) -> str:
    return f"p{NUMBERS[fault, way]}"


def play(request: Received) -> Sequence[Step]:
    number = int(request.target.split("/")[1])
    fault, _ = next(case for case, each in NUMBERS.items() if each == number)
    streamed, whole = FAULTS.get(fault) or OTHERS[fault]
    wants = bool(request.body) and json.loads(request.body).get("stream")
    return streamed if wants else whole


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    well = Script()
    well.play(GOOD, WHOLE_GOOD)
    with ThreadedServer([play]) as first, ThreadedServer([well]) as second:
        urls = {f"p{number}": f"{first.url}/{number}" for number in NUMBERS.values()}
        urls |= {
            "second": second.url,
            "refused": f"http://127.0.0.1:{free_port()}",
            "nowhere": "http://host.invalid",
        }
        config = {
            "timeouts": TIMEOUTS,
            "providers": {
                name: {"kind": "openai", "base_url": f"{url}/v1", "api_key": SERVER_KEY}
                | ({"timeouts": PATIENT} if name == "second" else {})
                for name, url in urls.items()
            },
            "models": {
                "route-*": ["*/gpt-4o", ALONE],
                "unreachable": ["refused/gpt-4o", "nowhere/gpt-4o", ALONE],
            },
            "routing": {"retry_budget": 1.0},
        }
        gateway = Gateway.start(tmp_path_factory.mktemp("failover"), config)
        yield gateway
        gateway.stop()
    assert "Traceback" not in "".join(gateway.output)
    assert "never retrieved" not in "".join(gateway.output)


MASKS = (
    (re.compile(r"[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"), "ID"),
    (re.compile(r'"(created|created_at|completed_at)":("[^"]*"|[\d.]+)'), r'"\1":0'),
    (re.compile(r'"(total|load|prompt_eval|eval)_duration":\d+'), r'"\1_duration":0'),
    (re.compile(r"(?<=\")(route-p\d+|unreachable|second/gpt-4o)(?=\")"), "MODEL"),
)
"""What differs between two answers of one target: ids, times, and the name that was asked for."""


def masked(body: bytes) -> str:
    text = body.decode()
    for pattern, instead in MASKS:
        text = pattern.sub(instead, text)
    return text


def ask(
    gateway: Gateway, way: str, model: str, headers: Mapping[str, str] = {}
) -> tuple[Reply, str]:
    """The reply, and its body without what differs."""
    dialect, stream = WAYS[way]
    path, body = dialect(model, stream)
    with gateway.client.open("POST", path, body, headers) as sent:
        reply = sent.read_head().reply()
    return reply, masked(reply.body)


@pytest.fixture(scope="module")
def alone(gateway: Gateway) -> dict[str, str]:
    """What the second target answers by itself, by way."""
    found = {}
    for way in WAYS:
        reply, found[way] = ask(gateway, way, ALONE)
        assert reply.status == 200
    return found


Case = tuple[str, str]


def ask_at_once(gateway: Gateway, cases: Iterable[Case]) -> list[tuple[Case, Reply, str]]:
    """Some of the faults take as long as a timeout. The id of each request is its provider."""

    def run(case: Case) -> tuple[Case, Reply, str]:
        provider = provider_of(*case)
        return case, *ask(gateway, case[1], f"route-{provider}", {"x-request-id": provider})

    with ThreadPoolExecutor(24) as pool:
        return list(pool.map(run, cases))


def records_of(gateway: Gateway) -> dict[str, list[dict[str, Any]]]:
    """By the id of the request."""
    found = defaultdict(list)
    for record in gateway.records():
        found[record["request_id"]].append(record)
    return found


def test_the_second_target_answers_as_it_would_alone(
    gateway: Gateway, alone: dict[str, str]
) -> None:
    replies = ask_at_once(gateway, itertools.product(FAULTS, WAYS))
    records = records_of(gateway)
    wrong = []
    for (fault, way), reply, body in replies:
        provider = provider_of(fault, way)
        told = [reply.headers.get(f"x-headway-{name}") for name in ("attempts", "served-by")]
        summary = [
            (each["provider"], each["role"], each["outcome"], each["is_last"])
            for each in records[provider]
        ]
        expected = [(provider, "first", "error", False), ("second", "fallback", "ok", True)]
        if (reply.status, body, told, summary) != (200, alone[way], ["2", ALONE], expected):
            wrong.append((fault, way, reply.status, body[:200], told, summary))
    assert wrong == []


@for_each("way", WAYS)
def test_targets_that_cannot_be_reached_are_passed_over(
    gateway: Gateway, alone: dict[str, str], way: str
) -> None:
    reply, body = ask(gateway, way, "unreachable")
    assert (reply.status, body) == (200, alone[way])
    assert reply.headers["x-headway-served-by"] == ALONE


@for_each("way", WAYS)
def test_a_request_that_the_target_refuses_ends_the_call(gateway: Gateway, way: str) -> None:
    """Another target would refuse it too."""
    ((_, reply, body),) = ask_at_once(gateway, [("a refused request", way)])
    assert reply.status == 400
    assert "boom" in body
    assert reply.headers["x-headway-attempts"] == "1"


def test_after_content_a_failure_is_an_honest_error(gateway: Gateway) -> None:
    """Never content from two targets."""
    streamed = [way for way in WAYS if "streamed" in way]
    faults = [f"{fault}, after content" for fault in AFTER]
    replies = ask_at_once(gateway, itertools.product(faults, streamed))
    records = records_of(gateway)
    wrong = []
    for (fault, way), reply, body in replies:
        outcomes = [
            (each["outcome"], each["attempts"]) for each in records[provider_of(fault, way)]
        ]
        is_right = reply.status == 200 and "PARTIAL" in body and "Hello" not in body
        if not is_right or not ("error" in body or "failed" in body) or outcomes != [("error", 1)]:
            wrong.append((fault, way, reply.status, body, outcomes))
    assert wrong == []


def test_the_error_of_a_route_whose_targets_all_fail_is_the_last_one(gateway: Gateway) -> None:
    busy = provider_of("a busy provider", "openai_chat")
    body = {"model": "refused/gpt-4o", "models": [f"{busy}/gpt-4o"], "messages": ASKED}
    with gateway.client.open("POST", "/v1/chat/completions", body) as sent:
        reply = sent.read_head().reply()
    assert reply.status == 503
    assert json.loads(reply.body)["error"]["message"] == "boom"


@for_each("way", WAYS)
def test_failover_can_be_switched_off(gateway: Gateway, way: str) -> None:
    route = f"route-{provider_of('a busy provider', way)}"
    reply, _ = ask(gateway, way, route, {"x-headway-no-fallback": "1"})
    assert reply.status in (503, 529)
    assert reply.headers["x-headway-attempts"] == "1"
