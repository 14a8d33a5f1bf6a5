"""What Google's generateContent does with what OpenAI accepts (see ``wire_rules``)."""

from __future__ import annotations

from headway.providers.media_rules import image_rules
from headway.providers.text_rules import drop_empty_stops, limit_stops
from headway.providers.wire_rules import Rule, allowed, mended, refused

API = "https://ai.google.dev/api/generate-content"
MAX_STOPS = 5
"""GenerationConfig.stopSequences."""
IMAGES = "https://ai.google.dev/gemini-api/docs/image-understanding"

RULES: tuple[Rule, ...] = (
    *image_rules(IMAGES, has_documents=True),
    *allowed(
        API, "blank_text", "blank_text_part", "trailing_whitespace", "prefill", "text_parts",
        "document_alone", "blank_stop",
    ),
    mended("empty_stop", drop_empty_stops, API),
    refused("many_stops", limit_stops("Gemini", MAX_STOPS), API),
)  # fmt: skip
