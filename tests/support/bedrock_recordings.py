"""The recordings of Bedrock that the tests use, and those that they do not, with the reasons."""

from __future__ import annotations

from support.recordings import Recording

OTHERS = "invoke is for Claude; other models are spoken to through Converse"
WAIVED = {
    "bedrock/count-tokens-sync-basic-claude": "a count is no chat",
    "bedrock/count-tokens-sync-cache-control-claude": "a count is no chat",
    "bedrock/count-tokens-sync-error-400": "a count is no chat",
    "bedrock/invoke-sync-finish-length": "a model of one's own on SageMaker, in its own format",
    "bedrock/invoke-sync-req-documents-cohere": "a ranking of documents is no chat",
    "bedrock/invoke-sync-stop-sequences-req-top-k-claude": "text completions, before Messages",
    "bedrock/invoke-sync-system-finish-end-turn-nova": OTHERS,
    "bedrock/invoke-sync-tool-call-parallel-tool-calls-nova": OTHERS,
    "bedrock/invoke-with-response-stream-stream-finish-length-llama": OTHERS,
    "bedrock/invoke-with-response-stream-stream-finish-max-tokens-command": OTHERS,
    "bedrock/invoke-with-response-stream-stream-finish-max-tokens-nova": OTHERS,
    "bedrock/invoke-with-response-stream-stream-invocationmetrics-titan": OTHERS,
    "bedrock/invoke-with-response-stream-stream-stop-sequences-claude": "text completions",
    "bedrock/invoke-with-response-stream-stream-system-invocationmetrics-nova": OTHERS,
}
EMBEDDINGS = ("req-dimensions-titan", "req-input-type")


def is_chat(recording: Recording) -> bool:
    embeds = any(sign in recording.name for sign in EMBEDDINGS)
    return recording.provider == "bedrock" and recording.name not in WAIVED and not embeds
