from __future__ import annotations

from typing import Any

from headway.config.route_schema import (
    Breaker,
    Floors,
    Hedge,
    Route,
    RouteCache,
    RouteLimits,
    RouteTarget,
    Routing,
    Shadow,
    When,
)
from headway.config.schema import ProviderKey
from headway.config.secret import Secret
from support.for_each import for_each

ALL = """
models:
  fast: vendor/small
  safe: [vendor/big, cloud/big]
  smart:
    targets:
      - fast
      - model: cloud/big
        weight: 3
        when: {needs: images, max_tokens: 8000}
        parameters: {temperature: 0, stop: null, metadata: {a: [1, true]}}
        supports: [tools, images]
        context_window: 32000
    strategy: cheapest
    sticky: session
    retries: 1
    max_attempts: 3
    limits: {time_to_first_token: 5, idle: 20s, tokens_per_second: 5, total: 1m}
    cheapest_with: {time_to_first_token: 2, tokens_per_second: 30}
    on_context_window: [vendor/long]
    on_content_policy: [{model: vendor/free}]
    fail_on: [empty, invalid_schema]
    hedge: {max_share: 2%}
    continue_streams: true
    cache: {ttl: 1m, coalesce: all, pace: recorded, tools: true}
    shadow: {model: fast, share: 0.1}
routing:
  retry_budget: 0.2
  hedge_budget: 10%
  breaker: {failures: 3, error_share: 0.2, min_attempts: 9, window: 10, cool_down: 5}
"""


def test_a_name_may_be_a_list_of_targets_or_a_mapping_with_rules(read) -> None:
    config = read(ALL)
    assert config.models["fast"] == "vendor/small"
    assert config.models["safe"] == Route(
        targets=(RouteTarget(model="vendor/big"), RouteTarget(model="cloud/big"))
    )
    assert config.models["smart"] == Route(
        targets=(
            RouteTarget(model="vendor/small"),
            RouteTarget(
                model="cloud/big",
                weight=3.0,
                when=When(needs=("images",), max_tokens=8000),
                parameters={"temperature": 0, "stop": None, "metadata": {"a": [1, True]}},
                supports=("tools", "images"),
                context_window=32000,
            ),
        ),
        strategy="cheapest",
        sticky="session",
        retries=1,
        max_attempts=3,
        limits=RouteLimits(time_to_first_token=5, idle=20, tokens_per_second=5, total=60),
        cheapest_with=Floors(time_to_first_token=2, tokens_per_second=30),
        on_context_window=(RouteTarget(model="vendor/long"),),
        on_content_policy=(RouteTarget(model="vendor/free"),),
        fail_on=("empty", "invalid_schema"),
        hedge=Hedge(max_share=0.02),
        continue_streams=True,
        cache=RouteCache(ttl=60, coalesce="all", pace="recorded", tools=True),
        shadow=Shadow(model="vendor/small", share=0.1),
    )
    assert config.routing == Routing(
        retry_budget=0.2,
        hedge_budget=0.1,
        breaker=Breaker(failures=3, error_share=0.2, min_attempts=9, window=10, cool_down=5),
    )
    assert config.warnings == (
        "headway.yaml:9: models.smart.targets[1].weight: has no effect with strategy: cheapest; "
        "it is ignored",
    )


def route(text: str) -> str:
    return f"models: {{r: {text}}}"


STRATEGIES = [
    ("{targets: [vendor/a, vendor/b]}", "ordered"),
    ("{targets: [{model: vendor/a, weight: 2}, vendor/b]}", "weighted"),
    ("{targets: [vendor/a, vendor/b], sticky: prefix}", "weighted"),
    ("{targets: [vendor/a, vendor/b], sticky: prefix, strategy: fastest}", "fastest"),
]


@for_each(("text", "strategy"), STRATEGIES)
def test_weights_and_stickiness_need_no_strategy_to_be_named(
    read, text: str, strategy: str
) -> None:
    config = read(route(text))
    assert config.models["r"].strategy == strategy
    assert not config.warnings


IGNORED = [
    (
        "{targets: [{model: vendor/a, weight: 2}], strategy: ordered}",
        "targets[0].weight",
        "ordered",
    ),
    ("{targets: [vendor/a], cheapest_with: {}}", "cheapest_with", "ordered"),
    ("{targets: [vendor/a], sticky: session, strategy: ordered}", "sticky", "ordered"),
    ("{targets: [vendor/a], cheapest_with: {}, strategy: fastest}", "cheapest_with", "fastest"),
]


@for_each(("text", "key", "strategy"), IGNORED)
def test_what_the_strategy_does_not_read_is_a_warning(
    read, text: str, key: str, strategy: str
) -> None:
    assert read(route(text)).warnings == (
        f"headway.yaml:1: models.r.{key}: has no effect with strategy: {strategy}; it is ignored",
    )


WHENS = [
    ("{}", When()),
    ("{header: {X-Team: red*}}", When(header={"x-team": "red*"})),
    ("{tags: vip, key: 1a2b3c4d, user: [ann, bob]}", {"tags": ("vip",), "key": ("1a2b3c4d",)}),
    ("{dialect: messages, lacks: [tools, images]}", {"lacks": ("tools", "images")}),
    ("{min_tokens: 10, max_tokens: 20, stream: false}", {"min_tokens": 10, "stream": False}),
    ("{hours: 08:00-18:30}", When(hours=((480, 1110),))),
    ("{hours: ['22:00-06:00', '12:00 - 24:00', '24:00-1:00']}", {
        "hours": ((1320, 360), (720, 1440), (0, 60))}),
    ("{weekdays: Fri-mon}", When(weekdays=(4, 5, 6, 0))),
    ("{weekdays: [mon, wed-thu]}", When(weekdays=(0, 2, 3))),
    ("{time_zone: Europe/Berlin, min_budget_left: 0.50}", {"min_budget_left": 0.5}),
    ("{time_zone: UTC}", When()),
]  # fmt: skip


@for_each(("text", "expected"), WHENS)
def test_a_condition_may_be_a_table(read, text: str, expected: When | dict[str, Any]) -> None:
    when = read(route(f"[{{model: vendor/a, when: {text}}}]")).models["r"].targets[0].when
    if isinstance(expected, When):
        assert when == expected
    else:
        assert {name: getattr(when, name) for name in expected} == expected


def test_a_condition_may_be_in_cel(read) -> None:
    config = read(route("[{model: vendor/a, when: 'tokens < 5'}]"))
    assert config.models["r"].targets[0].when == "tokens < 5"


WRONG = [
    ("[]", "models.r: needs targets: list one at least"),
    ("{}", "models.r.targets: needs targets: list one at least"),
    ("[5]",
        "models.r[0]: must be provider/model, such as openai/gpt-4o-mini; put it in quotes"),
    ("[[vendor/a]]", "models.r[0]: must be provider/model, such as openai/gpt-4o-mini, "
        "or a mapping with keys such as model, weight, when"),
    ("[vendor]", "models.r[0]: must be provider/model, such as openai/gpt-4o-mini"),
    ("[vendr/a]", "models.r[0]: means an unknown provider; did you mean vendor?"),
    ("[fost]", "models.r[0]: must be provider/model, such as openai/gpt-4o-mini; "
        "did you mean fast?"),
    ("[vendor/*]", "models.r[0]: has a star, and its name r has none to stand for"),
    ("[vendor/a, other]", "models.r[1]: means the route other, and only one model can be meant "
        "here: list the targets of that route"),
    ("other", "models.r: means the route other, and only one model can be meant here: "
        "list the targets of that route"),
    ("[unknown]", "models.r[0]: must be provider/model, such as openai/gpt-4o-mini"),
    ("[{weight: 1}]", "models.r[0]: needs a model: provider/model, such as openai/gpt-4o-mini"),
    ("[{model: vendor/a, weight: 0}, {model: vendor/b, weight: 0}]",
        "models.r: has a weight of 0 for every target: give one more"),
    ("[{model: vendor/a, weight: -1}]", "models.r[0].weight: must be a number from 0 to 1000000"),
    ("[{model: vendor/a, parameters: 5}]",
        "models.r[0].parameters: must be a mapping of parameters with their values"),
    ("[{model: vendor/a, wieght: 1}]", "models.r[0].wieght: unknown key; did you mean weight?"),
    ("[{model: vendor/a, when: 5}]", "models.r[0].when: must be a condition in CEL, such as "
        "tokens < 8000; put it in quotes"),
    ("[{model: vendor/a, when: [a]}]", "models.r[0].when: must be a condition in CEL, such as "
        "tokens < 8000, or a mapping with keys such as header, tags, key"),
    ("{targets: [{model: vendor/a, when: wrong}]}", "models.r.targets[0].when: column 1: no CEL"),
    ("[{model: vendor/a, when: {hours: 8-18}}]",
        "models.r[0].when.hours: must be times of the day such as 08:00-18:00"),
    ("[{model: vendor/a, when: {hours: 08:00-25:00}}]",
        "models.r[0].when.hours: must be times of the day such as 08:00-18:00"),
    ("[{model: vendor/a, when: {hours: [08:60-18:00]}}]",
        "models.r[0].when.hours[0]: must be times of the day such as 08:00-18:00"),
    ("[{model: vendor/a, when: {weekdays: [monday]}}]",
        "models.r[0].when.weekdays[0]: must be days of the week such as mon-fri or sun"),
    ("[{model: vendor/a, when: {time_zone: Mars/Base}}]", "models.r[0].when.time_zone: "
        "must be a time zone that this system knows, such as Europe/Berlin"),
    ("[{model: vendor/a, when: {needs: image}}]", "models.r[0].when.needs: must be tools, images, "
        "documents, audio, json_schema, json_object, reasoning or logprobs"),
    ("{targets: [vendor/a], strategy: random}", "models.r.strategy: must be ordered, weighted, "
        "least_outstanding, lowest_latency, cheapest or fastest"),
    ("{targets: [vendor/a], hedge: {}}", "models.r.hedge: needs a second target to send the second "
        "request to: add one to targets"),
    ("{targets: [vendor/a, vendor/b], hedge: {max_share: 101%}}",
        "models.r.hedge.max_share: must be a share from 0 to 1, such as 0.05 or 5%"),
    ("{targets: [vendor/a], limits: {tokens_per_second: 0}}",
        "models.r.limits.tokens_per_second: must be tokens per second, more than 0"),
    ("{targets: [vendor/a], limits: {idle: 0}}", "models.r.limits.idle: must be more than 0 "
        "seconds: a number, or such as 500ms, 30s or 2m"),
    ("{targets: [vendor/a], retries: 11}",
        "models.r.retries: must be a whole number from 0 to 10"),
    ("{targets: [vendor/a], shadow: {share: 1}}",
        "models.r.shadow: needs a model: provider/model, such as openai/gpt-4o-mini"),
    ("{targets: [vendor/a], on_context_window: [b]}",
        "models.r.on_context_window[0]: must be provider/model, such as openai/gpt-4o-mini"),
    ("{targets: vendor/a}", "models.r.targets: must be a list, each provider/model, such as "
        "openai/gpt-4o-mini, or a mapping with keys such as model, weight, when"),
]  # fmt: skip


@for_each(("text", "message"), WRONG)
def test_a_wrong_route_is_an_error_that_says_what_to_do(refused, text: str, message: str) -> None:
    models = "models: {fast: vendor/x, other: [vendor/a], r: " + text + "}"
    assert refused(models) == [f"headway.yaml:1: {message}"]


def test_names_that_mean_each_other_in_a_circle_are_errors(refused) -> None:
    assert refused("models:\n  a: b\n  b: c\n  c: a\n  d: d\n") == [
        "headway.yaml:2: models.a: leads back to its own name by way of b, c",
        "headway.yaml:3: models.b: leads back to its own name by way of c, a",
        "headway.yaml:4: models.c: leads back to its own name by way of a, b",
        "headway.yaml:5: models.d: leads back to its own name by way of itself",
    ]


def test_a_target_is_a_provider_s_model_before_it_is_another_name(read) -> None:
    config = read(
        "models: {vendor/a: [vendor/a, cloud/a], x/y: vendor/z, s: [x/y], t: s2, s2: x/y}"
    )
    models = config.models
    assert [target.model for target in models["vendor/a"].targets] == ["vendor/a", "cloud/a"]
    assert models["s"].targets[0].model == "vendor/z"
    assert models["t"] == "vendor/z"


def test_a_star_in_a_target_stands_for_that_of_the_name(read) -> None:
    config = read("models: {'team-*': [vendor/*, '*/x', {model: cloud/*-0}]}")
    assert [target.model for target in config.models["team-*"].targets] == [
        "vendor/*",
        "*/x",
        "cloud/*-0",
    ]


def test_the_line_of_an_error_in_a_list_is_that_of_its_item(refused) -> None:
    assert refused("models:\n  r:\n    - vendor/a\n    - vendor\n") == [
        "headway.yaml:4: models.r[1]: must be provider/model, such as openai/gpt-4o-mini"
    ]


# --- Several keys of a provider -----------------------------------------------------------------

KEYS = """
providers:
  vendor:
    api_keys:
      - {key: "${A}", weight: 2, name: main}
      - ${B:-}
      - ${A}2
"""


def test_a_provider_may_have_several_keys_of_which_empty_ones_do_not_count(read) -> None:
    provider = read(KEYS, A="hw-a").providers["vendor"]
    assert provider.api_keys == (
        ProviderKey(key=Secret("hw-a"), weight=2.0, name="main"),
        ProviderKey(key=Secret("hw-a2"), name="3"),
    )
    assert provider.api_key == "hw-a"
    assert "hw-a" not in repr(provider)


def test_keys_that_are_all_empty_are_no_keys(read) -> None:
    provider = read("providers: {vendor: {api_keys: ['${A:-}']}}", VENDOR_API_KEY="k").providers
    assert provider["vendor"].api_keys == ()
    assert provider["vendor"].api_key == "k"


WRONG_KEYS = [
    ("{api_keys: [a], api_key: b}", "providers.vendor.api_keys: is given beside api_key: keep one "
        "of the two"),
    ("{api_keys: [{weight: 1}]}", "providers.vendor.api_keys[0]: needs a key"),
    ("{api_keys: [{key: a, name: x}, {key: b, name: x}]}",
        "providers.vendor.api_keys: has two keys of one name: give each its own"),
    ("{api_keys: [{key: a, weight: 0}]}",
        "providers.vendor.api_keys: has a weight of 0 for every key: give one more"),
    ("{api_keys: [a b]}", "providers.vendor.api_keys[0]: must be a key: text without spaces or "
        "line breaks"),
]  # fmt: skip


@for_each(("text", "message"), WRONG_KEYS)
def test_wrong_keys_are_errors_that_do_not_show_them(refused, text: str, message: str) -> None:
    assert refused(f"providers: {{vendor: {text}}}") == [f"headway.yaml:1: {message}"]
