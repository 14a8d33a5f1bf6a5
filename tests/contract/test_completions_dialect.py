"""Legacy completions, used through OpenAI's own client and as other programs send them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from support.gateway_process import Gateway
from support.lazy_import import lazy_import
from support.openai_client import openai_client
from support.openai_completions import DONE, USAGE
from support.openai_upstream import CUT, Answer, Upstream

openai, mistral = lazy_import("openai"), lazy_import("mistralai.client")

HEAD = {"id": "cmpl-1", "object": "text_completion", "created": 7, "model": "instruct-2"}
INSTRUCT = "openai/gpt-3.5-turbo-instruct"


def choice(text: str, reason: str | None = None, index: int = 0) -> dict[str, Any]:
    return {"text": text, "index": index, "logprobs": None, "finish_reason": reason}


def whole(*choices: dict[str, Any]) -> Answer:
    body = json.dumps({**HEAD, "choices": choices, "usage": USAGE}).encode()
    head = ("HTTP/1.1 200 OK", "content-type: application/json", f"content-length: {len(body)}")
    return Answer((), raw="\r\n".join((*head, "", "")).encode() + body)


PIECES = (
    {**HEAD, "choices": [choice("Hel")]},
    {**HEAD, "choices": [choice("lo")]},
    {**HEAD, "choices": [choice("", "stop")]},
    {**HEAD, "choices": [], "usage": USAGE},
    DONE,
)


@pytest.fixture
def sdk(gateway: Gateway) -> Iterator[Any]:
    with openai_client(f"{gateway.base_url}/openai/v1") as client:
        yield client


def test_the_sdk_completes_texts_where_the_provider_has_completions(
    sdk: Any, upstream: Upstream
) -> None:
    upstream.play(whole(choice("a", "stop"), choice("b", "length", 1)))
    told = sdk.completions.create(
        model=INSTRUCT, prompt=["One", "Two"], suffix=" end", logprobs=2, best_of=1, echo=False
    )
    assert [(one.text, one.finish_reason) for one in told.choices] == [
        ("a", "stop"),
        ("b", "length"),
    ]
    assert told.usage.model_dump(exclude_none=True) == USAGE
    assert upstream.last.path == "/v1/completions"
    assert upstream.last.json == {
        "model": "gpt-3.5-turbo-instruct",
        "prompt": ["One", "Two"],
        "suffix": " end",
        "logprobs": 2,
        "best_of": 1,
        "echo": False,
    }


def test_the_sdk_reads_a_stream_of_completions(sdk: Any, upstream: Upstream) -> None:
    for options in (None, {"include_usage": True}):
        upstream.play(Answer(PIECES))
        with sdk.completions.create(
            model=INSTRUCT, prompt="Say", stream=True, stream_options=options
        ) as stream:
            chunks = list(stream)
        texts = [chunk.choices[0].text for chunk in chunks if chunk.choices]
        assert texts == ["Hel", "lo", ""], options
        assert (chunks[-1].usage is not None) is (options is not None)
        assert upstream.last.json["stream_options"] == {"include_usage": True}
    upstream.play(Answer((*PIECES[:2], CUT)))
    with (
        pytest.raises(openai.APIError),
        sdk.completions.create(model=INSTRUCT, prompt="Say", stream=True) as stream,
    ):
        list(stream)


def test_a_chat_model_completes_a_text(sdk: Any, upstream: Upstream) -> None:
    """The parameters are those of langchain's ``OpenAI``, which sends a list of one prompt."""
    asked: dict[str, Any] = {
        "model": "openai/gpt-4o",
        "prompt": ["Say"],
        "n": 1,
        "top_p": 1,
        "frequency_penalty": 0,
        "presence_penalty": 0,
        "max_tokens": 256,
        "temperature": 0.7,
        "logprobs": None,
        "seed": None,
        "logit_bias": None,
    }
    told = sdk.completions.create(**asked)
    assert (told.object, told.choices[0].text) == ("text_completion", "Hello there!")
    assert told.usage.model_dump(exclude_none=True) == USAGE
    assert upstream.last.json["messages"] == [{"role": "user", "content": "Say"}]
    with sdk.completions.create(**asked, stream=True) as stream:
        texts = [chunk.choices[0].text for chunk in stream]
    assert "".join(texts) == "Hello there!"
    with pytest.raises(openai.BadRequestError, match="no suffix: use a model whose provider"):
        sdk.completions.create(model="openai/gpt-4o", prompt="a", suffix="b")
    with pytest.raises(openai.BadRequestError, match="a request for each text"):
        sdk.completions.create(model="openai/gpt-4o", prompt=["a", "b"])
    with pytest.raises(openai.UnprocessableEntityError, match="`prompt` is missing"):
        sdk.post("/completions", cast_to=object, body={"model": "openai/gpt-4o"})


def test_mistrals_client_fills_in_the_middle(gateway: Gateway, upstream: Upstream) -> None:
    with mistral.Mistral(api_key="unused", server_url=gateway.base_url) as client:
        upstream.play(whole(choice("n * 2", "stop")))
        asked: dict[str, Any] = {"model": INSTRUCT, "prompt": "return ", "suffix": "end"}
        told = client.fim.complete(**asked)
        assert told.choices[0].message.content == "n * 2"
        assert (upstream.last.path, upstream.last.json["suffix"]) == ("/v1/completions", "end")
        upstream.play(Answer(PIECES))
        with client.fim.stream(**asked) as events:
            pieces = [event.data.choices[0].delta.content for event in events]
        assert "".join(piece or "" for piece in pieces) == "Hello"
