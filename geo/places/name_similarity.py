"""Similarity of names, including misspelt ones, from their spelling and their sound."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import process
from rapidfuzz.distance import OSA

SPELLING_WEIGHT: Final = 0.6
"""Weight of the spelling in the similarity; the rest is the weight of the sound."""

PREFIX_MIN: Final = 2
"""Minimum length of a query treated as the beginning of a name, in letters."""

_SOUNDS: Final = tuple(
    (re.compile(pattern), written)
    for pattern, written in (
        (r" ", ""),
        (r"ph", "f"),
        (r"[sc]h", "1"),
        (r"h", ""),
        (r"y", "i"),
        (r"eau|au", "o"),
        (r"(?:ain|ein|in)(?![aeiounm])|im(?=[bp])", "2"),
        (r"(?:an|en)(?![aeiounm])|[ae]m(?=[bp])", "3"),
        (r"gu(?=[ei])", "g"),
        (r"g(?=[ei])", "j"),
        (r"qu|q|ck|c(?![ei])", "k"),
        (r"[cz]", "s"),
        (r"ai|ei", "e"),
        (r"ill", "il"),
        (r"(.)\1+", r"\1"),
        (r"[esxtdp]+$", ""),
    )
)
"""Pattern → replacement, applied in order. 1 stands for « ch », 2 for « in », 3 for « an »; vowels
and consonants with the same sound are unified, doubled letters merged and silent letters removed."""


def phonetic_key(key: str) -> str:
    """Return a rough French phonetic key of a `query_words` key; names that sound alike share it."""
    phonetic = key
    for pattern, replacement in _SOUNDS:
        phonetic = pattern.sub(replacement, phonetic)
    return phonetic or key


_cached_phonetic_key = lru_cache(maxsize=65_536)(phonetic_key)
"""Cached version for the names of an index; not used for queries, which do not repeat."""


class NameMatcher:
    """Keys of names, prepared for comparison with queries."""

    def __init__(self, keys: Iterable[str]) -> None:
        self.keys = tuple(keys)
        self._bare = [key.replace(" ", "") for key in self.keys]
        self._sounds = [_cached_phonetic_key(key) for key in self.keys]
        self._lengths = np.array([max(len(name), 1) for name in self._bare], dtype=np.float64)

    def similarity_to(self, keys: Sequence[str], *, prefixes: bool = True) -> NDArray[np.float64]:
        """Return the similarity of each key to each name; shape (keys, names), values in [0, 1].

        Weighted mean of two normalised optimal-string-alignment similarities (an insertion, a
        deletion, a substitution, a transposition of neighbours cost one each): of the spelling,
        without spaces, and of the sound. With `prefixes`, a key may also be the beginning of a name
        that is still being typed: at least 0.8 when it is exactly that.
        """
        bare = [key.replace(" ", "") for key in keys]
        spelling = _similarities(bare, self._bare)
        sound = _similarities([phonetic_key(key) for key in keys], self._sounds)
        similarity: NDArray[np.float64] = SPELLING_WEIGHT * spelling + (1 - SPELLING_WEIGHT) * sound
        for row, key in enumerate(bare if prefixes else ()):
            if len(key) >= PREFIX_MIN:
                similarity[row] = np.maximum(similarity[row], self._prefix_similarity(key))
        return similarity

    def _prefix_similarity(self, key: str) -> NDArray[np.float64]:
        """Return the similarity of a key to the beginning of each name, weighted by its share typed."""
        size = len(key)
        # If a letter was left out, the corresponding beginning is one letter longer than the key.
        same, longer = ([name[: size + more] for name in self._bare] for more in (0, 1))
        similarity = np.maximum(_similarities([key], same)[0], _similarities([key], longer)[0])
        typed_share = np.minimum(size / self._lengths, 1.0)
        weighted: NDArray[np.float64] = similarity * (0.8 + 0.2 * typed_share)
        return weighted


def _similarities(keys: Sequence[str], names: Sequence[str]) -> NDArray[np.float64]:
    return process.cdist(keys, names, scorer=OSA.normalized_similarity, dtype=np.float64)
