"""GitHub Models, shut down on 2026-07-30 (docs.github.com/en/github-models): its addresses return
status 410.

Source of the list of models: docs.github.com/en/rest/models/catalog.
"""

from headway.errors import UpstreamNotFound
from headway.providers.call_id_rules import call_id_rules
from headway.providers.model_lists import openai_model_list
from headway.providers.openai_compatible.errors import ErrorFormat
from headway.providers.openai_compatible.message_rules import DEVELOPER_SUPPORTED
from headway.providers.openai_compatible.request_rules import RequestRules
from headway.providers.openai_compatible.vendor import TOOLS, Vendor
from headway.providers.openai_compatible.wire_rules import OPENAI_CALL_IDS

VENDOR = Vendor(
    title="GitHub Models (shut down on 2026-07-30)",
    order=170,
    base_url="https://models.github.ai/inference",
    key_env="GITHUB_TOKEN",
    request_rules=RequestRules(messages=DEVELOPER_SUPPORTED),
    wire_rules=call_id_rules(OPENAI_CALL_IDS),
    errors=ErrorFormat(request_id=b"x-github-request-id", classes={"410": UpstreamNotFound}),
    model_list=openai_model_list("/catalog/models", without="/inference"),
    capabilities={**TOOLS, "images": "native", "json_schema": "native", "embeddings": "native"},
)
