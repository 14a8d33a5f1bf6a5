"""An example of each subject of the table of wire rules, as a request in OpenAI's format, and what
of it a provider's request shows where the subject is allowed."""

from __future__ import annotations

import json
from base64 import b64encode, urlsafe_b64encode
from typing import Any

from msgspec import Struct

from headway.types import ChatRequest
from support.adapter_requests import chat

PNG = b64encode(b"\x89PNG\r\n\x1a\n" + bytes(16)).decode()
JPEG = b64encode(b"\xff\xd8\xff\xe0" + bytes(16)).decode()
PNG_FOR_URLS = urlsafe_b64encode(b"\x89PNG\r\n\x1a\n\xff\xfb\xbf\xff").decode().rstrip("=")
GIF = b64encode(b"GIF89a" + bytes(15)).decode()
PDF = b64encode(b"%PDF-1.4\n").decode()
PDF_URL = f"data:application/pdf;base64,{PDF}"
IMAGE = {"type": "image_url", "image_url": {"url": "https://a.example/b.png"}}
DRAFT = "https://json-schema.org/draft/2020-12/schema"
OBJECT = {"type": "object", "properties": {}, "required": []}
NODE = {"type": "object", "properties": {"next": {"$ref": "#/$defs/node"}}}
TREE = {"type": "object", "properties": {"root": {"$ref": "#/$defs/node"}}, "$defs": {"node": NODE}}
FORMAT = {"type": "json_schema", "json_schema": {"name": "answer", "schema": TREE}}
SYSTEM = {"role": "system", "content": "Be brief."}
CALL = {"id": "call00001", "type": "function", "function": {"name": "f", "arguments": "{}"}}
CALLING = {"role": "assistant", "content": None, "tool_calls": [CALL]}
RESULT = {"tool_call_id": "call00001", "role": "tool", "content": "42"}
FLAT = {"type": "object", "properties": {"answer_field": {"type": "string"}}}
FLAT_FORMAT = {"type": "json_schema", "json_schema": {"name": "answer", "schema": FLAT}}
HI: dict[str, Any] = {"role": "user", "content": "Hi"}


class Example(Struct, frozen=True, kw_only=True):
    messages: tuple[dict[str, Any], ...] = (HI,)
    parameters: dict[str, Any] = {}
    sent: str
    """A part of the body's JSON, without spaces between tokens, where the subject is allowed."""
    unsent: str = ""
    """A part of the body's JSON that a mended request lacks; by default ``sent``."""

    def request(self, model: str) -> ChatRequest:
        return chat(model, list(self.messages), **self.parameters)


def text(value: str) -> dict[str, str]:
    return {"type": "text", "text": value}


def user(content: Any) -> dict[str, Any]:
    return {"role": "user", "content": content}


def assistant(content: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": content}


def function(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "parameters": schema}}


def image(url: str, sent: str) -> Example:
    """An image, which a mended request has with another address."""
    part = {"type": "image_url", "image_url": {"url": url}}
    return Example(messages=(user([text("Look:"), part]),), sent=sent, unsent=json.dumps(url))


def calls(*ids: Any, **function: Any) -> dict[str, Any]:
    """A message with tool calls; ``function`` are fields of each function."""
    called = {"name": "f", "arguments": "{}", **function}
    entries = [{"id": each, "type": "function", "function": called} for each in ids]
    return {"role": "assistant", "content": None, "tool_calls": entries}


def result(call_id: Any, content: str = "42") -> dict[str, Any]:
    return {"tool_call_id": call_id, "role": "tool", "content": content}


def call_id(value: str) -> Example:
    return Example(messages=(HI, calls(value), result(value), HI), sent=json.dumps(value))


def arguments(value: Any, sent: str) -> Example:
    given = json.dumps(value, separators=(",", ":"))
    return Example(
        messages=(HI, calls("call00001", arguments=value), result("call00001"), HI),
        sent=sent,
        unsent=f'"name":"f","arguments":{given}',
    )


EXAMPLES: dict[str, Example] = {
    "blank_text": Example(messages=(user(" \n"),), sent='" \\n"'),
    "blank_text_part": Example(
        messages=(user([text("Hi"), text("\t\t")]),), sent='\\t\\t"', unsent='"\\t\\t"'
    ),
    "empty_text": Example(messages=(user(""),), sent='""', unsent='"content":""'),
    "empty_answer": Example(
        messages=(HI, assistant(""), user("Go on.")), sent='"Go on."', unsent='"assistant"'
    ),
    "call_without_content": Example(
        messages=(HI, CALLING, RESULT, assistant("42"), HI), sent='"name":"f"'
    ),
    "trailing_whitespace": Example(
        messages=(HI, assistant("Answer: \n")), sent='"Answer: \\n"', unsent='"Answer: \\n"}'
    ),
    "prefill": Example(
        messages=(HI, assistant("Answer:")), sent='"Answer:"', unsent='"Answer:"}]}]'
    ),
    "system_only": Example(
        messages=(SYSTEM,), sent="Be brief.", unsent='"role":"system","content":"Be brief."'
    ),
    "assistant_first": Example(
        messages=(assistant("Hello."), HI), sent='"Hello."', unsent=':[{"role":"assistant"'
    ),
    "system_later": Example(
        messages=(HI, assistant("Hello."), SYSTEM, user("Go on.")),
        sent="Be brief.",
        unsent='"Hello."},{"role":"system"',
    ),
    "user_after_user": Example(
        messages=(user("One"), user("Two")), sent="Two", unsent='"content":"Two"'
    ),
    "assistant_after_assistant": Example(
        messages=(HI, assistant("One"), assistant("Two"), HI),
        sent='Two"',
        unsent='"One"},{"role":"assistant"',
    ),
    "user_after_tool": Example(
        messages=(HI, CALLING, RESULT, user("Go on.")),
        sent='"Go on."',
        unsent='"42"},{"role":"user"',
    ),
    "call_id_other": call_id("call_AbCdEfGhIjKlMnOpQrStUvWx"),
    "call_id_characters": call_id("functions.f:0"),
    "call_ids_alike": Example(
        messages=(HI, calls("f.1", "f:1"), result("f:1"), result("f.1", "43"), HI), sent='"f:1"'
    ),
    "call_id_long": call_id("a" * 70),
    "call_id_empty": Example(messages=(HI, calls(""), result(""), HI), sent='"id":""'),
    "call_ids_repeated": Example(
        messages=(HI, *(calls("call00001"), result("call00001")) * 2, HI),
        sent='"42"',
        unsent='"42"},{"role":"assistant","content":null,"tool_calls":[{"id":"call00001"',
    ),
    "result_without_call": Example(
        messages=(HI, result("call00001"), user("Go on.")), sent='"42"', unsent='"role":"tool"'
    ),
    "call_without_result": Example(
        messages=(HI, CALLING, user("Go on.")), sent='"Go on."', unsent='"{}"}}]},{"role":"user"'
    ),
    "result_apart": Example(
        messages=(HI, CALLING, user("Wait."), RESULT, HI),
        sent='"Wait."',
        unsent='"Wait."},{"tool_call_id"',
    ),
    "arguments_cut": arguments('{"a":1,"b', '"{\\"a\\":1,\\"b"'),
    "arguments_list": arguments("[1]", '"[1]"'),
    "arguments_empty": arguments("", '"42"'),
    "arguments_null": arguments(None, '"42"'),
    "arguments_object": arguments({"a": 1}, '{"a":1}'),
    "text_parts": Example(
        messages=(user([text("one "), text("two")]),), sent='"one ', unsent='"one "'
    ),
    "image_type": image(f"data:image/png;base64,{JPEG}", "/9j/"),
    "image_type_alias": image(f"data:image/jpg;base64,{JPEG}", "/9j/"),
    "image_type_capitals": image(f"DATA:IMAGE/PNG;base64,{PNG}", "iVBORw0KGgo"),
    "image_type_missing": image(f"data:;base64,{PNG}", "iVBORw0KGgo"),
    "image_line_breaks": image(f"data:image/png;base64,{PNG[:8]}\n{PNG[8:]}", "iVBORw0K\\nGgo"),
    "image_alphabet": image(f"data:image/png;base64,{PNG_FOR_URLS}", PNG_FOR_URLS),
    "image_gif": image(f"data:image/gif;base64,{GIF}", GIF),
    "pdf_as_image": Example(
        messages=(user([text("Look:"), {"type": "image_url", "image_url": {"url": PDF_URL}}]),),
        sent="JVBERi0",
        unsent=f'"image_url":{{"url":"{PDF_URL}',
    ),
    "document_alone": Example(
        messages=(user([{"type": "file", "file": {"file_data": PDF_URL}}]),),
        sent="JVBERi0",
        unsent='JVBERi0xLjQK"}}}]}]',
    ),
    "image_address": Example(
        messages=(user([text("Look:"), IMAGE]),), sent="https://a.example/b.png"
    ),
    "schema_keywords": Example(
        parameters={"tools": [function("f", TREE | {"$schema": DRAFT, "title": "Args"})]},
        sent='"title":"Args"',
    ),
    "schema_recursion": Example(
        parameters={"response_format": FORMAT}, sent='"$ref":', unsent='"$ref":"#/$defs/node"'
    ),
    "tools_with_json": Example(
        parameters={"response_format": FLAT_FORMAT, "tools": [function("f", OBJECT)]},
        sent="answer_field",
        unsent='"answer_field":',
    ),
    "function_name_digit": Example(
        parameters={"tools": [function("1st", OBJECT)]}, sent='"1st"', unsent='"1st"'
    ),
    "stop": Example(parameters={"stop": "END"}, sent='"END"'),
    "blank_stop": Example(parameters={"stop": "\n"}, sent='"\\n"'),
    "empty_stop": Example(parameters={"stop": ""}, sent='""'),
    "many_stops": Example(parameters={"stop": list("abcdef")}, sent='"f"'),
}
