"""Anthropic's parameters in OpenAI's format (platform.claude.com/docs/en/api/messages/create).
What this module does not know is passed on: the provider's adapter knows what its provider takes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any

import msgspec
from msgspec import Raw

from headway.dialects.anthropic.request_blocks import Noted, note_dropped
from headway.dialects.anthropic.tool_names import SHORTENED, short_name
from headway.errors import InvalidField, unsupported_thread
from headway.types import Transformation

ONLY_HERE = (
    "cache_control", "container", "context_management", "diagnostics", "fallbacks",
    "inference_geo", "mcp_servers", "speed", "user_profile_id", "workspace_id",
)  # fmt: skip
"""Parameters for which OpenAI's format has nothing."""
MAX_USER_LENGTH = 64
"""Characters that OpenAI takes in ``user``; coding agents send more
(github.com/musistudio/claude-code-router)."""
SERVICE_TIERS = {"standard_only": "default"}
CHOICES = {"auto": "auto", "any": "required", "none": "none"}
DISABLED = ("disabled", "between_tools")
TOOL_FIELDS = ("type", "name", "description", "input_schema", "strict", "cache_control")
WEB_SEARCH = "web_search_"
SEARCH_FIELDS = {"type", "name", "user_location"}
CUSTOM_TYPES = (None, "custom")

MALFORMED = (LookupError, TypeError, AttributeError, RecursionError, msgspec.MsgspecError)

Values = dict[str, Any]

_any = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


def convert_parameters(fields: Mapping[str, Raw], noted: Noted) -> dict[str, Raw]:
    """``fields`` without the messages and the system prompt. Raises InvalidField, and
    RequestError for a conversation that the provider is to keep."""
    converted: dict[str, Raw] = {}
    for name, raw in fields.items():
        if bytes(raw) == b"null":
            continue
        convert = CONVERTERS.get(name)
        if convert is None:
            converted[name] = raw
            continue
        try:
            values = convert(fields, noted)
        except MALFORMED as exc:
            message = f"`{name}` is not in Anthropic's format: {exc}."
            raise InvalidField(message, param=name) from exc
        converted.update((new, Raw(_encode(value))) for new, value in values.items())
    return converted


def _value(fields: Mapping[str, Raw], name: str) -> Any:
    raw = fields.get(name)
    return None if raw is None else _any(raw)


def _stop(fields: Mapping[str, Raw], noted: Noted) -> Values:
    given = _value(fields, "stop_sequences")
    return {"stop": given} if given else {}


def _user(fields: Mapping[str, Raw], noted: Noted) -> Values:
    user = _value(fields, "metadata").get("user_id")
    if not isinstance(user, str) or not user:
        return {}
    if len(user) > MAX_USER_LENGTH:
        noted[Transformation("emulated", "metadata.user_id", "as its SHA-256, being long")] = None
        user = sha256(user.encode(errors="replace")).hexdigest()
    return {"user": user}


def _service_tier(fields: Mapping[str, Raw], noted: Noted) -> Values:
    given = _value(fields, "service_tier")
    return {"service_tier": SERVICE_TIERS.get(given, given)}


# --- Tools ----------------------------------------------------------------------------------------


def _tools(fields: Mapping[str, Raw], noted: Noted) -> Values:
    """Functions; a search of the web, which other providers have too, is a parameter there."""
    given = _value(fields, "tools") or ()
    searches = [tool for tool in given if str(tool.get("type")).startswith(WEB_SEARCH)]
    tools = [_tool(tool, noted) for tool in given if tool not in searches]
    known = [tool for tool in tools if tool is not None]
    values: Values = {"tools": known} if known else {}
    return {**values, **_web_search(searches[0], noted)} if searches else values


def _web_search(tool: Values, noted: Noted) -> Values:
    """``web_search_options`` (platform.openai.com/docs/guides/tools-web-search)."""
    path = f"tools[].{tool['type']}"
    noted[Transformation("emulated", path, "as web_search_options")] = None
    for name in sorted(tool.keys() - SEARCH_FIELDS):
        if tool[name] is not None:
            note_dropped(noted, f"{path}.{name}")
    place = tool.get("user_location")
    if not place:
        return {"web_search_options": {}}
    approximate = {name: value for name, value in place.items() if name != "type"}
    location = {"type": "approximate", "approximate": approximate}
    return {"web_search_options": {"user_location": location}}


def _tool(tool: Values, noted: Noted) -> Values | None:
    """The client's own tools as functions; those of Anthropic, by their type, only it knows."""
    kind = tool.get("type")
    if kind not in CUSTOM_TYPES:
        note_dropped(noted, f"tools[].{kind}")
        return None
    function: Values = {"name": short_name(tool["name"])}
    if function["name"] != tool["name"]:
        noted[SHORTENED] = None
    if tool.get("description") is not None:
        function["description"] = tool["description"]
    function["parameters"] = tool.get("input_schema") or {"type": "object", "properties": {}}
    if tool.get("strict") is not None:
        function["strict"] = tool["strict"]
    for name in sorted(tool.keys() - TOOL_FIELDS):
        note_dropped(noted, f"tools[].{name}")
    converted: Values = {"type": "function", "function": function}
    if tool.get("cache_control") is not None:
        converted["cache_control"] = tool["cache_control"]
    return converted


def _tool_choice(fields: Mapping[str, Raw], noted: Noted) -> Values:
    if "tools" not in _tools(fields, {}):
        return {}
    given = _value(fields, "tool_choice")
    kind, is_serial = given["type"], given.get("disable_parallel_tool_use")
    choice = {"type": "function", "function": {"name": short_name(given.get("name") or "")}}
    values: Values = {"tool_choice": choice if kind == "tool" else CHOICES[kind]}
    return values if is_serial is None else {**values, "parallel_tool_calls": not is_serial}


# --- Reasoning and the format of the answer -------------------------------------------------------


def _thinking(fields: Mapping[str, Raw], noted: Noted) -> Values:
    """OpenRouter's ``reasoning``, which has a budget (openrouter.ai/docs, Reasoning tokens); an
    effort alone is OpenAI's ``reasoning_effort``."""
    thinking = _value(fields, "thinking")
    effort = (_value(fields, "output_config") or {}).get("effort")
    if thinking["type"] in DISABLED:
        return {"reasoning": {"enabled": False}}
    reasoning: Values = {}
    if effort is not None:
        reasoning["effort"] = effort
    if thinking.get("budget_tokens") is not None:
        reasoning["max_tokens"] = thinking["budget_tokens"]
    if thinking.get("display") == "omitted":
        reasoning["exclude"] = True
    if reasoning.keys() == {"effort"}:
        return {"reasoning_effort": effort}
    return {"reasoning": reasoning or {"enabled": True}}


def _output_config(fields: Mapping[str, Raw], noted: Noted) -> Values:
    config = _value(fields, "output_config")
    values: Values = {}
    if config.get("effort") is not None:
        values = _effort(fields, config["effort"], noted)
    if config.get("format") is not None:
        values.update(_response_format(config["format"]))
    for name in sorted(config.keys() - {"effort", "format"}):
        note_dropped(noted, f"output_config.{name}")
    return values


def _effort(fields: Mapping[str, Raw], effort: Any, noted: Noted) -> Values:
    """Where ``thinking`` is given, that takes the effort with it."""
    thinking = _value(fields, "thinking")
    if thinking is None:
        return {"reasoning_effort": effort}
    if thinking["type"] in DISABLED:
        note_dropped(noted, "output_config.effort", "thinking is disabled")
    return {}


def _output_format(fields: Mapping[str, Raw], noted: Noted) -> Values:
    return _response_format(_value(fields, "output_format"))


def _response_format(given: Values) -> Values:
    """OpenAI names each schema; it is strict where OpenAI takes it as strict
    (platform.openai.com/docs/guides/structured-outputs)."""
    schema = given["schema"]
    name = given.get("name") or "answer"
    described = {"name": name, "schema": schema, "strict": _is_strict(schema)}
    return {"response_format": {"type": "json_schema", "json_schema": described}}


def _is_strict(schema: Any) -> bool:
    """Whether every object of the schema requires all of its properties and no others."""
    if isinstance(schema, list):
        return all(map(_is_strict, schema))
    if not isinstance(schema, dict):
        return True
    properties = schema.get("properties")
    if schema.get("type") == "object" or isinstance(properties, dict):
        required = set(schema.get("required") or ())
        if schema.get("additionalProperties") is not False or required != set(properties or ()):
            return False
    return all(map(_is_strict, schema.values()))


def _thread(fields: Mapping[str, Raw], noted: Noted) -> Values:
    raise unsupported_thread()


def _nothing(name: str) -> Callable[[Mapping[str, Raw], Noted], Values]:
    def drop(fields: Mapping[str, Raw], noted: Noted) -> Values:
        note_dropped(noted, name)
        return {}

    return drop


CONVERTERS: dict[str, Callable[[Mapping[str, Raw], Noted], Values]] = {
    **{name: _nothing(name) for name in ONLY_HERE},
    "stop_sequences": _stop,
    "metadata": _user,
    "service_tier": _service_tier,
    "tools": _tools,
    "tool_choice": _tool_choice,
    "thinking": _thinking,
    "output_config": _output_config,
    "output_format": _output_format,
    "thread": _thread,
}
