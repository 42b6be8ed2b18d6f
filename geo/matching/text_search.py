"""Search sites by words, and by words, filters and a bounding box together.

`mentions` is the only word search: the API, the residents' pages and the command line all use it, so
that the same words find the same sites everywhere.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from geo.sites import standard
from geo.sites.filters import EVERY_SITE, SiteFilter
from geo.sites.model import Site
from geo.sites.text import fold
from geo.snapshot import Snapshot

Box = tuple[float, float, float, float]
"""West, south, east, north, in WGS 84 degrees."""

STOP_WORDS: Final = frozenset(
    [
        *("a", "au", "aux", "avec", "d", "dans", "de", "des", "du", "en", "et", "l", "la", "le", "les"),
        *("ou", "par", "pour", "qu", "s", "sur", "un", "une"),
    ]
)
"""Folded words ignored in a query, unless it has no other word."""

_BETWEEN_WORDS = re.compile(r"[\s']+")
_PUNCTUATION: Final = ',;:.!?()«»"…'
_PLURAL = re.compile(r"(\w{3,}(?:[^s\W]|u(?=x)))[sx]")


@dataclass(frozen=True)
class SiteSearch:
    """A filter, words and a bounding box that a site must all match.

    Hashable, so that it can be a cache key. A site without coordinates is in no box.
    """

    filter: SiteFilter = EVERY_SITE
    words: str = ""
    box: Box | None = None

    def __bool__(self) -> bool:
        return bool(self.filter or self.words.strip() or self.box)

    def rows(self, snapshot: Snapshot) -> NDArray[np.intp]:
        """Return the indices in `snapshot.sites` of the sites found, ascending."""
        return np.array(
            [
                row
                for row, site in enumerate(snapshot.sites)
                if self.filter.matches(site) and self._in_box(site) and mentions(site, self.words)
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


def mentions(site: Site, words: str) -> bool:
    """Return whether the text of a site contains every word of a query.

    The text is the name, address, parent structure, source, presentations, labels, services and types
    of structure (« Bibliothèque / Médiathèque ») of the site. Accents and case are ignored. A word
    also matches inside a longer one (« média » in « médiathèque »), and a plural matches its singular
    as a whole word. `STOP_WORDS` are ignored. An empty query matches every site.
    """
    patterns = _patterns(words)
    if not patterns:
        return True
    text = _text(site)
    return all(
        word in text or (singular is not None and singular.search(text) is not None)
        for word, singular in patterns
    )


@lru_cache(maxsize=1_024)
def _patterns(words: str) -> tuple[tuple[str, re.Pattern[str] | None], ...]:
    """Return each folded word of a query, and the pattern of its singular when it may be a plural."""
    folded = fold(words)
    stripped = [word.strip(_PUNCTUATION) for word in _BETWEEN_WORDS.split(folded)]
    significant = [word for word in stripped if word and word not in STOP_WORDS] or folded.split()
    return tuple(
        (word, re.compile(rf"\b{re.escape(plural[1])}\b") if (plural := _PLURAL.fullmatch(word)) else None)
        for word in significant
    )


@lru_cache(maxsize=32_768)
def _text(site: Site) -> str:
    """Return the folded text of a site. Cached: folding costs ten times more than hashing the site."""
    return fold(
        " ".join(
            (
                *(site.nom, site.commune, site.code_postal, site.adresse, site.complement_adresse),
                *(site.structure_parente, site.source, site.presentation_resume, site.presentation_detail),
                *site.autres_formations_labels,
                *site.services,
                *(standard.TYPOLOGIES.get(code, code) for code in site.typologie),
            )
        )
    )
