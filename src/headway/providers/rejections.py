"""Tell why a provider rejects a request: the context is too long, the content is against its
policy, the model is unknown or lacks an ability, the key is wrong. What follows on a route differs.

Few providers have a code for it, so the words decide. They are from recordings, from the sources
of servers (llama.cpp, vLLM, SGLang, TGI, Ollama), and from what the users of clients report
(pi-mono, ``overflow.ts``; litellm, ``exception_mapping_utils.py``; lobe-chat's error patterns).
"""

from __future__ import annotations

import re

from headway import errors
from headway.errors import UpstreamError

CONTEXT_CODE = "context_length_exceeded"
POLICY_CODE = "content_policy_violation"
"""OpenAI's codes, for errors that have no such code of their own: clients know them."""
CONTEXT_CODES = frozenset(
    {
        CONTEXT_CODE,
        "exceed_context_size_error",  # llama.cpp
        "model_context_window_exceeded",  # Z.ai
        "model_max_prompt_tokens_exceeded",  # GitHub Copilot
        "tokens_limit_reached",  # GitHub Models
    }
)
POLICY_CODES = frozenset(
    {
        POLICY_CODE,
        "DataInspectionFailed",
        "ResponsibleAIPolicyViolation",
        "bio_policy",
        "content_filter",  # Azure, Moonshot
        "content_management_policy",
        "cyber_policy",
        "data_inspection_failed",  # Alibaba Cloud
        "image_content_policy_violation",
        "moderation_blocked",
    }
)
UNSUPPORTED_CODES = frozenset(
    {
        "OperationNotSupported",  # Azure
        "not_supported_error",  # llama.cpp
        "unsupported_parameter",
        "unsupported_value",
    }
)
CONTEXT_WORDS = re.compile(
    r"""
      prompt\ (is\ )?too\ long                      # Anthropic, Fireworks; Ollama
    | input\ is\ too\ long                          # Bedrock
    | input\ tokens\ exceeded                       # Bedrock, Nova
    | exceed\ context\ limit                        # Anthropic, with max_tokens
    | exceeds\ the\ context\ window                 # OpenAI's Responses API
    | context\ window\ (limit|exceeds)              # Cloudflare, MiniMax
    | maximum\ (context|prompt|model|input)\ length # OpenAI, vLLM, OpenRouter; xAI; watsonx
    | maximum\ allowed\ input\ length               # Poolside
    | longer\ than\ the\ (maximum\ )?model          # Together, SGLang; vLLM
    | context\ length\ (is\ only|exceeded)          # vLLM
    | (exceeds|greater\ than)\ the\ (available\ )?context\ (length|size)  # llama.cpp, LM Studio
    | configured\ context\ size
    | input\ token\ count.{0,200}exceeds                  # Gemini
    | input\ tokens?\ exceeds?\ the\ configured     # OpenAI, of a project
    | number\ of\ input\ tokens.{0,200}cannot\ exceed     # watsonx
    | number\ of\ tokens\ in\ the\ prompt\ cannot\ exceed                 # Cohere
    | too\ large\ for\ model\ with                  # Mistral
    | (exceeded|exceeds)\ model\ token\ limit       # Moonshot
    | prompt\ token\ count.{0,200}exceeds\ the\ limit     # GitHub Copilot
    | prompt\ exceeds\ max\ length                  # Z.ai
    | range\ of\ input\ length\ should\ be          # Alibaba Cloud
    | reduce\ the\ length\ of\ the\ (messages|prompt|input)               # Groq, Cerebras
    | current\ length\ is\ \d+\ while\ limit\ is    # Cerebras
    | `inputs`\ (tokens\ \+|must\ have\ less\ than) # TGI
    | tokens\)\ is\ too\ large\ to\ process         # llama.cpp, more than a batch
    """,
    re.IGNORECASE | re.VERBOSE,
)
POLICY_WORDS = re.compile(
    r"""
      content\ filtering\ policy                    # Anthropic
    | violates?\ our\ usage\ polic                  # Anthropic
    | content\ management\ policy                   # Azure
    | (blocked|rejected)\ by\ our\ content\ filters # Bedrock
    | our\ safety\ system                           # OpenAI, images
    | prompt\ was\ flagged|flagged\ (for|as)\b      # OpenAI, OpenRouter
    | limited\ access\ to\ this\ content\ for\ safety                     # OpenAI
    | content\ violates\ usage\ guidelines          # xAI
    | content\ exists\ risk                         # DeepSeek
    | (considered|is)\ high\ risk                   # Moonshot, Xiaomi
    | (inappropriate|prohibited|sensitive|unsafe)\ content                # Alibaba Cloud, Z.ai
    | moderation\ block
    | prohibited_content                            # Gemini
    """,
    re.IGNORECASE | re.VERBOSE,
)
POLICY_CODE_WORDS = re.compile(r"SensitiveContentDetected")
"""In codes of Volcano Engine: ``InputTextSensitiveContentDetected.PrivacyInformation``."""
UNSUPPORTED_WORDS = re.compile(
    r"""
      \bmodels?\b.{0,200}\b(do(es)?\ not|doesn't|don't)\ support\b
    | \b(not|isn't|aren't)\ (currently\ )?(supported|enabled|available)\b.{0,200}\bmodels?\b
    | \bmodels?\b.{0,200}\bnot\ (supported|enabled)\b
    | \bdo(es)?\ not\ support\ (tools|images?|vision|audio|functions?|system)
    """,
    re.IGNORECASE | re.VERBOSE,
)
KEY_WORDS = re.compile(
    r"(incorrect|invalid) api key|api key (is )?(not valid|invalid)", re.IGNORECASE
)
"""xAI, Gemini: with status 400."""
MODEL_WORDS = re.compile(
    r"model not exist$"  # DeepSeek
    r"|\bmodel\b.{0,200}\b(does not exist|(is )?not found|has been (decommissioned|deprecated))",
    re.IGNORECASE,
)
"""OpenRouter, Groq: with status 400."""
TOO_LARGE = 413
STATUSES = (400, TOO_LARGE, 422)
"""Those that rejections keep."""
REJECTED = errors.UpstreamRejected
SPECIFIC = (errors.UpstreamContextWindow, errors.UpstreamContentPolicy)
"""What vendors tell by their own codes."""


def specify(error: UpstreamError) -> UpstreamError:
    """``error`` in the class that says why the request was rejected, if anything does."""
    cls = _class(error)
    if cls is None:
        return error
    found = cls(
        error.message,
        provider=error.provider,
        param=error.param,
        code=_code(error, cls),
        request_id=error.request_id,
        retry_after_s=error.retry_after_s,
        status=error.status if issubclass(cls, REJECTED) and error.status in STATUSES else None,
    )
    found.details = error.details
    return found


def _class(error: UpstreamError) -> type[UpstreamError] | None:
    given, code = type(error), error.code or ""
    if given in SPECIFIC:
        return given
    if given is errors.UpstreamForbidden:  # xAI, OpenRouter; Together's is a context too long
        return _class_of_forbidden(error.message)
    if given not in (errors.UpstreamRejected, errors.UpstreamError):
        return None
    if code in POLICY_CODES or POLICY_CODE_WORDS.search(code):
        return errors.UpstreamContentPolicy
    if code in CONTEXT_CODES or CONTEXT_WORDS.search(error.message):
        return errors.UpstreamContextWindow
    if error.status == TOO_LARGE:  # for what the key may send in a minute, or for the server
        return errors.UpstreamContextWindow
    if POLICY_WORDS.search(error.message):
        return errors.UpstreamContentPolicy
    if code in UNSUPPORTED_CODES:
        return errors.UpstreamUnsupported
    return _class_of_rejected(error.message) if given is REJECTED else None


def _class_of_forbidden(message: str) -> type[UpstreamError] | None:
    if POLICY_WORDS.search(message):
        return errors.UpstreamContentPolicy
    return errors.UpstreamContextWindow if CONTEXT_WORDS.search(message) else None


def _class_of_rejected(message: str) -> type[UpstreamError] | None:
    if KEY_WORDS.search(message):
        return errors.UpstreamAuth
    if MODEL_WORDS.search(message):
        return errors.UpstreamNotFound
    return errors.UpstreamUnsupported if UNSUPPORTED_WORDS.search(message) else None


def _code(error: UpstreamError, cls: type[UpstreamError]) -> str | None:
    code = error.code or ""
    if cls is errors.UpstreamContextWindow:
        is_other_limit = error.status == TOO_LARGE and not CONTEXT_WORDS.search(error.message)
        return error.code if code in CONTEXT_CODES or is_other_limit else CONTEXT_CODE
    if cls is errors.UpstreamContentPolicy:
        is_own = code in POLICY_CODES or POLICY_CODE_WORDS.search(code)
        return code if is_own else POLICY_CODE
    return error.code
