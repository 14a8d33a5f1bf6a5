"""Build the names for models: each means one model, or is a route."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from headway.config.errors import Problem, suggestion
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
from headway.config.value_reader import Reader
from headway.config.value_types import TARGET

Given = Mapping[str, Any]
FindFault = Callable[[str], str | None]
UNKNOWN = "unknown"
STAR = "*"
WEIGHT_READERS = frozenset({"weighted", "least_outstanding"})
"""The strategies that read weights."""


def routing(given: Given) -> Routing:
    return Routing(**{**given, "breaker": Breaker(**given.get("breaker", {}))})


def models(
    given: Mapping[str, Any],
    providers: Collection[str],
    file: Reader,
    ignored: list[Problem],
    find_fault: FindFault,
) -> dict[str, str | Route]:
    """``providers`` are all names that a target may begin with. What has no effect is added to
    ``ignored``. ``find_fault`` tells what is wrong with a condition in CEL."""
    builder = _Models(given, providers, file, ignored, find_fault)
    return {name: builder.build(name) for name in given}


class _Models:
    def __init__(
        self,
        given: Mapping[str, Any],
        providers: Collection[str],
        file: Reader,
        ignored: list[Problem],
        find_fault: FindFault,
    ) -> None:
        self.given = given
        self.providers = providers
        self.file = file
        self.ignored = ignored
        self.find_fault = find_fault

    def build(self, name: str) -> str | Route:
        value, path = self.given[name], f"models.{name}"
        if isinstance(value, str):
            return self._model(name, value, path)
        if isinstance(value, tuple):
            return self._route(name, {"targets": value}, path, path)
        return self._route(name, value, path, f"{path}.targets")

    # --- Targets ----------------------------------------------------------------------------------

    def _model(self, name: str, target: str, path: str) -> str:
        """The ``provider/model`` that ``target`` means, by way of other names if need be."""
        seen = [name]
        while not self._has_provider(target):
            value = self.given.get(target)
            if value is None or target == UNKNOWN or STAR in target:
                self.file.report(path, self._unknown(target))
                return target
            if not isinstance(value, str):
                message = f"means the route {target}, and only one model can be meant here"
                self.file.report(path, f"{message}: list the targets of that route")
                return target
            if target in seen:
                way = ", ".join(seen[1:]) or "itself"
                self.file.report(path, f"leads back to its own name by way of {way}")
                return target
            seen.append(target)
            target = value
        if STAR in target and STAR not in name:
            self.file.report(path, f"has a star, and its name {name} has none to stand for")
        return target

    def _has_provider(self, target: str) -> bool:
        provider, slash, _ = target.partition("/")
        return bool(slash) and (provider in self.providers or STAR in provider)

    def _unknown(self, target: str) -> str:
        provider, slash, _ = target.partition("/")
        if slash:
            return f"means an unknown provider; {suggestion(provider, self.providers)}"
        names = [name for name in self.given if STAR not in name and name != UNKNOWN]
        near = suggestion(target, names)
        return f"must be {TARGET.description}" + (f"; {near}" if near.endswith("?") else "")

    def _targets(self, name: str, given: Iterable[Any], path: str) -> tuple[RouteTarget, ...]:
        return tuple(self._target(name, one, f"{path}[{at}]") for at, one in enumerate(given))

    def _target(self, name: str, given: str | Given, path: str) -> RouteTarget:
        if isinstance(given, str):
            return RouteTarget(model=self._model(name, given, path))
        values = dict(given)
        when = values.get("when")
        if isinstance(when, Mapping):
            values["when"] = _when(when)
        elif when is not None and (fault := self.find_fault(when)) is not None:
            self.file.report(f"{path}.when", fault)
        return RouteTarget(**{**values, "model": self._required_model(name, given, path)})

    def _required_model(self, name: str, given: Given, path: str) -> str:
        if "model" not in given:
            self.file.report(path, f"needs a model: {TARGET.description}")
            return ""
        return self._model(name, given["model"], f"{path}.model")

    # --- Routes -----------------------------------------------------------------------------------

    def _route(self, name: str, given: Given, path: str, target_path: str) -> Route:
        targets = self._targets(name, given.get("targets", ()), target_path)
        if not targets:
            self._report_no_targets(path, target_path)
        elif not any(target.weight for target in targets):
            self.file.report(target_path, "has a weight of 0 for every target: give one more")
        values = {
            **given,
            "targets": targets,
            "strategy": self._strategy(given),
            **self._structs(name, given, path),
        }
        for key in ("on_context_window", "on_content_policy"):
            values[key] = self._targets(name, given.get(key, ()), f"{path}.{key}")
        if "hedge" in given and len(targets) < 2:
            message = "needs a second target to send the second request to: add one to targets"
            self.file.report(f"{path}.hedge", message)
        self._ignore(values, given, path, target_path)
        return Route(**values)

    def _report_no_targets(self, path: str, target_path: str) -> None:
        """Unless all that were given are wrong, which is reported already."""
        if not any(problem.path.startswith(target_path) for problem in self.file.problems):
            line = self.file.lines.get(target_path) or self.file.lines.get(path)
            self.file.report(target_path, "needs targets: list one at least", line)

    def _structs(self, name: str, given: Given, path: str) -> dict[str, Any]:
        kinds = {
            "limits": RouteLimits,
            "cheapest_with": Floors,
            "hedge": Hedge,
            "cache": RouteCache,
        }
        found: dict[str, Any] = {
            key: kind(**given[key]) for key, kind in kinds.items() if key in given
        }
        if (shadow := given.get("shadow")) is not None:
            model = self._required_model(name, shadow, f"{path}.shadow")
            found["shadow"] = Shadow(**{**shadow, "model": model})
        return found

    def _strategy(self, given: Given) -> str:
        if (strategy := given.get("strategy")) is not None:
            return str(strategy)
        has_weight = any("weight" in one for one in given.get("targets", ()) if _is_table(one))
        return "weighted" if has_weight or given.get("sticky") else "ordered"

    def _ignore(self, values: Given, given: Given, path: str, target_path: str) -> None:
        """What the strategy does not read. It is no error, so that a strategy can be changed for an
        hour."""
        strategy = values["strategy"]
        if strategy not in WEIGHT_READERS:
            for at, one in enumerate(given.get("targets", ())):
                if _is_table(one) and "weight" in one:
                    self._report_ignored(f"{target_path}[{at}].weight", strategy)
        if "cheapest_with" in given and strategy != "cheapest":
            self._report_ignored(f"{path}.cheapest_with", strategy)
        if "sticky" in given and strategy == "ordered":
            self._report_ignored(f"{path}.sticky", strategy)

    def _report_ignored(self, path: str, strategy: str) -> None:
        message = f"has no effect with strategy: {strategy}"
        self.ignored.append(Problem(path, message, self.file.source, self.file.lines.get(path)))


def _is_table(given: Any) -> bool:
    return isinstance(given, Mapping)


def _when(given: Given) -> When:
    """Single values as lists of one."""
    values = dict(given)
    for key in ("tags", "key", "user", "dialect", "needs", "lacks"):
        if isinstance(values.get(key), str):
            values[key] = (values[key],)
    if (hours := values.get("hours")) and isinstance(hours[0], int):
        values["hours"] = (hours,)
    if (weekdays := values.get("weekdays")) and not isinstance(weekdays[0], int):
        values["weekdays"] = tuple(day for days in weekdays for day in days)
    if "header" in values:
        values["header"] = {name.lower(): text for name, text in values["header"].items()}
    if "min_budget_left" in values:
        values["min_budget_left"] = float(values["min_budget_left"])
    return When(**values)
