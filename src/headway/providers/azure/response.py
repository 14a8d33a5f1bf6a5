"""Responses of Azure OpenAI's chat completions: OpenAI's, with the results of content filters
(learn.microsoft.com/azure/ai-foundry/openai/reference).

Wire facts, read off recordings: the first chunk of a stream has no choices, an empty id and model
and a time of 0, and the filters' results for the prompt; the last may have a
``latency_checkpoint``.
"""

from __future__ import annotations

from headway.errors import UpstreamError
from headway.events import Event, Failed, Started
from headway.providers.azure.content_filters import MARKER, decode_filtered, read_filter_results
from headway.providers.azure.errors import reclassify_filtered
from headway.providers.base import State
from headway.providers.openai import response as openai_response
from headway.types import Frame


def decode_event(frame: Frame, state: State) -> list[Event]:
    """The events of one ``data:`` line of a stream."""
    results: list[Event] = state.pop("held_results", [])
    if MARKER in frame.data:
        chunk = decode_filtered(frame.data)
        results += read_filter_results(chunk, state.setdefault("reported", {}))
        if chunk.is_prompt_result:
            state["held_results"] = results
            return []
    events = openai_response.decode_event(frame, state.setdefault("openai", {}))
    return _reclassify(_insert(events, results))


def decode_response(body: bytes) -> list[Event]:
    """The events that a stream of the same completion would have."""
    events = openai_response.decode_response(body)
    if MARKER in body:
        events = _insert(events, read_filter_results(decode_filtered(body), {}))
    return _reclassify(events)


def _insert(events: list[Event], results: list[Event]) -> list[Event]:
    """Insert the fields after the start of the response, and before an event that may end it."""
    at = 1 if events and type(events[0]) is Started else 0
    return [*events[:at], *results, *events[at:]] if results else events


def _reclassify(events: list[Event]) -> list[Event]:
    if not events or type(events[-1]) is not Failed:
        return events
    error = events[-1].error
    if isinstance(error, UpstreamError):
        error = reclassify_filtered(error)
    return [*events[:-1], Failed(error)]
