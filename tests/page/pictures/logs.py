"""Pictures of the page ``logs``."""

from __future__ import annotations

from page.pictures.picture import Picture
from page.shell import Shell


def open_first(shell: Shell) -> None:
    shell.main.locator(".call-row:not(.is-blank)").first.click()
    shell.main.locator(".call-summary").wait_for()


def open_conversation(shell: Shell) -> None:
    body = {"model": "markdown", "messages": [{"role": "user", "content": "Show me Markdown"}]}
    shell.tab.request.post(f"{shell.base_url}/v1/chat/completions", data=body)
    shell.main.locator(".call-row").filter(has_text="echo").first.click()
    shell.main.locator(".message.is-answer").wait_for()


def open_filters(shell: Shell) -> None:
    shell.main.get_by_role("button", name="Add a filter").click()
    shell.main.get_by_role("option", name="Model").click()
    shell.main.get_by_role("option", name="gpt-4.1-mini").wait_for()


def open_session(shell: Shell) -> None:
    shell.main.locator(".session-row a").first.click()
    shell.main.get_by_role("region", name="Session").wait_for()


PICTURES = [
    Picture("logs", "#/logs"),
    Picture("logs-filters", "#/logs?outcome=error", open_filters),
    Picture("logs-call", "#/logs", open_conversation),
    Picture("logs-call-timing", "#/logs?tab=timing", open_first),
    Picture("logs-call-cost", "#/logs?tab=cost", open_first),
    Picture("logs-sessions", "#/logs?view=sessions"),
    Picture("logs-session", "#/logs?view=sessions", open_session),
    Picture("logs-no-match", "#/logs?model=nothing"),
]
