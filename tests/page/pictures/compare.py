"""Pictures of the page ``compare``."""

from __future__ import annotations

from page.pictures.picture import Picture

PICTURES = [Picture("compare", "#/compare")]
