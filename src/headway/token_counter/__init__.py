"""Counts tokens in a separate process, so that loading a vocabulary blocks no stream."""
