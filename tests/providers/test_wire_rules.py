"""Every cell of docs/wire-rules.md, by a call of the adapter that it is about."""

from __future__ import annotations

import runpy
import sys
from functools import partial
from pathlib import Path

import pytest
from msgspec import Raw

from headway.errors import RequestError
from headway.providers import KINDS
from headway.providers.wire_rules import (
    SUBJECTS,
    Adapted,
    Rule,
    allowed,
    override,
    refused,
    with_rules,
)
from headway.providers.wire_rules_docs import markdown, name_of
from headway.types import ChatRequest, Target
from support.adapter_requests import chat
from support.for_each import for_each
from support.wire_rule_examples import EXAMPLES

PAGE = Path(__file__).parents[2] / "docs" / "wire-rules.md"
CLAUDE = "claude-sonnet-4-5"
MODELS = {
    "anthropic": CLAUDE,
    "vertex_anthropic": CLAUDE,
    "bedrock": f"anthropic.{CLAUDE}-20250929-v1:0",
    "gemini": "gemini-3-flash",
    "vertex": "gemini-3-flash",
}
"""A model of each kind; others take any name."""
LEFT_OUT = {("local", "tools_with_json"): '"tools":'}
"""What a mended request lacks, where it is not what the example says."""
SENT = {
    ("vertex", name): '"42"'
    for name in SUBJECTS
    if name.startswith(("call_id_", "call_ids_"))
    for subject in SUBJECTS
    if subject.startswith(("call_id_", "call_ids_"))
}
"""What a request shows where the subject is allowed, and not what the example says: Vertex AI takes
no ids."""
OPTIONS = {"region": "us-east-1", "project": "p"}


@for_each("kind", KINDS)
def test_an_adapter_does_what_its_rules_say(kind: str) -> None:
    wrong = [rule for rule in KINDS[kind].wire_rules if not does_what_it_says(kind, rule)]
    assert not wrong


def does_what_it_says(kind: str, rule: Rule) -> bool:
    provider, example = KINDS[kind], EXAMPLES[rule.subject]
    request = example.request(rule.example_model or MODELS.get(kind, "a-model"))
    try:
        adapted, transformations = provider.adapt(request)
        body = provider.encode_request(adapted, target_of(kind)).body
    except RequestError as exc:
        return rule.outcome == "refused" and exc.param is not None
    sent = body.decode().replace('": ', '":').replace(", ", ",")
    is_told = any(is_about(str(each), example.parameters) for each in transformations)
    if rule.outcome == "allowed":
        return SENT.get((kind, rule.subject), example.sent) in sent and not is_told
    left_out = LEFT_OUT.get((kind, rule.subject), example.unsent or example.sent)
    return rule.outcome == "mended" and left_out not in sent and is_told


def target_of(kind: str) -> Target:
    base_url = KINDS[kind].base_url or "https://upstream.example/v1"
    return Target(provider=kind, base_url=base_url, api_key="key", options=OPTIONS)


def is_about(transformation: str, parameters: dict[str, object]) -> bool:
    """Whether it changes the content of the example, and does not only give a field the name that
    the provider has for it."""
    named = transformation.split()[1]
    is_new_name = transformation.startswith("renamed") and not named.endswith(":")
    if is_new_name or named.startswith("max_tokens"):
        return False
    return any(named.startswith(name) for name in (parameters or ("messages",)))


@for_each("kind", KINDS)
def test_an_adapter_has_a_rule_for_every_subject(kind: str) -> None:
    assert {rule.subject for rule in KINDS[kind].wire_rules} == set(SUBJECTS)


def test_every_subject_has_an_example() -> None:
    assert list(EXAMPLES) == list(SUBJECTS)


def test_a_rule_that_changes_or_refuses_names_its_function_and_its_source() -> None:
    for provider in KINDS.values():
        for rule in provider.wire_rules:
            assert rule.source.startswith("https://")
            assert (rule.outcome == "allowed") is (rule.transform is rule.function is None)


def test_the_page_is_generated_from_the_rules(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "headway.providers.wire_rules_docs")
    runpy.run_module("headway.providers.wire_rules_docs", run_name="__main__")
    assert capsys.readouterr().out == markdown() == PAGE.read_text(), (
        "run: python -m headway.providers.wire_rules_docs > docs/wire-rules.md"
    )


def test_the_name_of_a_partial_function_is_the_functions() -> None:
    assert name_of(partial(override, ())) == "wire_rules.override"


def test_an_override_replaces_the_rules_about_its_subjects() -> None:
    rules = allowed("https://one", "prefill", "text_parts")
    (other,) = allowed("https://two", "prefill")
    assert override(rules, other) == (rules[1], other)


def test_messages_that_are_no_list_of_objects_are_refused() -> None:
    rules = KINDS["anthropic"].wire_rules
    adapt = with_rules(rules, lambda request: (request, ()))
    with pytest.raises(RequestError, match="no request in OpenAI's chat format"):
        adapt(chat(CLAUDE, [["assistant"]]))


def test_transforms_that_have_marks_are_applied_where_one_of_them_is_in_the_messages() -> None:
    def refuse(_: ChatRequest) -> Adapted:
        raise RequestError("refused")

    def adapt(rules: list[Rule], messages: bytes) -> Adapted:
        return with_rules(rules, lambda request: (request, ()))(
            ChatRequest(model="m", messages=Raw(messages))
        )

    marked = [
        refused("stop", refuse, "source", marks=(b'"a"',)),
        refused("stop", partial(refuse), "source", marks=(b'"b"',)),
    ]
    plain, with_mark = b'[{"role":"user"}]', b'[{"role":"user","b":1}]'
    assert bytes(adapt(marked, plain)[0].messages) == plain
    for rules, messages in (
        (marked, with_mark),
        ([*marked, refused("stop", partial(refuse), "source")], plain),  # one of them must look
    ):
        with pytest.raises(RequestError, match="refused"):
            adapt(rules, messages)
