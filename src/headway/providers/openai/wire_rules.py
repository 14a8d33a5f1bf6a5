"""What OpenAI does with the subjects of the table of wire rules: it accepts nearly all, or says
itself what is wrong, so that requests reach it as they are. Vendors of compatible APIs start from
here."""

from headway.providers.call_argument_rules import text_argument_rules
from headway.providers.call_id_rules import IdForm, call_id_rules
from headway.providers.wire_rules import SUBJECTS, allowed, override

SOURCE = "https://platform.openai.com/docs/api-reference/chat/create"
CALL_IDS = IdForm(
    source="https://github.com/vercel/ai/issues/5171",
    pattern=r"(?s).{1,40}",
    unique_source="https://github.com/agno-agi/agno/issues/5116",
)
ARGUMENTS = "https://platform.openai.com/docs/api-reference/chat/object"
"""\"the model does not always generate valid JSON\"."""
RULES = override(
    allowed(SOURCE, *SUBJECTS), *text_argument_rules(ARGUMENTS), *call_id_rules(CALL_IDS)
)
