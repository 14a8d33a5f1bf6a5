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
    state = MemoryRoutingState()
    if shared is not None:
        directory = shared / "routing"
        try:
            directory.mkdir(exist_ok=True)
            state = SharedRoutingState(directory, clock)
        except OSError as error:  # such as a path that is too long for a socket
            text = "what this worker finds broken is not shared with the others: %s"
            log.warning(text, error.strerror or error)
    configure(state, config)
    return state


def configure(state: RoutingState, config: Config) -> None:
    """Apply a configuration."""
    routing = config.routing
    state.configure(new_breaker_rule(config), routing.retry_budget, routing.hedge_budget)


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
