"""What Google's models answer arrives here, whatever it is and however it is cut, and comes back on
the next turn: written by the API's reference (ai.google.dev/api/generate-content), and not read.

What is not carried back: unsigned thoughts; sounds that the model made; and where in its text other
parts were. They come before it, pictures and every signature of a text but the first one behind it.
"""

from __future__ import annotations

import base64
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from headway.providers.gemini import provider as gemini
from headway.providers.vertex import gemini as vertex
from headway.response_accumulator import ChoiceAccumulator, ResponseAccumulator
from headway.types import Target, Usage
from support.conversation_strategies import (
    FEW,
    base64s,
    chat,
    ids,
    maybe,
    names,
    objects,
    pieces,
    places,
    read_stream,
    read_whole,
    sent,
    texts,
)

Json = Any
FORMAT = "google-gemini-v1"
STUDIO = Target(provider="gemini", base_url="https://g.test/v1beta")
VERTEX = Target(provider="vertex", base_url="https://v.test", options={"project": "p"})
PROVIDERS = {"studio": (gemini.PROVIDER, STUDIO), "vertex": (vertex.PROVIDER, VERTEX)}
PLACES = st.sampled_from(list(PROVIDERS))
USUAL = [{"role": "user", "content": "Hi"}]

# --- Answers --------------------------------------------------------------------------------------

signatures = maybe(base64s)
codes = st.builds(lambda code: {"executableCode": {"language": "PYTHON", "code": code}}, texts)
outputs = st.builds(
    lambda said: {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": said}}, texts
)
images = st.builds(lambda data: {"mimeType": "image/png", "data": data}, base64s)


def signed(strategy: Any) -> Any:
    """A part, with or without a signature."""
    return st.builds(
        lambda part, signature: {**part, "thoughtSignature": signature} if signature else part,
        strategy,
        signatures,
    )


sounds = st.builds(lambda data: {"mimeType": "audio/L16", "data": data}, base64s)
parts = st.one_of(
    st.builds(lambda blob: {"inlineData": blob}, sounds),
    st.builds(lambda text: {"text": text, "thought": True}, texts),
    signed(st.builds(lambda text: {"text": text}, texts)),
    signed(codes | outputs),
    signed(st.builds(lambda blob: {"inlineData": blob}, images)),
    st.builds(lambda signature: {"text": "", "thoughtSignature": signature}, base64s),
)


@st.composite
def function_calls(draw: DrawFn) -> list[Json]:
    """Google's own ids, or none."""
    found = []
    for call_id in draw(st.lists(ids, max_size=3, unique=True)):
        call = {"name": draw(names), "args": draw(objects)}
        if draw(st.booleans()):
            call["id"] = call_id
        found.append(draw(signed(st.just({"functionCall": call}))))
    return found


def text_of(given: list[Json], thought: bool = False) -> str:
    return "".join(part.get("text", "") for part in given if part.get("thought", False) is thought)


@st.composite
def groundings(draw: DrawFn, text: str) -> Json:
    """Sources, and passages of the text that they support, in bytes."""
    sources = [
        {"web": {"uri": f"https://h.test/{name}", "title": draw(texts)}}
        for name in draw(st.lists(names, min_size=1, max_size=2, unique=True))
    ]
    supports = []
    for _ in range(draw(st.integers(1, 2)) if text else 0):
        start = draw(st.integers(0, len(text) - 1))
        end = draw(st.integers(start + 1, len(text)))
        first, last = len(text[:start].encode()), len(text[:end].encode())
        segment = {"startIndex": first, "endIndex": last, "text": text[start:end]}
        if not first:
            del segment["startIndex"]  # zeros are not written
        which = draw(st.lists(st.integers(0, len(sources) - 1), min_size=1, unique=True))
        supports.append({"segment": segment, "groundingChunkIndices": which})
    return {"groundingChunks": sources, **({"groundingSupports": supports} if supports else {})}


FINISHES = {
    "STOP": "stop",
    "MAX_TOKENS": "length",
    "SAFETY": "content_filter",
    "RECITATION": "content_filter",
    "PROHIBITED_CONTENT": "content_filter",
}
tokens = st.builds(
    lambda token, log: {"token": token, "logProbability": log},
    texts,
    st.floats(-9, 0, allow_subnormal=False),
)


@st.composite
def candidates(draw: DrawFn, index: int) -> Json:
    made = [*draw(st.lists(parts, max_size=4)), *draw(function_calls())]
    candidate: Json = {"content": {"role": "model", "parts": draw(st.permutations(made))}}
    candidate["finishReason"] = draw(st.sampled_from(list(FINISHES)))
    if index:
        candidate["index"] = index
    if draw(st.booleans()):
        candidate["groundingMetadata"] = draw(groundings(text_of(candidate["content"]["parts"])))
    if draw(st.booleans()):
        seen = draw(
            st.lists(st.tuples(tokens, st.lists(tokens, max_size=2)), min_size=1, max_size=2)
        )
        candidate["logprobsResult"] = {
            "chosenCandidates": [chosen for chosen, _ in seen],
            "topCandidates": [{"candidates": others} if others else {} for _, others in seen],
        }
    return candidate


counts = st.integers(0, 10**6)
usages = st.fixed_dictionaries(
    {"promptTokenCount": counts},
    optional={
        "candidatesTokenCount": counts,
        "thoughtsTokenCount": counts,
        "cachedContentTokenCount": counts,
        "toolUsePromptTokenCount": counts,
    },
)


@st.composite
def answers(draw: DrawFn, most: int = 2) -> Json:
    """GenerateContentResponse. Zeros are not written."""
    usage = {name: count for name, count in draw(usages).items() if count or name[0] == "p"}
    total = sum(count for name, count in usage.items() if name != "cachedContentTokenCount")
    return {
        "candidates": [draw(candidates(i)) for i in range(draw(st.integers(1, most)))],
        "usageMetadata": {**usage, "totalTokenCount": total},
        "modelVersion": draw(names),
        "responseId": draw(st.from_regex(r"[\w-]{1,12}", fullmatch=True)),
    }


# --- The stream -----------------------------------------------------------------------------------


def cut_part(part: Json, cuts: list[int]) -> list[Json]:
    """A text in several pieces, of which the last has the signature."""
    if not part.get("text"):
        return [part]
    *first, last = pieces(part["text"], cuts)
    thought = {"thought": True} if part.get("thought") else {}
    return [*({"text": piece, **thought} for piece in first), {**part, "text": last}]


@st.composite
def chunks_of(draw: DrawFn, whole: Json) -> list[Json]:
    """The same answer in as many chunks as one likes, each of one candidate; usage grows."""
    queues = []
    for candidate in whole["candidates"]:
        cut = [p for part in candidate["content"]["parts"] for p in cut_part(part, draw(places))]
        index = {"index": candidate["index"]} if "index" in candidate else {}
        groups = pieces(cut, draw(places)) if cut else []
        queue = [{"content": {"role": "model", "parts": group}, **index} for group in groups]
        last = {name: value for name, value in candidate.items() if name != "content"}
        if queue and draw(st.booleans()):
            last = {**queue.pop(), **last}
        queues.append([*queue, last])
    chunks = []
    while queues := [queue for queue in queues if queue]:
        chunks.append({"candidates": [draw(st.sampled_from(queues)).pop(0)]})
    head = {name: whole[name] for name in ("modelVersion", "responseId")}
    usage = whole["usageMetadata"]
    early = {"promptTokenCount": usage["promptTokenCount"], "totalTokenCount": 1}
    counted = [early if draw(st.booleans()) else None for _ in chunks[:-1]] + [usage]
    return [
        {**chunk, **({"usageMetadata": count} if count else {}), **head}
        for chunk, count in zip(chunks, counted, strict=True)
    ]


def as_events(chunks: list[Json], end: str, is_ascii: bool) -> bytes:
    written = [json.dumps(chunk, ensure_ascii=is_ascii) for chunk in chunks]
    return "".join(f"data: {text}{end}{end}" for text in written).encode()


def as_array(chunks: list[Json]) -> bytes:
    return b"[" + b"\n,\r\n".join(json.dumps(c, indent=2).encode() for c in chunks) + b"\n]"


# --- What is to come of it ------------------------------------------------------------------------


def is_image(part: Json) -> bool:
    return part.get("inlineData", {}).get("mimeType") == "image/png"


def told(part: Json, call_id: str | None, image: int) -> Json:
    """The detail that keeps a part's signature, and the part where nothing else does."""
    signature = part.get("thoughtSignature")
    kept = {k: v for k, v in part.items() if k in ("executableCode", "codeExecutionResult")}
    if part.get("text") == "":
        kept = {"text": ""}
    if is_image(part) and signature:
        kept = {"image": image}
    if not kept and not signature:
        return None
    detail = {"type": "reasoning.encrypted", "data": signature or "", "format": FORMAT}
    if call_id is not None:
        detail["id"] = call_id
    return {**detail, **({"part": kept} if kept else {})}


def annotations(candidate: Json, text: str) -> list[Json]:
    """OpenAI's, which count characters. Each passage with each of its sources, once."""
    grounding = candidate.get("groundingMetadata", {})
    sources = [source["web"] for source in grounding.get("groundingChunks", ())]
    found = []
    for support in grounding.get("groundingSupports", [{}] if sources else []):
        segment = support.get("segment")
        span = {}
        if segment is not None:
            data = text.encode()
            start, end = segment.get("startIndex", 0), segment["endIndex"]
            span["start_index"] = len(data[:start].decode())
            span["end_index"] = len(data[:end].decode())
        for index in support.get("groundingChunkIndices", range(len(sources))):
            source = {"url": sources[index]["uri"], "title": sources[index]["title"]}
            note = {"type": "url_citation", "url_citation": {**source, **span}}
            found += [] if note in found else [note]
    return found


def check(choice: ChoiceAccumulator, candidate: Json, exact_ids: bool = True) -> None:
    """The choice says all that the candidate said."""
    given = candidate["content"]["parts"]
    message = choice.message()
    text = text_of(given)
    made = [part["functionCall"] for part in given if "functionCall" in part]
    calls = message["tool_calls"] or []
    assert (message["content"] or "") == text
    assert message.get("reasoning_content", "") == text_of(given, thought=True)
    assert [(c["function"]["name"], json.loads(c["function"]["arguments"])) for c in calls] == [
        (call["name"], call["args"]) for call in made
    ]
    call_ids = [call["id"] for call in calls]
    assert len(set(call_ids)) == len(call_ids)
    assert [i for i, c in zip(call_ids, made, strict=True) if "id" in c] == [
        call["id"] for call in made if "id" in call
    ]
    order = iter(call_ids)
    details = [
        told(
            part,
            next(order) if "functionCall" in part else None,
            sum(map(is_image, given[:position])),
        )
        for position, part in enumerate(given)
    ]
    assert message.get("reasoning_details", []) == [d for d in details if d is not None]
    drawn = [p["inlineData"] for p in given if is_image(p)]
    spoken = [p["inlineData"] for p in given if "inlineData" in p and not is_image(p)]
    data = b"".join(base64.b64decode(blob["data"]) for blob in spoken)
    whole = {"data": base64.b64encode(data).decode(), "format": "L16"} if spoken else None
    assert message.get("audio") == whole
    assert [image["image_url"]["url"] for image in message.get("images", ())] == [
        f"data:{blob['mimeType']};base64,{blob['data']}" for blob in drawn
    ]
    assert message.get("annotations", []) == annotations(candidate, text)
    finish = FINISHES[candidate["finishReason"]]
    assert choice.finish_reason == ("tool_calls" if finish == "stop" and made else finish)
    check_logprobs(choice.logprobs, candidate.get("logprobsResult"))


def check_logprobs(found: Json, given: Json) -> None:
    if given is None:
        assert found is None
        return
    read = [(token["token"], token["logprob"]) for token in found["content"]]
    assert read == [(t["token"], t["logProbability"]) for t in given["chosenCandidates"]]
    others = [[o["token"] for o in token["top_logprobs"]] for token in found["content"]]
    tops = [top.get("candidates", []) for top in given["topCandidates"]]
    assert others == [[token["token"] for token in top] for top in tops]


def check_whole(answer: ResponseAccumulator, whole: Json) -> None:
    given = whole["usageMetadata"]
    thoughts = given.get("thoughtsTokenCount")
    assert answer.failed is None
    assert answer.is_finished
    assert answer.started is not None
    assert (answer.started.id, answer.started.model) == (whole["responseId"], whole["modelVersion"])
    assert answer.reported() == Usage(
        input_tokens=given["promptTokenCount"] + given.get("toolUsePromptTokenCount", 0),
        output_tokens=given.get("candidatesTokenCount", 0) + (thoughts or 0),
        cache_read_tokens=given.get("cachedContentTokenCount"),
        reasoning_tokens=thoughts,
    )
    assert len(answer.choices) == len(whole["candidates"])
    for index, candidate in enumerate(whole["candidates"]):
        check(answer.choices[index], candidate)


@FEW
@given(place=PLACES, whole=answers(), indent=maybe(st.just(2)))
def test_a_whole_answer_arrives(place: str, whole: Json, indent: Any) -> None:
    provider, _ = PROVIDERS[place]
    check_whole(read_whole(provider, json.dumps(whole, indent=indent).encode()), whole)


@FEW
@given(
    place=PLACES,
    data=st.data(),
    cuts=places,
    end=st.sampled_from(["\n", "\r\n"]),
    is_ascii=st.booleans(),
)
def test_a_stream_arrives_however_it_is_cut(
    place: str, data: Any, cuts: list[int], end: str, is_ascii: bool
) -> None:
    provider, _ = PROVIDERS[place]
    whole = data.draw(answers())
    chunks = data.draw(chunks_of(whole))
    check_whole(read_stream(provider, as_events(chunks, end, is_ascii), cuts), whole)
    check_whole(read_stream(provider, as_array(chunks), cuts), whole)
    check_whole(read_whole(provider, as_array(chunks)), whole)


# --- The next turn --------------------------------------------------------------------------------


def carried(given: list[Json]) -> Json:
    """What of a model's parts is to come back, whatever stood between it."""
    own = [part for part in given if {"executableCode", "codeExecutionResult"} & set(part)]
    return {
        "text": text_of(given),
        "own": own,
        "calls": [part for part in given if "functionCall" in part],
        "images": [part for part in given if is_image(part)],
        "signatures": sorted(p["thoughtSignature"] for p in given if "thoughtSignature" in p),
    }


def without_id(part: Json) -> Json:
    call = {name: value for name, value in part["functionCall"].items() if name != "id"}
    return {**part, "functionCall": call}


@FEW
@given(
    place=PLACES,
    whole=answers(most=1),
    data=st.data(),
    cuts=places,
    streamed=st.booleans(),
)
def test_what_an_answer_left_comes_back_on_the_next_turn(
    place: str, whole: Json, data: Any, cuts: list[int], streamed: bool
) -> None:
    provider, target = PROVIDERS[place]
    if streamed:
        stream = as_events(data.draw(chunks_of(whole)), "\n", True)
        answer = read_stream(provider, stream, cuts)
    else:
        answer = read_whole(provider, json.dumps(whole).encode())
    message = answer.choices[0].message()
    made = [call["id"] for call in message["tool_calls"] or ()]
    order = data.draw(st.permutations(made))
    done = [{"role": "tool", "tool_call_id": i, "content": f"of {made.index(i)}"} for i in order]
    body, _ = sent(provider, chat("gemini-2.5-flash", [*USUAL, message, *done]), target)
    given = carried(whole["candidates"][0]["content"]["parts"])
    if target is VERTEX:  # v1 has no ids
        given["calls"] = [without_id(part) for part in given["calls"]]
    _, *after = body["contents"]
    back = after.pop(0)["parts"] if any(given.values()) else []
    assert carried(back) == given
    responses = [part["functionResponse"] for content in after for part in content["parts"]]
    assert [r["response"]["output"] for r in responses] == [f"of {i}" for i in range(len(made))]
    shown = [part["functionCall"] for part in given["calls"]]
    assert [(r["name"], r.get("id")) for r in responses] == [
        (c["name"], c.get("id")) for c in shown
    ]
