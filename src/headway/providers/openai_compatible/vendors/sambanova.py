"""SambaNova.

Source: sambanova/sambanova-python (the types of the SDK).
"""

from headway.providers.openai_compatible.request_rules import PENALTIES, RequestRules
from headway.providers.openai_compatible.vendor import TOOLS, Vendor
from headway.providers.openai_compatible.wire_rules import image_data_only, strings_only
from headway.providers.operations import operations

VENDOR = Vendor(
    title="SambaNova",
    order=130,
    base_url="https://api.sambanova.ai/v1",
    key_env="SAMBANOVA_API_KEY",
    request_rules=RequestRules(ignored=PENALTIES),
    wire_rules=(
        *strings_only("https://github.com/BerriAI/litellm/tree/main/litellm/llms/sambanova"),
        image_data_only("SambaNova", "https://docs.sambanova.ai"),
    ),
    operations=operations("audio/transcriptions", "audio/translations"),
    capabilities={
        **TOOLS,
        "images": "native: as data, not by URL",
        "json_schema": "native",
        "reasoning": "partial: effort; the text of some models",
        "embeddings": "native",
    },
)
