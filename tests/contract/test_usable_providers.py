"""By default the lists show what can be used; a caller's own key opens the rest."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from contract.conftest import Launch
from contract.shapes import error_of
from headway.providers import FACTS
from support.gateway_process import BODY_KEY, ENV_KEY, Gateway, clean_environment
from support.openai_upstream import Upstream

OWN = {kind for kind, facts in FACTS.items() if "127.0.0.1" in (facts.base_url or "")}
CLOUD = ("AWS_", "AZURE_", "GOOGLE_")
BUILT_IN = ["echo", "local"]


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway on a machine without keys, with no configuration but for its ledger."""
    directory = tmp_path_factory.mktemp("bare")
    keys = [facts.key_env for facts in FACTS.values() if facts.key_env]
    clouds = [name for name in os.environ if name.startswith(CLOUD)]
    nothing = dict.fromkeys([*keys, *clouds], "")
    running = Gateway.start(directory, {}, env={**nothing, "HOME": str(directory)})
    yield running
    running.stop()


def get(gateway: Gateway, path: str) -> Any:
    reply = gateway.client.get(path)
    assert reply.status == 200, reply
    return reply.json


def test_without_keys_only_what_is_built_in_is_listed(bare: Gateway) -> None:
    assert get(bare, "/api/engine/providers") == BUILT_IN
    assert list(get(bare, "/api/engine/models")) == BUILT_IN
    models = [model["id"] for model in get(bare, "/v1/models")["data"]]
    assert models == ["echo/echo", "local/smollm2-135m-instruct"]


def test_all_lists_the_rest(bare: Gateway) -> None:
    every = get(bare, "/api/engine/providers?all=1")
    assert set(every) == set(FACTS) - OWN
    assert list(get(bare, "/api/engine/models?all=1")) == every
    assert "openai/gpt-4o" in {model["id"] for model in get(bare, "/v1/models?all=1")["data"]}
    for off in ("", "0", "false"):
        assert get(bare, f"/api/engine/providers?all={off}") == BUILT_IN


def test_one_provider_is_listed_whether_it_can_be_used_or_not(bare: Gateway) -> None:
    assert "gpt-4o" in get(bare, "/api/engine/models?provider=openai")["models"]
    listed = get(bare, "/v1/models?provider=openai")["data"]
    assert {model["owned_by"] for model in listed} == {"openai"}


def test_details_say_which_have_a_key(launch: Launch) -> None:
    running = launch(env={"MISTRAL_API_KEY": ENV_KEY})
    found = get(running, "/api/engine/providers?details=1")
    assert list(found) == get(running, "/api/engine/providers")
    assert found["mistral"] == {
        "name": "Mistral",
        "kind": "mistral",
        "has_key": True,
        "key_variable": "MISTRAL_API_KEY",
        "is_configured": False,
    }
    assert found["openai"]["has_key"] is True
    assert found["needy"]["has_key"] is False
    assert found["needy"]["kind"] == "openai"
    assert found["keyless"]["has_key"] is None
    assert (found["echo"]["has_key"], found["echo"]["key_variable"]) == (None, None)
    every = get(running, "/api/engine/providers?details=1&all=1")
    assert every["anthropic"]["has_key"] is False
    assert ENV_KEY not in str(every)


def test_the_callers_own_key_opens_a_provider_that_is_not_listed(
    bare: Gateway, upstream: Upstream
) -> None:
    asked = {"api_key": BODY_KEY, "base_url": upstream.base_url}
    reply = bare.chat("mistral", model="mistral-small", **asked)
    assert (reply.status, upstream.exchanges[-1].key) == (200, BODY_KEY)
    error = error_of(bare.chat("mistral", model="mistral-small"), 401)
    assert "MISTRAL_API_KEY" in error["message"]


def test_only_these_are_served(launch: Launch, upstream: Upstream) -> None:
    base_url = {"base_url": upstream.base_url}
    running = launch(
        {"providers": {"only": ["openai", "gpu"], "gpu": {"kind": "vllm", **base_url}}}
    )
    for query in ("", "?all=1"):
        assert get(running, f"/api/engine/providers{query}") == ["openai", "gpu"]
    assert running.chat("gpu", model="m").status == 200
    for name in ("anthropic", "azure", "echo", "local", "vllm"):
        error = error_of(running.chat(name, api_key=BODY_KEY, **base_url), 404)
        assert "providers.only" in error["message"]
        assert "configured are: gpu, openai." in error["message"]
        asked = {"model": f"{name}/m", "messages": [{"role": "user", "content": "Hi"}]}
        error_of(running.client.call("POST", "/v1/chat/completions", asked), 404)
        error_of(
            running.client.call("POST", "/v1/embeddings", {"model": f"{name}/m", "input": "a"}), 404
        )
        error_of(running.client.get(f"/api/engine/models?provider={name}"), 404)
        error_of(running.client.get(f"/api/engine/parameters?provider={name}"), 404)


def test_a_reload_changes_what_is_served(launch: Launch, tmp_path: Path) -> None:
    running = launch()
    assert running.chat("echo", model="echo").status == 200
    running.reload({"providers": {"only": ["openai"]}})
    for _ in range(100):
        if get(running, "/api/engine/providers") == ["openai"]:
            break
    error_of(running.chat("echo", model="echo"), 404)


@pytest.mark.parametrize(
    ("name", "meant"), [("opnai", "openai"), ("Echo", "echo"), ("azur", "azure")]
)
def test_a_similar_provider_is_suggested_on_every_route(
    server: Gateway, name: str, meant: str
) -> None:
    asked = {"model": f"{name}/m", "messages": [{"role": "user", "content": "Hi"}]}
    replies = [
        server.chat(name),
        server.chat(name, is_stream=True),
        server.client.call("POST", "/v1/chat/completions", asked),
        server.client.call("POST", "/v1/embeddings", {"model": f"{name}/m", "input": "a"}),
        *(
            server.client.get(f"{path}?provider={name}")
            for path in ("/api/engine/models", "/api/engine/parameters", "/v1/models")
        ),
    ]
    for reply in replies:
        assert f"did you mean {meant}?" in error_of(reply, 404)["message"]


def test_a_similar_model_is_suggested_where_the_provider_is_missing(server: Gateway) -> None:
    asked = {"model": "gpt-4oo", "messages": [{"role": "user", "content": "Hi"}]}
    reply = server.client.call("POST", "/v1/chat/completions", asked)
    assert "did you mean openai/gpt-4o" in error_of(reply, 422)["message"]
    reply = server.client.call("POST", "/v1/embeddings", {"model": "echoo", "input": "a"})
    assert "did you mean echo/echo?" in error_of(reply, 422)["message"]


def test_the_environment_of_these_tests_has_no_keys() -> None:
    keys = {facts.key_env for facts in FACTS.values()}
    assert not keys & set(clean_environment({}))
