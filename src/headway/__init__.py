"""Headway: an LLM gateway that measures every token.

``import headway`` imports nothing else: ``Client`` is imported on first use (PEP 562).
"""

__version__ = "0.1.0"

__all__ = ["ApiError", "AsyncClient", "Client", "__version__"]

TYPE_CHECKING = False  # type checkers assume True; avoids importing typing
if TYPE_CHECKING:
    from headway.sdk import ApiError as ApiError
    from headway.sdk import AsyncClient as AsyncClient
    from headway.sdk import Client as Client


def __getattr__(name: str) -> object:
    if name in ("ApiError", "AsyncClient", "Client"):
        from headway import sdk

        return getattr(sdk, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
