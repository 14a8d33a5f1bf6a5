"""OpenAI's Responses API for clients (platform.openai.com/docs/api-reference/responses)."""
