"""Whole numbers that clients write as floats reach every provider as integers."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from headway.providers import KINDS
from support.for_each import for_each
from support.pipeline_fakes import Pipe

GIVEN = {"max_tokens": 1e2, "seed": 7.0, "n": 1.0, "top_k": 5.0, "top_logprobs": 2.0}
ROUTES = ("engine", "chat")


@for_each("route", ROUTES)
@for_each("kind", sorted(KINDS))
def test_whole_numbers_are_sent_as_integers(kind: str, route: str) -> None:
    adapter = replace(KINDS[kind], sign=None, credentials=None)
    options: dict[str, Any] = dict.fromkeys(adapter.options.keys() - {"api"}, "x")
    pipe = Pipe(provider=adapter, base_url="https://example.org/v1", options=options)
    if route == "chat":
        pipe.ask_openai(model="openai/m", logprobs=True, **GIVEN)
    else:
        pipe.ask(model="m", parameters={"logprobs": True, **GIVEN})
    assert pipe.upstream_requests, pipe.sink.body
    body = pipe.upstream.request.body
    assert b"100" in body
    assert b".0" not in body
