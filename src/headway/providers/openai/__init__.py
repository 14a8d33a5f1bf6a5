"""OpenAI's chat completions and embeddings (platform.openai.com/docs/api-reference)."""
