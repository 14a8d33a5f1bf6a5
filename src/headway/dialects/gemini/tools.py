"""Google's tools and toolConfig (ai.google.dev/api/caching#Tool) as OpenAI's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headway.dialects.gemini.contents import ONLY_GOOGLE
from headway.dialects.gemini.names import Fields, enum_name, read_list, read_object
from headway.dialects.gemini.schema import to_json_schema
from headway.types import Transformation

MODE_NUMBERS: Mapping[int, str] = {1: "AUTO", 2: "ANY", 3: "NONE", 4: "VALIDATED"}
"""google/ai/generativelanguage/v1beta/content.proto, FunctionCallingConfig.Mode."""
CHOICES: Mapping[str, str] = {
    "AUTO": "auto",
    "VALIDATED": "auto",
    "ANY": "required",
    "NONE": "none",
}
IGNORED = ("behavior", "response", "responseJsonSchema")
"""Fields of a declaration for which OpenAI has none."""


def convert_tools(tools: Any) -> tuple[list[Fields], list[Transformation]]:
    """OpenAI's tools, and what is lost. Raises LookupError and TypeError for what is not in
    Google's format."""
    functions: list[Fields] = []
    lost: list[Transformation] = []
    for tool in read_list(tools):
        for name, value in read_object(tool).items():
            if name == "functionDeclarations":
                functions += [_function(read_object(each), lost) for each in read_list(value)]
            else:
                lost.append(Transformation("dropped", f"tools[].{name}", ONLY_GOOGLE))
    return functions, lost


def _function(declaration: Fields, lost: list[Transformation]) -> Fields:
    function: Fields = {"name": declaration["name"]}
    if "description" in declaration:
        function["description"] = declaration["description"]
    if "parametersJsonSchema" in declaration:
        function["parameters"] = declaration["parametersJsonSchema"]
    elif "parameters" in declaration:
        function["parameters"] = to_json_schema(declaration["parameters"])
    for name in IGNORED:
        if name in declaration:
            path = f"tools[].functionDeclarations[].{name}"
            lost.append(Transformation("dropped", path, ONLY_GOOGLE))
    return {"type": "function", "function": function}


def convert_tool_config(config: Any) -> tuple[Any, list[Transformation]]:
    """OpenAI's ``tool_choice``, None for the default, and what is lost."""
    lost: list[Transformation] = []
    choice = None
    for name, value in read_object(config).items():
        if name == "functionCallingConfig":
            choice = _choice(read_object(value))
        else:
            lost.append(Transformation("dropped", f"toolConfig.{name}", ONLY_GOOGLE))
    return choice, lost


def _choice(calling: Fields) -> Any:
    choice = CHOICES.get(enum_name(calling.get("mode"), MODE_NUMBERS))
    names = read_list(calling.get("allowedFunctionNames"))
    if choice is None or choice == "none" or not names:
        return choice
    allowed = [{"type": "function", "function": {"name": name}} for name in names]
    if choice == "required" and len(allowed) == 1:
        return allowed[0]
    return {"type": "allowed_tools", "allowed_tools": {"mode": choice, "tools": allowed}}
