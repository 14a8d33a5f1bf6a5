"""Format the line of metrics that follows a reply."""

from __future__ import annotations

from decimal import Decimal

from headway.sdk import Metrics


def metrics_line(model: str, metrics: Metrics, finish_reason: str | None = None) -> str:
    """``model`` is ``provider/model``. Unknown values are left out, except the cost."""
    finish = finish_reason if finish_reason not in (None, "stop") else None
    parts = (
        model,
        *_tokens(metrics),
        "cost unknown" if metrics.cost_usd is None else dollars(metrics.cost_usd),
        _labelled("{}", metrics.latency_s),
        _labelled("first token {}", metrics.time_to_first_token_s),
        _labelled("{}/token", metrics.inter_token_latency_s, in_ms=True),
        None if metrics.tokens_per_second is None else f"{metrics.tokens_per_second:.1f} tok/s",
        finish and f"finish {finish}",
    )
    return " · ".join(part for part in parts if part)


def dollars(cost: float | Decimal) -> str:
    """Three significant digits, at least to the cent, never in exponent notation."""
    exact = cost if isinstance(cost, Decimal) else Decimal(repr(cost))
    if not exact:
        return "$0"
    places = max(2, 2 - exact.adjusted())
    text = f"{exact:.{places}f}"
    whole, _, cents = text.partition(".")
    return f"${whole}.{cents.rstrip('0').ljust(2, '0')}"


def duration(seconds: float, *, in_ms: bool = False) -> str:
    """``8.3 ms`` below a tenth of a second or ``in_ms`` is set, else ``1.06 s``."""
    if in_ms or seconds < 0.1:
        return f"{seconds * 1000:.1f} ms"
    return f"{seconds:.2f} s"


def _tokens(metrics: Metrics) -> tuple[str | None, str | None]:
    about = "~" if metrics.tokens_source == "counted" else ""
    pairs = ((metrics.input_tokens, "in"), (metrics.output_tokens, "out"))
    sent, received = (None if n is None else f"{about}{n} {word}" for n, word in pairs)
    return sent, received


def _labelled(form: str, seconds: float | None, *, in_ms: bool = False) -> str | None:
    return None if seconds is None else form.format(duration(seconds, in_ms=in_ms))
