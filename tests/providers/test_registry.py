"""The light table of kinds says what the adapters say, and spares whoever needs no adapter."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.config import load
from headway.metering.prices import read_shipped_prices
from headway.providers import ALIASES, FACTS, KINDS
from headway.providers.base import Provider, State
from headway.providers.capabilities import CAPABILITIES
from headway.providers.openai import fast_path as openai_fast_path
from headway.providers.openai import response as openai_response
from headway.providers.wire_formats import WIRE_FORMATS
from headway.types import Frame, Text

PRICED = set(json.loads(read_shipped_prices())["providers"])


@pytest.mark.parametrize("kind", KINDS)
def test_the_table_says_what_the_adapter_says(kind: str) -> None:
    facts, provider = FACTS[kind], KINDS[kind]
    said = (facts.name, facts.title, facts.base_url, facts.key_env, facts.options, facts.secrets)
    assert said == (
        kind,
        provider.title,
        provider.base_url,
        provider.key_env,
        provider.options,
        provider.secrets,
    )


SOUNDS_SECRET = re.compile(r"secret|password|token$|access_key|api_key|private")


@pytest.mark.parametrize("kind", KINDS)
def test_an_option_that_sounds_secret_is_marked_so(kind: str) -> None:
    provider = KINDS[kind]
    assert provider.secrets == set(filter(SOUNDS_SECRET.search, provider.options))


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_has_known_features_and_a_known_price_list(kind: str) -> None:
    provider = KINDS[kind]
    assert set(provider.capabilities) <= set(CAPABILITIES)
    words = {note.partition(":")[0] for note in provider.capabilities.values()}
    assert words <= {"native", "emulated", "partial"}
    assert provider.price_id is None or provider.price_id in PRICED


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_has_embeddings_both_ways_and_says_so(kind: str) -> None:
    provider = KINDS[kind]
    has = provider.encode_embeddings is not None
    assert has == (provider.decode_embeddings is not None)
    assert has == ("embeddings" in provider.capabilities)


def test_no_two_kinds_share_a_name_and_lookups_agree_with_the_list() -> None:
    assert len(set(KINDS)) == len(KINDS) == len(FACTS) == len(list(KINDS))
    assert all(isinstance(provider, Provider) for provider in KINDS.values())
    assert "nonesuch" not in KINDS
    assert KINDS.get("nonesuch") is None


def test_an_alias_is_found_and_not_listed() -> None:
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


WATCH = """
import os, sys
from headway.config import load
from headway.providers import FACTS
load(None, {"HOME": "/home/user", "GROQ_API_KEY": "k"}, FACTS)
print([name for name in sys.modules if name.startswith("headway.providers.")])
"""


def test_reading_a_configuration_imports_no_adapter() -> None:
    done = subprocess.run([sys.executable, "-c", WATCH], capture_output=True, text=True, check=True)
    imported = set(ast.literal_eval(done.stdout))
    adapters = {f"headway.providers.{entry.module}" for entry in WIRE_FORMATS}
    assert adapters.isdisjoint(imported)
    assert "headway.providers.openai_compatible.provider" not in imported


def test_a_short_cut_is_taken_only_past_the_very_functions_that_it_abbreviates() -> None:
    for kind in KINDS:
        provider = KINDS[kind]
        assert provider.summarize in (None, openai_fast_path.summarize)
        if provider.summarize is not None:
            assert provider.decode_response is openai_response.decode_response, kind


PIECE = {"index": 0, "delta": {"content": "Hi"}}
USAGE = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 6, "reasoning_tokens": 3}
CHOICES = [
    PIECE,
    {**PIECE, "finish_reason": "stop"},
    {**PIECE, "finish_reason": "stop", "usage": USAGE},
    {**PIECE, "usage": USAGE},
    {**PIECE, "index": 1},
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
    {"choices": st.lists(st.sampled_from([PIECE, *CHOICES]), min_size=1, max_size=1)},
    optional={name: st.sampled_from(values) for name, values in FIELDS.items()},
)
TELLERS = sorted(name for name, provider in KINDS.items() if provider.read_text is not None)


@given(st.sampled_from(TELLERS), st.lists(CHUNKS, max_size=4))
def test_a_text_that_is_told_by_itself_is_all_that_its_event_is(
    kind: str, chunks: list[dict[str, Any]]
) -> None:
    provider = KINDS[kind]
    whole: State = {}
    short: State = {}
    assert provider.read_text is not None
    for chunk in [{"choices": [PIECE]}, *chunks, {"choices": [], "usage": USAGE}]:
        data = json.dumps({"id": "1", **chunk}).encode()
        events = outcome(provider, data, whole)
        text = provider.read_text(data) if short else None
        assert events == (outcome(provider, data, short) if text is None else repr([Text(text)]))


def outcome(provider: Provider, data: bytes, state: State) -> str:
    """What is read, in words: errors, and raw JSON, are equal to themselves alone."""
    return re.sub(" at 0x[0-9a-f]+", "", repr(provider.decode_event(Frame(data, None, b""), state)))


def test_those_tell_a_text_by_itself_whose_readers_let_it_be() -> None:
    assert {"openai", "groq", "xai", "mistral", "perplexity", "moonshot", "dashscope"} <= set(
        TELLERS
    )
    assert {"openrouter", "minimax", "azure_openai", "anthropic"}.isdisjoint(TELLERS)
