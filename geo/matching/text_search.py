"""Which sites of a snapshot a question is about: field conditions, words, and a box on the map."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geo.sites.filters import EVERY_SITE, SiteFilter
from geo.sites.model import Site
from geo.sites.text import fold
from geo.snapshot import Snapshot

Box = tuple[float, float, float, float]
"""West, south, east, north, in WGS 84 degrees."""

_SEARCHED = ("nom", "commune", "code_postal", "adresse", "structure_parente", "presentation_resume")


@dataclass(frozen=True)
class SiteSearch:
    """A filter, words and a box, all of which a site must meet. Hashable, so that it can key a cache.

    Every word of `words` is found in the site's name, commune, postal code, address, parent
    structure or summary, whatever its accents and case. A site that is not located is in no box.
    """

    filter: SiteFilter = EVERY_SITE
    words: str = ""
    box: Box | None = None

    def __bool__(self) -> bool:
        return bool(self.filter or self.words.strip() or self.box)

    def rows(self, snapshot: Snapshot) -> NDArray[np.intp]:
        """Places in `snapshot.sites` of the sites found, ascending."""
        words = fold(self.words).split()
        return np.array(
            [
                row
                for row, site in enumerate(snapshot.sites)
                if self.filter.matches(site) and self._in_box(site) and _mentions(site, words)
            ],
            dtype=np.intp,
        )

    def _in_box(self, site: Site) -> bool:
        if self.box is None:
            return True
        if site.longitude is None or site.latitude is None:
            return False
        west, south, east, north = self.box
        return west <= site.longitude <= east and south <= site.latitude <= north


def _mentions(site: Site, words: list[str]) -> bool:
    if not words:
        return True
    text = fold(" ".join(getattr(site, name) for name in _SEARCHED))
    return all(word in text for word in words)
