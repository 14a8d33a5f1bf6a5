"""The cases of the Open Responses specification's compliance run, restated: what is asked, and what
the response and the events of its stream must have (https://www.openresponses.org/compliance)."""

from __future__ import annotations

import json
import sys
import urllib.request
from collections.abc import Iterator
from typing import Any

from cells import CITY, URL, WEATHER, run_cells, weather
from client import Client, Impossible

Value = dict[str, Any]
NONE = type(None)
NUMBER = (int, float)
RESPONSE: dict[str, Any] = {
    "id": str,
    "object": str,
    "created_at": int,
    "completed_at": (int, NONE),
    "status": str,
    "incomplete_details": (dict, NONE),
    "model": str,
    "previous_response_id": (str, NONE),
    "instructions": (str, list, NONE),
    "output": list,
    "error": (dict, NONE),
    "tools": list,
    "tool_choice": (str, dict),
    "truncation": str,
    "parallel_tool_calls": bool,
    "text": dict,
    "top_p": NUMBER,
    "presence_penalty": NUMBER,
    "frequency_penalty": NUMBER,
    "top_logprobs": int,
    "temperature": NUMBER,
    "reasoning": (dict, NONE),
    "user": (str, NONE),
    "usage": (dict, NONE),
    "max_output_tokens": (int, NONE),
    "max_tool_calls": (int, NONE),
    "store": bool,
    "background": bool,
    "service_tier": str,
    "metadata": dict,
    "safety_identifier": (str, NONE),
    "prompt_cache_key": (str, NONE),
}
"""The required fields of a response (its ResponseResource)."""
ITEMS: dict[str, Any] = {
    "message": {"id": str, "status": str, "role": str, "content": list},
    "function_call": {"id": str, "call_id": str, "name": str, "arguments": str, "status": str},
    "reasoning": {"id": str, "summary": list},
}
PARTS: dict[str, Any] = {
    "output_text": {"text": str, "annotations": list, "logprobs": list},
    "refusal": {"refusal": str},
    "summary_text": {"text": str},
    "reasoning_text": {"text": str},
}
USAGE: dict[str, Any] = {
    "input_tokens": int,
    "output_tokens": int,
    "total_tokens": int,
    "input_tokens_details": dict,
    "output_tokens_details": dict,
}
AT_ITEM = {"output_index": int}
AT_TEXT = {**AT_ITEM, "item_id": str, "content_index": int}
AT_SUMMARY = {**AT_ITEM, "item_id": str, "summary_index": int}
EVENTS: dict[str, Any] = {
    "response.created": {"response": dict},
    "response.in_progress": {"response": dict},
    "response.completed": {"response": dict},
    "response.output_item.added": {**AT_ITEM, "item": dict},
    "response.output_item.done": {**AT_ITEM, "item": dict},
    "response.content_part.added": {**AT_TEXT, "part": dict},
    "response.content_part.done": {**AT_TEXT, "part": dict},
    "response.output_text.delta": {**AT_TEXT, "delta": str, "logprobs": list},
    "response.output_text.done": {**AT_TEXT, "text": str, "logprobs": list},
    "response.output_text.annotation.added": {**AT_TEXT, "annotation": dict},
    "response.function_call_arguments.delta": {**AT_ITEM, "item_id": str, "delta": str},
    "response.function_call_arguments.done": {**AT_ITEM, "item_id": str, "arguments": str},
    "response.reasoning_summary_part.added": {**AT_SUMMARY, "part": dict},
    "response.reasoning_summary_part.done": {**AT_SUMMARY, "part": dict},
    "response.reasoning_summary_text.delta": {**AT_SUMMARY, "delta": str},
    "response.reasoning_summary_text.done": {**AT_SUMMARY, "text": str},
}
"""Each with ``sequence_number``. The specification calls the next two ``response.reasoning.*``;
OpenAI's API and its clients have these names."""
for name, text in (("delta", "delta"), ("done", "text")):
    EVENTS[f"response.reasoning_text.{name}"] = {**AT_TEXT, text: str}
CALL_EVENTS = {
    "response.output_item.added",
    "response.function_call_arguments.delta",
    "response.function_call_arguments.done",
    "response.output_item.done",
}
TOOL = {"type": "function", **WEATHER, "parameters": CITY}
FORECAST = "What is the weather in Bonn?"
PNG = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGA"
    "WjR9awAAAABJRU5ErkJggg=="
)
PDF = "data:application/pdf;base64,JVBERi0xLjEKJSVFT0Y="


def check(value: Any, fields: Value, where: str) -> None:
    assert isinstance(value, dict), f"{where} is no object: {value!r}"
    for name, kind in fields.items():
        assert name in value, f"{where}.{name} is missing"
        assert isinstance(value[name], kind), f"{where}.{name}: {value[name]!r}"


def check_item(item: Any, where: str) -> None:
    check(item, {"type": str, **ITEMS[item["type"]]}, where)
    for part in item.get("content") or item.get("summary") or ():
        check(part, {"type": str, **PARTS[part["type"]]}, f"{where}.content")


def check_response(response: Any) -> None:
    check(response, RESPONSE, "response")
    assert response["object"] == "response"
    assert response["truncation"] in ("auto", "disabled")
    for item in response["output"]:
        check_item(item, "response.output")
    if response["usage"] is not None:
        check(response["usage"], USAGE, "response.usage")


def check_event(event: Any, number: int) -> None:
    check(event, {**EVENTS[event["type"]], "sequence_number": int}, event["type"])
    assert event["sequence_number"] == number, event
    if "response" in event:
        check_response(event["response"])
    if event["type"] == "response.output_item.done":
        check_item(event["item"], event["type"])


def post(body: Value) -> Iterator[bytes]:
    request = urllib.request.Request(
        f"{URL}/v1/responses",
        json.dumps(body).encode(),
        {"content-type": "application/json", "authorization": "Bearer unused"},
    )
    with urllib.request.urlopen(request, timeout=20) as response:
        yield from response


def ask(model: str, content: Any, **more: Any) -> Value:
    response = json.loads(b"".join(post({"model": model, "input": content, **more})))
    check_response(response)
    return completed(response)


def ask_streamed(model: str, content: Any, **more: Any) -> tuple[Value, list[Value]]:
    """The response of the last event, and all events."""
    lines = list(post({"model": model, "input": content, "stream": True, **more}))
    named = [line[7:].strip().decode() for line in lines if line.startswith(b"event: ")]
    data = [line[6:].strip() for line in lines if line.startswith(b"data: ")]
    events = [json.loads(each) for each in data if each != b"[DONE]"]
    assert named == [event["type"] for event in events], named
    for number, event in enumerate(events):
        check_event(event, number)
    assert events[-1]["type"] == "response.completed", events[-1]
    return completed(events[-1]["response"]), events


def completed(response: Value) -> Value:
    assert response["output"], "no output"
    assert response["status"] == "completed", response["status"]
    return response


def said(text: Any, role: str = "user") -> Value:
    return {"type": "message", "role": role, "content": text}


def calls(response: Value) -> list[Value]:
    return [item for item in response["output"] if item["type"] == "function_call"]


def basic(model: str) -> bool:
    return bool(ask(model, [said("Say hello in three words.")]))


def streamed(model: str) -> bool:
    return bool(ask_streamed(model, [said("Count from 1 to 5.")]))


def system_prompt(model: str) -> bool:
    return bool(ask(model, [said("Answer as a pirate.", "system"), said("Say hello.")]))


def tool_call(model: str) -> int:
    return len(calls(ask(model, [said(FORECAST)], tools=[TOOL])))


def tool_call_streamed(model: str) -> bool:
    response, events = ask_streamed(model, [said(FORECAST)], tools=[TOOL])
    (call,) = calls(response)
    about = [
        event
        for event in events
        if call["id"] in (event.get("item_id"), event.get("item", {}).get("id"))
    ]
    return {event["type"] for event in about} == CALL_EVENTS


def round_trip(model: str) -> bool:
    choice = {"type": "function", "name": "get_weather"}
    asked = said(FORECAST)
    first = ask(model, [asked], tools=[TOOL], tool_choice=choice)
    (call,) = calls(first)
    output = weather(**json.loads(call["arguments"]))
    result = {"type": "function_call_output", "call_id": call["call_id"], "output": output}
    second = ask(model, [asked, *first["output"], result], tools=[TOOL])
    return not calls(second)


def image(model: str) -> bool:
    picture = {"type": "input_image", "image_url": PNG}
    return bool(ask(model, [said([{"type": "input_text", "text": "What is it?"}, picture])]))


def file(model: str) -> bool:
    document = {"type": "input_file", "filename": "a.pdf", "file_data": PDF}
    return bool(ask(model, [said([{"type": "input_text", "text": "Its title?"}, document])]))


def several_turns(model: str) -> bool:
    turns = [said("My name is Alice."), said("Hello Alice!", "assistant"), said("My name?")]
    return bool(ask(model, turns))


def previous_response(model: str) -> bool:
    first = ask(model, "Remember the word papaya.")
    return bool(ask(model, "Which word?", previous_response_id=first["id"]))


CASES = {
    "basic response": (basic, True),
    "streamed response": (streamed, True),
    "system prompt": (system_prompt, True),
    "tool call": (tool_call, 1),
    "tool call streamed": (tool_call_streamed, True),
    "tool call and result": (round_trip, True),
    "image": (image, True),
    "file": (file, True),
    "several turns": (several_turns, True),
    "previous response": (previous_response, True),
}
CLIENT = Client(
    "Open Responses compliance",
    "openai responses",
    tuple(CASES),
    (sys.executable, __file__),
    (
        Impossible(
            "The provider's own bytes are passed on, and the scripted one's are short.",
            ("openai_responses",),
        ),
        Impossible("The provider takes no documents.", ("cohere", "ollama"), ("file",)),
    ),
)

if __name__ == "__main__":
    run_cells(CASES)
