"""Which names of models are routes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from headway.routing.model_aliases import STAR, UNKNOWN, Pattern
from headway.routing.route import Route, RouteTarget


class RoutePattern(Struct, frozen=True):
    """A name with a star. ``route`` is None for one that means a single model: where it matches
    first, the name is no route."""

    pattern: Pattern
    """Without a target."""
    route: Route | None


class RouteTable(Struct, frozen=True):
    """The routes by their names. ``ModelAliases`` has the same names, for what can only use one
    model: there a route means its first target."""

    exact: Mapping[str, Route] = {}
    patterns: tuple[RoutePattern, ...] = ()
    unknown: Route | None = None
    """The route of every name that is found nowhere."""

    @classmethod
    def from_names(cls, given: Sequence[tuple[str, Route | None]]) -> RouteTable:
        """``given`` are all names for models in the order of the configuration, those of single
        models with None."""
        named = [(name, route) for name, route in given if name != UNKNOWN]
        patterns = tuple(
            RoutePattern(Pattern.of(name, ""), route) for name, route in named if STAR in name
        )
        unknown = dict(given).get(UNKNOWN)
        needs_search = unknown is not None or any(each.route for each in patterns)
        return cls(
            exact={name: one for name, one in named if one is not None and STAR not in name},
            patterns=patterns if needs_search else (),
            unknown=unknown,
        )

    @property
    def needs_search(self) -> bool:
        """Whether a name that is not in ``exact`` may be a route."""
        return bool(self.patterns) or self.unknown is not None

    def match(self, name: str) -> tuple[bool, Route | None]:
        """Whether a pattern matches, and the route of the first that does, with the text of the
        star in its targets."""
        for each in self.patterns:
            matched = each.pattern.matched_text(name)
            if matched is not None:
                return True, None if each.route is None else _fill(each.route, matched)
        return False, None


def _fill(route: Route, matched: str) -> Route:
    shadow = route.shadow
    return replace(
        route,
        targets=_filled(route.targets, matched),
        on_context_window=_filled(route.on_context_window, matched),
        on_content_policy=_filled(route.on_content_policy, matched),
        shadow=None
        if shadow is None
        else replace(shadow, target=_filled((shadow.target,), matched)[0]),
    )


def _filled(targets: tuple[RouteTarget, ...], matched: str) -> tuple[RouteTarget, ...]:
    return tuple(
        replace(
            target,
            provider=target.provider.replace(STAR, matched),
            model=target.model.replace(STAR, matched),
        )
        for target in targets
    )
