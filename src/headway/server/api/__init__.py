"""The small read-only routes."""
