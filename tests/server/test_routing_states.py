"""What one worker finds broken, the others of the server do not try."""

from __future__ import annotations

import asyncio
import logging
import tempfile
import time
from pathlib import Path

import pytest

from headway.config import Config, load
from headway.providers import FACTS
from headway.routing_state.memory import MemoryRoutingState
from headway.routing_state.shared import SharedRoutingState
from headway.server.routing_states import configure, new_breaker_rule, new_routing_state
from support.gateway_process import Gateway
from support.scripted_server import ThreadedServer, answer

WORKERS, FAILURES = 4, 3
BREAKER = {"failures": 4, "error_share": 0.75, "min_attempts": 9, "window": 40, "cool_down": 7,
           "max_cool_down": 70}  # fmt: skip


def config(tmp_path: Path, text: str = "") -> Config:
    path = tmp_path / "headway.yaml"
    path.write_text(text)
    return load(path, {}, FACTS)


def test_workers_do_not_try_what_another_found_broken(tmp_path: Path) -> None:
    """Without a word between them, each of the four would have to fail three times."""
    with ThreadedServer([answer(b'{"error": {"message": "Oh."}}', 500)]) as broken:
        gateway = Gateway.start(
            tmp_path,
            {
                "models": {"safe": ["broken/m", "echo/echo"]},
                "providers": {"broken": {"kind": "openai", "base_url": broken.url, "api_key": "k"}},
                "routing": {"breaker": {"failures": FAILURES, "cool_down": 300}},
                "server": {"workers": WORKERS},
            },
        )
        try:
            body = {"model": "safe", "messages": [{"role": "user", "content": "Hello"}]}
            for _ in range(100):  # each on a connection of its own, so all workers get some
                reply = gateway.client.call("POST", "/v1/chat/completions", body)
                assert reply.status == 200, reply.body
                if len(broken.requests) >= FAILURES:
                    time.sleep(0.001)
        finally:
            gateway.stop()
        opened = [line for line in gateway.output if "failed too often" in line]
    assert FAILURES <= len(broken.requests) < WORKERS * FAILURES
    assert len(opened) < WORKERS


def test_the_configuration_says_when_a_breaker_opens(tmp_path: Path) -> None:
    given = config(tmp_path, f"routing: {{breaker: {BREAKER}, retry_budget: 0.3}}")
    rule = new_breaker_rule(given)
    assert (rule.failures, rule.error_share, rule.minimum) == (4, 0.75, 9)
    assert (rule.window_s, rule.cool_down_s, rule.max_cool_down_s) == (40.0, 7.0, 70.0)
    state = new_routing_state(given, None, time.perf_counter)
    assert type(state) is MemoryRoutingState
    assert state.target("a/b").budget.share == 0.3
    configure(state, config(tmp_path))
    assert state.target("a/b").budget.share == 0.1
    assert state.target("a/b").breaker.rule == new_breaker_rule(config(tmp_path))


def test_the_workers_of_a_server_share_it(tmp_path: Path) -> None:
    async def start() -> None:
        with tempfile.TemporaryDirectory(dir="/tmp") as shared:
            state = new_routing_state(config(tmp_path), Path(shared), time.perf_counter)
            assert type(state) is SharedRoutingState
            state.close()

    asyncio.run(start())


def test_a_worker_whose_directory_has_a_long_path_serves_all_the_same(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def start() -> None:
        shared = tmp_path / ("x" * 120)
        shared.mkdir()
        state = new_routing_state(config(tmp_path), shared, time.perf_counter)
        assert type(state) is MemoryRoutingState

    with caplog.at_level(logging.WARNING, "headway"):
        asyncio.run(start())
    assert "is not shared with the others" in caplog.text
