"""The declaration of the keys of routes. See settings.py."""

from __future__ import annotations

from headway.config import value_types
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
from headway.config.specs import Forms, Free, Key, ListType, Section, Table

TEXTS = Forms(text=value_types.TEXT, list=ListType(value_types.TEXT))
NEEDS = Forms(text=value_types.NEED, list=ListType(value_types.NEED))
HOURS = Forms(text=value_types.HOURS, list=ListType(value_types.HOURS))
WEEKDAYS = Forms(text=value_types.WEEKDAYS, list=ListType(value_types.WEEKDAYS))

WHEN = Section(
    {
        "header": Key(
            Table("header", value_types.TEXT, value_types.TEXT),
            "Headers of the request with the value that each must have; a star matches any text.",
        ),
        "tags": Key(TEXTS, "Tags that the request must have, all of them."),
        "key": Key(TEXTS, "Ids of gateway keys, one of which the request must use."),
        "user": Key(TEXTS, "End users, one of whom must have sent it; a star matches any text."),
        "dialect": Key(TEXTS, "Wire formats, one of which it must be in, such as `openai`."),
        "needs": Key(NEEDS, "What the request must need, all of them."),
        "lacks": Key(NEEDS, "What it must not need, none of them."),
        "min_tokens": Key(value_types.TOKEN_COUNT, "Fewest tokens of its input, as estimated."),
        "max_tokens": Key(value_types.TOKEN_COUNT, "Most tokens of its input, as estimated."),
        "stream": Key(value_types.FLAG, "Whether it asks for a stream."),
        "hours": Key(HOURS, "Times of the day, such as `08:00-18:00` or `22:00-06:00`."),
        "weekdays": Key(WEEKDAYS, "Days of the week, such as `mon-fri` or `sun`."),
        "time_zone": Key(
            value_types.TIME_ZONE, "The zone of `hours` and `weekdays`, such as `Europe/Berlin`."
        ),
        "min_budget_left": Key(
            value_types.DOLLARS, "Dollars that must be left of the budget of its key."
        ),
    },
    When,
)

TARGET = Section(
    {
        "model": Key(
            value_types.TARGET,
            "`provider/model`, or another name of `models` that means one.",
            default="required",
        ),
        "weight": Key(
            value_types.WEIGHT, "Its share relative to the other targets; 0 for none but failover."
        ),
        "when": Key(
            Forms(text=value_types.CONDITION, mapping=WHEN),
            "When it is used: a table, or a condition in "
            "[CEL](https://github.com/google/cel-spec) such as "
            '`tokens < 8000 && !("images" in needs)`. A request that lacks a value that is '
            "demanded does not use the target. The condition may read `model`, `dialect`, "
            "`headers`, `tags`, `key`, `user`, `session`, `stream`, `tokens` (of the input, as "
            "estimated), `max_tokens` (of the answer), `needs`, `budget_left` (dollars) and `now`.",
        ),
        "parameters": Key(
            Free("parameters with their values"),
            "Parameters of the request that are replaced for this target; `null` takes one out.",
        ),
        "supports": Key(
            ListType(value_types.NEED),
            "What its model can do although the data that ships says that it cannot: `headway "
            "explain` shows what it lacks by that.",
            default="none",
        ),
        "context_window": Key(
            value_types.TOKEN_COUNT,
            "Tokens of the longest input that it takes.",
            default="as the data that ships says, if it has the model",
        ),
    },
    RouteTarget,
)
TARGETS = ListType(Forms(text=value_types.TARGET, mapping=TARGET))

LIMITS = Section(
    {
        "time_to_first_token": Key(value_types.TIMEOUT, "Seconds until the first content."),
        "idle": Key(value_types.TIMEOUT, "Seconds between two pieces of content."),
        "tokens_per_second": Key(value_types.RATE, "Least rate of the content, once it began."),
        "total": Key(value_types.TIMEOUT, "Seconds for the call with all of its attempts."),
    },
    RouteLimits,
)

FLOORS = Section(
    {
        "time_to_first_token": Key(value_types.TIMEOUT, "Seconds, at most."),
        "tokens_per_second": Key(value_types.RATE, "At least."),
    },
    Floors,
)

HEDGE = Section(
    {"max_share": Key(value_types.SHARE, "Most further requests, as a share of the route's.")},
    Hedge,
)

CACHE = Section(
    {
        "ttl": Key(
            value_types.TIMEOUT,
            "Seconds for which a response is kept.",
            default="`cache.ttl`, or `300`",
        ),
        "tools": Key(
            value_types.FLAG,
            "Whether requests that offer tools are answered from the cache.",
            default="`cache.tools`",
        ),
        "pace": Key(value_types.PACE, "How streams are replayed.", default="`cache.pace`"),
        "coalesce": Key(
            value_types.COALESCE,
            "Which identical requests share the response to the first one.",
            default="`cache.coalesce`",
        ),
    },
    RouteCache,
)

SHADOW = Section(
    {
        "model": Key(value_types.TARGET, "The target of the copies.", default="required"),
        "share": Key(value_types.SHARE, "Share of the requests that are copied."),
    },
    Shadow,
)

ROUTE_SECTION = Section(
    {
        "targets": Key(TARGETS, "The targets, in this order.", default="required"),
        "strategy": Key(
            value_types.STRATEGY,
            "How the first target is chosen; the others follow where it fails.",
            default="`weighted` where a target has a weight, or with `sticky`; else `ordered`",
        ),
        "sticky": Key(
            value_types.STICKY,
            "Keeps requests of one session, or with the same beginning of the prompt, at one "
            "target, so that its prompt cache is hit.",
        ),
        "retries": Key(
            value_types.RETRIES, "Further attempts on a target, before the next one is tried."
        ),
        "max_attempts": Key(value_types.COUNT, "Most attempts for one request."),
        "limits": Key(LIMITS, "What each attempt must keep; one that does not counts as failed."),
        "cheapest_with": Key(
            FLOORS,
            "What a target must have shown lately to be chosen by `strategy: cheapest`.",
        ),
        "on_context_window": Key(
            TARGETS, "Targets that follow where the request is too long for one.", default="none"
        ),
        "on_content_policy": Key(
            TARGETS, "Targets that follow where one refuses the content.", default="none"
        ),
        "fail_on": Key(
            ListType(value_types.FAILURE_RULE),
            "Complete answers that count as failures: `empty` ones, and those that are not of the "
            "JSON schema that the request demands (`invalid_schema`, with the extra `schema`). "
            "A stream whose request demands one is held back until it is known to be valid.",
            default="none",
        ),
        "hedge": Key(
            HEDGE,
            "A second request where the first is silent for longer than usual.",
            default="off",
        ),
        "continue_streams": Key(
            value_types.FLAG,
            "Whether another target goes on where a stream broke, if it supports that. The reply "
            "says so.",
        ),
        "cache": Key(CACHE, "Answers identical requests with a kept response.", default="off"),
        "shadow": Key(
            SHADOW, "Copies requests to another target; no client sees its answers.", default="off"
        ),
    },
    Route,
)

ROUTE = Forms(text=value_types.TARGET, list=TARGETS, mapping=ROUTE_SECTION)

ROUTING = Section(
    {
        "retry_budget": Key(value_types.SHARE, "Most retries, as a share of all requests."),
        "hedge_budget": Key(value_types.SHARE, "Most hedges, of the requests of routes with any."),
        "breaker": Key(
            Section(
                {
                    "failures": Key(value_types.COUNT, "Failures in a row that open it."),
                    "error_share": Key(
                        value_types.SHARE, "Share of failed attempts within `window` that opens it."
                    ),
                    "min_attempts": Key(
                        value_types.COUNT,
                        "Attempts within `window` below which that does not count.",
                    ),
                    "window": Key(value_types.TIMEOUT, "Seconds that are looked back."),
                    "cool_down": Key(
                        value_types.TIMEOUT,
                        "Seconds until one request tries the target again. Each time that this "
                        "fails they double.",
                    ),
                    "max_cool_down": Key(
                        value_types.TIMEOUT,
                        "Most seconds, also where a provider asks for more.",
                    ),
                },
                Breaker,
            ),
            "When a target that fails is left alone.",
            default="see `routing.breaker`",
        ),
    },
    Routing,
)
