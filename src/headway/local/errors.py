"""The error of this package: why the local model is unavailable, and what to do about it."""

from __future__ import annotations

from headway.errors import UpstreamUnreachable

CODE = "local_model_unavailable"


def unavailable(
    why: str, remedy: str | None = None, retry_after_s: float | None = None
) -> UpstreamUnreachable:
    """``remedy`` is a shell command."""
    advice = f"run `{remedy}`, or use another provider" if remedy else "use another provider"
    return UpstreamUnreachable(
        f"The local model is not available: {why}. To go on, {advice}.",
        provider="local",
        code=CODE,
        retry_after_s=retry_after_s,
    )


def copy_of(error: UpstreamUnreachable, retry_after_s: float | None) -> UpstreamUnreachable:
    """A copy to raise: an exception that is raised twice collects both tracebacks."""
    return UpstreamUnreachable(
        error.message, provider=error.provider, code=error.code, retry_after_s=retry_after_s
    )
