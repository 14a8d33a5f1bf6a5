from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from headway.errors import InvalidField
from headway.policy.routing_fields import RoutingFields, read_routing_fields
from support.for_each import for_each


def read(**fields: Any) -> RoutingFields:
    raws = {name: Raw(json.dumps(value).encode()) for name, value in fields.items()}
    return read_routing_fields(raws)


FIELDS: list[tuple[dict[str, Any], RoutingFields]] = [
    ({}, RoutingFields()),
    ({"models": None, "provider": None}, RoutingFields()),
    ({"models": [], "provider": {}}, RoutingFields()),
    ({"models": ["openai/gpt-5", "Fast"]}, RoutingFields(models=("openai/gpt-5", "Fast"))),
    (
        {"provider": {"order": ["OpenAI", "azure"], "only": ["Groq"], "ignore": None}},
        RoutingFields(order=("openai", "azure"), only=("groq",)),
    ),
    ({"provider": {"ignore": ["deepseek"]}}, RoutingFields(ignore=("deepseek",))),
    ({"provider": {"sort": "price"}}, RoutingFields(sort="price")),
    ({"provider": {"sort": {"by": "latency"}}}, RoutingFields(sort="latency")),
    ({"provider": {"sort": {}}}, RoutingFields()),
    (
        {"provider": {"max_price": {"prompt": 1, "completion": "2.5"}}},
        RoutingFields(max_prompt_usd=1.0, max_completion_usd=2.5),
    ),
    ({"provider": {"max_price": {}}}, RoutingFields()),
    (
        {"provider": {"allow_fallbacks": False, "require_parameters": True}},
        RoutingFields(allows_fallbacks=False, requires_parameters=True),
    ),
    ({"provider": {"allow_fallbacks": None, "max_price": None}}, RoutingFields()),
]


@for_each(("fields", "expected"), FIELDS)
def test_fields_are_read_as_openrouters_clients_send_them(
    fields: dict[str, Any], expected: RoutingFields
) -> None:
    assert read(**fields) == expected


NO_NAMES = (
    "must be a list of at most 32 names of providers, by their configured names or their kinds."
)
WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"models": "gpt-5"}, "models", "must be a list of at most 32 names of models."),
    ({"models": ["m"] * 33}, "models", "must be a list of at most 32 names of models."),
    ({"models": ["m", 5]}, "models[1]", "must be a name of 1 to 512 characters."),
    ({"models": [""]}, "models[0]", "must be a name of 1 to 512 characters."),
    ({"models": ["m" * 513]}, "models[0]", "must be a name of 1 to 512 characters."),
    (
        {"provider": "openai"},
        "provider",
        'must be an object such as {"order": ["openai"], "sort": "price"}.',
    ),
    (
        {"provider": {"data_collection": "deny"}},
        "provider.data_collection",
        "is nothing that this gateway can do: it knows order, only, ignore, sort, max_price, "
        "allow_fallbacks, require_parameters. Leave it out.",
    ),
    ({"provider": {"order": "openai"}}, "provider.order", NO_NAMES),
    ({"provider": {"only": [None]}}, "provider.only[0]", "must be a name of 1 to 512 characters."),
    ({"provider": {"sort": "speed"}}, "provider.sort", "must be price, latency or throughput."),
    ({"provider": {"sort": 5}}, "provider.sort", "must be price, latency or throughput."),
    (
        {"provider": {"sort": {"by": "price", "partition": "none"}}},
        "provider.sort.partition",
        "is nothing that this gateway can do. Leave it out.",
    ),
    (
        {"provider": {"max_price": 5}},
        "provider.max_price",
        'must be an object such as {"prompt": 1, "completion": 2}.',
    ),
    (
        {"provider": {"max_price": {"image": 1}}},
        "provider.max_price.image",
        "cannot be compared: give prompt or completion.",
    ),
    (
        {"provider": {"allow_fallbacks": "no"}},
        "provider.allow_fallbacks",
        "must be true or false.",
    ),
]


@for_each(("fields", "param", "message"), WRONG)
def test_a_wrong_field_is_named_with_what_it_must_be(
    fields: dict[str, Any], param: str, message: str
) -> None:
    with pytest.raises(InvalidField) as error:
        read(**fields)
    assert (error.value.param, error.value.message) == (param, f"`{param}` {message}")


@for_each("price", [-1, True, "a lot", [1], "nan", "inf", 10**400, {}])
def test_a_highest_price_is_a_number_of_dollars(price: Any) -> None:
    with pytest.raises(InvalidField) as error:
        read(provider={"max_price": {"completion": price}})
    assert error.value.param == "provider.max_price.completion"


def test_a_field_that_is_nested_too_deeply_is_refused() -> None:
    deep = Raw(b"[" * 100_000 + b"]" * 100_000)
    with pytest.raises(InvalidField, match="`models` is nested too deeply"):
        read_routing_fields({"models": deep})


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
KEYS = ["order", "only", "ignore", "sort", "max_price", "allow_fallbacks", "require_parameters"]


@given(JSON, JSON | st.dictionaries(st.sampled_from(KEYS), JSON))
def test_any_value_is_read_or_refused(models: Any, provider: Any) -> None:
    fields = {
        name: Raw(msgspec.json.encode(one))
        for name, one in (("models", models), ("provider", provider))
    }
    try:
        found: RoutingFields | str | None = read_routing_fields(fields)
    except InvalidField as error:
        found = error.param
    assert isinstance(found, RoutingFields) or str(found).startswith(("models", "provider"))
