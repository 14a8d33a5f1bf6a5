"""Vercel AI Gateway, a router to the models of other vendors.

Sources: vercel.com/docs/ai-gateway; vercel/ai (failed_dependency: a 424 is a failure of the
provider that the request was routed to).
"""

from headway.errors import UpstreamError
from headway.providers.capabilities import native
from headway.providers.openai_compatible.errors import ErrorFormat
from headway.providers.openai_compatible.message_rules import DEVELOPER_SUPPORTED
from headway.providers.openai_compatible.request_rules import RequestRules
from headway.providers.openai_compatible.response_transforms import REASONING_DETAILS
from headway.providers.openai_compatible.vendor import TOOLS, Vendor
from headway.providers.operations import operations

VENDOR = Vendor(
    title="Vercel AI Gateway",
    order=250,
    base_url="https://ai-gateway.vercel.sh/v1",
    key_env="AI_GATEWAY_API_KEY",
    request_rules=RequestRules(messages=DEVELOPER_SUPPORTED, flatten_reasoning=False),
    event_transforms=(REASONING_DETAILS,),
    errors=ErrorFormat(classes={"424": UpstreamError}),
    operations=operations("images/generations"),
    capabilities={
        **TOOLS,
        **native("images", "documents", "json_schema", "embeddings"),
        "reasoning": "native: effort or budget; returns the text",
        "reasoning_replay": "native: `reasoning_details`",
        "caching": "native: `cache_control`",
    },
)
