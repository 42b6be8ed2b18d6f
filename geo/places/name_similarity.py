"""How alike two names are, misspelt ones included: as written, and as they sound."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import process
from rapidfuzz.distance import OSA

AS_WRITTEN: Final = 0.6
"""Share of the spelling in the likeness; the rest is how the names sound."""

PREFIX_MIN: Final = 2
"""Letters from which a name begun counts as typed on the way to the whole."""

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
"""Spelling → sound, in order: 1 is « ch », 2 « in », 3 « an »; vowels and consonants that sound alike
are written alike, doubled letters once, silent ones not at all."""


def phonetic_key(key: str) -> str:
    """Rough French phonetic key of a word (a `query_words` key); names that sound alike share it."""
    told = key
    for pattern, written in _SOUNDS:
        told = pattern.sub(written, told)
    return told or key


_cached_phonetic_key = lru_cache(maxsize=65_536)(phonetic_key)
"""Of names, which are searched again and again; never of what somebody typed."""


class NameMatcher:
    """Keys of names, ready to be compared with what was typed."""

    def __init__(self, keys: Iterable[str]) -> None:
        self.keys = tuple(keys)
        self._bare = [key.replace(" ", "") for key in self.keys]
        self._sounds = [_cached_phonetic_key(key) for key in self.keys]
        self._lengths = np.array([max(len(name), 1) for name in self._bare], dtype=np.float64)

    def similarity_to(self, asked: Sequence[str], *, begun: bool = True) -> NDArray[np.float64]:
        """How alike each key asked is to each of the names; shape (asked, names), in [0, 1].

        Mean of two normalised optimal-string-alignment similarities (an insertion, a deletion, a
        substitution, a transposition of neighbours cost one each): of the spelling, spaces aside,
        and of the sound. With `begun`, what is like the beginning of a name is taken for a name
        half typed: at least 0.8 when it is that beginning.
        """
        bare = [key.replace(" ", "") for key in asked]
        heard = _similarities([phonetic_key(key) for key in asked], self._sounds)
        alike: NDArray[np.float64] = AS_WRITTEN * _similarities(bare, self._bare) + (1 - AS_WRITTEN) * heard
        for row, key in enumerate(bare if begun else ()):
            if len(key) >= PREFIX_MIN:
                alike[row] = np.maximum(alike[row], self._begun_by(key))
        return alike

    def _begun_by(self, key: str) -> NDArray[np.float64]:
        """How likely each name is the end of what was begun to be typed."""
        size = len(key)
        # A letter left out makes the beginning one longer than what was typed.
        same, longer = ([name[: size + more] for name in self._bare] for more in (0, 1))
        alike = np.maximum(_similarities([key], same)[0], _similarities([key], longer)[0])
        typed = np.minimum(size / self._lengths, 1.0)
        likely: NDArray[np.float64] = alike * (0.8 + 0.2 * typed)
        return likely


def _similarities(asked: Sequence[str], names: Sequence[str]) -> NDArray[np.float64]:
    return process.cdist(asked, names, scorer=OSA.normalized_similarity, dtype=np.float64)
