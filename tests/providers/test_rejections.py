"""Each provider's words for the reasons of a rejection lead to the class that routes read."""

from __future__ import annotations

import json
from typing import Any

import pytest

from headway import errors
from headway.errors import UpstreamError
from headway.events import Failed
from headway.providers import KINDS
from headway.providers.http_errors import find_error
from headway.providers.rejections import CONTEXT_CODE, POLICY_CODE, specify
from support.for_each import for_each

INVALID = "invalid_request_error"


def openai(message: str, **fields: Any) -> dict[str, Any]:
    return {"error": {"message": message, "type": INVALID, "param": None, "code": None, **fields}}


def anthropic(message: str, kind: str = INVALID) -> dict[str, Any]:
    return {"type": "error", "error": {"type": kind, "message": message}, "request_id": "r"}


def google(message: str, name: str = "INVALID_ARGUMENT", code: int = 400) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "status": name}}


# kind, status, body, code
TOO_LONG: list[tuple[str, int, Any, str]] = [
    ("openai", 400, openai(
        "This model's maximum context length is 8192 tokens. However, your messages resulted in "
        "9000 tokens. Please reduce the length of the messages.", code=CONTEXT_CODE), CONTEXT_CODE),
    ("openai", 400, openai(
        "Your input exceeds the context window of this model. Please adjust your input and try "
        "again.", code=CONTEXT_CODE), CONTEXT_CODE),
    ("openai", 400, openai(
        "Input tokens exceed the configured limit of 272000 tokens. Your messages resulted in "
        "300000 tokens. Please reduce the length of the messages.", code=CONTEXT_CODE),
        CONTEXT_CODE),
    ("azure_openai", 400, openai(
        "This model's maximum context length is 4097 tokens, however you requested 5360 tokens.",
        code=CONTEXT_CODE), CONTEXT_CODE),
    ("anthropic", 400, anthropic("prompt is too long: 208310 tokens > 200000 maximum"),
        CONTEXT_CODE),
    ("anthropic", 400, anthropic(
        "input length and `max_tokens` exceed context limit: 198000 + 21333 > 200000, decrease "
        "input length or `max_tokens` and try again"), CONTEXT_CODE),
    ("anthropic", 413, anthropic(
        "Request exceeds the maximum size", "request_too_large"), "request_too_large"),
    ("gemini", 400, google(
        "The input token count (1196265) exceeds the maximum number of tokens allowed (1048575)."),
        CONTEXT_CODE),
    ("vertex", 400, google(
        "The input token count exceeds the maximum number of tokens allowed 1048575."),
        CONTEXT_CODE),
    ("vertex_anthropic", 400, anthropic("prompt is too long: 208310 tokens > 200000 maximum"),
        CONTEXT_CODE),
    ("bedrock", 400, {"message": "Input is too long for requested model."}, CONTEXT_CODE),
    ("bedrock", 400, {"message": "The model returned the following errors: Input Tokens Exceeded: "
        "Number of input tokens exceeds maximum length. Please update the input to try again."},
        CONTEXT_CODE),
    ("bedrock", 400, {"message": "The model returned the following errors: prompt is too long: "
        "208310 tokens > 200000 maximum"}, CONTEXT_CODE),
    ("cohere", 400, {"id": "i", "message": "too many tokens: total number of tokens in the prompt "
        "cannot exceed 4081 - received 8000. Try using a shorter prompt."}, CONTEXT_CODE),
    ("mistral", 400, {"object": "error", "message": "Prompt contains 140000 tokens and 0 draft "
        "tokens, too large for model with 131072 maximum context length",
        "type": "invalid_request_prompt", "param": None, "code": "3051"}, CONTEXT_CODE),
    ("ollama", 400, {"error": {"message": "prompt too long; exceeded max context length by 1119046 "
        "tokens (ref: 96164522)", "type": INVALID, "param": None, "code": None}}, CONTEXT_CODE),
    ("ollama", 400, {"error": "the input length exceeds the context length"}, CONTEXT_CODE),
    ("llamacpp", 400, {"error": {"code": 400, "message": "request (9000 tokens) exceeds the "
        "available context size (4096 tokens), try increasing it",
        "type": "exceed_context_size_error", "n_prompt_tokens": 9000, "n_ctx": 4096}},
        "exceed_context_size_error"),
    ("llamacpp", 500, {"error": {"code": 500, "message": "input (4002 tokens) is too large to "
        "process. increase the physical batch size (current batch size: 512)",
        "type": "server_error"}}, CONTEXT_CODE),
    ("lmstudio", 400, {"error": "The number of tokens to keep from the initial prompt is greater "
        "than the context length. Try to load the model with a larger context length"},
        CONTEXT_CODE),
    ("vllm", 400, {"object": "error", "message": "This model's maximum context length is 4096 "
        "tokens. However, you requested 5000 tokens (1000 in the messages, 4000 in the completion)."
        " Please reduce the length of the messages or completion.", "type": "BadRequestError",
        "param": None, "code": 400}, CONTEXT_CODE),
    ("vllm", 400, {"error": {"message": "The decoder prompt (length 9000) is longer than the "
        "maximum model length of 4096. Make sure that `max_model_len` is no smaller.",
        "type": "BadRequestError", "param": None, "code": 400}}, CONTEXT_CODE),
    ("vllm", 400, {"error": {"message": "You passed 5000 input tokens and requested 0 output "
        "tokens. However, the model's context length is only 4096 tokens.",
        "type": "BadRequestError", "param": None, "code": 400}}, CONTEXT_CODE),
    ("sglang", 400, {"object": "error", "message": "The input (9000 tokens) is longer than the "
        "model's context length (4096 tokens).", "type": "BadRequest", "code": 400}, CONTEXT_CODE),
    ("tgi", 422, {"error": "Input validation error: `inputs` tokens + `max_new_tokens` must be <= "
        "4096. Given: 5000 `inputs` tokens and 100 `max_new_tokens`",
        "error_type": "validation"}, CONTEXT_CODE),
    ("groq", 400, openai("Please reduce the length of the messages or completion.",
        code=CONTEXT_CODE, param="messages"), CONTEXT_CODE),
    ("groq", 413, openai("Request too large for model `m` on tokens per minute (TPM): Limit 6000, "
        "Requested 12328", type="tokens", code="rate_limit_exceeded"), "rate_limit_exceeded"),
    ("cerebras", 400, {"message": "Please reduce the length of the messages or completion. Current "
        "length is 9000 while limit is 8192", "type": INVALID, "param": "messages",
        "code": CONTEXT_CODE}, CONTEXT_CODE),
    ("together", 403, openai("The input (140000 tokens) is longer than the model's context length "
        "(131072 tokens)."), CONTEXT_CODE),
    ("fireworks", 400, openai("The prompt is too long: 140000, model maximum context length: "
        "131072"), CONTEXT_CODE),
    ("deepseek", 400, openai("This model's maximum context length is 131072 tokens. However, you "
        "requested 140000 tokens.", code=INVALID), CONTEXT_CODE),
    ("moonshot", 400, openai("Invalid request: Your request exceeded model token limit: 8192"),
        CONTEXT_CODE),
    ("zai", 400, openai("Prompt exceeds max length", code="1261"), CONTEXT_CODE),
    ("dashscope", 400, openai("Range of input length should be [1, 30720]",
        code="invalid_parameter_error"), CONTEXT_CODE),
    ("xai", 400, {"code": "Client specified an invalid argument", "error": "This model's maximum "
        "prompt length is 131072 but the request contains 537812 tokens."}, CONTEXT_CODE),
    ("openrouter", 400, {"error": {"message": "This endpoint's maximum context length is 200000 "
        "tokens. However, you requested about 2500021 tokens (2500021 of text input).",
        "code": 400, "metadata": {"provider_name": None}}}, CONTEXT_CODE),
    ("openrouter", 400, {"error": {"message": "Provider returned error", "code": 400, "metadata": {
        "provider_name": "Anthropic",
        "raw": json.dumps(anthropic("prompt is too long: 208310 tokens > 200000 maximum"))}}},
        CONTEXT_CODE),
    ("cloudflare", 413, {"success": False, "errors": [{"code": 5021, "message": "AiError: The "
        "estimated number of input and maximum output tokens (40000) exceeded this model context "
        "window limit (32768)."}]}, CONTEXT_CODE),
    ("github_models", 413, openai("Request body too large for gpt-4o model. Max size: 8000 tokens.",
        code="tokens_limit_reached"), "tokens_limit_reached"),
]  # fmt: skip

FORBIDDEN: list[tuple[str, int, Any, str]] = [
    ("openai", 400, openai("Invalid prompt: your prompt was flagged as potentially violating our "
        "usage policy. Please try again with a different prompt.", code="invalid_prompt"),
        POLICY_CODE),
    ("openai", 400, openai("Your request was rejected as a result of our safety system.",
        code="content_policy_violation"), POLICY_CODE),
    ("openai", 400, openai("Your request was rejected by the safety system.",
        type="image_generation_user_error", code="moderation_blocked"), "moderation_blocked"),
    ("azure_openai", 400, openai("The response was filtered due to the prompt triggering Azure "
        "OpenAI's content management policy.", type=None, param="prompt", code="content_filter"),
        "content_filter"),
    ("anthropic", 400, anthropic("Output blocked by content filtering policy"), POLICY_CODE),
    ("vertex_anthropic", 400, anthropic("Output blocked by content filtering policy"), POLICY_CODE),
    ("gemini", 400, google("Request was blocked: PROHIBITED_CONTENT"), POLICY_CODE),
    ("bedrock", 400, {"message": "This request has been blocked by our content filters. Please "
        "adjust your text prompt to submit a new request."}, POLICY_CODE),
    ("deepseek", 400, openai("Content Exists Risk", code=INVALID), POLICY_CODE),
    ("dashscope", 400, openai("Input data may contain inappropriate content.",
        type="data_inspection_failed", code="data_inspection_failed"), "data_inspection_failed"),
    ("moonshot", 400, openai("The request was rejected because it was considered high risk",
        type="content_filter"), "content_filter"),
    ("zai", 400, openai("System detected potentially unsafe or sensitive content in input.",
        code="1301"), POLICY_CODE),
    ("xai", 403, {"code": "The caller does not have permission to execute the specified operation",
        "error": "Content violates usage guidelines. Team: t, API key ID: k"}, POLICY_CODE),
    ("openrouter", 403, {"error": {"code": 403, "message": "m requires moderation on OpenAI. Your "
        "input was flagged for \"violence\". No credits were charged.",
        "metadata": {"reasons": ["violence"], "provider_name": "OpenAI"}}}, POLICY_CODE),
    ("openrouter", 403, {"error": {"code": 403, "message": "Provider returned error", "metadata": {
        "provider_name": "xAI", "raw": "{\"error\":\"Content violates usage guidelines.\"}"}}},
        POLICY_CODE),
    ("openai", 400, openai("The request failed because the input text may contain sensitive "
        "information.", type="BadRequest", code="InputTextSensitiveContentDetected"),
        "InputTextSensitiveContentDetected"),
]  # fmt: skip

LACKING: list[tuple[str, int, Any]] = [
    ("openai", 400, openai("Unsupported parameter: 'max_tokens' is not supported with this model.",
        code="unsupported_parameter")),
    ("openai", 400, openai("Unsupported value: 'messages[0].role' does not support 'system' with "
        "this model.", code="unsupported_value")),
    ("groq", 400, openai("`tool calling` is not supported with this model")),
    ("deepseek", 400, openai("Thinking mode is not supported by this model", code=INVALID)),
    ("mistral", 400, {"code": "3051", "message": "Logprobs are not enabled for this model",
        "object": "error", "type": "invalid_request_invalid_args"}),
    ("bedrock", 400, {"message": "This model doesn't support tool use in streaming mode."}),
    ("xai", 400, {"code": "Client specified an invalid argument",
        "error": "Model grok-code-fast-1 does not support parameter reasoningEffort."}),
    ("ollama", 400, {"error": "registry.ollama.ai/library/gemma:2b does not support tools"}),
    ("llamacpp", 501, {"error": {"code": 501, "message": "This server does not support embeddings. "
        "Start it with `--embeddings`", "type": "not_supported_error"}}),
    ("gemini", 501, google("Operation is not implemented", "UNIMPLEMENTED", 501)),
    ("openrouter", 400, {"error": {"code": 400, "message": "Provider returned error", "metadata": {
        "provider_name": "Google AI Studio",
        "raw": json.dumps(google("Developer instruction is not enabled for models/gemma-3n"))}}}),
]  # fmt: skip

OTHERS: list[tuple[str, int, Any, type[UpstreamError]]] = [
    ("openai", 400, openai("Invalid 'temperature': decimal below minimum value."),
        errors.UpstreamRejected),
    ("openai", 400, openai("max_tokens is too large: 50000. This model supports at most 16384 "
        "completion tokens."), errors.UpstreamRejected),
    ("anthropic", 400, anthropic("max_tokens: 100000 > 64000, which is the maximum allowed number "
        "of output tokens for claude"), errors.UpstreamRejected),
    ("openai", 429, openai("Request too large for gpt-4 on tokens per min (TPM): Limit 10000, "
        "Requested 12000. The input or output tokens must be reduced.", type="tokens",
        code="rate_limit_exceeded"), errors.UpstreamRateLimited),
    ("bedrock", 429, {"message": "Too many tokens, please wait before trying again."},
        errors.UpstreamRateLimited),
    ("openai", 403, openai("You are not allowed to sample from this model"),
        errors.UpstreamForbidden),
    ("groq", 400, openai("The model `qwen-qwq-32b` has been decommissioned and is no longer "
        "supported.", code="model_decommissioned"), errors.UpstreamNotFound),
    ("deepseek", 400, openai("Model Not Exist", code=INVALID), errors.UpstreamNotFound),
    ("openrouter", 400, {"error": {"code": 400, "message": "Model no-such/model does not exist"}},
        errors.UpstreamNotFound),
    ("xai", 400, {"code": "invalid-argument", "error": "Incorrect API key provided."},
        errors.UpstreamAuth),
    ("cloudflare", 403, {"errors": [{"code": 10000, "message": "Authentication error"}]},
        errors.UpstreamAuth),
    ("openai", 500, openai("Oh", type="server_error"), errors.UpstreamError),
    ("together", 403, openai("The input is longer than the model's context length."),
        errors.UpstreamContextWindow),
    ("azure_openai", 500, openai("No", code="not_supported_error"), errors.UpstreamUnsupported),
]  # fmt: skip


def decode(kind: str, status: int, body: Any) -> UpstreamError:
    return KINDS[kind].decode_error(status, (), json.dumps(body).encode())


@for_each("kind, status, body, code", TOO_LONG)
def test_a_context_that_is_too_long_has_a_class_and_a_code(
    kind: str, status: int, body: Any, code: str
) -> None:
    error = decode(kind, status, body)
    assert type(error) is errors.UpstreamContextWindow
    assert error.code == code
    assert error.status == (status if status in (400, 413, 422) else 400)
    assert not error.retryable


@for_each("kind, status, body, code", FORBIDDEN)
def test_content_that_is_not_allowed_has_a_class_and_a_code(
    kind: str, status: int, body: Any, code: str
) -> None:
    error = decode(kind, status, body)
    assert type(error) is errors.UpstreamContentPolicy
    assert error.code == code
    assert error.status == 400


@for_each("kind, status, body", LACKING)
def test_an_ability_that_the_model_lacks_has_a_class(kind: str, status: int, body: Any) -> None:
    error = decode(kind, status, body)
    assert type(error) is errors.UpstreamUnsupported
    assert not error.retryable


@for_each("kind, status, body, cls", OTHERS)
def test_other_errors_are_what_they_were(
    kind: str, status: int, body: Any, cls: type[UpstreamError]
) -> None:
    assert type(decode(kind, status, body)) is cls


def test_most_wires_are_in_the_tables() -> None:
    told = {kind for kind, *_ in TOO_LONG}
    assert len(told) >= 20, told
    assert {"openai", "anthropic", "gemini", "bedrock", "cohere", "mistral", "ollama"} <= told


def test_an_error_inside_a_stream_has_the_class_too() -> None:
    event = {"type": "error", "error": openai("x", code=CONTEXT_CODE)["error"]}
    found = find_error(json.dumps(event).encode())
    assert type(found) is errors.UpstreamContextWindow
    said = {"choices": None, "base_resp": {"status_code": 2013,
            "status_msg": "invalid params, context window exceeds limit"}}  # fmt: skip
    (failed,) = KINDS["minimax"].decode_response(json.dumps(said).encode())
    assert isinstance(failed, Failed)
    assert type(failed.error) is errors.UpstreamContextWindow


def test_nothing_that_the_provider_said_is_lost() -> None:
    given = errors.UpstreamRejected(
        "prompt is too long", provider="p", param="messages", request_id="r", retry_after_s=2.0
    )
    given.details = '{"error_code":"x"}'
    found = specify(given)
    assert vars(found) == {**vars(given), "code": CONTEXT_CODE, "status": 400}
    assert specify(found) is not found
    assert vars(specify(found)) == vars(found)


@pytest.mark.parametrize("cls", [errors.UpstreamRateLimited, errors.UpstreamQuota])
def test_limits_are_never_taken_for_the_content(cls: type[UpstreamError]) -> None:
    error = cls("This model's maximum context length; sensitive content")
    assert specify(error) is error
