"""OpenAI's errors: names of ``http_errors`` under which adapters still import them."""

from __future__ import annotations

from headway.providers.http_errors import (
    ERRORS_BY_STATUS as BY_STATUS,
)
from headway.providers.http_errors import (
    MAX_MESSAGE_LENGTH as LONGEST,
)
from headway.providers.http_errors import (
    PRESERVED_STATUSES as STATUS,
)
from headway.providers.http_errors import (
    decode_error,
    retry_after,
)
from headway.providers.http_errors import (
    error_from_body as error_in,
)

__all__ = ("BY_STATUS", "LONGEST", "STATUS", "decode_error", "error_in", "retry_after")
