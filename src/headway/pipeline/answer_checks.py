"""Whether a complete answer counts as a failure on its route: one without any content, one that its
provider cut because of what it is about, and one that is not what its request demands."""

from __future__ import annotations

from msgspec import Struct

from headway.dialects.base import DecodedRequest, Dialect
from headway.errors import HeadwayError, UpstreamContentPolicy, UpstreamError
from headway.pipeline.answer_schema import FindFlaw, find_demand
from headway.pipeline.attempt import Attempt
from headway.response_accumulator import ChoiceAccumulator, ResponseAccumulator
from headway.routing.route import Route

FILTERED = "content_filter"


def find_checks(route: Route, decoded: DecodedRequest, dialect: Dialect) -> AnswerChecks | None:
    """What ``route`` says of the answer to a request."""
    rules, has_policy_fallback = route.fail_on, bool(route.on_content_policy)
    if not rules and not has_policy_fallback:
        return None
    find_flaw = find_demand(decoded, dialect) if "invalid_schema" in rules else None
    return AnswerChecks("empty" in rules, has_policy_fallback, find_flaw)


class AnswerChecks(Struct, frozen=True, gc=False):
    fails_on_empty: bool = False
    fails_on_filtered: bool = False
    find_flaw: FindFlaw | None = None
    """What in the text of an answer is not of the JSON schema that its request demands."""

    @property
    def holds_all(self) -> bool:
        """A stream is judged before any of it is sent to the client."""
        return self.find_flaw is not None

    def find_failure(self, attempt: Attempt) -> HeadwayError | None:
        """``attempt`` has a complete answer."""
        name, accumulator = attempt.upstream.name, attempt.accumulator
        is_filtered = accumulator.finish_reason == FILTERED
        if self.fails_on_filtered and is_filtered:
            return UpstreamContentPolicy(f"{name} cut its answer for its content.", code=FILTERED)
        if self.fails_on_empty and not is_filtered and not _has_content(accumulator):
            return UpstreamError(f"{name} answered without any content.", code="empty_answer")
        flaw = None if self.find_flaw is None else self._find_flaw(self.find_flaw, accumulator)
        if flaw is not None:
            message = f"The answer of {name} is not of the demanded JSON schema: {flaw}."
            return UpstreamError(message, code="invalid_schema")
        return None

    def _find_flaw(self, find: FindFlaw, accumulator: ResponseAccumulator) -> str | None:
        """A call of a tool, and a refusal, are of no schema."""
        for choice in accumulator.choices.values():
            if not choice.tools and not choice.refusal:
                flaw = find(choice.joined_text())
                if flaw is not None:
                    return flaw
        return None


def _has_content(accumulator: ResponseAccumulator) -> bool:
    """Embeddings have some, and a body that is passed on."""
    if accumulator.embeddings is not None or accumulator.body:
        return True
    return any(map(_says_something, accumulator.choices.values()))


def _says_something(choice: ChoiceAccumulator) -> bool:
    has_more = choice.tools or choice.refusal or choice.extra
    return bool(has_more) or bool(choice.joined_text().strip())
