"""Pictures of the page ``logs``."""

from __future__ import annotations

from page.pictures.picture import Picture

PICTURES = [Picture("logs", "#/logs")]
