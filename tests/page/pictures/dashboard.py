"""Pictures of the page ``dashboard``."""

from __future__ import annotations

from page.pictures.picture import Picture

PICTURES = [
    Picture("dashboard", "#/dashboard"),
    Picture("dashboard-split", "#/dashboard?split=model&range=24h"),
    Picture("dashboard-empty", "#/dashboard?model=none"),
]
