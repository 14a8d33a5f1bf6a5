from __future__ import annotations

import pytest

from headway.routing.model_aliases import ModelAliases

TABLE = {
    "fast": "openai/gpt-4o-mini",
    "claude-*-latest": "anthropic/claude-*",
    "claude-*": "anthropic/claude-*-0",
    "*": "openrouter/*",
    "unknown": "echo/echo",
}


def test_a_table_has_names_patterns_and_one_for_everything_unknown() -> None:
    aliases = ModelAliases.from_table(TABLE)
    assert dict(aliases.exact) == {"fast": "openai/gpt-4o-mini"}
    assert len(aliases.patterns) == 3
    assert aliases.unknown == "echo/echo"
    assert ModelAliases.from_table({}) == ModelAliases()


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("claude-opus-latest", "anthropic/claude-opus"),
        ("claude-opus", "anthropic/claude-opus-0"),
        ("claude-", "anthropic/claude--0"),
        ("claude-latest", "anthropic/claude-latest-0"),
        ("meta/llama", "openrouter/meta/llama"),
        ("", "openrouter/"),
    ],
)
def test_the_first_pattern_that_matches_counts(name: str, target: str) -> None:
    assert ModelAliases.from_table(TABLE).match(name) == target


def test_without_a_pattern_nothing_matches() -> None:
    aliases = ModelAliases.from_table({"fast": "openai/gpt-4o", "gpt-*": "openai/gpt-*"})
    assert aliases.match("fast") is None
    assert aliases.match("claude") is None
    assert aliases.match("gpt-5") == "openai/gpt-5"
