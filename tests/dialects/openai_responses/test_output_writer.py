from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from headway.dialects.input_items.tools import ToolName
from headway.dialects.openai_responses.output_writer import OutputWriter
from headway.events import (
    Event,
    ExtraFields,
    Logprobs,
    Reasoning,
    ReasoningDetail,
    Refusal,
    Started,
    Text,
    ToolArguments,
    ToolStarted,
)
from headway.wire.sealed_reasoning import unseal

DETAIL = {"type": "reasoning.text", "text": "Hm", "signature": "S", "format": "f", "index": 0}
ANY = st.recursive(
    st.none() | st.integers(0, 9) | st.sampled_from(("type", "url_citation", "image_url", "x")),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(("type", "url_citation", "image_url", "id")), inner)
    ),
    max_leaves=8,
)
NAMES = {"patch": ToolName("patch", None, True), "crm__find": ToolName("find", "crm")}
OPENAI = {"id": "rs_9", "format": "openai-responses-v1", "index": 0}


def write(*events: Event, **options: Any) -> tuple[list[str], list[Any], list[Any]]:
    """The names of the events without their beginning, the events, and the output."""
    writer = OutputWriter("1", NAMES, options.pop("shows_summary", False), **options)
    out: list[Any] = []
    for event in events:
        writer.read([event], out)
    writer.close(out)
    return [name.removeprefix("response.") for name, _ in out], out, writer.output


def test_reasoning_text_and_calls_are_items_in_their_order() -> None:
    names, out, output = write(
        Started("x"),
        Reasoning("H"),
        Reasoning("m"),
        ReasoningDetail(DETAIL),
        Text("A"),
        ToolStarted(0, "c0", "f"),
        ToolArguments(0, '{"a":'),
        ToolArguments(0, "1}"),
        ToolStarted(1, "c1", "f"),
        ToolArguments(1, "{}"),
    )
    assert names == [
        "output_item.added",
        "content_part.added",
        "reasoning_text.delta",
        "reasoning_text.delta",
        "reasoning_text.done",
        "content_part.done",
        "output_item.done",
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "output_item.added",
        "function_call_arguments.delta",
        "function_call_arguments.delta",
        "function_call_arguments.done",
        "output_item.done",
        "output_item.added",
        "function_call_arguments.delta",
        "function_call_arguments.done",
        "output_item.done",
    ]
    reasoning, message, first, second = output
    assert reasoning["content"] == [{"type": "reasoning_text", "text": "Hm"}]
    assert reasoning["summary"] == []
    assert unseal(reasoning["encrypted_content"]).details == [DETAIL]
    assert message["content"] == [
        {"type": "output_text", "annotations": [], "logprobs": [], "text": "A"}
    ]
    assert (first["arguments"], first["call_id"]) == ('{"a":1}', "c0")
    assert (second["arguments"], second["call_id"]) == ("{}", "c1")
    assert [item["id"] for item in output] == ["rs_10000", "msg_10001", "fc_10002", "fc_10003"]
    assert {item["status"] for item in output} == {"completed"}
    places = [fields.get("output_index") for _, fields in out]
    assert places == sorted(places)


def test_items_begin_empty_and_in_progress() -> None:
    _, out, _ = write(Reasoning("H"), Text("A"), ToolStarted(0, "c", "f"), ToolArguments(0, "{}"))
    added = [fields["item"] for name, fields in out if name == "response.output_item.added"]
    assert added == [
        {
            "id": "rs_10000",
            "type": "reasoning",
            "status": "in_progress",
            "summary": [],
            "content": [],
        },
        {
            "id": "msg_10001",
            "type": "message",
            "status": "in_progress",
            "content": [],
            "role": "assistant",
        },
        {
            "id": "fc_10002",
            "type": "function_call",
            "status": "in_progress",
            "arguments": "",
            "call_id": "c",
            "name": "f",
        },
    ]


def test_a_summary_is_reasoning_that_the_client_asked_to_see() -> None:
    names, _, output = write(Reasoning("Hm"), Text("A"), shows_summary=True)
    assert names[:6] == [
        "output_item.added",
        "reasoning_summary_part.added",
        "reasoning_summary_text.delta",
        "reasoning_summary_text.done",
        "reasoning_summary_part.done",
        "output_item.done",
    ]
    assert output[0] == {
        "id": "rs_10000",
        "type": "reasoning",
        "status": "completed",
        "summary": [{"type": "summary_text", "text": "Hm"}],
    }


def test_reasoning_after_a_signature_is_the_next_item() -> None:
    _, _, output = write(
        Reasoning("A"), ReasoningDetail(DETAIL), Reasoning("B"), ReasoningDetail(DETAIL)
    )
    assert [item["content"][0]["text"] for item in output] == ["A", "B"]


def test_details_without_text_stand_before_what_follows() -> None:
    names, _, output = write(ReasoningDetail(DETAIL), Text("A"), ReasoningDetail(DETAIL))
    assert [item["type"] for item in output] == ["reasoning", "message", "reasoning"]
    assert names[:3] == ["output_item.added", "output_item.done", "output_item.added"]
    assert all(unseal(output[n]["encrypted_content"]).details == [DETAIL] for n in (0, 2))


def test_details_between_calls_do_not_interrupt_them() -> None:
    _, _, output = write(
        ToolStarted(0, "c0", "f"),
        ReasoningDetail(DETAIL),
        ToolArguments(0, "{}"),
        ToolStarted(1, "c1", "f"),
        ToolArguments(1, "{}"),
    )
    assert [item["type"] for item in output] == ["function_call", "reasoning", "function_call"]
    assert output[0]["arguments"] == "{}"


def test_openais_own_details_go_back_as_they_were() -> None:
    details = [
        {"type": "reasoning.summary", "summary": "S", **OPENAI},
        {"type": "reasoning.text", "text": "T", **OPENAI},
        {"type": "reasoning.encrypted", "data": "gA", **OPENAI},
    ]
    events = [ReasoningDetail(each) for each in details]
    _, _, output = write(*events, Text("A"), is_same_wire=True)
    assert output[0] == {
        "id": "rs_9",
        "type": "reasoning",
        "summary": [{"type": "summary_text", "text": "S"}],
        "content": [{"type": "reasoning_text", "text": "T"}],
        "encrypted_content": "gA",
    }
    _, _, output = write(*events, Text("A"))
    assert unseal(output[0]["encrypted_content"]).details == details


def test_calls_whose_arguments_come_in_turns_stay_open() -> None:
    _, _, output = write(
        ToolStarted(0, "c0", "f"),
        ToolArguments(0, '{"a":{'),
        ToolStarted(1, "c1", "f"),
        ToolArguments(1, '{"b":'),
        ToolArguments(0, "}}"),
        ToolArguments(1, "1}"),
        ToolArguments(9, "lost"),
    )
    assert [item["arguments"] for item in output] == ['{"a":{}}', '{"b":1}']


def test_arguments_behind_whole_ones_are_left_out() -> None:
    _, _, output = write(
        ToolStarted(0, "c0", "f"),
        ToolArguments(0, "{}"),
        ToolStarted(1, "c1", "f"),
        ToolArguments(0, "\n"),
    )
    assert [item["arguments"] for item in output] == ["{}", ""]


def test_a_custom_tools_input_arrives_as_text() -> None:
    names, out, output = write(
        ToolStarted(0, "", "patch"),
        ToolArguments(0, '{"input": "a'),
        ToolArguments(0, '\\n"'),
        ToolArguments(0, "}"),
    )
    assert names == [
        "output_item.added",
        "custom_tool_call_input.delta",
        "custom_tool_call_input.delta",
        "custom_tool_call_input.done",
        "output_item.done",
    ]
    assert [fields["delta"] for _, fields in out[1:3]] == ["a", "\n"]
    assert output == [
        {
            "id": "ctc_10000",
            "type": "custom_tool_call",
            "status": "completed",
            "input": "a\n",
            "call_id": "call_10000",
            "name": "patch",
        }
    ]


def test_a_call_in_a_namespace_has_its_own_name() -> None:
    _, _, (call,) = write(ToolStarted(0, "c", "crm__find"), ToolArguments(0, "{}"))
    assert (call["name"], call["namespace"]) == ("find", "crm")


def test_a_refusal_is_a_part_of_its_own() -> None:
    names, _, (message,) = write(Text("A"), Refusal("N"), Refusal("o"))
    assert names[2:] == [
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "content_part.added",
        "refusal.delta",
        "refusal.delta",
        "refusal.done",
        "content_part.done",
        "output_item.done",
    ]
    assert [part["type"] for part in message["content"]] == ["output_text", "refusal"]
    assert message["content"][1]["refusal"] == "No"


def test_annotations_belong_to_the_open_text() -> None:
    cited = {"type": "url_citation", "url_citation": {"url": "u", "start_index": 0}}
    other = {"type": "file_citation", "file_id": "f"}
    _, out, (message, _) = write(
        Text("A"), ExtraFields({"annotations": [cited, other]}), ToolStarted(0, "c", "f"),
        ExtraFields({"annotations": [cited]}),
    )  # fmt: skip
    whole = {"url": "u", "title": "u", "start_index": 0, "end_index": 1}
    flat = {"type": "url_citation", **whole}
    assert message["content"][0]["annotations"] == [flat, other]
    added = [f for name, f in out if name == "response.output_text.annotation.added"]
    assert [(each["annotation_index"], each["annotation"]) for each in added] == [
        (0, flat),
        (1, other),
    ]


def test_log_probabilities_come_with_the_text() -> None:
    logs = [{"token": "A", "logprob": -1, "bytes": [65], "top_logprobs": []}]
    writer, out = OutputWriter("1", {}, False), []  # type: ignore[var-annotated]
    writer.read([Text("A"), Logprobs({"content": logs}), Logprobs({"content": None})], out)
    writer.read([Text("B"), Logprobs("odd")], out)
    writer.close(out)
    assert [f["logprobs"] for n, f in out if n.endswith("output_text.delta")] == [logs, []]
    assert writer.output[0]["content"][0]["logprobs"] == logs


def test_generated_images_are_calls_of_the_image_tool() -> None:
    images = [
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,aWNvbg=="}},
        {"type": "image_url", "image_url": "https://a.example/a.png"},
        "odd",
    ]
    _, _, output = write(Text("A"), ExtraFields({"images": images}))
    assert output[1:] == [
        {
            "id": "ig_10001",
            "type": "image_generation_call",
            "status": "completed",
            "result": "aWNvbg==",
        }
    ]


def test_items_of_the_same_wire_format_are_kept_whole() -> None:
    item = {"type": "web_search_call", "id": "ws_1", "status": "completed", "index": 4}
    names, _, output = write(ExtraFields({"output_items": [item]}))
    assert output == [{"id": "ws_1", "type": "web_search_call", "status": "completed"}]
    assert names == ["output_item.added", "output_item.done"]


def test_the_last_item_of_an_incomplete_response_is_incomplete() -> None:
    writer, out = OutputWriter("1", {}, False), []  # type: ignore[var-annotated]
    writer.read([Reasoning("Hm"), Text("A")], out)
    writer.close(out, "incomplete")
    assert [item["status"] for item in writer.output] == ["completed", "incomplete"]


def test_other_choices_are_left_out() -> None:
    assert write(Text("A", 1), ToolStarted(0, "c", "f", 1), Logprobs({}, 1))[2] == []


def test_arguments_that_are_no_json_stay_open() -> None:
    _, _, output = write(
        ToolStarted(0, "c0", "f"), ToolArguments(0, "{]}"), ToolStarted(1, "c1", "f")
    )
    assert [item["arguments"] for item in output] == ["{]}", ""]


@given(st.dictionaries(st.sampled_from(("annotations", "images", "output_items", "odd")), ANY))
def test_further_fields_may_have_any_form(fields: Any) -> None:
    _, out, output = write(Text("A"), Logprobs({"content": fields}), ExtraFields(fields))
    assert output[0]["content"][0]["text"] == "A"
    msgspec.json.encode(out)
