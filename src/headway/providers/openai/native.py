"""The routes of OpenAI's API, and of its copies, whose responses can be read when they are passed
through."""

from headway.providers.native_api import NativeApi, ReadableRoute
from headway.providers.openai.realtime import read_message
from headway.providers.openai.realtime_messages import read_messages

COMPLETIONS, RESPONSES, EMBEDDINGS = "/completions", "/responses", "/embeddings"
"""The first also ends ``/chat/completions``, whose responses the same decoder reads."""

NATIVE = NativeApi(
    routes=(
        ReadableRoute(COMPLETIONS),
        ReadableRoute(RESPONSES, kind="openai_responses"),
        ReadableRoute(EMBEDDINGS, is_embeddings=True),
    ),
    realtime_path="/realtime",
    read_message=read_message,
    read_conversation=read_messages,
)
