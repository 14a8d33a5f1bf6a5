"""Pictures of the page ``models``."""

from __future__ import annotations

from page.pictures.picture import Picture

PICTURES = [Picture("models", "#/models")]
