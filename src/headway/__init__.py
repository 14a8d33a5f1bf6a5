"""Headway: an LLM gateway that measures every token."""

__version__ = "0.1.0"
