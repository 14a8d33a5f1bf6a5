"""How each vendor's models are told to think, by their names, and what they refuse meanwhile.

Sources: console.groq.com/docs/reasoning; api-docs.deepseek.com/guides/thinking_mode, and a
recording of its refusal of a forced tool; docs.x.ai, Reasoning, and its guide to the models retired
in May 2026; docs.together.ai/docs/inference/chat/reasoning; the schema of Fireworks' chat
completions; Perplexity's own SDK; inference-docs.cerebras.ai, Chat completions and Reasoning;
platform.kimi.ai/docs/api/chat; docs.z.ai/api-reference/llm/chat-completion;
alibabacloud.com/help/en/model-studio/deep-thinking and error-code;
platform.minimax.io/docs/api-reference/text-chat-openai.
"""

from __future__ import annotations

import re

from headway.providers.openai_compatible.reasoning import (
    NAMED,
    NO_CHOICE,
    ON,
    Style,
    nearest,
    switched,
    thinking,
)
from headway.providers.openai_compatible.vendor import PENALTIES

OFF_AND_ON = switched({"thinking": {"type": "disabled"}}, {"thinking": {"type": "enabled"}})
FORCED = frozenset(("required", NAMED))

GROQ = thinking(
    Style(models=re.compile("gpt-oss"), written=nearest("low", "medium", "high")),
    Style(
        models=re.compile("qwen3"),
        written=switched({"reasoning_effort": "none"}, {"reasoning_effort": "default"}),
    ),
    Style(),
)
DEEPSEEK = thinking(
    Style(models=re.compile("chat|coder"), has_thinking=True, thinks=False),
    Style(
        written={"none": OFF_AND_ON["none"], ON: OFF_AND_ON[ON]},
        has_thinking=True,
        lost=dict.fromkeys(("temperature", *PENALTIES), "DeepSeek ignores it while it thinks"),
        refused=FORCED,
    ),
)
"""The efforts that it lacks it maps itself: ``minimal`` is low, ``medium`` and ``xhigh`` high."""
XAI = thinking(
    Style(models=re.compile(r"grok-(?:2|code|build-0|4\.20(?!.*multi-agent))"), written=NO_CHOICE),
    Style(models=re.compile("grok-3-mini"), written=nearest("low", "high")),
    Style(models=re.compile(r"grok-4\.5|grok-build"), written=nearest("low", "medium", "high")),
    Style(
        models=re.compile(r"multi-agent|grok-4\.(?:[6-9]|[1-9]\d)"),
        written=nearest("low", "medium", "high", "xhigh"),
    ),
    Style(written=nearest("none", "low", "medium", "high")),
)
"""Of models that are not yet known the same is taken as of grok-4.3, to which the retired lead."""
TOGETHER = thinking(
    Style(models=re.compile("gpt-oss"), written=nearest("low", "medium", "high")),
    Style(
        models=re.compile(r"DeepSeek-V4|GLM-5\.[2-9]", re.IGNORECASE),
        written=nearest("high", "max", off={"reasoning": {"enabled": False}}),
    ),
    Style(written=switched({"reasoning": {"enabled": False}}, {"reasoning": {"enabled": True}})),
)
FIREWORKS = thinking(
    Style(
        models=re.compile("gpt-oss|minimax-m2"),
        written=nearest("low", "medium", "high"),
        has_thinking=True,
    ),
    Style(
        written=nearest("none", "low", "medium", "high", "max"),
        has_thinking=True,
        budget="reasoning_effort",
    ),
)
"""An effort that is a number is a limit of tokens there."""
PERPLEXITY = thinking(Style(written=nearest("minimal", "low", "medium", "high")))
CEREBRAS = thinking(
    Style(models=re.compile("gpt-oss"), written=nearest("low", "medium", "high")),
    Style(models=re.compile("glm"), written={**NO_CHOICE, "none": {"reasoning_effort": "none"}}),
    Style(written=nearest("none", "low", "medium", "high")),
)
MOONSHOT = thinking(
    Style(models=re.compile("moonshot-v1"), written=NO_CHOICE, thinks=False),
    Style(
        models=re.compile(r"kimi-k(?:[3-9]|\d\d)"),
        written=nearest("low", "high", "max"),
        refused=frozenset((NAMED,)),
    ),
    Style(
        models=re.compile(r"kimi-k2\.[56]"), written=OFF_AND_ON, has_thinking=True, refused=FORCED
    ),
    Style(
        models=re.compile(r"kimi-k2(?:\.|-thinking)"),
        written=NO_CHOICE,
        has_thinking=True,
        refused=FORCED,
    ),
)
ZAI = thinking(
    Style(models=re.compile(r"glm-5\.2"), has_thinking=True),
    Style(
        models=re.compile(r"glm-(?:5\.[3-9]|[6-9])"),
        written=nearest("low", "high", "max"),
        has_thinking=True,
    ),
    Style(written=OFF_AND_ON, has_thinking=True),
)
DASHSCOPE = thinking(
    Style(
        models=re.compile(r"thinking|qwq|qvq"),
        written=NO_CHOICE,
        budget="thinking_budget",
        refused=FORCED,
    ),
    Style(
        models=re.compile(r"deepseek-v4"),
        written=nearest("high", "max", off={"enable_thinking": False}),
    ),
    Style(
        models=re.compile(r"qwen3-(?:\d|\.)+b(?!.*instruct)"),
        written=switched({"enable_thinking": False}, {"enable_thinking": True}),
        budget="thinking_budget",
        refused=FORCED,
        whole={"enable_thinking": False},
    ),
    Style(
        models=re.compile(r"qwen3\.[5-9]"),
        written=switched({"enable_thinking": False}, {"enable_thinking": True}),
        budget="thinking_budget",
        refused=FORCED,
    ),
    Style(
        written=switched({"enable_thinking": False}, {"enable_thinking": True}),
        budget="thinking_budget",
        thinks=False,
        refused=FORCED,
    ),
)
"""The open models of Qwen3 think unless they are told otherwise, and refuse to in a whole answer;
from Qwen3.5 on they do that too; the commercial ones before think where it is asked."""
MINIMAX = thinking(
    Style(models=re.compile("M2", re.IGNORECASE), written=NO_CHOICE, has_thinking=True),
    Style(
        written=switched({"thinking": {"type": "disabled"}}, {"thinking": {"type": "adaptive"}}),
        has_thinking=True,
    ),
)
