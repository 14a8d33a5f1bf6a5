"""With the real model: answers, one start, a restart, an end."""

from __future__ import annotations

import asyncio
import http.client
import importlib.util
import json
import os
import re
import signal
import sys
import tomllib
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import uvloop
from child_processes import wait_for

from headway.errors import UpstreamUnreachable
from headway.local.launcher import INSTALL, LocalModel, default_threads
from headway.local.weights import MODEL, locate
from support.processes import is_gone
from support.waiting import PATIENCE_S

NOWHERE = Path("/nonexistent")
needs_model = pytest.mark.skipif(locate(NOWHERE) is None, reason="the weights are not installed")
LOOPS = [asyncio.new_event_loop, uvloop.new_event_loop]


def run(
    use: Callable[[LocalModel], Coroutine[Any, Any, None]],
    loop: Callable[[], asyncio.AbstractEventLoop] = asyncio.new_event_loop,
) -> None:
    async def whole() -> None:
        model = LocalModel(NOWHERE)
        try:
            await use(model)
        finally:
            await model.close()

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(whole())


def connect(base_url: str) -> http.client.HTTPConnection:
    address = urlsplit(base_url)
    return http.client.HTTPConnection(address.hostname or "", address.port, timeout=PATIENCE_S)


def chat(base_url: str, **options: object) -> tuple[int, Any]:
    connection = connect(base_url)
    body = {"messages": [{"role": "user", "content": "Hello! Who are you?"}], **options}
    connection.request("POST", f"{urlsplit(base_url).path}/chat/completions", json.dumps(body))
    response = connection.getresponse()
    payload = json.loads(response.read())
    connection.close()
    return response.status, payload


@needs_model
@pytest.mark.parametrize("loop", LOOPS)
def test_the_model_gives_the_same_output_at_temperature_zero(
    loop: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    async def use(model: LocalModel) -> None:
        base_url = await model.base_url()
        assert base_url.startswith("http://127.0.0.1:")
        assert base_url.endswith("/v1")
        answers = [
            await asyncio.to_thread(chat, base_url, temperature=0, max_tokens=8) for _ in range(2)
        ]
        status, first = answers[0]
        assert status == 200
        assert first["model"] == MODEL
        assert first["usage"]["completion_tokens"] == 8
        assert first["choices"][0]["finish_reason"] == "length"
        assert first["choices"][0]["message"] == answers[1][1]["choices"][0]["message"]

    run(use, loop)


@needs_model
@pytest.mark.parametrize("loop", LOOPS)
def test_a_killed_model_is_back_at_the_same_address(
    loop: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    async def use(model: LocalModel) -> None:
        before = await asyncio.gather(model.base_url(), model.base_url())
        first = model.pid
        assert first is not None
        os.kill(first, signal.SIGKILL)
        assert await asyncio.to_thread(wait_for, lambda: model.pid != first, 5)
        assert [await model.base_url()] * 2 == before
        assert model.pid != first
        status, _ = await asyncio.to_thread(chat, before[0], max_tokens=1)
        assert status == 200

    run(use, loop)


@needs_model
def test_only_this_machine_can_connect_web_pages_cannot_read_and_prompts_are_private() -> None:
    async def use(model: LocalModel) -> None:
        base_url = await model.base_url()
        assert await asyncio.to_thread(look, base_url) == (501, "")
        sockets = Path("/proc/net/tcp")
        if sockets.exists():
            port = f"{urlsplit(base_url).port:04X}"
            listening = [
                line.split()[1] for line in sockets.read_text().splitlines() if " 0A " in line
            ]
            assert [each for each in listening if each.endswith(port)] == [f"0100007F:{port}"]

    def look(base_url: str) -> tuple[int, str | None]:
        connection = connect(base_url)
        connection.request("GET", "/slots", headers={"Origin": "https://example.org"})
        response = connection.getresponse()
        response.read()
        connection.close()
        return response.status, response.headers["access-control-allow-origin"]

    run(use)


@needs_model
def test_a_model_started_in_advance_is_ready_when_needed_and_stops_on_close() -> None:
    pids: list[int] = []

    async def use(model: LocalModel) -> None:
        model.start()
        await model.base_url()
        assert model.pid is not None
        pids.append(model.pid)

    run(use)
    assert is_gone(pids[0])


@needs_model
def test_the_error_for_invalid_weights_quotes_the_model_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bad.gguf").write_bytes(b"no model")

    async def bad_weights(model: LocalModel) -> Path:
        return tmp_path / "bad.gguf"

    monkeypatch.setattr(LocalModel, "_weights", bad_weights)

    async def use(model: LocalModel) -> None:
        with pytest.raises(UpstreamUnreachable, match="model loading error"):
            await model.base_url()

    run(use)


def test_without_xllamacpp_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "xllamacpp" else found(name)
    )

    async def use(model: LocalModel) -> None:
        with pytest.raises(UpstreamUnreachable, match=re.escape(INSTALL)):
            await model.base_url()

    run(use)


def test_missing_weights_are_downloaded_and_announced(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from headway.local import weights

    async def fetch(cache_dir: Path, progress: Callable[[str], None]) -> Path:
        progress(f"fetching into {cache_dir}")
        raise weights.unavailable("no network")

    monkeypatch.setattr(weights, "locate", lambda cache_dir: None)
    monkeypatch.setattr(weights, "fetch", fetch)

    async def ask() -> None:
        model = LocalModel(tmp_path)
        with pytest.raises(UpstreamUnreachable, match="no network"):
            await model.base_url()
        await model.close()

    asyncio.run(ask())
    assert capsys.readouterr().err == f"fetching into {tmp_path}\n"


@pytest.mark.parametrize(
    ("limit", "threads"),
    [
        ("max 100000", None),
        ("100000 100000", 1),
        ("50000 100000", 1),
        ("garbage", None),
        (None, None),
    ],
)
def test_one_core_is_left_to_the_gateway(
    limit: str | None, threads: int | None, tmp_path: Path
) -> None:
    if limit is not None:
        (tmp_path / "cpu.max").write_text(f"{limit}\n")
    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    unlimited = max(1, min(4, cores - 1))
    assert default_threads(tmp_path / "cpu.max") == (threads or unlimited)


def test_the_remedy_has_the_version_that_was_tested() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    [requirement] = project["optional-dependencies"]["local"]
    assert f"pip install {requirement}" == INSTALL
