"""What OpenAI does with the subjects of the table of wire rules: it accepts them, or says itself
what is wrong, so that requests reach it as they are. Vendors of compatible APIs start from here."""

from headway.providers.wire_rules import SUBJECTS, allowed

SOURCE = "https://platform.openai.com/docs/api-reference/chat/create"
RULES = allowed(SOURCE, *SUBJECTS)
