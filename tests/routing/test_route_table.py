from __future__ import annotations

from headway.routing.route import Route, RouteTarget, Shadow
from headway.routing.route_table import RouteTable


def target(name: str) -> RouteTarget:
    provider, _, model = name.partition("/")
    return RouteTarget(provider=provider, model=model)


def route(name: str, *targets: str) -> Route:
    return Route(name=name, targets=tuple(map(target, targets)))


SAFE = route("safe", "openai/a", "anthropic/b")
TEAM = Route(
    name="team-*",
    targets=(target("openai/*"), target("*/x")),
    on_context_window=(target("gemini/*"),),
    on_content_policy=(target("mistral/*-0"),),
    shadow=Shadow(target=target("groq/*"), share=0.1),
)
LOST = route("unknown", "openai/a", "echo/echo")
TABLE = RouteTable.from_names(
    [("fast", None), ("safe", SAFE), ("team-own-*", None), ("team-*", TEAM), ("unknown", LOST)]
)


def test_a_table_has_names_patterns_and_one_for_everything_unknown() -> None:
    assert dict(TABLE.exact) == {"safe": SAFE}
    assert TABLE.unknown is LOST
    assert TABLE.needs_search


def test_the_first_pattern_that_matches_counts_whether_it_is_a_route_or_not() -> None:
    assert TABLE.match("team-own-a") == (True, None)
    assert TABLE.match("other") == (False, None)
    is_matched, found = TABLE.match("team-a")
    assert is_matched
    assert found is not None
    assert found.name == "team-*"
    assert [each.id for each in found.targets] == ["openai/a", "a/x"]
    assert [each.id for each in found.on_context_window] == ["gemini/a"]
    assert [each.id for each in found.on_content_policy] == ["mistral/a-0"]
    assert found.shadow is not None
    assert found.shadow.target.id == "groq/a"


def test_a_pattern_without_a_shadow_has_none() -> None:
    table = RouteTable.from_names([("*", route("*", "openai/*"))])
    _, found = table.match("x")
    assert found == Route(name="*", targets=(target("openai/x"),))


def test_without_patterns_of_routes_nothing_has_to_be_searched() -> None:
    assert not RouteTable().needs_search
    assert not RouteTable.from_names([("safe", SAFE), ("x-*", None)]).needs_search
    assert RouteTable.from_names([("unknown", LOST)]).needs_search
    assert not RouteTable.from_names([("unknown", None)]).needs_search
