"""Google's generationConfig (ai.google.dev/api/generate-content#GenerationConfig) as OpenAI's
parameters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from msgspec import Raw

from headway.dialects.gemini.contents import ONLY_GOOGLE
from headway.dialects.gemini.names import Fields, enum_name, read_list, read_object
from headway.dialects.gemini.schema import to_json_schema
from headway.types import Transformation

RENAMED: Mapping[str, str] = {
    "temperature": "temperature",
    "topP": "top_p",
    "topK": "top_k",
    "candidateCount": "n",
    "maxOutputTokens": "max_tokens",
    "stopSequences": "stop",
    "presencePenalty": "presence_penalty",
    "frequencyPenalty": "frequency_penalty",
    "responseLogprobs": "logprobs",
    "logprobs": "top_logprobs",
    "seed": "seed",
}
"""Google's name to OpenAI's, for values that need no conversion."""
NEUTRAL: Mapping[str, Any] = {"candidateCount": 1, "stopSequences": [], "responseLogprobs": False}
"""Values that are OpenAI's default. Some providers reject the parameter even so."""
JSON = "application/json"
PLAIN = "text/plain"
LEVEL_NUMBERS: Mapping[int, str] = {1: "LOW", 2: "HIGH", 3: "MEDIUM", 4: "MINIMAL"}
"""google/ai/generativelanguage/v1beta/generative_service.proto, ThinkingConfig.ThinkingLevel."""
LEVELS = ("MINIMAL", "LOW", "MEDIUM", "HIGH")
MODALITY_NUMBERS: Mapping[int, str] = {1: "TEXT", 2: "IMAGE", 3: "AUDIO"}
DYNAMIC = -1
"""The thinking budget that lets the model choose."""

_decode = msgspec.json.Decoder().decode


class ConfigReader:
    """Collects OpenAI's parameters, and the transformations that lose something."""

    def __init__(self) -> None:
        self.parameters: Fields = {}
        self.lost: list[Transformation] = []

    def read(self, config: Any) -> None:
        """Raises TypeError for what is not in Google's format."""
        given = read_object(config)
        for name, value in given.items():
            if name in RENAMED:
                if NEUTRAL.get(name) != value:
                    self.parameters[RENAMED[name]] = value
            elif name in READERS:
                READERS[name](self, value)
            elif name not in READ_TOGETHER:
                self.drop(name, ONLY_GOOGLE)
        self._read_format(given)
        self._read_voice(read_object(given.get("speechConfig")))

    def drop(self, name: str, reason: str) -> None:
        self.lost.append(Transformation("dropped", f"generationConfig.{name}", reason))

    def _read_format(self, given: Fields) -> None:
        media_type = given.get("responseMimeType") or PLAIN
        schema = given.get("responseJsonSchema") or to_json_schema(given.get("responseSchema"))
        if media_type == JSON or (schema and media_type == PLAIN):
            if not schema:
                self.parameters["response_format"] = {"type": "json_object"}
                return
            described = {"name": "response", "schema": schema}
            self.parameters["response_format"] = {"type": "json_schema", "json_schema": described}
        elif media_type != PLAIN:
            self.drop("responseMimeType", f"no provider but Google knows {media_type}")

    def _read_thinking(self, value: Any) -> None:
        """Whether thoughts are shown is the dialect's business."""
        thinking = read_object(value)
        level = enum_name(thinking.get("thinkingLevel"), LEVEL_NUMBERS)
        budget = thinking.get("thinkingBudget")
        if level in LEVELS:
            self.parameters["reasoning_effort"] = level.lower()
        elif budget == 0:
            self.parameters["reasoning_effort"] = "none"
        elif isinstance(budget, int) and budget > 0:
            self.parameters["reasoning"] = {"max_tokens": budget}
        elif budget == DYNAMIC or thinking.get("includeThoughts"):
            self.parameters["reasoning"] = {"enabled": True}

    def _read_modalities(self, value: Any) -> None:
        names = [enum_name(each, MODALITY_NUMBERS).lower() for each in read_list(value)]
        if names not in ([], ["text"]):
            self.parameters["modalities"] = names

    def _read_voice(self, speech: Fields) -> None:
        voice = read_object(speech.pop("voiceConfig", None))
        name = read_object(voice.get("prebuiltVoiceConfig")).get("voiceName")
        if name:
            self.parameters["audio"] = {"voice": name, "format": "pcm16"}
        for each in speech:
            self.drop(f"speechConfig.{each}", ONLY_GOOGLE)


READ_TOGETHER = ("responseMimeType", "responseSchema", "responseJsonSchema", "speechConfig")
READERS: Mapping[str, Callable[[ConfigReader, Any], None]] = {
    "thinkingConfig": ConfigReader._read_thinking,
    "responseModalities": ConfigReader._read_modalities,
}


def shows_thoughts(config: Raw) -> bool:
    """Whether the client asks to see thoughts. It sees none if its request is malformed."""
    try:
        thinking = read_object(read_object(_decode(config)).get("thinkingConfig"))
    except (TypeError, RecursionError):
        return False
    return thinking.get("includeThoughts") is True
