"""The light table of kinds says what the adapters say, and spares whoever needs no adapter."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys

import pytest

from headway.config import load
from headway.metering.prices import shipped
from headway.providers import ALIASES, FACTS, KINDS, openai
from headway.providers.features import FEATURES
from headway.providers.provider import Provider

PRICED = set(json.loads(shipped())["providers"])


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
    assert set(provider.features) <= set(FEATURES)
    words = {note.partition(":")[0] for note in provider.features.values()}
    assert words <= {"native", "emulated", "partial"}
    assert provider.price_id is None or provider.price_id in PRICED


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_has_embeddings_both_ways_and_says_so(kind: str) -> None:
    provider = KINDS[kind]
    has = provider.encode_embeddings is not None
    assert has == (provider.decode_embeddings is not None)
    assert has == ("embeddings" in provider.features)


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
    light = {"headway.providers.kinds", "headway.providers.variables"}
    assert set(ast.literal_eval(done.stdout)) == light


def test_a_short_cut_is_taken_only_past_the_very_functions_that_it_abbreviates() -> None:
    for kind in KINDS:
        provider = KINDS[kind]
        assert provider.summarize in (None, openai.summarize)
        assert provider.read_text in (None, openai.read_text)
        if provider.summarize is not None:
            assert provider.decode_response is openai.decode_response, kind
        if provider.read_text is not None:
            assert provider.decode_event is openai.decode_event, kind
