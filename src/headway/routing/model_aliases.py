"""The names that an operator gives to models: aliases, patterns, and one for everything unknown."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

STAR = "*"
UNKNOWN = "unknown"
"""The alias of every name that is found nowhere."""


class Pattern(Struct, frozen=True):
    """An alias with a star, which stands for any text, also none."""

    before: str
    after: str
    target: str
    """A star in it stands for the text that the pattern's star matched."""

    @classmethod
    def of(cls, name: str, target: str) -> Pattern:
        """``name`` has a star."""
        before, _, after = name.partition(STAR)
        return cls(before, after, target)

    def matched_text(self, name: str) -> str | None:
        """What the star stands for in ``name``; None where it does not match."""
        is_long_enough = len(name) >= len(self.before) + len(self.after)
        if not (is_long_enough and name.startswith(self.before) and name.endswith(self.after)):
            return None
        return name[len(self.before) : len(name) - len(self.after)]

    def match(self, name: str) -> str | None:
        matched = self.matched_text(name)
        return None if matched is None else self.target.replace(STAR, matched)


class ModelAliases(Struct, frozen=True):
    """Each target is ``provider/model``."""

    exact: Mapping[str, str] = {}
    patterns: tuple[Pattern, ...] = ()
    """The first that matches counts."""
    unknown: str | None = None

    @classmethod
    def from_table(cls, given: Mapping[str, str]) -> ModelAliases:
        """``given`` is alias -> target, in the order of the configuration."""
        named = {name: target for name, target in given.items() if name != UNKNOWN}
        return cls(
            exact={name: target for name, target in named.items() if STAR not in name},
            patterns=tuple(
                Pattern.of(name, target) for name, target in named.items() if STAR in name
            ),
            unknown=given.get(UNKNOWN),
        )

    def match(self, name: str) -> str | None:
        """The target of the first pattern that matches."""
        return next((found for each in self.patterns if (found := each.match(name))), None)
