"""Names of models: spellings of one model, and of different ones."""

from __future__ import annotations

import pytest

from headway.metering.model_names import is_more_exact, is_same_model, strip_routing
from support.for_each import for_each

SAME = [
    ("gpt-5", "gpt-5-2025-08-07"),
    ("gpt-5", "GPT-5-20250807"),
    ("gpt-4", "gpt-4-0613"),
    ("gemini-2.5-flash", "models/gemini-2.5-flash-001"),
    ("gemini-2.5-flash", "gemini-2.5-flash-preview-05-20"),
    ("gemini-2.5-flash", "gemini-2.5-flash-preview-09-2025"),
    ("grok-4", "grok-4-0709"),
    ("mistral-large-latest", "mistral-large-2512"),
    ("claude-haiku-4-5@20251001", "claude-haiku-4-5-20251001"),
    ("claude-haiku-4-5@default", "claude-haiku-4-5"),
    ("anthropic/claude-sonnet-4.5", "anthropic/claude-4.5-sonnet-20250929"),
    ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "claude-sonnet-4-5-20250929"),
    ("us-gov.anthropic.claude-sonnet-4-5-20250929-v1:0", "claude-sonnet-4-5-20250929"),
    (
        "arn:aws:bedrock:us-east-1:1:inference-profile/us.anthropic.claude-opus-4-6-v1",
        "claude-opus-4-6",
    ),
    ("openai.gpt-oss-120b-1:0", "openai.gpt-oss-120b"),
    ("accounts/fireworks/models/llama-v3p1-8b-instruct", "llama-v3p1-8b-instruct"),
    ("/models/llama-3", "llama-3"),
    ("llama3", "llama3:latest"),
    ("command-r", "command-r-08-2024"),
    ("grok-3-mini", "grok-3-mini-high"),
    ("gpt-3.5-turbo-instruct", "gpt-3.5-turbo-instruct:20230824-v2"),
    ("babbage-002", "babbage:2023-07-21-v2"),
    ("openai/gpt-4o:nitro", "gpt-4o-2024-11-20"),
    ("vendor-meta-llama-3-3-70b-instruct", "meta-llama-3.3-70b-instruct-121024"),
]
OTHER = [
    ("gpt-5", "gpt-5-mini"),
    ("gpt-5", "gpt-5.1"),
    ("gpt-5", "gpt-5-pro"),
    ("gpt-4o", "gpt-4o-mini-2024-07-18"),
    ("claude-opus-4", "claude-opus-4-1"),
    ("llama-3.1-8b", "llama-3.1-70b"),
    ("deepseek-r1:free", "deepseek-r1"),
    ("gemini-2.5-flash", "gemini-2.5-flash-lite"),
    ("sonar", "sonar-pro"),
    ("qwen3-235b-a22b", "qwen3-235b-a22b-thinking-2507"),
    ("prod", "gpt-4o"),
    ("deepseek-v3", "deepseek-v2"),
    ("deepseek-v3", "deepseek-v3.1"),
    ("gemini-2.5-flash", "gemini-2.5-flash-preview-tts"),
    ("mistral-medium-latest", "mistral-small-latest"),
    ("command-r-08-2024", "command-r-plus-08-2024"),
]


@for_each(("name", "other"), SAME)
def test_spellings_of_one_model_are_recognized(name: str, other: str) -> None:
    assert is_same_model(name, other, "vendor")
    assert is_same_model(other, name, "vendor")


@for_each(("name", "other"), OTHER)
def test_other_models_are_told_apart(name: str, other: str) -> None:
    assert not is_same_model(name, other, "vendor")


@pytest.mark.parametrize(
    ("name", "other", "expected"),
    [
        ("global.anthropic.claude-sonnet-4-5-20250929-v1:0", "claude-sonnet-4-5-20250929", True),
        ("claude-sonnet-4-5-20250929", "global.anthropic.claude-sonnet-4-5-20250929-v1:0", False),
        ("gpt-4o-2024-05-13", "GPT-4o", True),
        ("deepseek-r1:free", "deepseek-r1", True),
        ("gpt-4o-mini", "gpt-4o", False),
        ("mistral-large-latest", "mistral-large-2512", False),
    ],
)
def test_the_name_that_says_more_is_more_exact(name: str, other: str, expected: bool) -> None:
    assert is_more_exact(name, other, "") is expected


def test_routing_suffixes_are_stripped_and_variants_stay() -> None:
    assert strip_routing("a/b:floor") == "a/b"
    assert strip_routing("a/b:free") == "a/b:free"
