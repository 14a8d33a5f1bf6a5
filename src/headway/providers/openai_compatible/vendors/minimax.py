"""MiniMax.

Sources: platform.minimax.io/docs/api-reference/text-openai-api (parameters that are accepted and
ignored) and text-chat-openai; platform.minimax.io/docs, Error codes (1026 and 1027: content that
was found sensitive).
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from headway import errors
from headway.events import Event, Failed
from headway.providers.call_argument_rules import json_argument_rules
from headway.providers.call_id_rules import IdForm, call_id_rules
from headway.providers.call_result_rules import call_result_rules
from headway.providers.openai_compatible.reasoning import NOT_ADJUSTABLE, ReasoningSupport, on_off
from headway.providers.openai_compatible.request_rules import PENALTIES, RequestRules
from headway.providers.openai_compatible.request_transforms import only_auto_tool_choice
from headway.providers.openai_compatible.vendor import CACHE_READS, Vendor
from headway.providers.rejections import specify
from headway.providers.tool_rules import json_as_instruction
from headway.providers.wire_rules import mended
from headway.wire.lenient_json import lenient_decoder

PARAMETERS = "https://platform.minimax.io/docs/api-reference/text-openai-api"


class Outcome(Struct):
    status_code: int = 0
    status_msg: str = ""


class Response(Struct):
    base_resp: Outcome | None = None


_response = lenient_decoder(Response)
ERRORS_BY_CODE: Mapping[int, type[errors.UpstreamError]] = {
    1001: errors.UpstreamTimeout,
    **dict.fromkeys((1002, 1039, 1041, 2045), errors.UpstreamRateLimited),
    **dict.fromkeys((1004, 2049), errors.UpstreamAuth),
    **dict.fromkeys((1008, 2056), errors.UpstreamQuota),
    **dict.fromkeys((1026, 1027), errors.UpstreamContentPolicy),
    **dict.fromkeys((1042, 2013), errors.UpstreamRejected),
}


def _failure(data: bytes) -> list[Event] | None:
    """The error that ``base_resp`` of a response with status 200 reports. None: no error."""
    if b'"base_resp"' not in data:
        return None
    outcome = _response(data).base_resp or Outcome()
    code = outcome.status_code
    if not code:
        return None
    cls = ERRORS_BY_CODE.get(code, errors.UpstreamError)
    error = cls(outcome.status_msg or "MiniMax failed.", code=str(code))
    return [Failed(specify(error))]


VENDOR = Vendor(
    title="MiniMax",
    order=120,
    base_url="https://api.minimax.io/v1",
    key_env="MINIMAX_API_KEY",
    price_id="minimax",
    reasoning=(
        ReasoningSupport(models="(?i)M2", efforts=NOT_ADJUSTABLE, has_thinking=True),
        ReasoningSupport(
            efforts=on_off({"thinking": {"type": "disabled"}}, {"thinking": {"type": "adaptive"}}),
            has_thinking=True,
        ),
    ),
    request_transforms=(only_auto_tool_choice,),
    wire_rules=(
        *json_argument_rules("https://github.com/can1357/oh-my-pi/issues/181"),
        *call_id_rules(IdForm(source="https://github.com/can1357/oh-my-pi/issues/2055")),
        *call_result_rules("https://github.com/MiniMax-AI/MiniMax-M2/issues/76"),
        *(
            mended(subject, json_as_instruction, PARAMETERS)
            for subject in ("schema_recursion", "tools_with_json")
        ),
    ),
    request_rules=RequestRules(
        ignored=(*PENALTIES, "logit_bias"),
        neutral=dict.fromkeys(PENALTIES, 0),
        bounds={"temperature": (0.01, 1)},
        single_choice=True,
    ),
    response_interceptor=_failure,
    capabilities={
        "stream": "native",
        "tools": "native",
        "tool_choice": "partial: `auto`; `none` is emulated",
        **dict.fromkeys(("json_object", "json_schema"), "emulated: as an instruction"),
        "images": "native: depends on the model",
        "reasoning": "partial: `thinking` with MiniMax-M3; the text is part of the content, "
        "or separate with `reasoning_split`",
        "caching": CACHE_READS,
    },
)
