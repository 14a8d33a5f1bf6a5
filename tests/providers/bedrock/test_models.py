"""The family of a model follows from its id."""

from __future__ import annotations

from headway.providers.bedrock.models import Family, family_of, has_structured_outputs
from support.for_each import for_each

CLAUDE = "us.anthropic.claude-3-7-sonnet-20250219-v1:0"
SONNET = "global.anthropic.claude-sonnet-4-5-20250929-v1:0"
NOVA = "amazon.nova-lite-v1:0"
OSS = "openai.gpt-oss-120b-1:0"
LLAMA = "us.meta.llama3-3-70b-instruct-v1:0"
R1 = "us.deepseek.r1-v1:0"
PROFILE = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc"


@for_each(
    ("model", "claude", "schemas"),
    [
        (CLAUDE, True, False),
        (SONNET, True, True),
        ("anthropic.claude-opus-4-5-20251101-v1:0", True, True),
        ("eu.anthropic.claude-opus-4-6-v1", True, True),
        (NOVA, False, False),
        (OSS, False, True),
        ("qwen.qwen3-32b-v1:0", False, True),
        ("deepseek.v3-v1:0", False, True),
        (R1, False, False),
        ("mistral.mistral-large-3-675b-instruct", False, True),
        ("mistral.mistral-large-2402-v1:0", False, False),
        (LLAMA, False, False),
        (PROFILE, False, False),
    ],
)
def test_the_family_follows_from_the_model_id(model: str, claude: bool, schemas: bool) -> None:
    assert family_of(model).is_claude is claude
    assert has_structured_outputs(model) is schemas


def test_an_application_inference_profile_gets_the_default_family() -> None:
    assert family_of(PROFILE) == Family()
