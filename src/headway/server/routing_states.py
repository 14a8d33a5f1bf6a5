"""Builds what the gateway counts of targets and keys, from the configuration."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from headway.config import Config
from headway.ports import RoutingState
from headway.routing.breaker import BreakerRule
from headway.routing_state.memory import MemoryRoutingState
from headway.routing_state.shared import SharedRoutingState

log = logging.getLogger("headway")


def new_routing_state(
    config: Config, shared: Path | None, clock: Callable[[], float]
) -> RoutingState:
    """``shared`` is a directory of the workers of one server, which tell each other what they find
    broken; None for a single one. Call it inside the event loop that will serve."""
    rule, retry_share = new_breaker_rule(config), config.routing.retry_budget
    if shared is not None:
        directory = shared / "routing"
        try:
            directory.mkdir(exist_ok=True)
            return SharedRoutingState(directory, clock, rule, retry_share)
        except OSError as error:  # such as a path that is too long for a socket
            text = "what this worker finds broken is not shared with the others: %s"
            log.warning(text, error.strerror or error)
    return MemoryRoutingState(rule, retry_share)


def configure(state: RoutingState, config: Config) -> None:
    """Apply a configuration that was loaded anew."""
    state.configure(new_breaker_rule(config), config.routing.retry_budget)


def new_breaker_rule(config: Config) -> BreakerRule:
    given = config.routing.breaker
    return BreakerRule(
        failures=given.failures,
        error_share=given.error_share,
        minimum=given.min_attempts,
        window_s=given.window,
        cool_down_s=given.cool_down,
        max_cool_down_s=given.max_cool_down,
    )
