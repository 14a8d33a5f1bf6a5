"""Responses for identical requests: ``ports.ResponseCache`` in memory, and in a file."""
