"""Kept requests in every wire format run again through a real pipeline, with the echo provider."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec import Raw
from msgspec.structs import replace

from headway.config import Config, Overrides, load
from headway.errors import RequestError
from headway.ledger.spool import list_files
from headway.ledger.store import Call, Conversation
from headway.providers import FACTS
from headway.record import Content, Record, decode_entry
from headway.server.app import App
from headway.server.replay import Replay, ReplayComparison, run_replay
from support.for_each import for_each
from support.ledger_stores import make_record
from support.waiting import PATIENCE_S

KEY = "the-gateway-key"
CONFIG = """\
ledger: {{url: 'sqlite:///{folder}/ledger.db', spool: '{folder}/spool', content: full}}
server: {{api_keys: [{key}]}}
cache: {{ttl: 60}}
prices: {{echo: {{echo: {{input: 2, output: 8}}, other: {{input: 1, output: 4}}}}}}
"""
HEADERS = ((b"authorization", b"Bearer " + KEY.encode()), (b"x-headway-session", b"theirs"))


class Gateway:
    """A gateway of its own, without a server."""

    def __init__(self, folder: Path) -> None:
        file = folder / "headway.yaml"
        file.write_text(CONFIG.format(folder=folder, key=KEY))
        self.config: Config = load(str(file), dict(os.environ), FACTS, Overrides())
        self.runner = asyncio.Runner()
        self.app = App(self.config, runs_shipper=False)
        self.runner.run(self.app.start())

    def replay(
        self,
        conversation: Conversation | None,
        replay: Replay,
        headers: Any = HEADERS,
        **fields: Any,
    ) -> ReplayComparison:
        record = replace(make_record(1), content="full", **fields)
        work = run_replay(self.app.gateway, Call((record,)), conversation, replay, headers)
        return self.runner.run(work)

    def written(self) -> list[Record | Content]:
        files = sorted(each.path for each in list_files(self.config.ledger.spool))
        lines = [line for file in files for line in Path(file).read_bytes().splitlines()]
        return [decode_entry(line) for line in lines if line]  # type: ignore[misc]

    def close(self) -> None:
        self.runner.run(self.app.close())
        self.runner.close()


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    gateway = Gateway(tmp_path_factory.mktemp("gateway"))
    yield gateway
    gateway.close()


def kept(wire: str, messages: str, output: str = "Two words", **parameters: str) -> Conversation:
    items = Raw(messages.encode())
    answer = Raw(b'{"role":"assistant","content":"%b"}' % output.encode())
    named = {name: Raw(text.encode()) for name, text in parameters.items()}
    return Conversation("c", wire, "full", (items,), (answer,), named, Raw(b"null"))


CHAT = '{"role":"user","content":"Two words"}'
BLOCKS = '{"role":"user","content":[{"type":"text","text":"Two words"}]}'


@for_each(
    "wire, messages, parameters",
    [
        ("openai_chat", CHAT, {"temperature": "0.5"}),
        ("anthropic_messages", BLOCKS, {"system": '"Be brief."', "max_tokens": "50"}),
        ("openai_responses", CHAT, {"previous_response_id": '"resp_1"', "store": "true"}),
        ("gemini", '{"role":"user","parts":[{"text":"Two words"}]}', {}),
        ("ollama_chat", CHAT, {"options": '{"seed":1}'}),
        ("ollama_generate", CHAT, {"raw": "false", "system": '"x"'}),
        ("openai_completions", CHAT, {"max_tokens": "9"}),
    ],
)
def test_requests_in_every_wire_format_run_again(
    gateway: Gateway, wire: str, messages: str, parameters: dict[str, str]
) -> None:
    for stream in (False, True):
        comparison = gateway.replay(
            kept(wire, messages, **parameters), Replay(("echo/echo",)), stream=stream
        )
        [result] = comparison.results
        assert result.error is None
        assert (result.text, result.finish_reason) == ("Two words", "stop")
        assert result.output == [{"content": "Two words", "role": "assistant"}]
        assert result.difference is not None
        assert result.difference.same_text


def test_models_are_compared_with_the_original_and_each_other(gateway: Gateway) -> None:
    replay = Replay(("echo/other", "nobody/model", "echo/echo"))
    comparison = gateway.replay(kept("openai_chat", CHAT, "Another answer"), replay)
    assert comparison.original.text == "Another answer"
    assert comparison.original.call.cost_usd == 0.0036
    cheap, unknown, costly = comparison.results
    assert [cheap.model, unknown.model, costly.model] == list(replay.models)
    assert cheap.metrics is not None
    assert costly.metrics is not None
    assert cheap.metrics.cost_usd == pytest.approx(0.00001)
    assert costly.metrics.cost_usd == pytest.approx(0.00002)
    assert cheap.difference is not None
    assert cheap.difference.cost_usd == pytest.approx(0.00001 - 0.0036)
    assert cheap.difference.same_text is False
    assert unknown.error is not None
    assert (unknown.status, unknown.error.type, unknown.metrics) == (404, "not_found_error", None)


def test_each_run_is_metered_as_a_call_with_the_tag_of_the_original(gateway: Gateway) -> None:
    comparison = gateway.replay(
        kept("openai_chat", CHAT, metadata='{"team":"search"}'), Replay(("echo/echo",))
    )
    entries = gateway.written()
    [record] = [
        each for each in entries if isinstance(each, Record) and each.id == comparison.results[0].id
    ]
    assert record.tags[0] == f"replay:{comparison.id}"
    assert record.session_id == f"replay-{comparison.id[:8]}"
    assert record.route == "/api/replay/{id}"
    assert record.dialect == "openai_chat"
    assert record.key_id == gateway.app.gateway.snapshot.keys.digests[0][1]
    assert any(isinstance(each, Content) and each.call_id == record.call_id for each in entries)


def test_a_run_is_never_answered_from_the_cache(gateway: Gateway) -> None:
    request = kept("openai_chat", CHAT, temperature="0")
    ids = [gateway.replay(request, Replay(("echo/echo",))).results[0].id for _ in range(2)]
    records = [each for each in gateway.written() if isinstance(each, Record) and each.id in ids]
    assert [record.cache for record in records] == ["bypass", "bypass"]


def test_parameters_replace_those_of_the_request_and_null_removes_one(gateway: Gateway) -> None:
    parameters = {"temperature": Raw(b"0"), "seed": Raw(b"null"), "stream": Raw(b"true")}
    kept_request = kept("openai_chat", CHAT, temperature="1", seed="7")
    comparison = gateway.replay(kept_request, Replay(("echo/echo",), parameters))
    records = {each.id: each for each in gateway.written() if isinstance(each, Record)}
    record = records[comparison.results[0].id or ""]
    assert {name: bytes(raw) for name, raw in record.parameters.items()} == {"temperature": b"0"}
    assert record.stream is True


def test_a_client_without_a_key_cannot_run_anything(gateway: Gateway) -> None:
    comparison = gateway.replay(kept("openai_chat", CHAT), Replay(("echo/echo",)), headers=())
    assert comparison.results[0].status == 401


def test_what_cannot_run_again_says_why(gateway: Gateway) -> None:
    hashes = replace(kept("openai_chat", '"abc"'), mode="hash")
    for conversation, code, words in (
        (None, "content_not_kept", "ledger.content: full"),
        (hashes, "content_not_kept", "`hash`"),
        (kept("openai_embeddings", '"text"'), "not_replayable", "openai_embeddings is no chat"),
    ):
        with pytest.raises(RequestError) as caught:
            gateway.replay(conversation, Replay(("echo/echo",)))
        assert (caught.value.status, caught.value.code) == (409, code)
        assert words in caught.value.message


def test_wrong_requests_name_the_field(gateway: Gateway) -> None:
    for replay, param in (
        (Replay(()), "models"),
        (Replay(("echo/echo",) * 21), "models"),
        (Replay(("echo/echo",), {"model": Raw(b'"x"')}), "parameters.model"),
        (Replay(("echo/echo",), {"api_key": Raw(b'"x"')}), "parameters.api_key"),
    ):
        with pytest.raises(RequestError) as caught:
            gateway.replay(kept("openai_chat", CHAT), replay)
        assert caught.value.param == param


def test_a_caller_that_stops_waiting_ends_the_call(gateway: Gateway) -> None:
    async def leave() -> None:
        record = replace(make_record(1), content="full")
        slow = kept("openai_chat", '{"role":"user","content":"wait"}')
        work = asyncio.ensure_future(
            run_replay(gateway.app.gateway, Call((record,)), slow, Replay(("echo/echo",)), HEADERS)
        )
        while not gateway.app.gateway.active:
            await asyncio.sleep(0)
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work
        async with asyncio.timeout(PATIENCE_S):  # its tokens may be counted first
            while gateway.app.gateway.active:
                await asyncio.sleep(0.001)

    gateway.runner.run(leave())
