from __future__ import annotations

import random
from fractions import Fraction
from typing import Any

import pytest

from headway.metering.tokens import (
    FAMILIES,
    MAX_PIECE,
    OPENAI,
    Counted,
    count,
    count_messages,
    tokenizer,
)
from headway.metering.vocabulary import encoding
from support.for_each import for_each

SAMPLE = "Hello! Who are you?"


def test_the_contracts_sample_is_six_tokens() -> None:
    assert count(SAMPLE, "gpt-3.5-turbo") == Counted(6, "cl100k_base", Fraction(1))
    messages = [{"role": "user", "content": SAMPLE}]
    assert count_messages(messages, "gpt-3.5-turbo").tokens == 6


# A model's name as providers spell it -> encoding, factor
MODELS = [
    ("gpt-3.5-turbo", "cl100k_base", 1),
    ("gpt-35-turbo-16k", "cl100k_base", 1),
    ("gpt-4", "cl100k_base", 1),
    ("gpt-4-turbo-2024-04-09", "cl100k_base", 1),
    ("openai/gpt-4", "cl100k_base", 1),
    ("ft:gpt-4:acme::x", "cl100k_base", 1),
    ("ft:gpt-4o-mini:acme::x", "o200k_base", 1),
    ("text-embedding-3-small", "cl100k_base", 1),
    ("text-embedding-ada-002", "cl100k_base", 1),
    ("davinci-002", "cl100k_base", 1),
    ("babbage-002", "cl100k_base", 1),
    ("gpt-4o", "o200k_base", 1),
    ("GPT-4o-2024-08-06", "o200k_base", 1),
    ("chatgpt-4o-latest", "o200k_base", 1),
    ("gpt-4.1-mini", "o200k_base", 1),
    ("gpt-4.5-preview", "o200k_base", 1),
    ("gpt-5", "o200k_base", 1),
    ("gpt-oss-20b", "o200k_base", 1),
    ("o1-mini", "o200k_base", 1),
    ("o3", "o200k_base", 1),
    ("o4-mini", "o200k_base", 1),
    ("claude-sonnet-4-5", "o200k_base", Fraction("1.20")),
    ("eu.anthropic.claude-3-haiku-20240307-v1:0", "o200k_base", Fraction("1.20")),
    ("gemini-2.5-pro", "o200k_base", Fraction("1.08")),
    ("google/gemma-3-27b-it", "o200k_base", Fraction("1.08")),
    ("mistral-large-latest", "o200k_base", Fraction("1.05")),
    ("codestral-2501", "o200k_base", Fraction("1.05")),
    ("open-mixtral-8x22b", "o200k_base", Fraction("1.05")),
    ("ministral-8b-latest", "o200k_base", Fraction("1.05")),
    ("magistral-medium-2509", "o200k_base", Fraction("1.05")),
    ("devstral-small-2507", "o200k_base", Fraction("1.05")),
    ("pixtral-12b", "o200k_base", Fraction("1.05")),
    ("smollm2-135m-instruct", "o200k_base", Fraction("1.09")),
    ("meta-llama/Llama-3.3-70B-Instruct", "o200k_base", Fraction("1.01")),
    ("deepseek-r1-distill-llama-70b", "o200k_base", Fraction("1.01")),
    ("deepseek-r1-distill-qwen-32b", "o200k_base", Fraction("1.02")),
    ("qwq-32b", "o200k_base", Fraction("1.02")),
    ("qwen3-235b-a22b", "o200k_base", Fraction("1.02")),
    ("deepseek-chat", "o200k_base", Fraction("1.04")),
    ("a-model-that-nobody-knows", "o200k_base", 1),
    ("", "o200k_base", 1),
]


@for_each(("model", "name", "factor"), MODELS)
def test_a_model_has_the_tokenizer_of_its_family(model: str, name: str, factor: Fraction) -> None:
    counted = count("word " * 100, model)
    assert (counted.encoding, counted.factor) == (name, factor)
    exact = len(encoding(tokenizer(model).encoding).encode_ordinary("word " * 100))
    assert abs(counted.tokens - exact * factor) <= Fraction(1, 2)


def test_every_row_of_the_tables_is_reached() -> None:
    for start, expected in OPENAI:
        assert tokenizer(start) == expected
    for needles, expected in FAMILIES:
        for needle in needles:
            assert tokenizer(needle) == expected


def test_a_factor_rounds_half_up() -> None:
    ten = " word" * 10
    assert count(ten, "gpt-4o").tokens == 10
    assert count(ten, "mistral").tokens == 11  # 10.5
    assert count(ten, "llama").tokens == 10  # 10.1


def test_no_text_is_no_tokens() -> None:
    assert count("", "gpt-4o").tokens == 0
    assert count_messages([], "gpt-4o").tokens == 0


CALL = {"id": "1", "type": "function", "function": {"name": "weather", "arguments": '{"at": "X"}'}}

KIND = {"role": "system", "content": "Be kind."}
HI = {"role": "user", "content": "Hi"}
ASKED = {"type": "text", "text": "What is this?"}
PICTURE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
CUSTOM = {"type": "custom", "custom": {"name": "f", "input": "go on"}}
LEGACY = {"name": "weather", "arguments": "{}"}

# messages -> the texts that count
CHATS: list[tuple[Any, list[str]]] = [
    ([KIND, HI], ["Be kind.", "Hi"]),
    ([{"role": "user", "content": [ASKED]}], ["What is this?"]),
    ([{"role": "user", "content": [ASKED, PICTURE]}], ["What is this?"]),
    ([{"role": "user", "name": "Ada", "content": "Hi"}], ["Ada", "Hi"]),
    ([{"role": "assistant", "content": None, "tool_calls": [CALL]}], ["weather", '{"at": "X"}']),
    ([{"role": "assistant", "function_call": LEGACY}], ["weather", "{}"]),
    ([{"role": "assistant", "tool_calls": [CUSTOM]}], ["f", "go on"]),
    ([{"role": "tool", "tool_call_id": "1", "content": "rain"}], ["rain"]),
    ([{"role": "assistant", "content": None, "refusal": "I can't."}], ["I can't."]),
    ([{"role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]}], ["No."]),
    ([{"role": "user", "parts": [{"text": "Hi"}, {"inlineData": {"data": "AAAA"}}]}], ["Hi"]),
    ([{"parts": [{"functionCall": {"name": "f"}}, {"odd": 1}]}], ['{"name":"f"}']),
]


@for_each(("messages", "texts"), CHATS)
def test_messages_count_their_texts_and_nothing_else(messages: Any, texts: list[str]) -> None:
    expected = sum(count(text, "gpt-4o").tokens for text in texts)
    assert expected > 0
    assert count_messages(messages, "gpt-4o").tokens == expected


MISSHAPEN = [
    None,
    7,
    "text",
    {"content": "text"},
    [None, 7, "text", ["text"]],
    [{"content": 7}, {"content": {"text": "text"}}, {"content": ["text", None]}],
    [{"tool_calls": "x"}, {"tool_calls": [None, {"function": "x"}]}, {"function_call": []}],
    [{"parts": "x"}, {"parts": [None, {"text": 1}]}],
    [{"name": None, "refusal": False, "content": [{"text": 1}]}],
]


@pytest.mark.parametrize("messages", MISSHAPEN)
def test_messages_of_another_shape_count_as_nothing(messages: Any) -> None:
    assert count_messages(messages, "gpt-4o").tokens == 0


@for_each("model", ["gpt-4", "gpt-4o"])
@for_each("text", ["<|endoftext|>", "<|im_start|>user", "\ud800", "a\udfff b", "\x00", "\ufffe"])
def test_special_tokens_and_lone_surrogates_are_plain_text(model: str, text: str) -> None:
    assert count(text, model).tokens > 0


def test_a_special_token_in_text_is_not_one_token() -> None:
    assert count("<|endoftext|>", "gpt-4o").tokens > 1


HOSTILE = ["a", "A", " ", "\n", " \n", "!", "1", "'", "ab", "e\u0301\u0301", "漢", "\U0001f600"]


@for_each("unit", HOSTILE)
@for_each("model", ["gpt-4", "gpt-4o"])
def test_a_long_run_of_one_character_neither_raises_nor_hangs(unit: str, model: str) -> None:
    tokens = count(unit * (300_000 // len(unit)), model).tokens
    assert 300 < tokens <= 300_000 * len(unit.encode())


@pytest.mark.parametrize("name", ["cl100k_base", "o200k_base"])
def test_cutting_a_long_text_changes_no_count(name: Any) -> None:
    chance = random.Random(3)
    words = [
        "the",
        "gap,",
        "x_1",
        "2026",
        "don't",
        "漢字",
        "naïve",
        "f(x)",
        "\n\n",
        "--",
        "É.",
        "\t",
    ]
    model = {"cl100k_base": "gpt-4", "o200k_base": "gpt-4o"}[name]
    for _ in range(3):
        text = " ".join(chance.choices(words, k=MAX_PIECE))
        assert len(text) > 3 * MAX_PIECE
        assert abs(count(text, model).tokens - len(encoding(name).encode_ordinary(text))) <= 1
    prose = " ".join(chance.choices([word for word in words if word.strip()], k=MAX_PIECE))
    assert count(prose, model).tokens == len(encoding(name).encode_ordinary(prose))


def test_messages_of_parts_count_their_texts_calls_and_responses() -> None:
    called = {"name": "f", "args": {"a": 1}}
    parts = [{"text": "Hello"}, {"functionCall": called}, {"inlineData": {"data": "x"}}]
    found = count_messages([{"role": "user", "parts": parts}], "gpt-4o")
    texts = ["Hello", '{"name":"f","args":{"a":1}}']
    assert found.tokens == sum(count(text, "gpt-4o").tokens for text in texts)
