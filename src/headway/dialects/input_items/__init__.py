"""Requests of OpenAI's Responses API as chat requests
(platform.openai.com/docs/guides/migrate-to-responses)."""
