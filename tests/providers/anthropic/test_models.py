"""The rules of a model follow from the version in its name, in every platform's spelling."""

from __future__ import annotations

import pytest

from headway.providers.anthropic.models import model_rules
from support.for_each import for_each

FIVE = ("low", "medium", "high", "xhigh", "max")
FOUR = ("low", "medium", "high", "max")

# name, thinking, disabled type, efforts, sampling, forced tools, structured outputs, max tokens
MODELS: list[tuple[str, str, str | None, tuple[str, ...], str, bool, bool, int]] = [
    ("claude-2.1", "none", "disabled", (), "both", True, False, 4096),
    ("claude-instant-1.2", "none", "disabled", (), "both", True, False, 4096),
    ("claude-3-haiku-20240307", "none", "disabled", (), "both", True, False, 4096),
    ("claude-3-opus-latest", "none", "disabled", (), "both", True, False, 4096),
    ("claude-3-5-sonnet-v2@20241022", "none", "disabled", (), "both", True, False, 8192),
    ("claude-3.7-sonnet", "budget", "disabled", (), "both", True, False, 64000),
    ("claude-3-7-sonnet@20250219", "budget", "disabled", (), "both", True, False, 64000),
    ("claude-opus-4-20250514", "budget", "disabled", (), "both", True, False, 32000),
    ("claude-opus-4-0", "budget", "disabled", (), "both", True, False, 32000),
    ("claude-sonnet-4-0", "budget", "disabled", (), "both", True, False, 64000),
    ("claude-opus-4-1@20250805", "budget", "disabled", (), "one", True, False, 32000),
    ("claude-haiku-4-5", "budget", "disabled", (), "one", True, True, 64000),
    (
        "us.anthropic.claude-opus-4-5-20251101-v1:0",
        "budget", "disabled", FOUR[:3], "one", True, True, 64000,
    ),
    ("claude-sonnet-4.6", "either", "disabled", FOUR, "one", True, True, 128000),
    ("claude-opus-4-7", "adaptive", "disabled", FIVE, "none", True, True, 128000),
    ("claude-opus-5", "adaptive", "disabled", FIVE, "none", True, True, 128000),
    ("claude-fable-5", "adaptive", None, FIVE, "none", True, True, 128000),
    ("claude-fable-5-2", "adaptive", None, FIVE, "none", False, True, 128000),
    ("claude-mythos-5-1", "adaptive", None, FIVE, "none", False, True, 128000),
    ("claude-opus-5-5", "adaptive", None, FIVE, "none", False, True, 128000),
    ("claude-sonnet-5-5", "adaptive", "between_tools", FIVE, "none", False, True, 128000),
    ("claude-haiku-5-5", "adaptive", "disabled", FIVE, "none", True, True, 128000),
    ("claude-opus-6", "adaptive", None, FIVE, "none", False, True, 128000),
    ("claude-sonnet-10-1", "adaptive", "between_tools", FIVE, "none", False, True, 128000),
    ("claude-mythos-preview", "adaptive", "disabled", FIVE, "both", True, True, 128000),
    ("prod-writer", "adaptive", "disabled", FIVE, "both", True, True, 128000),
]  # fmt: skip


@for_each(
    ("name", "thinking", "off", "efforts", "samples", "forced", "schemas", "limit"),
    MODELS,
    ids=[row[0] for row in MODELS],
)
def test_rules_follow_from_the_version_in_the_name(
    name: str,
    thinking: str,
    off: str | None,
    efforts: tuple[str, ...],
    samples: str,
    forced: bool,
    schemas: bool,
    limit: int,
) -> None:
    rules = model_rules(name)
    assert (rules.thinking, rules.disabled_type, rules.efforts) == (thinking, off, efforts)
    assert (rules.sampling, rules.forced_tools) == (samples, forced)
    assert (rules.structured_outputs, rules.max_output_tokens) == (schemas, limit)


@pytest.mark.parametrize(
    ("name", "unasked"),
    [("claude-opus-4-8", False), ("claude-sonnet-5", True), ("claude-haiku-5-5", True)],
)
def test_models_from_version_5_on_think_by_default(name: str, unasked: bool) -> None:
    assert model_rules(name).thinks_by_default is unasked
