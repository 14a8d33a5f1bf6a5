"""OpenAI's tools and tool choice as Google's (ai.google.dev/gemini-api/docs/function-calling).

``convert_tools`` prepares them while parameters are converted; the encoders write what is left.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Raw

from headway.providers.chat_messages import FunctionSpec, Tool, value_of
from headway.providers.gemini.json_schema import to_openapi_schema
from headway.providers.gemini.messages import NO_CACHE_MARKERS, UNSUPPORTED
from headway.providers.gemini.models import supports_json_schema
from headway.providers.request_draft import RequestDraft
from headway.types import ChatRequest

SERVER_TOOLS: Mapping[str, str] = {
    "code_execution": "codeExecution",
    "code_interpreter": "codeExecution",
    "google_search": "googleSearch",
    "url_context": "urlContext",
    "web_search": "googleSearch",
    "web_search_preview": "googleSearch",
}
"""Types of tools that run on the provider's side, and Google's tool that does the same."""
MODES: Mapping[str, str] = {"auto": "AUTO", "none": "NONE", "required": "ANY"}

Fields = dict[str, Any]
_decode_list = msgspec.json.Decoder(list[Raw]).decode
_decode_tool = msgspec.json.Decoder(Tool).decode
_decode_object = msgspec.json.Decoder(Fields).decode


# --- While parameters are converted ---------------------------------------------------------------


def convert_web_search(draft: RequestDraft) -> None:
    """Google Search takes none of the options."""
    if draft.take("web_search_options") is not None:
        draft.put("tools", [*(draft.value("tools") or ()), {"googleSearch": {}}])
        draft.note_emulated("web_search_options", "by Google Search")


def convert_tools(draft: RequestDraft) -> None:
    tools: list[Fields] | None = draft.value("tools")
    if tools is None:
        return
    if any("cache_control" in tool for tool in tools):
        draft.note_dropped("cache_control", NO_CACHE_MARKERS)
    functions = [tool["function"] for tool in tools if "function" in tool]
    if [function["name"] for function in functions if function.get("strict")]:
        draft.note_dropped("tools[].function.strict", UNSUPPORTED)
    converted = [_convert_tool(tool, draft) for tool in tools]
    draft.put("tools", [tool for tool in converted if tool is not None])


def _convert_tool(tool: Fields, draft: RequestDraft) -> Fields | None:
    tool = {name: value for name, value in tool.items() if name != "cache_control"}
    if "function" in tool:
        return {**tool, "function": _convert_function(tool["function"], draft)}
    tool_type = tool.get("type")
    if tool_type is None:
        return tool  # Google's own
    if tool_type not in SERVER_TOOLS:
        draft.note_dropped("tools", f"unsupported type {tool_type}")
        return None
    if tool_type != _snake_case(SERVER_TOOLS[tool_type]):
        draft.note_emulated("tools", f"{tool_type} by {SERVER_TOOLS[tool_type]}")
    return {SERVER_TOOLS[tool_type]: {}}


def _snake_case(name: str) -> str:
    return re.sub(r"[A-Z]", lambda found: "_" + found[0].lower(), name)


def _convert_function(function: Fields, draft: RequestDraft) -> Fields:
    spec = {name: value for name, value in function.items() if name != "strict"}
    if spec.get("parameters") and not supports_json_schema(draft.model):
        path, place = "tools[].function.parameters", f" in {spec['name']}"
        spec["parameters"] = reduce_schema(spec["parameters"], draft, path, place)
    return spec


def reduce_schema(schema: Fields, draft: RequestDraft, path: str, place: str = "") -> Fields:
    """For a model that takes no JSON Schema. ``path`` and ``place`` name the schema's location in
    the transformation."""
    converted, removed = to_openapi_schema(schema)
    if removed:
        keywords = ", ".join(sorted(removed))
        draft.note_dropped(path, f"{keywords}{place}, unsupported by {draft.model}")
    return converted


# --- While the request is encoded -----------------------------------------------------------------


def encode_tools(request: ChatRequest) -> list[Any]:
    """Google's own tools pass through; all functions are in one tool."""
    field = "parametersJsonSchema" if supports_json_schema(request.model) else "parameters"
    tools: list[Any] = []
    declarations: list[Fields] = []
    for raw in _decode_list(request.parameters.get("tools", Raw(b"[]"))):
        if "function" not in _decode_object(raw):
            tools.append(raw)
            continue
        spec = _decode_tool(raw).function
        if spec is not None:
            if not declarations:
                tools.append({"functionDeclarations": declarations})
            declarations.append(_declaration(spec, field))
    return tools


def _declaration(spec: FunctionSpec, field: str) -> Fields:
    declaration: Fields = {"name": spec.name}
    if spec.description is not None:
        declaration["description"] = spec.description
    if spec.parameters is not None:
        declaration[field] = spec.parameters
    return declaration


def encode_tool_config(request: ChatRequest) -> Fields:
    """``tool_choice`` as a functionCallingConfig. A ``toolConfig`` of the client's own wins."""
    calling = _calling_config(value_of(request, "tool_choice"))
    config: Fields = {"functionCallingConfig": calling} if calling else {}
    config.update(value_of(request, "toolConfig") or {})
    return config


def _calling_config(choice: Any) -> Fields | None:
    """A choice of one or several functions is a list of allowed names. If the model need not call
    any, that list requires the mode VALIDATED (ai.google.dev/gemini-api/docs/function-calling)."""
    if choice is None:
        return None
    if isinstance(choice, str):
        return {"mode": MODES.get(choice, choice.upper())}
    if choice.get("type") == "allowed_tools":
        allowed = choice["allowed_tools"]
        names = [tool["function"]["name"] for tool in allowed.get("tools", ())]
        mode = "ANY" if allowed.get("mode") == "required" else "VALIDATED"
        return {"mode": mode, "allowedFunctionNames": names}
    return {"mode": "ANY", "allowedFunctionNames": [choice["function"]["name"]]}
