"""The registry of kinds: entries, aliases, lazy imports, and facts that hold for every adapter."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from headway.config import load
from headway.events import Text
from headway.metering.prices import read_shipped_prices
from headway.providers import ALIASES, FACTS, KINDS
from headway.providers.base import Provider, State
from headway.providers.capabilities import CAPABILITIES
from headway.providers.openai import fast_path as openai_fast_path
from headway.providers.openai import response as openai_response
from headway.providers.wire_formats import WIRE_FORMATS
from headway.types import Frame
from support.for_each import for_each

PRICED = set(json.loads(read_shipped_prices())["providers"])


@for_each("kind", KINDS)
def test_an_entry_has_the_facts_of_its_adapter(kind: str) -> None:
    facts, provider = FACTS[kind], KINDS[kind]
    stated = (facts.name, facts.title, facts.base_url, facts.key_env, facts.options, facts.secrets)
    assert stated == (
        kind,
        provider.title,
        provider.base_url,
        provider.key_env,
        provider.options,
        provider.secrets,
    )


SECRET_NAME = re.compile(r"secret|password|token$|access_key|api_key|private")


@for_each("kind", KINDS)
def test_an_option_named_like_a_secret_is_secret(kind: str) -> None:
    provider = KINDS[kind]
    assert provider.secrets == set(filter(SECRET_NAME.search, provider.options))


@for_each("kind", KINDS)
def test_a_kind_has_known_capabilities_and_a_known_price_list(kind: str) -> None:
    provider = KINDS[kind]
    assert set(provider.capabilities) <= set(CAPABILITIES)
    words = {note.partition(":")[0] for note in provider.capabilities.values()}
    assert words <= {"native", "emulated", "partial"}
    assert provider.price_id is None or provider.price_id in PRICED


@for_each("kind", KINDS)
def test_a_kind_encodes_and_decodes_embeddings_or_neither(kind: str) -> None:
    provider = KINDS[kind]
    has = provider.encode_embeddings is not None
    assert has == (provider.decode_embeddings is not None)
    assert has == ("embeddings" in provider.capabilities)


def test_names_are_unique_and_can_be_looked_up() -> None:
    assert len(set(KINDS)) == len(KINDS) == len(FACTS) == len(list(KINDS))
    assert all(isinstance(provider, Provider) for provider in KINDS.values())
    assert "nonesuch" not in KINDS
    assert KINDS.get("nonesuch") is None


def test_an_alias_can_be_looked_up_but_is_not_listed() -> None:
    assert KINDS["vertexai"] is KINDS["vertex"]
    assert "vertexai" in FACTS
    assert not set(ALIASES) & set(KINDS)
    assert set(ALIASES) == {"azure", "vertexai"}


def test_a_provider_may_be_configured_under_an_alias(tmp_path) -> None:
    path = tmp_path / "headway.yaml"
    path.write_text("providers:\n  vertexai: {project: p}\n  gpu: {kind: vertexai}\n")
    config = load(path, {"HOME": str(tmp_path)}, FACTS)
    assert config.providers["vertexai"].kind == "vertex"
    assert config.providers["vertexai"].options == {"project": "p"}
    assert config.providers["gpu"].kind == "vertex"


IMPORTED = """
import os, sys
from headway.config import load
from headway.providers import FACTS
load(None, {"HOME": "/home/user", "GROQ_API_KEY": "k"}, FACTS)
print([name for name in sys.modules if name.startswith("headway.providers.")])
"""


def test_reading_a_configuration_imports_no_adapter() -> None:
    done = subprocess.run(
        [sys.executable, "-c", IMPORTED], capture_output=True, text=True, check=True
    )
    imported = set(ast.literal_eval(done.stdout))
    adapters = {entry.module_name for entry in WIRE_FORMATS}
    assert adapters.isdisjoint(imported)
    assert "headway.providers.openai_compatible.provider" not in imported


def test_summarize_is_used_only_with_the_decoder_that_it_replaces() -> None:
    for kind in KINDS:
        provider = KINDS[kind]
        assert provider.summarize in (None, openai_fast_path.summarize)
        if provider.summarize is not None:
            assert provider.decode_response is openai_response.decode_response, kind


TEXT_CHOICE = {"index": 0, "delta": {"content": "Hi"}}
USAGE = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 6, "reasoning_tokens": 3}
CHOICES = [
    TEXT_CHOICE,
    {**TEXT_CHOICE, "finish_reason": "stop"},
    {**TEXT_CHOICE, "finish_reason": "stop", "usage": USAGE},
    {**TEXT_CHOICE, "usage": USAGE},
    {**TEXT_CHOICE, "index": 1},
    {"index": 0, "delta": {"content": [{"type": "text", "text": "Hi"}]}},
    {"index": 0, "delta": {"content": "Hi", "reasoning_details": [{"type": "reasoning.text"}]}},
    {"index": 0, "delta": {"content": "Hi", "reasoning_content": "hm"}},
    {"index": 0, "delta": {}, "finish_reason": "stop"},
]
FIELDS: dict[str, list[Any]] = {
    "usage": [None, USAGE],
    "x_groq": [None, {"id": "1"}, {"usage": USAGE}, {"error": "over_capacity"}],
    "citations": [["https://a.example"]],
    "search_results": [[{"url": "https://a.example", "title": "A"}]],
    "error": [None, {"message": "Oops"}],
    "base_resp": [{"status_code": 0}, {"status_code": 1008, "status_msg": "No."}],
}
CHUNKS = st.fixed_dictionaries(
    {"choices": st.lists(st.sampled_from([TEXT_CHOICE, *CHOICES]), min_size=1, max_size=1)},
    optional={name: st.sampled_from(values) for name, values in FIELDS.items()},
)
WITH_READ_TEXT = sorted(name for name, provider in KINDS.items() if provider.read_text is not None)


@given(st.sampled_from(WITH_READ_TEXT), st.lists(CHUNKS, max_size=4))
def test_read_text_and_decode_event_agree(kind: str, chunks: list[dict[str, Any]]) -> None:
    provider = KINDS[kind]
    decoder_state: State = {}
    shortcut_state: State = {}
    assert provider.read_text is not None
    for chunk in [{"choices": [TEXT_CHOICE]}, *chunks, {"choices": [], "usage": USAGE}]:
        data = json.dumps({"id": "1", **chunk}).encode()
        events = outcome(provider, data, decoder_state)
        text = provider.read_text(data) if shortcut_state else None
        by_shortcut = (
            outcome(provider, data, shortcut_state) if text is None else repr([Text(text)])
        )
        assert events == by_shortcut


def outcome(provider: Provider, data: bytes, state: State) -> str:
    """The events as text, because errors and raw JSON compare by identity."""
    return re.sub(" at 0x[0-9a-f]+", "", repr(provider.decode_event(Frame(data, None, b""), state)))


def test_kinds_whose_transforms_leave_text_alone_have_read_text() -> None:
    assert {"openai", "groq", "xai", "mistral", "perplexity", "moonshot", "dashscope"} <= set(
        WITH_READ_TEXT
    )
    assert {"openrouter", "minimax", "azure_openai", "anthropic"}.isdisjoint(WITH_READ_TEXT)
