"""The vendors of OpenAI-compatible APIs: one module each, found by listing this package.

A module's name is the vendor's (a trailing ``_`` avoids Python's keywords); its ``VENDOR`` holds
everything in which the vendor differs from OpenAI. It imports the shared modules of
``openai_compatible`` and no other vendor.
"""
