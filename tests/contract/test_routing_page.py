"""docs/routing.md: each recipe does what the page says, against scripted providers."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from headway.config import load
from headway.providers import FACTS
from support.for_each import for_each
from support.gateway_process import Gateway
from support.openai_completions import finish, join_chunks, role, text, usage
from support.raw_client import Reply
from support.scripted_server import Received, Step, ThreadedServer, answer

PAGE = (Path(__file__).parents[2] / "docs" / "routing.md").read_text()
SECTIONS = re.findall(r"^### (.*?)\n(.*?)(?=^##|\Z)", PAGE, re.MULTILINE | re.DOTALL)
BLOCK = re.compile(r"```yaml\n(.*?)```", re.DOTALL)
RECIPES = {name: found[1] for name, body in SECTIONS if (found := BLOCK.search(body))}
PROVIDERS = ("openai", "anthropic", "east", "west")
WHOLE = json.dumps(join_chunks([role(), text("Hello"), finish(), usage()])).encode()
MESSAGE = json.dumps(
    {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-sonnet-4-5",
        "content": [{"type": "text", "text": "Hello"}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 9, "output_tokens": 9},
    }
).encode()


class Providers:
    """All providers on one server, by the first part of the path. ``asked`` are the names and
    models that got a request, ``down`` the names that answer with 503."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        self.down: set[str] = set()
        self.delays: dict[str, float] = {}

    def __call__(self, request: Received) -> Sequence[Step]:
        name = request.target.split("/")[1]
        self.asked.append((name, json.loads(request.body)["model"]))
        if name in self.down:
            return [answer(b'{"error": {"message": "down"}}', 503)]
        body = MESSAGE if name == "anthropic" else WHOLE
        return [self.delays.get(name, 0.0), answer(body)]

    @property
    def models(self) -> Counter[str]:
        return Counter(model for _, model in self.asked)


@contextmanager
def serving(directory: Path, recipe: str) -> Iterator[tuple[Gateway, Providers]]:
    """A gateway with the recipe as it is on the page, but for the addresses."""
    providers = Providers()
    config: dict[str, Any] = yaml.safe_load(RECIPES[recipe])
    with ThreadedServer([providers]) as server:
        own = config.setdefault("providers", {})
        for name in PROVIDERS:
            url = f"{server.url}/{name}" + ("" if name == "anthropic" else "/v1")
            given = own.get(name, {} if name in FACTS else {"kind": "openai"})
            own[name] = {"api_key": "sk-x", **given, "base_url": url}
        gateway = Gateway.start(directory, config)
        try:
            yield gateway, providers
        finally:
            gateway.stop()


def ask(gateway: Gateway, model: str, content: str = "Hi", **fields: Any) -> Reply:
    body = {"model": model, "messages": [{"role": "user", "content": content}], **fields}
    with gateway.client.open("POST", "/v1/chat/completions", body) as sent:
        reply = sent.read_head().reply()
    assert reply.status == 200, reply.body
    return reply


Check = Callable[[Gateway, Providers], None]
CHECKS: dict[str, Check] = {}


def recipe(name: str) -> Callable[[Check], Check]:
    def add(check: Check) -> Check:
        CHECKS[name] = check
        return check

    return add


@recipe("A fallback")
def check_fallback(gateway: Gateway, providers: Providers) -> None:
    assert ask(gateway, "chat").headers["x-headway-served-by"] == "openai/gpt-5"
    providers.down.add("openai")
    reply = ask(gateway, "chat")
    assert reply.headers["x-headway-served-by"] == "anthropic/claude-sonnet-4-5"
    assert json.loads(reply.body)["choices"][0]["message"]["content"] == "Hello"


@recipe("Two regions")
def check_regions(gateway: Gateway, providers: Providers) -> None:
    providers.delays["east"] = 0.2
    for _ in range(20):
        ask(gateway, "gpt-5")
    names = Counter(name for name, _ in providers.asked)
    assert names["west"] > names["east"] > 0, "both were measured, and the faster one is used"
    providers.down.add("west")
    assert ask(gateway, "gpt-5").headers["x-headway-served-by"] == "east/gpt-5"


@recipe("Cheap first")
def check_cheap(gateway: Gateway, providers: Providers) -> None:
    ask(gateway, "smart")
    assert providers.models == {"gpt-5-mini": 1}
    ask(gateway, "smart", "word " * 8000)
    tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
    ask(gateway, "smart", tools=[tool])
    assert providers.models == {"gpt-5-mini": 1, "gpt-5": 2}


@recipe("A canary")
def check_canary(gateway: Gateway, providers: Providers) -> None:
    for _ in range(400):
        ask(gateway, "assistant")
    assert 2 <= providers.models["gpt-5.1"] <= 50, "20 on average, within five deviations"


@recipe("A cache")
def check_cache(gateway: Gateway, providers: Providers) -> None:
    first, second = ask(gateway, "faq"), ask(gateway, "faq")
    assert (first.headers["x-headway-cache"], second.headers["x-headway-cache"]) == ("miss", "hit")
    assert second.headers["x-headway-cost-usd"] == "0"
    assert len(providers.asked) == 1


def test_there_are_five_recipes_first_and_each_is_checked() -> None:
    assert list(RECIPES)[:5] == list(CHECKS)


@pytest.mark.parametrize("name", CHECKS)
def test_a_recipe_does_what_the_page_says(tmp_path: Path, name: str) -> None:
    with serving(tmp_path, name) as (gateway, providers):
        CHECKS[name](gateway, providers)


@for_each("name", RECIPES)
def test_every_block_of_the_page_is_a_configuration(tmp_path: Path, name: str) -> None:
    path = tmp_path / "headway.yaml"
    path.write_text(RECIPES[name])
    load(path, {"HOME": str(tmp_path)}, FACTS)
