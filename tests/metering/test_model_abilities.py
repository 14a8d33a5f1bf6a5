from __future__ import annotations

import json

from headway.metering.model_abilities import (
    ABILITIES,
    MAX_NAME_LENGTH,
    UNKNOWN,
    AbilityBook,
    ModelAbilities,
    shipped_abilities,
)
from headway.providers import KINDS
from support.for_each import for_each

BOOK = AbilityBook.load(
    json.dumps(
        {
            "source": "a source",
            "version": "2026-07-02 abc",
            "kinds": {"openai": "openai", "azure_openai": "openai"},
            "providers": {
                "openai": {
                    "gpt-9": [1000, 100, "+-+++"],
                    "gpt-9-2030-01-01": [800, 50, "+-+-?"],
                    "o9-2030-02-01": [500, 40, "?+-++"],
                    "o9-2030-03-01": [None, 40, "-+-+-"],
                    "o9-2030-04-01": [900, 40, "-+-++"],
                    "gpt-8": [None, None, "?????"],
                }
            },
        }
    ).encode()
)

GPT_9 = ModelAbilities(
    1000, 100, frozenset({"audio"}), frozenset({"images", "tools", "json_schema", "reasoning"})
)
OLD_GPT_9 = ModelAbilities(
    800, 50, frozenset({"audio", "json_schema"}), frozenset({"images", "tools"})
)
O9 = frozenset({"audio", "json_schema"})
"""What all of them have."""

# kind, model, what is known of it
MODELS: list[tuple[str, str, ModelAbilities]] = [
    ("openai", "gpt-9", GPT_9),
    ("azure_openai", "GPT-9", GPT_9),
    ("openai", "gpt-9-2030-01-01", OLD_GPT_9),
    ("openai", "openai/gpt-9-2031-01-01", ModelAbilities(
        1000, None, frozenset({"audio"}), frozenset({"images", "tools"})
    )),
    ("openai", "o9-2030-02-01", ModelAbilities(
        500, 40, frozenset({"tools"}), O9 | {"reasoning"}
    )),
    ("openai", "o9", ModelAbilities(None, 40, frozenset({"tools"}), O9)),
    ("openai", "gpt-8", UNKNOWN),
    ("openai", "gpt-7", UNKNOWN),
    ("vllm", "gpt-9", UNKNOWN),
    ("openai", "g" * (MAX_NAME_LENGTH + 1), UNKNOWN),
]  # fmt: skip


@for_each(("kind", "model", "expected"), MODELS)
def test_a_model_is_found_by_any_of_its_names(
    kind: str, model: str, expected: ModelAbilities
) -> None:
    assert BOOK.find(kind, model) == expected


def test_the_source_is_known() -> None:
    assert BOOK.source == "a source 2026-07-02 abc"
    assert shipped_abilities() is shipped_abilities()
    assert shipped_abilities().source.startswith("models.dev 20")


UNSURE = frozenset({"json_schema"})
"""The source does not say it of Claude."""
SHIPPED: list[tuple[str, str, int, int, set[str]]] = [
    ("openai", "gpt-4o", 128000, 16384, {"audio", "reasoning"}),
    ("openai", "gpt-3.5-turbo", 16385, 4096, {*ABILITIES}),
    ("anthropic", "claude-sonnet-4-5", 200000, 64000, {"audio"}),
    ("bedrock", "us.anthropic.claude-sonnet-4-5-20250929-v1:0", 200000, 64000, {"audio"}),
    ("gemini", "models/gemini-2.5-pro", 1048576, 65536, set()),
]


@for_each(("kind", "model", "window", "output", "lacks"), SHIPPED)
def test_the_shipped_data_knows_well_known_models(
    kind: str, model: str, window: int, output: int, lacks: set[str]
) -> None:
    found = shipped_abilities().find(kind, model)
    assert (found.context_window, found.max_output) == (window, output)
    assert found.lacks == lacks
    assert found.has | UNSURE >= set(ABILITIES) - lacks


def test_the_shipped_data_is_for_kinds_that_exist_and_says_what_can_be_needed() -> None:
    book = shipped_abilities()
    assert book._data.kinds.keys() <= KINDS.keys()
    found = [book.find(kind, "no-such-model") for kind in book._data.kinds]
    assert set(found) == {UNKNOWN}
    known = [one for models in book._providers.values() for one in models._by_name.values()]
    assert len(known) > 1000
    assert {need for one in known for need in (*one.lacks, *one.has)} == set(ABILITIES)
    assert not any(one.lacks & one.has for one in known)
    assert all(one.context_window is None or one.context_window > 0 for one in known)
