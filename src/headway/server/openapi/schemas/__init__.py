"""The shapes of requests and replies, as pydantic models that describe and do not serve."""
