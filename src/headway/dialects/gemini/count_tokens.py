"""``POST /v1beta/models/{model}:countTokens`` (ai.google.dev/api/tokens): the request is the one of
``:generateContent``, alone or as ``generateContentRequest``."""

from __future__ import annotations

from msgspec.structs import replace

from headway.dialects.base import ClientRequest, DecodedRequest, decode_object
from headway.dialects.gemini.generate import GenerateContent

WRAPPERS = ("generateContentRequest", "generate_content_request")


class CountTokens(GenerateContent):
    """Decodes such a request. Only the number of tokens is returned, whoever counts."""

    def decode(self, client_request: ClientRequest) -> DecodedRequest:
        fields = decode_object(client_request.body)
        for name in WRAPPERS:
            if name in fields:
                client_request = replace(client_request, body=bytes(fields[name]))
        return super().decode(client_request)
