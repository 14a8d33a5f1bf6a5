from __future__ import annotations

import json
from typing import Any

import pytest

from headway.errors import RequestError
from headway.providers import KINDS
from headway.providers.media_rules import (
    add_text_to_documents,
    correct_image_types,
    correct_media_types,
    refuse_image_types,
    refuse_pdf_images,
    use_plain_alphabet,
)
from headway.providers.wire_rules import Adapt
from headway.types import Target
from support.adapter_requests import chat, sent_body
from support.for_each import for_each
from support.wire_rule_examples import HI, JPEG, PDF, PDF_URL, PNG, assistant, text, user

PNG_URL, JPEG_URL = f"data:image/png;base64,{PNG}", f"data:image/jpeg;base64,{JPEG}"
IMAGE_PATH = "messages[].content[].image_url"
REWRITTEN = f"emulated {IMAGE_PATH}: as a plain data URL"
TARGET = Target(provider="p", base_url="https://a/v1", options={"region": "us-east-1"})
POINTER = text("See the attached document.")


def image(url: Any) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": url, "detail": "low"}}


def file(data: Any) -> dict[str, Any]:
    return {"type": "file", "file": {"file_data": data}}


def after(content: Any, correct: Adapt = correct_media_types) -> tuple[Any, list[str]]:
    """The content after the correction, and the transformations."""
    adapted, transformations = correct(chat("m", [HI, user(content)]))
    messages = json.loads(bytes(adapted.messages))
    return messages[1]["content"], [str(each) for each in transformations]


@for_each(
    ("url", "corrected", "told"),
    [
        (f"data:image/png;base64,{JPEG}", JPEG_URL,
         f"renamed {IMAGE_PATH}: image/png -> image/jpeg"),
        (f"data:image/jpg;base64,{JPEG}", JPEG_URL,
         f"renamed {IMAGE_PATH}: image/jpg -> image/jpeg"),
        (f"data:image/jpg;base64,{PNG}", PNG_URL, f"renamed {IMAGE_PATH}: image/jpg -> image/png"),
        (f"data:IMAGE/PNG;base64,{PNG}", PNG_URL, f"renamed {IMAGE_PATH}: IMAGE/PNG -> image/png"),
        (f"data:;base64,{PNG}", PNG_URL, f"renamed {IMAGE_PATH}: no type -> image/png"),
        (f"data:application/octet-stream;base64,{PNG}", PNG_URL,
         f"renamed {IMAGE_PATH}: application/octet-stream -> image/png"),
        ("data:image/png;base64,R0lGODlh", "data:image/gif;base64,R0lGODlh",
         f"renamed {IMAGE_PATH}: image/png -> image/gif"),
        ("data:image/png;base64,UklGRiQAAABXRUJQ", "data:image/webp;base64,UklGRiQAAABXRUJQ",
         f"renamed {IMAGE_PATH}: image/png -> image/webp"),
        (f"DATA:image/png;base64,{PNG}", PNG_URL, REWRITTEN),
        (f"data:image/png;BASE64,{PNG}", PNG_URL, REWRITTEN),
        (f"data:image/png;charset=utf-8;base64,{PNG}", PNG_URL, REWRITTEN),
        (f"data:image/png;base64, {PNG[:9]}\r\n{PNG[9:]}", PNG_URL, REWRITTEN),
        ("data:image/png;base64,_9j_4A", "data:image/jpeg;base64,_9j_4A",
         f"renamed {IMAGE_PATH}: image/png -> image/jpeg"),
        ("data:image/svg+xml,%3Csvg%3E", "data:image/svg+xml;base64,PHN2Zz4=", REWRITTEN),
    ],
)  # fmt: skip
def test_an_image_gets_the_type_of_its_bytes(url: str, corrected: str, told: str) -> None:
    assert after([text("a"), image(url)]) == ([text("a"), image(corrected)], [told])
    as_text = {"type": "image_url", "image_url": url}
    assert after([as_text]) == ([{"type": "image_url", "image_url": {"url": corrected}}], [told])


@pytest.mark.parametrize(
    "content",
    [
        [image(PNG_URL), image(JPEG_URL)],
        [image("https://a/b.jpg")],
        [image("data:image/svg+xml")],
        [image(f"data:application/pdf;base64,{PDF}#transform=inline")],
        [image("data:image/bmp;base64,Qk0=")],
        [image(None)],
        [
            image(None),
            file(PDF_URL),
            {"type": "file", "file": {"file_id": "f"}},
            image("https://a/b.png"),
        ],
        "data:image/jpg;base64,",
        f"<img src='DATA:image/png;base64,{JPEG}'>",
    ],
)
def test_other_content_is_left_alone(content: Any) -> None:
    assert after(content) == (content, [])


def test_the_slashes_of_some_encoders_are_read() -> None:
    raw = json.dumps([user([image(PNG_URL)])]).replace("/", "\\/").encode()
    request = chat("m", [])
    request = type(request)(model="m", messages=type(request.messages)(raw))
    assert correct_media_types(request)[1] == ()


def test_an_image_of_no_known_type_is_left_to_the_adapter() -> None:
    unknown = image("data:;base64,AAAA")
    assert after([unknown]) == ([unknown], [])
    for kind, model in (("anthropic", "claude-sonnet-4-5"), ("bedrock", "amazon.nova-lite-v1:0")):
        with pytest.raises(RequestError) as caught:
            sent_body(KINDS[kind], TARGET, chat(model, [user([unknown])]))
        assert caught.value.param == "messages"


def test_a_pdf_in_an_image_is_a_file() -> None:
    for url in (PDF_URL, f"data:image/png;base64,{PDF}", f"data:;base64,{PDF}"):
        (part,), told = after([{**image(url), "cache_control": {}}])
        made = {"filename": "document.pdf", "file_data": PDF_URL}
        assert part == {"type": "file", "file": made, "cache_control": {}}
        assert told[-1] == f"emulated {IMAGE_PATH}: a PDF as a file"


def test_a_pdf_at_an_address_is_a_file() -> None:
    for url in ("https://a/b.pdf", "HTTPS://a/B.PDF?x=1#2"):
        (part,), told = after([image(url)])
        assert part == {"type": "file", "file": {"filename": "document.pdf", "file_data": url}}
        assert told == [f"emulated {IMAGE_PATH}: a PDF as a file"]
    for url in ("https://a/b.pdf.png", "https://a/b?x=.pdf"):
        assert after([image(url)]) == ([image(url)], [])


@pytest.mark.parametrize("url", [PDF_URL, f"data:;base64,{PDF}", "https://a/b.pdf"])
def test_a_pdf_as_an_image_is_refused_without_documents(url: str) -> None:
    assert after([image(url), image(PNG_URL)], correct_image_types)[0][0] == image(url)
    refuse = refuse_pdf_images("X")
    with pytest.raises(RequestError, match="X takes images") as caught:
        refuse(chat("m", [HI, user([text("a"), image(url)])]))
    assert caught.value.param == "messages"
    for content in ([file(PDF_URL), image(PNG_URL)], [text(".pdf"), image(None)], "a.pdf"):
        assert after(content, refuse) == (content, [])


def test_an_image_gets_its_type_without_documents_too() -> None:
    told = [f"renamed {IMAGE_PATH}: image/png -> image/jpeg"]
    wrong = image(f"data:image/png;base64,{JPEG}")
    assert after([wrong], correct_image_types) == ([image(JPEG_URL)], told)
    assert after([image(JPEG_URL)], correct_image_types) == ([image(JPEG_URL)], [])


@pytest.mark.parametrize("data", ["-_-_", "+%2F%2b%2F", "-_-_Ag", "AAA", "AA%3D%3D", "AA="])
def test_base64_has_the_usual_alphabet_and_padding(data: str) -> None:
    plain = {"AAA": "AAA=", "AA%3D%3D": "AA==", "AA=": "AA=="}.get(data, "+/+/")
    plain += "Ag==" if data.endswith("Ag") else ""
    url, corrected = f"data:image/png;base64,{data}", f"data:image/png;base64,{plain}"
    content = [text("a"), image(url), file(url), {"type": "image_url", "image_url": url}]
    wanted = [text("a"), image(corrected), file(corrected)]
    wanted.append({"type": "image_url", "image_url": {"url": corrected}})
    told = ["emulated messages[].content[]: base64 in the usual alphabet, with padding"]
    assert after(content, use_plain_alphabet) == (wanted, told)


@pytest.mark.parametrize(
    "content",
    [
        "data:image/png;base64,-_-_",
        [text("data:image/png;base64,-_-_")],
        [image(PNG_URL), file(PDF_URL)],
        [image("https://a/b-c_d.png"), file(None)],
        [image("data:image/png;base64,!-!")],
        [image("data:-")],
    ],
)
def test_other_data_keeps_its_alphabet(content: Any) -> None:
    assert after(content, use_plain_alphabet) == (content, [])


def test_images_of_types_that_a_provider_lacks_are_refused() -> None:
    refuse = refuse_image_types("X", "image/png", "image/jpeg")
    for content in ([image(PNG_URL), image("https://a/b.gif")], [text("a")], [image("data:,a")]):
        assert after(content, refuse) == (content, [])
    with pytest.raises(RequestError, match="image/gif, but image/png, image/jpeg") as caught:
        refuse(chat("m", [HI, user([image("data:image/gif;base64,R0lGODlh")])]))
    assert caught.value.param == "messages"


@pytest.mark.parametrize("kind", ["gemini", "vertex", "xai"])
def test_a_gif_that_is_called_a_png_is_refused_too(kind: str) -> None:
    gif = image("data:image/png;base64,R0lGODlh")
    with pytest.raises(RequestError, match="takes no images of type image/gif"):
        KINDS[kind].adapt(chat("gemini-3-flash", [user([gif])]))


@pytest.mark.parametrize(
    "url", [f"Data:application/octet-stream;base64,{PDF}", f"data:;base64,{PDF}"]
)
def test_a_file_gets_the_type_of_its_bytes(url: str) -> None:
    content, told = after([text("a"), file(url)])
    assert content == [text("a"), file(PDF_URL)]
    assert told[0].startswith("renamed messages[].content[].file.file_data: ")


@pytest.mark.parametrize(
    ("kind", "model"),
    [("anthropic", "claude-sonnet-4-5"), ("bedrock", "amazon.nova-lite-v1:0"),
     ("gemini", "gemini-3-flash"), ("cohere", "command-a-vision"), ("ollama", "llava"),
     ("mistral", "pixtral"), ("groq", "m"), ("llamacpp", "m"), ("openrouter", "m")],
)  # fmt: skip
def test_every_wire_format_sends_the_corrected_type(kind: str, model: str) -> None:
    request = chat(model, [user([text("a"), image(f"DATA:IMAGE/PNG;base64,{JPEG}")])])
    body = json.dumps(sent_body(KINDS[kind], TARGET, request))
    assert JPEG in body
    assert "png" not in body.lower()
    assert "jpeg" in body or kind == "ollama"


# --- Documents ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("messages", "place"),
    [
        ([user([file(PDF_URL)])], 0),
        ([HI, assistant("a"), user([file(PDF_URL), image(PNG_URL)])], 2),
        ([user([text(""), file("AAAA")])], 0),
    ],
)
def test_a_document_alone_gets_a_text(messages: Any, place: int) -> None:
    adapted, told = add_text_to_documents(chat("m", messages))
    assert json.loads(bytes(adapted.messages))[place]["content"][-1] == POINTER
    assert [each.action for each in told] == ["emulated"]


@pytest.mark.parametrize(
    "messages",
    [
        [HI],
        [user([file(PDF_URL), text("Read it.")])],
        [user([file(PDF_URL)]), HI],
        [user([text("Read it.")]), user([file(PDF_URL)])],
        [user([file(PNG_URL)])],
        [assistant([file(PDF_URL)])],
    ],
)
def test_a_document_beside_a_text_is_left_alone(messages: Any) -> None:
    request = chat("m", messages)
    assert add_text_to_documents(request) == (request, ())


def test_invoke_takes_a_document_without_a_text() -> None:
    request = chat("anthropic.claude-sonnet-4-5", [user([file(PDF_URL)])])
    invoked = type(request)(
        model=request.model, messages=request.messages, options={"api": "invoke"}
    )
    told = [str(each) for each in KINDS["bedrock"].adapt(invoked)[1]]
    assert not [each for each in told if "document" in each]
