"""Pictures of the page ``models``."""

from __future__ import annotations

from page.pictures.picture import Picture

PICTURES = [
    Picture("models", "#/models"),
    Picture("models-providers", "#/models/providers"),
    Picture("models-routes", "#/models/routes"),
    Picture("models-explain", "#/models/explain?model=quick"),
]
